//! Leave at a node that is killed: what was answered as given holds, and what was held back is told when
//! leave is over, whatever died in between.

use std::path::Path;
use std::time::Duration;

use ach_actors_model::{AlarmKind, NS_PER_S, Name, SubjectClass};
use ach_clients_rust::{
    AlarmNote, AlarmUpdate, Filter, LeaveOrder, Operator, Ping, Publisher, PublisherOptions,
    Remark, WireLeave, now,
};
use ach_engine_site::What;

use crate::lives::Lives;
use crate::process::Process;
use crate::{PATIENCE, connect, ward};

/// How often the node dies unless the environment says otherwise.
const KILLS_DEFAULT: u64 = 6;

/// It dies within so many milliseconds after somebody began to give leave.
const GIVING_MS: (u64, u64) = (0, 20);

/// Leave for so long: longer than a start takes.
const LEAVE_S: u64 = 4;

/// The site, whose visitors may not leave the corridor.
fn directory() -> ach_engine_site::SiteDirectory {
    let mut site = ward::directory();
    for rule in &mut site.rules {
        if rule.who.classes == [SubjectClass::Visitor] {
            rule.what = What::Leaves;
            rule.alarm = AlarmKind::Elopement;
            rule.place.zones = vec![Name::new("corridor").unwrap()];
        }
    }
    site
}

fn order(walker: u32) -> LeaveOrder {
    LeaveOrder {
        subject: Name::new(&ward::walker(walker)).unwrap(),
        for_ns: Some(LEAVE_S * NS_PER_S),
        places: Vec::new(),
        is_until_back: false,
        escort: None,
        within_mm: None,
        gap_ns: None,
        person: None,
        reason: Some(Remark::new("walk in the garden").unwrap()),
    }
}

/// Where somebody is, on disk: said twice, because one position so far off is not believed.
async fn seen(vendor: &Publisher, walker: u32, x_mm: i32) {
    for _ in 0..2 {
        let ping = Ping::local(ward::walker_tag(walker), now(), x_mm, 5_000).on_floor(ward::FLOOR);
        let seq = vendor.publish(ping).await.unwrap();
        tokio::time::timeout(PATIENCE, vendor.wait_durable(seq)).await.unwrap().unwrap();
    }
}

/// Gives leave, until it is ended. Whether that was answered as durable.
async fn give(desk: &mut Operator, walker: u32) -> bool {
    desk.leave(order(walker)).await.is_ok_and(|cursor| cursor.is_some())
}

/// The alarm about somebody's leaving, open or yet to come.
async fn elopement(node: &Process, files: &Path, walker: u32) -> AlarmNote {
    let reader = connect(node, files).await;
    let mut alarms = reader.subscriber().alarms(Filter::default(), None).await.unwrap();
    let subject = ward::walker(walker);
    loop {
        let news = tokio::time::timeout(PATIENCE, alarms.next()).await.expect("news in time");
        if let Some(AlarmUpdate::Note(note)) = news
            && note.kind == AlarmKind::Elopement
            && note.subject.as_ref().is_some_and(|who| who.as_str() == subject)
            && note.state.is_retained()
        {
            return *note;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_that_was_answered_holds_and_ends_over_a_kill() {
    let mut lives = Lives::begin(&directory(), KILLS_DEFAULT).await;
    let feed = lives.enrol("vendor", ward::FEED).await;
    let files = lives.enrol("receiver", "desk").await;
    let vendor = connect(&lives.node, &feed).await.publisher(PublisherOptions::default()).unwrap();
    let mut given_count = 0;
    for turn in 0..lives.kills {
        let walker = u32::try_from(turn).unwrap() % ward::WALKERS;
        seen(&vendor, walker, 5_000).await;
        let mut desk = connect(&lives.node, &files).await.operator();
        let dies_after = Duration::from_millis(lives.chance.between(GIVING_MS));
        let asked_at = now();
        let giving = give(&mut desk, walker);
        let was_given = tokio::time::timeout(dies_after, giving).await == Ok(true);
        lives.die().await;
        lives.rise().await;
        let mut desk = connect(&lives.node, &files).await.operator();
        let leaves: Vec<WireLeave> = desk.leaves().await.unwrap();
        let wanted = order(walker).subject;
        let leave = leaves.into_iter().find(|leave| leave.subject == wanted);
        // A start that took longer than leave lasts has ended it by now.
        let is_over = now().since_ns(asked_at) >= LEAVE_S * NS_PER_S;
        assert!(!was_given || leave.is_some() || is_over, "given, and forgotten");
        given_count += u64::from(was_given);
        seen(&vendor, walker, ward::VAULT_WEST_MM + 5_000).await;
        // Out, the node dies once more; whoever had leave is told of when that is over.
        lives.die().await;
        lives.rise().await;
        let told = elopement(&lives.node, &files, walker).await;
        if let Some(leave) = leave {
            assert!(told.changed_at >= leave.until, "told before leave was over: {told:?}");
        }
    }
    println!("{given_count} of {} were answered before the node died", lives.kills);
    lives.end().await;
}
