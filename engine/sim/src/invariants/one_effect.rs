//! One input raises one alarm of a kind, however often and under whatever numbers it is sent; and one deadline, unless
//! whom it is about came anew between: two stays that are told late in one go may both be too long by the moment at
//! which they arrive.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmTransition};

use crate::model::{About, Model, Notice, Place};
use crate::past::{Past, Told};

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    let mut causes: BTreeMap<&str, Vec<AlarmId>> = BTreeMap::new();
    for (id, cause) in &past.heard.causes {
        if past.heard.changes.get(&(*id, AlarmTransition::Raised)) == Some(&Told::Durable) {
            causes.entry(cause).or_default().push(*id);
        }
    }
    match causes.iter().find(|(_, ids)| ids.len() > 1 && !are_of_their_own(ids, model)) {
        Some((cause, ids)) => Err(format!("{ids:?} were raised by one input: {cause}")),
        None => Ok(()),
    }
}

/// Whether each was due for a stay of its own.
fn are_of_their_own(ids: &[AlarmId], model: &Model) -> bool {
    let is_raised = |it: &&Notice| it.transition == AlarmTransition::Raised && ids.contains(&it.id);
    // In the order of their entries.
    let raised: Vec<&Notice> = model.notices().iter().filter(is_raised).collect();
    let pairs = raised.iter().zip(raised.iter().skip(1));
    raised.len() == ids.len() && pairs.into_iter().all(|(one, next)| is_due_anew(one, next, model))
}

/// Whether an alarm that the clock raised is about a stay that began after the alarm before it and was due at
/// the same moment.
fn is_due_anew(before: &Notice, notice: &Notice, model: &Model) -> bool {
    let Some(About { who: Some(who), place: Place::Zone(zone), input: None, .. }) = notice.about
    else {
        return false;
    };
    // What is due fires before the inputs of its entry are heard.
    let between = before.index..notice.index;
    let has_entered = model.diary().stays.iter().any(|stay| {
        stay.tag == who
            && usize::try_from(stay.zone) == Ok(zone)
            && between.contains(&stay.entered.0)
    });
    has_entered && before.since == notice.since
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{NS_PER_S, Ping, PingBatch, SourceRef, TagRef, Timestamp};
    use ach_engine_shard::{Entry, Input};
    use ach_geo::Position;

    use super::*;
    use crate::model::rule_id;
    use crate::site::FLOOR;

    /// Whether tag 0 is in the lobby from that second on, by a ping of that second.
    type Seen = (u64, bool);

    fn ping((at_s, is_inside): Seen) -> Ping {
        let (x_mm, y_mm) = if is_inside { (250, 950) } else { (600, 600) };
        Ping {
            tag: TagRef(0),
            seq_offset: 0,
            observed_at: Timestamp(at_s * NS_PER_S),
            position: Position { x_mm, y_mm, z_mm: None, floor: Some(FLOOR) },
            accuracy_mm: 0,
            battery_percent: None,
        }
    }

    /// A journal of entries, each made at a second with the pings that came then.
    fn journal(entries: &[(u64, &[Seen])]) -> Vec<Entry> {
        let entry = |index: u64, at_s: u64, inputs: Vec<Input>| {
            let (at, site_version, logic_version) = (Timestamp(at_s * NS_PER_S), 1, 1);
            Entry { index, at, site_version, logic_version, inputs, effects_hash: 0 }
        };
        let mut journal =
            vec![entry(1, 0, vec![Input::OpenEpoch { source: SourceRef(0), epoch: 1 }])];
        let mut seq = 0;
        for (index, (at_s, seen)) in (2..).zip(entries) {
            let mut inputs = Vec::new();
            for seen in *seen {
                seq += 1;
                inputs.push(Input::Pings(PingBatch {
                    source: SourceRef(0),
                    epoch: 1,
                    first_seq: seq,
                    last_seq: seq,
                    received_at: Timestamp(at_s * NS_PER_S),
                    conflated_count: 0,
                    refused_count: 0,
                    pings: vec![ping(*seen)],
                }));
            }
            journal.push(entry(index, *at_s, inputs));
        }
        journal
    }

    /// The first two stays of tag 0 are told to have been too long by one deadline.
    fn check_two(entries: &[(u64, &[Seen])]) -> Result<(), String> {
        let mut past = Past::default();
        for episode in [1, 2] {
            let id = rule_id("stay", Some(0), Place::Zone(2), episode);
            past.heard.causes.insert(id, "a stay in the lobby by Deadline { due_at }".to_owned());
            past.heard.changes.insert((id, AlarmTransition::Raised), Told::Durable);
            // The first ends when the tag leaves, and the second at last.
            past.heard.changes.insert((id, AlarmTransition::Cleared), Told::Durable);
        }
        check(&past, &Model::play(&journal(entries)))
    }

    #[test]
    fn a_deadline_fires_twice_only_for_two_stays_that_were_due_at_once() {
        let came_late: &[Seen] = &[(10, true)];
        for (told, entries, is_right) in [
            (
                "came, left and came back long ago, and all of it arrives now",
                &[(100, came_late), (100, &[(20, false), (30, true)]), (100, &[(40, false)])][..],
                true,
            ),
            (
                "did not come back",
                &[(100, came_late), (100, &[(20, false)]), (100, &[(40, false)])],
                false,
            ),
            (
                "came back and was due later",
                &[(100, came_late), (100, &[(20, false), (99, true)]), (105, &[(105, false)])],
                false,
            ),
            ("never left", &[(100, came_late), (100, &[]), (200, &[])], false),
        ] {
            let checked = check_two(entries);
            assert_eq!(checked.is_ok(), is_right, "who {told}: {checked:?}");
        }
    }

    #[test]
    fn an_input_raises_one_alarm_of_a_kind() {
        let mut past = Past::default();
        for id in [AlarmId(1), AlarmId(2)] {
            past.heard.causes.insert(id, "a button of tag 0 by 5".to_owned());
            past.heard.changes.insert((id, AlarmTransition::Raised), Told::Provisional);
        }
        assert_eq!(check(&past, &Model::default()), Ok(()), "neither is on disk");
        past.heard.changes.values_mut().for_each(|told| *told = Told::Durable);
        assert!(check(&past, &Model::default()).is_err());
    }
}
