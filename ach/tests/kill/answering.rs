//! Alarms that people answer, at a node that is killed: what was answered as done is done, and what
//! nobody answered is passed on, whatever died in between.

use std::path::Path;
use std::time::Duration;

use ach_actors_model::{AnswerConfig, Escalation, NS_PER_S, Name, StaysUntil};
use ach_clients_rust::{
    AlarmAct, AlarmId, AlarmNote, AlarmState, AlarmStream, AlarmTransition, AlarmUpdate, AlarmWish,
    Filter, Operator, Publisher, PublisherOptions, Report, ReportWord, now,
};

use crate::lives::Lives;
use crate::process::Process;
use crate::{PATIENCE, connect, ward};

/// How often the node dies unless the environment says otherwise.
const KILLS_DEFAULT: u64 = 6;

/// It dies within so many milliseconds after somebody began to answer.
const ANSWERING_MS: (u64, u64) = (0, 20);

/// Nobody answers for so long, and it is passed on: longer than a start takes.
const PASSED_ON_S: u64 = 3;

/// The site, whose calls are to be closed, and are passed on.
fn directory() -> ach_engine_site::SiteDirectory {
    let mut site = ward::directory();
    let desk = Name::new("desk").unwrap();
    for rule in &mut site.rules {
        rule.answer = AnswerConfig {
            stays_until: StaysUntil::Closed,
            escalations: vec![Escalation { after_ns: PASSED_ON_S * NS_PER_S, to: desk.clone() }],
            ..AnswerConfig::default()
        };
    }
    site
}

async fn next(alarms: &mut AlarmStream) -> AlarmUpdate {
    tokio::time::timeout(PATIENCE, alarms.next()).await.expect("news in time").expect("a stream")
}

/// The open alarms, by what the node tells whoever comes.
async fn open_set(node: &Process, files: &Path) -> (AlarmStream, Vec<AlarmNote>) {
    let reader = connect(node, files).await;
    let mut alarms = reader.subscriber().alarms(Filter::default(), None).await.unwrap();
    let mut told = Vec::new();
    loop {
        match next(&mut alarms).await {
            AlarmUpdate::Note(alarm) => told.push(*alarm),
            AlarmUpdate::OpenSetComplete { .. } => return (alarms, told),
            _ => {}
        }
    }
}

async fn note(alarms: &mut AlarmStream, wanted: AlarmTransition) -> AlarmNote {
    loop {
        if let AlarmUpdate::Note(note) = next(alarms).await
            && note.transition == wanted
        {
            return *note;
        }
    }
}

/// A nurse calls; the alarm is on disk when this returns.
async fn call(alarms: &mut AlarmStream, vendor: &Publisher, nurse: u32) -> AlarmId {
    let tag = ward::nurse_tag(nurse);
    let seq = vendor.report(Report::tag(tag, now(), ReportWord::ButtonPressed)).await.unwrap();
    tokio::time::timeout(PATIENCE, vendor.wait_durable(seq)).await.unwrap().unwrap();
    note(alarms, AlarmTransition::Raised).await.id
}

/// Acknowledges an alarm, until it is ended. Whether that was answered as durable.
async fn acknowledge(hand: &mut Operator, alarm: AlarmId) -> bool {
    let act = AlarmAct::Acknowledge;
    let wish = AlarmWish { alarm, act, person: None, remark: None };
    hand.act(wish).await.is_ok_and(|cursor| cursor.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_and_what_was_not_is_passed_on_after_a_kill() {
    let mut lives = Lives::begin(&directory(), KILLS_DEFAULT).await;
    let feed = lives.enrol("vendor", ward::FEED).await;
    let desk = lives.enrol("receiver", "desk").await;
    let vendor = connect(&lives.node, &feed).await.publisher(PublisherOptions::default()).unwrap();
    let mut answered_count = 0;
    for turn in 0..lives.kills {
        let nurse = u32::try_from(turn).unwrap() % ward::NURSES;
        let (mut alarms, _) = open_set(&lives.node, &desk).await;
        let reset = Report::tag(ward::nurse_tag(nurse), now(), ReportWord::ButtonReset);
        vendor.report(reset).await.unwrap();
        let alarm = call(&mut alarms, &vendor, nurse).await;
        let mut hand = connect(&lives.node, &desk).await.operator();
        let dies_after = Duration::from_millis(lives.chance.between(ANSWERING_MS));
        let answering = acknowledge(&mut hand, alarm);
        let was_answered = tokio::time::timeout(dies_after, answering).await == Ok(true);
        lives.die().await;
        lives.rise().await;
        let (mut alarms, open) = open_set(&lives.node, &desk).await;
        let is_it = |note: &&AlarmNote| note.id == alarm;
        let found = open.iter().find(is_it).expect("a call is open until it is closed");
        let is_acknowledged = found.state.is_any(AlarmState::ACKNOWLEDGED);
        assert!(is_acknowledged || !was_answered, "answered, and forgotten: {found:?}");
        answered_count += u64::from(was_answered);
        let by = found.life.as_ref().and_then(|life| life.acknowledged.as_ref());
        assert_eq!(by.is_some(), is_acknowledged, "{found:?}");
        if !is_acknowledged {
            // It may have been passed on before the open set was told.
            let level = found.life.as_ref().map_or(0, |life| life.level);
            if level == 0 {
                let told = note(&mut alarms, AlarmTransition::Escalated).await;
                assert!(told.life.is_some_and(|life| life.level == 1));
            }
        }
    }
    println!("{answered_count} of {} were answered before the node died", lives.kills);
    lives.end().await;
}
