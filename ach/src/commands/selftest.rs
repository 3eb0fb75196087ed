//! `ach selftest`: a test alarm goes the whole way of a real one.

use ach_clients_rust::{Code, SelftestReport};
use serde_json::{Value, json};

use super::connection::{OPERATORS, connect, runtime};
use crate::cli::Selftest;
use crate::exit::{Failure, Outcome};
use crate::moment;

/// Orders a test and prints how far it came.
pub(crate) fn run(order: &Selftest) -> Result<Outcome, Failure> {
    let to = &order.connect;
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let report = operator.selftest_without(order.without.clone()).await?;
        operator.close().await;
        if to.json {
            say!("{}", object(&report));
        } else {
            print(&report);
        }
        match report.code {
            Code::Done => Ok(Outcome::Done),
            Code::SelftestFailed => Ok(Outcome::Unsound),
            code => Err(Failure::new(format!("no test was made: {}: {code}", report.detail))),
        }
    })
}

fn object(report: &SelftestReport) -> Value {
    let hops: Vec<Value> = report
        .hops
        .iter()
        .map(|hop| json!({ "hop": hop.word.as_str(), "after_ns": hop.after_ns }))
        .collect();
    let receivers: Vec<Value> = report
        .receivers
        .iter()
        .map(|it| {
            json!({
                "role": role(it.is_operator),
                "name": it.name.as_str(),
                "displayed_after_ns": it.displayed_after_ns,
            })
        })
        .collect();
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|it| json!({ "detail": it.detail.as_str(), "remedy": it.remedy.as_str() }))
        .collect();
    json!({
        "event": "selftest",
        "is_good": report.code == Code::Done,
        "code": report.code.value(),
        "id": report.alarm.map(|alarm| alarm.to_string()),
        "hops": hops,
        "receivers": receivers,
        "findings": findings,
    })
}

fn print(report: &SelftestReport) {
    for hop in &report.hops {
        say!("{:<10} after {:>9}", hop.word, moment::length(hop.after_ns / 1_000));
    }
    for it in &report.receivers {
        let how = it.displayed_after_ns.map_or_else(
            || "was told, and did not say that it displays it".to_owned(),
            |after_ns| format!("displayed it after {}", moment::length(after_ns / 1_000)),
        );
        say!("{} {}: {how}", role(it.is_operator), it.name);
    }
    for it in &report.findings {
        say!("BROKEN: {}", it.detail);
        say!("        {}", it.remedy);
    }
    if report.code == Code::Done {
        say!("good: a test alarm came all the way, and is ended");
    }
}

fn role(is_operator: bool) -> &'static str {
    if is_operator { "operator" } else { "receiver" }
}
