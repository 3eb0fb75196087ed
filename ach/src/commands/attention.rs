//! `ach attention`: who displays alarms, and how far.

use ach_clients_rust::{WireReceiver, now};
use serde_json::json;

use super::connection::{OPERATORS, connect, runtime};
use crate::cli::Connect;
use crate::exit::{Failure, Outcome};
use crate::moment;

/// An alarm that waits for longer than this is one nobody looks at: as the node has it.
const UNSEEN_MAX_NS: u64 = 30 * ach_actors_model::NS_PER_S;

/// Prints who follows alarms and what waits for eyes.
pub(crate) fn run(to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let attention = operator.attention().await?;
        operator.close().await;
        for receiver in &attention.receivers {
            print(receiver, to.json);
        }
        let waits_ns = attention.unseen_since.map_or(0, |since| now().since_ns(since));
        let is_overdue = waits_ns >= UNSEEN_MAX_NS;
        if to.json {
            say!(
                "{}",
                json!({
                    "event": "attention",
                    "unseen_count": attention.unseen_count,
                    "unseen_since": attention.unseen_since.map(moment::iso),
                    "is_overdue": is_overdue,
                })
            );
        } else if attention.unseen_count == 0 {
            say!("every open alarm was displayed by somebody");
        } else {
            let age = moment::length(waits_ns / 1_000);
            let loud = if is_overdue { "NOBODY LOOKS: " } else { "" };
            let count = attention.unseen_count;
            say!("{loud}{count} open alarms were displayed by nobody, the oldest for {age}");
        }
        Ok(if is_overdue { Outcome::Unsound } else { Outcome::Done })
    })
}

fn print(it: &WireReceiver, is_json: bool) {
    let role = if it.is_operator { "operator" } else { "receiver" };
    if is_json {
        say!(
            "{}",
            json!({
                "event": "receiver",
                "role": role,
                "name": it.name.as_str(),
                "subscription": it.subscription,
                "begun_at": moment::iso(it.begun_at),
                "displayed_index": it.displayed.map(|cursor| cursor.index),
                "displayed_at": it.displayed_at.map(moment::iso),
                "waiting_count": it.waiting_count,
                "waiting_since": it.waiting_since.map(moment::iso),
            })
        );
        return;
    }
    let how_far = match (it.displayed, it.displayed_at) {
        (_, None) => "never said to display anything".to_owned(),
        (None, Some(at)) => format!("said so last {}", moment::local(at)),
        (Some(cursor), Some(at)) => {
            format!("displayed through entry {}, said so last {}", cursor.index, moment::local(at))
        }
    };
    let waits = match it.waiting_since {
        None => "nothing waits".to_owned(),
        Some(since) => format!("{} wait since {}", it.waiting_count, moment::local(since)),
    };
    say!("{role} {}: {how_far}; {waits}", it.name);
}
