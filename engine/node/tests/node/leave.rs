//! Leave over the wire: given, listed, kept over a restart, ended, refused, and in the audit log.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, RuleConfig, SubjectClass, Who,
};
use ach_clients_rust::{
    Code, Cursor, Filter, LeaveOrder, Operator, OperatorError, Publisher, Remark, Thing, WireLeave,
};
use ach_engine_net::Role;
use ach_engine_node::Running;

use crate::audit::{check_has, drain, records};
use crate::ward::{Alarms, Ward, name, ping};

const HOUR_NS: u64 = 3_600_000_000_000;

/// A ward that visitors may not leave, who else are of no interest to anybody.
fn guarded() -> Ward {
    let mut ward = Ward::new();
    ward.site.rules = vec![RuleConfig {
        id: name("stray"),
        who: Who { classes: vec![SubjectClass::Visitor], ..Who::default() },
        when: Vec::new(),
        condition: Condition::Leaves { zones: vec![0], lines: vec![] },
        alarm: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }];
    ward
}

fn leave(subject: &str) -> LeaveOrder {
    LeaveOrder {
        subject: name(subject),
        for_ns: Some(HOUR_NS),
        places: vec![Thing::Zone(name("ward"))],
        is_until_back: false,
        escort: None,
        within_mm: None,
        gap_ns: None,
        person: Some(name("nurse-7")),
        reason: Some(Remark::new("to the garden").unwrap()),
    }
}

fn no_leave(subject: &str) -> LeaveOrder {
    LeaveOrder { for_ns: None, places: vec![], person: None, reason: None, ..leave(subject) }
}

async fn hand(ward: &Ward, node: &Running, role: Role, who: &str) -> Operator {
    ward.client(node.address(), role, who).await.operator()
}

#[track_caller]
fn refused(answer: Result<Option<Cursor>, OperatorError>) -> (Code, String) {
    match answer {
        Err(OperatorError::Refused { code, detail }) => (code, detail),
        other => panic!("{other:?}"),
    }
}

/// Visitor 2 at a place, on disk.
async fn seen(vendor: &Publisher, x_mm: i32) {
    let seq = vendor.publish(ping(2, x_mm, 5_000)).await.unwrap();
    vendor.wait_durable(seq).await.unwrap();
}

fn listed(leaves: &[WireLeave]) -> Vec<String> {
    let line = |it: &WireLeave| {
        let places = it.places.len();
        format!("{} by {}: {}, {places} places", it.subject, it.by, it.reason.as_str())
    };
    leaves.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_holds_an_alarm_back_over_a_restart_and_until_it_is_ended() {
    let ward = guarded();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let mut desk = hand(&ward, &node, Role::Receiver, "desk").await;
    assert!(desk.leaves().await.unwrap().is_empty());
    assert!(desk.leave(leave("visitor-2")).await.unwrap().is_some(), "it is durable");
    assert!(desk.leave(leave("visitor-3")).await.unwrap().is_some(), "it is durable");
    assert!(desk.leave(no_leave("visitor-3")).await.unwrap().is_some(), "it is durable");
    let given = desk.leaves().await.unwrap();
    assert_eq!(listed(&given), ["visitor-2 by nurse-7: to the garden, 1 places"]);
    assert_eq!(given[0].until.since_ns(given[0].given_at), HOUR_NS);
    seen(&vendor, 5_000).await;
    seen(&vendor, 15_000).await;
    // It was so quick that one position is not believed.
    seen(&vendor, 15_000).await;
    vendor.close().await.unwrap();
    drop(desk);
    drain(node).await;

    let node = ward.start();
    let mut desk = hand(&ward, &node, Role::Operator, "office").await;
    assert_eq!(desk.leaves().await.unwrap(), given, "as it was");
    // Nobody has been told of anything meanwhile: this is the first news.
    desk.leave(no_leave("visitor-2")).await.unwrap();
    assert!(desk.leaves().await.unwrap().is_empty());
    alarms = {
        drop(alarms);
        let client = ward.client(node.address(), Role::Receiver, "screen").await;
        let stream = client.subscriber().alarms(Filter::default(), None).await.unwrap();
        Alarms { stream }
    };
    alarms.expect("Raised Elopement visitor-2 Durable").await;
    alarms.expect("open 1").await;
    desk.leave(leave("visitor-2")).await.unwrap();
    alarms.expect("Cleared Elopement visitor-2 Durable").await;
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "receiver desk leave_given done [subject visitor-2, on_behalf_of nurse-7, zone ward, \
         seconds 3600]",
    );
    check_has(&records, "operator office leave_ended done [subject visitor-2]");
    check_has(&records, "receiver desk read_begun done [topic leaves]");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_give_no_leave_and_what_cannot_be_is_refused_and_said_why() {
    let ward = guarded();
    let node = ward.start();
    let mut vendor = hand(&ward, &node, Role::Vendor, "uwb").await;
    assert!(vendor.leave(leave("visitor-2")).await.is_err());
    let mut desk = hand(&ward, &node, Role::Receiver, "desk").await;
    let check = [
        (leave("nobody"), Code::UnknownThing, "the site has no such subject"),
        (
            LeaveOrder { places: vec![Thing::Zone(name("moon"))], ..leave("visitor-2") },
            Code::UnknownThing,
            "the site has no such place",
        ),
        (
            LeaveOrder { for_ns: Some(25 * HOUR_NS), ..leave("visitor-2") },
            Code::NotApplicable,
            "give leave for a time above 0, and for 24 h at most",
        ),
        (
            LeaveOrder { reason: None, ..leave("visitor-2") },
            Code::NotApplicable,
            "a reason is needed: say why, in a few words",
        ),
        (
            LeaveOrder { escort: Some(name("visitor-2")), ..leave("visitor-2") },
            Code::NotApplicable,
            "an escort is somebody else, within 1 to 100 m, missed for 1 s to 10 min at most",
        ),
    ];
    for (order, code, detail) in check {
        assert_eq!(refused(desk.leave(order).await), (code, detail.to_owned()));
    }
    let mut office = hand(&ward, &node, Role::Operator, "office").await;
    office.quarantine(Thing::Subject(name("visitor-2"))).await.unwrap();
    let (code, detail) = refused(desk.leave(leave("visitor-2")).await);
    assert_eq!(code, Code::NotApplicable);
    let set_aside =
        "what it is about is set aside after a fault: release it first (`ach actor release`)";
    assert_eq!(detail, set_aside);
    assert!(desk.leaves().await.unwrap().is_empty());
    drop((vendor, desk, office));
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "receiver desk leave_given refused code 64 [unknown subject:1, on_behalf_of nurse-7, \
         zone ward, seconds 3600]",
    );
}
