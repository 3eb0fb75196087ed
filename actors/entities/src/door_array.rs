//! What everybody says of a door, and whose word counts.
//!
//! Seven slots, the first that says anything is obeyed, what is meant before a drill. What a later one says
//! is kept, and comes to light when the earlier ones fall silent. The first is for letting people out and can say nothing else, so
//! nothing outranks the way out, whatever comes in whatever order.

use ach_actors_model::{DoorLease, DoorMode, DoorSlot, Timestamp};
use serde::{Deserialize, Serialize};

/// What is said of many doors at once. The shard keeps that, and says it anew when it ends: emptied here by the clock, a slot
/// would be silent until then, though another lockdown or alarm goes on, and the door would be told so.
const OF_THE_SHARD: [DoorSlot; 3] = [DoorSlot::Lockdown, DoorSlot::Evacuation, DoorSlot::Response];

/// The slots of one door.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DoorArray {
    /// By [`DoorSlot::ALL`].
    slots: [Option<DoorLease>; DoorSlot::ALL.len()],
}

impl DoorArray {
    /// A slot says something, or nothing any more.
    ///
    /// # Panics
    ///
    /// If life safety is to say anything but unlocked.
    pub(crate) fn say(&mut self, slot: DoorSlot, lease: Option<DoorLease>) {
        let is_way_out = lease.as_ref().is_none_or(|lease| lease.mode == DoorMode::Unlocked);
        assert!(slot != DoorSlot::LifeSafety || is_way_out, "life safety lets out and no more");
        if let Some((_, said)) = self.all_mut().find(|(of, _)| *of == slot) {
            *said = lease;
        }
    }

    /// What a slot says.
    #[cfg(test)]
    fn said(&self, slot: DoorSlot) -> Option<&DoorLease> {
        self.all().find(|(of, _)| *of == slot).and_then(|(_, lease)| lease)
    }

    /// Silences what is over by now, but for what the shard keeps.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let is_over = |lease: &DoorLease| lease.until.is_some_and(|until| until <= now);
        for (_, said) in self.all_mut().filter(|(slot, _)| !OF_THE_SHARD.contains(slot)) {
            *said = said.take().filter(|lease| !is_over(lease));
        }
    }

    /// When the next lease ends, but for what the shard keeps.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        let own = self.all().filter(|(slot, _)| !OF_THE_SHARD.contains(slot));
        own.filter_map(|(_, lease)| lease?.until).min()
    }

    /// Whose word counts; nobody's if none says anything. A drill gives way to all that is meant, but for
    /// the hours of the door.
    pub(crate) fn effective(&self) -> Option<(DoorSlot, &DoorLease)> {
        let said = || self.all().filter_map(|(slot, lease)| Some((slot, lease?)));
        let is_meant =
            |(slot, lease): &(DoorSlot, &DoorLease)| !lease.is_drill && *slot != DoorSlot::Schedule;
        said().find(is_meant).or_else(|| said().next())
    }

    fn all(&self) -> impl Iterator<Item = (DoorSlot, Option<&DoorLease>)> {
        DoorSlot::ALL.into_iter().zip(self.slots.iter().map(Option::as_ref))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = (DoorSlot, &mut Option<DoorLease>)> {
        DoorSlot::ALL.into_iter().zip(&mut self.slots)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Longest sequence of acts that is walked: all of them.
    const DEPTH: u32 = 4;

    /// The place of the last slot: nobody means the hours against anything.
    const SCHEDULE: usize = DoorSlot::ALL.len() - 1;

    fn lease(mode: DoorMode, until: Option<Timestamp>) -> DoorLease {
        DoorLease { mode, by: None, remark: None, since: Timestamp(0), until, is_drill: false }
    }

    #[derive(Debug, Clone, Copy)]
    enum Act {
        Say(DoorSlot, DoorMode, Option<Timestamp>),
        Practise(DoorSlot, DoorMode),
        Fall(DoorSlot),
        Wait,
    }

    fn acts() -> Vec<Act> {
        let mut acts = vec![Act::Wait, Act::Say(DoorSlot::LifeSafety, DoorMode::Unlocked, None)];
        for slot in DoorSlot::ALL.into_iter().skip(1) {
            acts.push(Act::Say(slot, DoorMode::Blocked, None));
        }
        acts.push(Act::Say(DoorSlot::Lockdown, DoorMode::Locked, Some(Timestamp(2))));
        acts.push(Act::Say(DoorSlot::Operator, DoorMode::Unlocked, Some(Timestamp(1))));
        acts.push(Act::Say(DoorSlot::Response, DoorMode::Locked, Some(Timestamp(2))));
        acts.push(Act::Say(DoorSlot::Evacuation, DoorMode::Unlocked, Some(Timestamp(3))));
        acts.push(Act::Practise(DoorSlot::Lockdown, DoorMode::Blocked));
        acts.push(Act::Practise(DoorSlot::Evacuation, DoorMode::Unlocked));
        acts.extend(DoorSlot::ALL.map(Act::Fall));
        acts
    }

    /// Each slot by its number: the least is obeyed.
    type Model = BTreeMap<usize, (DoorMode, Option<Timestamp>, bool)>;

    fn walk(array: &DoorArray, model: &Model, now: Timestamp, depth: u32, count: &mut u64) {
        *count += 1;
        let effective = array.effective().map(|(slot, lease)| (slot, lease.mode));
        let is_meant = |(at, said): &(&usize, &(_, _, bool))| !said.2 && **at < SCHEDULE;
        let first = model.iter().find(is_meant).or_else(|| model.iter().next());
        let told = first.map(|(&at, &(mode, ..))| (DoorSlot::ALL[at], mode));
        assert_eq!(effective, told);
        if array.said(DoorSlot::LifeSafety).is_some() {
            assert_eq!(effective, Some((DoorSlot::LifeSafety, DoorMode::Unlocked)));
        }
        if depth == 0 {
            return;
        }
        let number = |slot| DoorSlot::ALL.iter().position(|&of| of == slot).unwrap();
        for act in acts() {
            let (mut array, mut model, mut now) = (array.clone(), model.clone(), now);
            match act {
                Act::Say(slot, mode, until) => {
                    array.say(slot, Some(lease(mode, until)));
                    model.insert(number(slot), (mode, until, false));
                }
                Act::Practise(slot, mode) => {
                    let drill = DoorLease { is_drill: true, ..lease(mode, None) };
                    array.say(slot, Some(drill));
                    model.insert(number(slot), (mode, None, true));
                }
                Act::Fall(slot) => {
                    array.say(slot, None);
                    model.remove(&number(slot));
                }
                Act::Wait => now = Timestamp(now.0 + 1),
            }
            array.expire(now);
            let ends_here = |at: usize| !OF_THE_SHARD.contains(&DoorSlot::ALL[at]);
            let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
            model.retain(|&at, &mut (_, until, _)| !(ends_here(at) && is_over(until)));
            let own = model.iter().filter(|&(&at, _)| ends_here(at));
            assert_eq!(array.next_end(), own.filter_map(|(_, &(_, until, _))| until).min());
            walk(&array, &model, now, depth - 1, count);
        }
    }

    #[test]
    fn whatever_is_said_in_whatever_order_the_first_slot_counts_and_the_way_out_before_all() {
        let mut count = 0;
        walk(&DoorArray::default(), &Model::new(), Timestamp(0), DEPTH, &mut count);
        let acts = u64::try_from(acts().len()).unwrap();
        assert_eq!(count, (0..=DEPTH).map(|depth| acts.pow(depth)).sum::<u64>());
    }

    #[test]
    #[should_panic(expected = "life safety lets out and no more")]
    fn life_safety_cannot_lock() {
        DoorArray::default().say(DoorSlot::LifeSafety, Some(lease(DoorMode::Locked, None)));
    }
}
