//! Self-tests that operators order.

use std::rc::Rc;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Object, ObjectKind, Outcome, Record};
use ach_engine_wire::limits::LIST_ITEMS_MAX;
use ach_engine_wire::{
    Code, SelftestFinding, SelftestHop, SelftestOrder, SelftestReceiver, SelftestReport, Text,
};

use super::Session;
use crate::selftest::{self, OrderedBy, Tested};

/// Findings told one by one: with their remedies and the receivers they stay below the largest frame. The
/// list of receivers says of each whether it displayed the test alarm.
const FINDINGS_MAX: usize = 64;

/// Repeated orders that wait for the report of a test at most: an operator whose connection broke has one or two.
/// One beyond is not answered; those that wait are.
const WAITING_MAX: usize = 16;

/// Runs a self-test and answers with what became of it. Other questions are answered meanwhile. An order
/// that comes again is answered with the report of its test.
pub(super) fn take_order(session: &Rc<Session>, order: SelftestOrder) {
    let session = session.clone();
    // Not of the session's own tasks: what was begun is ended, whether or not the operator waits.
    tokio::task::spawn_local(async move {
        let by = (session.identity.name.clone(), order.command);
        let report = match session.rim.selftest.ordered(&by) {
            Some(mut told) => {
                let waiting = &session.rim.selftest.waiting;
                if waiting.get() >= WAITING_MAX {
                    return;
                }
                waiting.set(waiting.get() + 1);
                let told = told.wait_for(Option::is_some).await;
                let told = told.ok().and_then(|report| report.clone());
                waiting.set(waiting.get().saturating_sub(1));
                // The node is ending.
                let Some(report) = told else { return };
                report
            }
            None => run(&session, by, &order.dropped).await,
        };
        // A peer that reads no answers is noticed by the next question.
        let _ = session.answer(report);
    });
}

/// Runs a test that was not ordered before.
async fn run(session: &Session, by: OrderedBy, dropped: &[Name]) -> SelftestReport {
    let (rim, command) = (&session.rim, by.1);
    let record = rim.audit.record(&session.party, Action::SelfTested, Outcome::Begun);
    let of_screens = |names: Vec<Name>| -> Vec<Object> {
        names.into_iter().map(|name| Object::new(ObjectKind::ReceiverCertificate, name)).collect()
    };
    let mut record = Record { request: Some(command), ..record };
    if !rim.selftest.is_under_way() {
        record.objects = of_screens(selftest::drop_screens(rim, dropped));
        let tell = rim.selftest.order(by);
        rim.audit.tell(record.clone());
        if let Ok(tested) = selftest::run(rim, &session.identity.name).await {
            selftest::conclude(rim, &tested, record);
            let report = report(command, &tested);
            tell.send_replace(Some(report.clone()));
            return report;
        }
    }
    // What was asked, and not done.
    record.objects = of_screens(dropped.to_vec());
    let (outcome, code) = (Outcome::Refused, Code::NotNow);
    rim.audit.note(Record { outcome, code: Some(code.value()), ..record });
    let detail = Text::new("another self-test is under way");
    SelftestReport { code, detail, ..report(command, &Tested::default()) }
}

fn report(command: u64, tested: &Tested) -> SelftestReport {
    let hops = tested.hops.iter().filter_map(|&(hop, after_ns)| {
        Some(SelftestHop { word: Name::new(hop.word()).ok()?, after_ns })
    });
    let receivers = tested.receivers.iter().map(|(onlooker, displayed_after_ns)| {
        let (name, is_operator) = (onlooker.name.clone(), onlooker.is_operator);
        SelftestReceiver { name, is_operator, displayed_after_ns: *displayed_after_ns }
    });
    let findings = tested.faults.iter().map(|fault| SelftestFinding {
        detail: Text::new(&fault.to_string()),
        remedy: Text::new(fault.remedy()),
    });
    let why = tested.faults.first().map(ToString::to_string).unwrap_or_default();
    SelftestReport {
        command,
        code: if why.is_empty() { Code::Done } else { Code::SelftestFailed },
        detail: Text::new(&why),
        alarm: tested.alarm,
        hops: hops.collect(),
        receivers: receivers.take(LIST_ITEMS_MAX).collect(),
        findings: findings.take(FINDINGS_MAX).collect(),
    }
}
