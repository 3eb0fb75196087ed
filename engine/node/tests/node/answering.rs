//! Alarms that people answer: over the wire, over a restart, by two, and by those who may not.

use ach_actors_model::{
    AlarmAct, AlarmCause, AlarmId, AlarmState, AlarmStateName, AlarmWish, AnswerConfig, QuietKind,
    StaysUntil, TagId,
};
use ach_clients_rust::{
    AlarmNote, AlarmUpdate, Code, LifeNote, Operator, OperatorError, QuietOrder, Remark, Report,
    ReportWord, Thing, now,
};
use ach_engine_net::Role;
use ach_engine_node::Running;

use crate::audit::{check_has, drain, records};
use crate::ward::{Alarms, Ward, in_time, name, render};

/// A ward whose duress calls must be closed.
fn asking() -> Ward {
    let mut ward = Ward::new();
    for rule in &mut ward.site.rules {
        if rule.id.as_str() == "duress" {
            rule.answer =
                AnswerConfig { stays_until: StaysUntil::Closed, ..AnswerConfig::default() };
        }
    }
    ward
}

async fn hand(ward: &Ward, node: &Running, role: Role, who: &str) -> Operator {
    ward.client(node.address(), role, who).await.operator()
}

fn wish(alarm: AlarmId, act: AlarmAct) -> AlarmWish {
    AlarmWish { alarm, act, person: None, remark: None }
}

#[track_caller]
fn refused(answer: Result<Option<ach_clients_rust::Cursor>, OperatorError>) -> (Code, String) {
    match answer {
        Err(OperatorError::Refused { code, detail }) => (code, detail),
        other => panic!("{other:?}"),
    }
}

async fn note(alarms: &mut Alarms) -> AlarmNote {
    match in_time("news", alarms.stream.next()).await {
        Some(AlarmUpdate::Note(note)) => *note,
        other => panic!("{other:?}"),
    }
}

fn life(note: &AlarmNote) -> LifeNote {
    note.life.as_deref().cloned().expect("something was done with it")
}

/// A duress call, told and durable.
async fn called(alarms: &mut Alarms, vendor: &ach_clients_rust::Publisher) -> AlarmId {
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    let raised = note(alarms).await;
    assert_eq!(raised.state.name(), AlarmStateName::Unacknowledged);
    alarms.expect("durable Raised").await;
    raised.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_acknowledged_and_closed_also_over_a_restart() {
    let ward = asking();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let alarm = called(&mut alarms, &vendor).await;
    let mut desk = hand(&ward, &node, Role::Receiver, "desk").await;
    let close = || wish(alarm, AlarmAct::Close { cause: AlarmCause::Real });
    let (code, detail) = refused(desk.act(close()).await);
    assert_eq!(code, Code::NotApplicable);
    assert_eq!(detail, "nobody has acknowledged it: acknowledge it first");
    let remark = Some(Remark::new("on my way").unwrap());
    let person = Some(name("nurse-7"));
    let acknowledge = AlarmWish { person, remark, ..wish(alarm, AlarmAct::Acknowledge) };
    assert!(desk.act(acknowledge).await.unwrap().is_some(), "it is durable");
    assert!(desk.act(wish(alarm, AlarmAct::Acknowledge)).await.unwrap().is_some(), "it is so");
    let told = note(&mut alarms).await;
    assert_eq!(
        render(&AlarmUpdate::Note(Box::new(told.clone()))),
        "Acknowledged Duress nurse Durable"
    );
    let by = life(&told).acknowledged.unwrap().by;
    assert_eq!((by.as_str(), life(&told).remark.unwrap().as_str()), ("nurse-7", "on my way"));
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonReset)).await.unwrap();
    let cleared = note(&mut alarms).await;
    assert_eq!(cleared.state.name(), AlarmStateName::ReturnedOpen, "it is still to be closed");
    vendor.close().await.unwrap();
    drain(node).await;

    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let stream =
        client.subscriber().alarms(ach_clients_rust::Filter::default(), None).await.unwrap();
    let mut alarms = Alarms { stream };
    let open = note(&mut alarms).await;
    assert_eq!((open.id, open.state), (alarm, cleared.state));
    assert_eq!(life(&open).acknowledged.unwrap().by, name("nurse-7"));
    alarms.expect("open 1").await;
    let mut desk = hand(&ward, &node, Role::Receiver, "desk").await;
    desk.act(close()).await.unwrap();
    let closed = note(&mut alarms).await;
    assert_eq!((closed.state.is_retained(), life(&closed).cause), (false, Some(AlarmCause::Real)));
    assert_eq!(refused(desk.act(close()).await).0, Code::UnknownThing);
    assert_eq!(node.counters().alarms_acknowledged.get(), 0, "of this start");
    drain(node).await;
    let records = records(&ward);
    let id = alarm.to_string();
    check_has(
        &records,
        &format!("receiver desk alarm_closed refused code 97 [alarm {id}, cause real]"),
    );
    let acknowledged =
        format!("receiver desk alarm_acknowledged done [alarm {id}, on_behalf_of nurse-7]");
    check_has(&records, &acknowledged);
    check_has(&records, &format!("receiver desk alarm_closed done [alarm {id}, cause real]"));
    check_has(
        &records,
        &format!("receiver desk alarm_closed refused code 64 [alarm {id}, cause real]"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shown_no_alarms_answers_none_and_a_receiver_mutes_nothing() {
    let ward = asking();
    let node = ward.start();
    let mut vendor = hand(&ward, &node, Role::Vendor, "uwb").await;
    assert!(vendor.act(wish(AlarmId(7), AlarmAct::Acknowledge)).await.is_err());
    let mut desk = hand(&ward, &node, Role::Receiver, "desk").await;
    assert_eq!(
        refused(desk.act(wish(AlarmId(7), AlarmAct::Acknowledge)).await).0,
        Code::UnknownThing
    );
    assert!(desk.quiet(door(QuietKind::Suppressed, 60)).await.is_err());
    drop((vendor, desk));
    drain(node).await;
    let records = records(&ward);
    check_has(&records, "receiver desk alarms_muted refused code 33 [door vault-door, seconds 60]");
}

fn door(kind: QuietKind, seconds: u64) -> QuietOrder {
    QuietOrder {
        place: Some(Thing::Door(name("vault-door"))),
        rule: None,
        kind,
        for_ns: seconds * 1_000_000_000,
        person: None,
        remark: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_is_muted_by_two_operators_and_never_by_one() {
    let ward = asking();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let mut chief = hand(&ward, &node, Role::Operator, "chief").await;
    let mut deputy = hand(&ward, &node, Role::Operator, "deputy").await;
    let mute = || door(QuietKind::Suppressed, 600);
    let named = QuietOrder { person: Some(name("somebody-else")), ..mute() };
    assert_eq!(refused(chief.quiet(mute()).await).0, Code::NeedsSecondPerson);
    assert_eq!(refused(chief.quiet(named).await).0, Code::NeedsSecondPerson, "still one");
    deputy.quiet(mute()).await.unwrap();
    let opened = Report::door(name("vault-door"), now(), ReportWord::DoorOpened);
    vendor.report(opened).await.unwrap();
    let raised = note(&mut alarms).await;
    assert!(raised.state.is_any(AlarmState::SUPPRESSED), "{raised:?}");
    alarms.expect("durable Raised").await;
    chief.quiet(door(QuietKind::Suppressed, 0)).await.unwrap();
    let loud = note(&mut alarms).await;
    assert_eq!((loud.id, loud.state.name()), (raised.id, AlarmStateName::Unacknowledged));
    assert_eq!(life(&loud).by, Some(name("chief")));
    let neither = QuietOrder { place: None, ..mute() };
    assert_eq!(refused(chief.quiet(neither).await).0, Code::NotApplicable);
    let nowhere = QuietOrder { place: Some(Thing::Zone(name("attic"))), ..mute() };
    assert_eq!(refused(chief.quiet(nowhere).await).0, Code::UnknownThing);
    drop((vendor, chief, deputy, alarms));
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "operator chief alarms_muted refused code 103 [door vault-door, seconds 600]",
    );
    check_has(&records, "operator deputy alarms_muted done [door vault-door, seconds 600]");
    check_has(&records, "operator chief alarms_unmuted done [door vault-door]");
}
