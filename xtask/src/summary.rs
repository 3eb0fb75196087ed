//! Judges the summary that `ach demo --json` prints last.

use serde_json::Value;

/// The five incidents of the script, by the kind of alarm each must raise.
const INCIDENT_KINDS: [&str; 5] =
    ["elopement", "asset_theft", "duress", "unauthorised_entry", "door_forced"];

/// Checks the last line of `output` and the alarms before it.
pub(crate) fn check(output: &str) -> Result<(), String> {
    let lines: Vec<Value> =
        output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let summary = lines.last().ok_or("it printed no JSON")?;
    if summary.get("event").and_then(Value::as_str) != Some("summary") {
        return Err("its last line is not the summary".to_owned());
    }
    for field in ["alarms_missed", "alarms_false", "lost_durable"] {
        if number(summary, field)? != 0 {
            return Err(format!("{field} is not 0: {summary}"));
        }
    }
    let sent = number(summary, "pings_sent")?;
    let parts = ["accepted", "duplicate", "late", "refused", "conflated"];
    let mut sum = 0;
    for part in parts {
        sum += number(summary, &format!("pings_{part}"))?;
    }
    if sent == 0 || sent != sum {
        return Err(format!("{sent} pings sent, {sum} accounted for: {summary}"));
    }
    if number(summary, "pings_durable")? == 0 {
        return Err("no ping became durable".to_owned());
    }
    if number(summary, "alarms_raised")? != number(summary, "alarms_durable")? {
        return Err(format!("alarms raised and durable differ: {summary}"));
    }
    for kind in INCIDENT_KINDS {
        let is_raised = |line: &Value| {
            line.get("event").and_then(Value::as_str) == Some("alarm")
                && line.get("kind").and_then(Value::as_str) == Some(kind)
        };
        if !lines.iter().any(is_raised) {
            return Err(format!("no alarm of kind {kind}"));
        }
    }
    Ok(())
}

fn number(summary: &Value, field: &str) -> Result<u64, String> {
    summary
        .get(field)
        .and_then(Value::as_u64)
        .ok_or_else(|| format!("the summary has no number {field}: {summary}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"event":"summary","pings_sent":5,"pings_accepted":1,"pings_duplicate":1,"pings_late":1,"pings_refused":1,"pings_conflated":1,"pings_durable":4,"alarms_raised":5,"alarms_durable":5,"alarms_missed":0,"alarms_false":0,"lost_durable":0}"#;

    fn alarms() -> String {
        let line = |kind: &&str| format!("{{\"event\":\"alarm\",\"kind\":\"{kind}\"}}\n");
        INCIDENT_KINDS.iter().map(line).collect()
    }

    #[track_caller]
    fn check_is(output: &str, expected: Result<(), &str>) {
        let found = check(output);
        match expected {
            Ok(()) => assert_eq!(found, Ok(())),
            Err(part) => assert!(found.clone().unwrap_err().contains(part), "{found:?}"),
        }
    }

    #[test]
    fn a_clean_summary_passes_and_every_stain_is_seen() {
        let good = alarms() + GOOD;
        check_is(&good, Ok(()));
        check_is("", Err("no JSON"));
        check_is(&alarms(), Err("not the summary"));
        check_is(GOOD, Err("no alarm of kind elopement"));
        for stain in ["alarms_missed", "alarms_false", "lost_durable"] {
            let bad = good.replace(&format!("\"{stain}\":0"), &format!("\"{stain}\":1"));
            check_is(&bad, Err(stain));
        }
        check_is(&good.replace("\"pings_late\":1", "\"pings_late\":2"), Err("accounted for"));
        check_is(&good.replace("\"pings_durable\":4", "\"pings_durable\":0"), Err("durable"));
        check_is(&good.replace("\"alarms_durable\":5", "\"alarms_durable\":4"), Err("differ"));
    }
}
