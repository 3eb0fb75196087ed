//! Fields of the frames about who looks at alarms.

use super::*;

pub(super) fn attention(it: &Attention) -> Value {
    let one = |it: &WireReceiver| {
        json!({
            "name": it.name.as_str(), "is_operator": it.is_operator,
            "subscription": it.subscription, "begun_at": text(it.begun_at.0),
            "displayed": it.displayed.map(cursor),
            "displayed_at": it.displayed_at.map(|at| text(at.0)),
            "waiting_count": it.waiting_count,
            "waiting_since": it.waiting_since.map(|at| text(at.0)),
        })
    };
    json!({
        "query": text(it.query),
        "receivers": it.receivers.iter().map(one).collect::<Vec<_>>(),
        "unseen_count": it.unseen_count,
        "unseen_since": it.unseen_since.map(|at| text(at.0)),
        "is_last": it.is_last,
    })
}

pub(super) fn selftest(it: &SelftestReport) -> Value {
    let hop = |it: &SelftestHop| json!({ "word": it.word.as_str(), "after_ns": text(it.after_ns) });
    let receiver = |it: &SelftestReceiver| {
        json!({
            "name": it.name.as_str(),
            "is_operator": it.is_operator,
            "displayed_after_ns": it.displayed_after_ns.map(text),
        })
    };
    let finding = |it: &SelftestFinding| json!({ "detail": it.detail.to_string(), "remedy": it.remedy.to_string() });
    json!({
        "command": text(it.command),
        "code": it.code.value(),
        "detail": it.detail.to_string(),
        "alarm": it.alarm.map(alarm_id),
        "hops": it.hops.iter().map(hop).collect::<Vec<_>>(),
        "receivers": it.receivers.iter().map(receiver).collect::<Vec<_>>(),
        "findings": it.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
