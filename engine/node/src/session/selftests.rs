//! Self-tests that operators order.

use std::rc::Rc;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Outcome, Record};
use ach_engine_wire::limits::LIST_ITEMS_MAX;
use ach_engine_wire::{Code, SelftestFinding, SelftestHop, SelftestReceiver, SelftestReport, Text};

use super::Session;
use crate::selftest::{self, Tested};

/// Findings told one by one: with their remedies and the receivers they stay below the largest frame. The
/// list of receivers says of each whether it displayed the test alarm.
const FINDINGS_MAX: usize = 64;

/// Runs a self-test and answers with what became of it. Other questions are answered meanwhile.
pub(super) fn take_order(session: &Rc<Session>, command: u64) {
    let session = session.clone();
    // Not of the session's own tasks: what was begun is ended, whether or not the operator waits.
    tokio::task::spawn_local(async move {
        let rim = &session.rim;
        let record = rim.audit.record(&session.party, Action::SelfTested, Outcome::Done);
        let record = Record { request: Some(command), ..record };
        let report = if let Ok(tested) = selftest::run(rim, &session.identity.name).await {
            selftest::conclude(rim, &tested, record);
            report(command, &tested)
        } else {
            let (outcome, code) = (Outcome::Refused, Code::NotNow);
            rim.audit.note(Record { outcome, code: Some(code.value()), ..record });
            let detail = Text::new("another self-test is under way");
            SelftestReport { code, detail, ..report(command, &Tested::default()) }
        };
        // A peer that reads no answers is noticed by the next question.
        let _ = session.answer(report);
    });
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
