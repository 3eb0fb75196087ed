//! `ach alarms ack` and its like: does something with one alarm.

use ach_actors_model::{AlarmAct, AlarmId};
use ach_clients_rust::AlarmWish;
use serde_json::json;

use super::super::connection::{VIEWERS, connect, runtime};
use super::open::{open_set, short};
use crate::cli::Connect;
use crate::cli::alarms::OnAlarm;
use crate::exit::{Failure, Outcome};

/// Digits of a whole id.
const ID_DIGITS: usize = 32;

/// Does it, and says so when the node has it on disk.
pub(super) fn run(on: &OnAlarm, act: AlarmAct) -> Result<Outcome, Failure> {
    if matches!(act, AlarmAct::Comment) && on.remark.is_none() {
        return Err(Failure::misused("a comment needs words: --remark TEXT"));
    }
    let word = word(&act);
    runtime()?.block_on(async {
        let alarm = find(&on.connect, &on.alarm).await?;
        let mut operator = connect(&on.connect, VIEWERS).await?.operator();
        let (person, remark) = (on.person.clone(), on.remark.clone());
        let cursor = operator.act(AlarmWish { alarm, act, person, remark }).await?;
        operator.close().await;
        if on.connect.json {
            let index = cursor.map(|cursor| cursor.index);
            let id = alarm.to_string();
            say!("{}", json!({ "event": "answered", "act": word, "id": id, "index": index }));
        } else {
            let stored = if cursor.is_some() { "" } else { ", but it is not stored: no disk" };
            say!("{word} {}{stored}", short(alarm));
        }
        Ok(Outcome::Done)
    })
}

fn word(act: &AlarmAct) -> &'static str {
    match act {
        AlarmAct::Acknowledge => "acknowledged",
        AlarmAct::Confirm => "confirmed",
        AlarmAct::Assign { .. } => "assigned",
        AlarmAct::Comment => "commented",
        AlarmAct::Shelve { .. } => "shelved",
        AlarmAct::Unshelve => "unshelved",
        AlarmAct::Reset => "reset",
        AlarmAct::Close { .. } => "closed",
    }
}

/// The alarm whose id begins with these digits.
async fn find(to: &Connect, digits: &str) -> Result<AlarmId, Failure> {
    if digits.len() == ID_DIGITS
        && let Ok(number) = u128::from_str_radix(digits, 16)
    {
        return Ok(AlarmId(number));
    }
    let open = open_set(to).await?;
    let found: Vec<AlarmId> =
        open.keys().copied().filter(|id| id.to_string().starts_with(digits)).collect();
    match found[..] {
        [alarm] => Ok(alarm),
        [] => Err(Failure::new(format!(
            "no open alarm's id begins with {digits}; `ach alarms open` lists them"
        ))),
        _ => Err(Failure::new(format!(
            "{} open alarms' ids begin with {digits}: write more of it",
            found.len()
        ))),
    }
}
