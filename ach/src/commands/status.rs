//! `ach status` and `ach actor`: asks and commands as an operator.

use ach_actors_model::{Name, TagId};
use ach_clients_rust::Thing;
use serde_json::{Map, Value, json};

use super::connection::{OPERATORS, connect, runtime};
use crate::cli::{Actor, ActorChoice, ActorKind, Connect};
use crate::exit::{Failure, Outcome};

/// Prints how the node is. A node that has stopped storing is unsound, and one with journal or audit
/// trouble, whose daily self-test failed or was missed, or whose clock may be wrong.
pub(crate) fn status(to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let status = operator.status().await?;
        operator.close().await;
        let is_audit_sound = !status
            .counters
            .iter()
            .any(|counter| counter.name.as_str() == "is_audit_sound" && counter.count == 0);
        let is_clock_believed = !status
            .counters
            .iter()
            .any(|counter| counter.name.as_str() == "is_clock_doubted" && counter.count == 1);
        let is_journal_well = !status
            .counters
            .iter()
            .any(|counter| counter.name.as_str().starts_with("journal_trouble_"));
        let is_selftest_well = !status
            .counters
            .iter()
            .any(|counter| counter.name.as_str().starts_with("selftest_trouble_"));
        if to.json {
            let counters: Map<String, Value> = status
                .counters
                .iter()
                .map(|counter| (counter.name.to_string(), json!(counter.count)))
                .collect();
            let durable = status.cursor.map(|cursor| cursor.index);
            say!(
                "{}",
                json!({
                    "event": "status",
                    "node": status.node.as_str(),
                    "site": status.site.as_str(),
                    "is_storing": status.is_storing,
                    "is_journal_well": is_journal_well,
                    "is_audit_sound": is_audit_sound,
                    "is_selftest_well": is_selftest_well,
                    "is_clock_believed": is_clock_believed,
                    "durable_index": durable,
                    "counters": counters,
                })
            );
        } else {
            let storing = if status.is_storing { "storing" } else { "NOT STORING" };
            let journal = if is_journal_well { "" } else { ", JOURNAL TROUBLE" };
            let audit = if is_audit_sound { "" } else { ", AUDIT TROUBLE" };
            let test = if is_selftest_well { "" } else { ", SELF-TEST FAILED OR MISSED" };
            let clock = if is_clock_believed { "" } else { ", CLOCK A DAY AHEAD: IS IT RIGHT?" };
            say!("{} of site {}: {storing}{journal}{audit}{test}{clock}", status.node, status.site);
            for counter in &status.counters {
                say!("  {:<44} {:>12}", counter.name, counter.count);
            }
        }
        let is_well = status.is_storing
            && is_journal_well
            && is_audit_sound
            && is_selftest_well
            && is_clock_believed;
        Ok(if is_well { Outcome::Done } else { Outcome::Unsound })
    })
}

/// Releases or quarantines an actor.
pub(crate) fn actor(wish: &Actor) -> Result<Outcome, Failure> {
    let (choice, is_release) = match wish {
        Actor::Release(choice) => (choice, true),
        Actor::Quarantine(choice) => (choice, false),
    };
    let thing = thing(choice)?;
    runtime()?.block_on(async {
        let mut operator = connect(&choice.connect, OPERATORS).await?.operator();
        let cursor = if is_release {
            operator.release(thing).await?
        } else {
            operator.quarantine(thing).await?
        };
        operator.close().await;
        let index = cursor.map(|cursor| cursor.index);
        if choice.connect.json {
            say!("{}", json!({ "event": "receipt", "index": index }));
        } else {
            let entry = index.map_or_else(String::new, |index| format!(", entry {index}"));
            say!("done{entry}");
        }
        Ok(Outcome::Done)
    })
}

fn thing(choice: &ActorChoice) -> Result<Thing, Failure> {
    let name = || {
        Name::new(&choice.id).map_err(|error| Failure::misused(format!("`{}`: {error}", choice.id)))
    };
    Ok(match choice.kind {
        ActorKind::Tag => {
            let id = u64::from_str_radix(choice.id.trim_start_matches("0x"), 16);
            Thing::Tag(TagId(id.map_err(|_| {
                Failure::misused(format!(
                    "`{}` is no EUI-64; write up to 16 hexadecimal digits",
                    choice.id
                ))
            })?))
        }
        ActorKind::Subject => Thing::Subject(name()?),
        ActorKind::Zone => Thing::Zone(name()?),
        ActorKind::Door => Thing::Door(name()?),
        ActorKind::Feed => Thing::Source(name()?),
    })
}
