//! Doors that alarms lock by themselves: which alarm says what to which door, and which doors are to be told.
//!
//! Every word follows from an open alarm and its rule; what is kept here is found again from a door, and says when it
//! ends. It stands in a checkpoint, because open alarms are looked at anew after a change of the site a few an entry.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::{DoorWord, Site, door_words};
use ach_actors_model::{AlarmId, AlarmNotice, DoorLease, DoorMode, DoorRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::shard::Shard;

/// Words of alarms to doors at once: 64 alarms that lock 64 doors each, or 4,096 with one. A checkpoint tells them at
/// once, with some 50 bytes each. Of more those go first that say nothing, because another alarm says more to their door,
/// then the oldest: what has just happened is what a locked door is for.
const WORDS_MAX: usize = 4_096;

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ResponsesHead", into = "ResponsesHead")]
pub(crate) struct Responses {
    pub(crate) words: BTreeMap<(DoorRef, AlarmId), DoorWord>,
    /// The same by alarm.
    by_alarm: BTreeSet<(AlarmId, DoorRef)>,
    /// The same by when they end.
    ends: BTreeSet<(Timestamp, DoorRef, AlarmId)>,
    /// The same by door, the greatest last.
    by_door: BTreeSet<(DoorRef, DoorWord, AlarmId)>,
    /// The same as they go if there are too many: whether it is its door's greatest, then by age.
    by_worth: BTreeSet<(bool, Timestamp, DoorRef, AlarmId)>,
    /// Doors that are to be told.
    changed: BTreeSet<DoorRef>,
    /// Of more words the least worth go.
    pub(crate) words_max: WordsMax,
    /// How many went so.
    pub(crate) dropped_count: u64,
}

/// How many words there may be; tests have less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WordsMax(pub(crate) usize);

impl Default for WordsMax {
    fn default() -> WordsMax {
        WordsMax(WORDS_MAX)
    }
}

/// As a checkpoint tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ResponsesHead {
    words: Vec<(DoorRef, AlarmId, DoorWord)>,
    changed: Vec<DoorRef>,
    dropped_count: u64,
}

impl From<ResponsesHead> for Responses {
    fn from(head: ResponsesHead) -> Responses {
        let mut responses = Responses::default();
        for (door, alarm, word) in head.words {
            responses.insert(door, alarm, word);
        }
        responses.changed = head.changed.into_iter().collect();
        responses.dropped_count = head.dropped_count;
        responses
    }
}

impl From<Responses> for ResponsesHead {
    fn from(responses: Responses) -> ResponsesHead {
        let words = responses.words.into_iter();
        ResponsesHead {
            words: words.map(|((door, alarm), word)| (door, alarm, word)).collect(),
            changed: responses.changed.into_iter().collect(),
            dropped_count: responses.dropped_count,
        }
    }
}

impl Responses {
    /// Takes over what an alarm says to doors now, in place of what it said.
    fn hear(&mut self, alarm: AlarmId, said: &BTreeMap<DoorRef, DoorWord>) {
        for door in self.doors_of(alarm) {
            if !said.contains_key(&door) {
                self.remove(door, alarm);
            }
        }
        for (&door, &word) in said {
            if self.words.get(&(door, alarm)) != Some(&word) {
                self.insert(door, alarm, word);
            }
        }
        while self.words.len() > self.words_max.0
            && let Some(&(_, _, door, alarm)) = self.by_worth.first()
        {
            self.remove(door, alarm);
            self.dropped_count = self.dropped_count.saturating_add(1);
        }
    }

    /// Whether an alarm says anything.
    fn has(&self, alarm: AlarmId) -> bool {
        self.of(alarm).next().is_some()
    }

    fn of(&self, alarm: AlarmId) -> impl Iterator<Item = DoorRef> + '_ {
        let all = (alarm, DoorRef(u32::MIN))..=(alarm, DoorRef(u32::MAX));
        self.by_alarm.range(all).map(|&(_, door)| door)
    }

    /// The doors an alarm locks, ascending.
    fn doors_of(&self, alarm: AlarmId) -> Vec<DoorRef> {
        self.of(alarm).collect()
    }

    /// In place of what the alarm said to the door, if it did: the same five sets follow from any list of words.
    fn insert(&mut self, door: DoorRef, alarm: AlarmId, word: DoorWord) {
        self.remove(door, alarm);
        let before = self.greatest(door);
        self.words.insert((door, alarm), word);
        self.by_alarm.insert((alarm, door));
        self.ends.insert((word.until, door, alarm));
        self.by_door.insert((door, word, alarm));
        self.by_worth.insert((false, word.since, door, alarm));
        self.weigh(door, before);
        self.changed.insert(door);
    }

    fn remove(&mut self, door: DoorRef, alarm: AlarmId) {
        let before = self.greatest(door);
        let Some(word) = self.words.remove(&(door, alarm)) else { return };
        self.by_alarm.remove(&(alarm, door));
        self.ends.remove(&(word.until, door, alarm));
        self.by_door.remove(&(door, word, alarm));
        self.by_worth.remove(&(before == Some((word, alarm)), word.since, door, alarm));
        self.weigh(door, before.filter(|&(_, of)| of != alarm));
        self.changed.insert(door);
    }

    /// The word that counts of those about a door: the most careful, then the one that lasts longest.
    fn greatest(&self, door: DoorRef) -> Option<(DoorWord, AlarmId)> {
        let end = Timestamp(u64::MAX);
        let beyond = DoorWord { mode: DoorMode::Blocked, until: end, since: end };
        let last = self.by_door.range(..=(door, beyond, AlarmId(u128::MAX))).next_back();
        last.filter(|(of, ..)| *of == door).map(|&(_, word, alarm)| (word, alarm))
    }

    /// Another word may be the greatest about a door than before.
    fn weigh(&mut self, door: DoorRef, before: Option<(DoorWord, AlarmId)>) {
        let after = self.greatest(door);
        if before == after {
            return;
        }
        for (word, is_greatest) in [(before, false), (after, true)] {
            let Some((word, alarm)) = word else { continue };
            self.by_worth.remove(&(!is_greatest, word.since, door, alarm));
            self.by_worth.insert((is_greatest, word.since, door, alarm));
        }
    }

    /// Ends what is over by now.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(&(until, door, alarm)) = self.ends.first()
            && until <= now
        {
            self.remove(door, alarm);
        }
    }

    /// When the next word ends.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|&(until, ..)| until)
    }

    /// What alarms say to a door: the most careful of them, then the one that lasts longest.
    pub(crate) fn lease(&self, door: DoorRef) -> Option<DoorLease> {
        self.greatest(door).map(|(word, _)| word.lease())
    }

    /// Whether doors are to be told.
    pub(crate) fn is_telling(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The next door to be told.
    pub(crate) fn next_told(&mut self) -> Option<DoorRef> {
        self.changed.pop_first()
    }

    /// Alarms that say anything, each once.
    fn alarms(&self) -> BTreeSet<AlarmId> {
        self.by_alarm.iter().map(|&(alarm, _)| alarm).collect()
    }
}

impl Shard {
    /// An alarm is otherwise than it was: it locks doors, or gives them back.
    pub(crate) fn respond(&mut self, alarm: AlarmId, site: &Site) {
        let open = self.board.notice(alarm);
        let says = |open: &AlarmNotice| door_words(open, site, self.entry_at);
        let said = open.map(says).unwrap_or_default();
        // So it is with nearly every alarm.
        if !said.is_empty() || self.door_desk.responses.has(alarm) {
            self.door_desk.responses.hear(alarm, &said);
        }
    }

    /// Another version of the site is in force: alarms that lock doors may do so otherwise. Those that did not yet are
    /// found when all that are open are looked at.
    pub(crate) fn change_responses(&mut self, site: &Site) {
        for alarm in self.door_desk.responses.alarms() {
            self.respond(alarm, site);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(mode: DoorMode, until: u64) -> DoorWord {
        DoorWord { mode, until: Timestamp(until), since: Timestamp(0) }
    }

    fn says(responses: &mut Responses, alarm: u128, words: &[(u32, DoorMode, u64)]) {
        let words = words.iter().map(|&(door, mode, until)| (DoorRef(door), word(mode, until)));
        responses.hear(AlarmId(alarm), &words.collect());
    }

    fn told(responses: &Responses, door: u32) -> Option<(DoorMode, u64)> {
        let lease = responses.lease(DoorRef(door))?;
        Some((lease.mode, lease.until.expect("an end").0))
    }

    #[test]
    fn the_last_alarm_that_ends_gives_a_door_back() {
        use DoorMode::{Blocked, Locked};
        let mut responses = Responses::default();
        says(&mut responses, 1, &[(7, Locked, 50), (8, Locked, 50)]);
        says(&mut responses, 2, &[(7, Blocked, 20)]);
        assert_eq!(told(&responses, 7), Some((Blocked, 20)), "the more careful counts");
        responses.expire(Timestamp(20));
        assert_eq!(told(&responses, 7), Some((Locked, 50)));
        says(&mut responses, 3, &[(7, Locked, 60)]);
        assert_eq!(told(&responses, 7), Some((Locked, 60)), "of equals the longer");
        says(&mut responses, 3, &[]);
        says(&mut responses, 1, &[(8, Locked, 50)]);
        assert_eq!((told(&responses, 7), told(&responses, 8)), (None, Some((Locked, 50))));
        let changed: Vec<u32> =
            std::iter::from_fn(|| responses.next_told()).map(|door| door.0).collect();
        assert_eq!(changed, [7, 8], "each once, however often it changed");
    }

    #[test]
    fn of_too_many_words_those_go_that_say_nothing_then_the_oldest() {
        use DoorMode::{Blocked, Locked};
        // Alarm by alarm: its door, mode, end and age, and which alarms have a word left then.
        let check = |said: &[(u32, DoorMode, u64, u64)], left: &[u128]| {
            let mut responses = Responses { words_max: WordsMax(2), ..Responses::default() };
            for (alarm, &(door, mode, until, since)) in (1..).zip(said) {
                let word = DoorWord { since: Timestamp(since), ..word(mode, until) };
                responses.hear(AlarmId(alarm), &BTreeMap::from([(DoorRef(door), word)]));
            }
            let alarms: Vec<u128> = responses.alarms().iter().map(|alarm| alarm.0).collect();
            assert_eq!(alarms, left, "of {said:?}");
            let dropped = u64::try_from(said.len() - left.len()).unwrap();
            assert_eq!(responses.dropped_count, dropped);
            let again = Responses::from(ResponsesHead::from(responses.clone()));
            assert_eq!(again.by_worth, responses.by_worth);
        };
        // The newest stays, however short.
        check(&[(1, Locked, 900, 1), (2, Locked, 900, 2), (3, Locked, 10, 3)], &[2, 3]);
        check(&[(1, Locked, 900, 2), (2, Locked, 900, 1), (3, Locked, 10, 3)], &[1, 3]);
        // What another word hides goes first, though it is younger.
        check(&[(1, Blocked, 900, 1), (1, Locked, 900, 2), (3, Locked, 10, 3)], &[1, 3]);
        check(&[(1, Locked, 900, 1), (1, Locked, 901, 2), (3, Locked, 10, 3)], &[2, 3]);
        check(&[(1, Locked, 900, 2), (1, Blocked, 20, 3), (2, Locked, 9, 1)], &[2, 3]);
        // Four about one door: the greatest stays to the last.
        let four = [(1, Locked, 9, 1), (1, Blocked, 9, 1), (1, Locked, 9, 4), (1, Locked, 8, 5)];
        check(&four, &[2, 4]);
    }

    #[test]
    fn a_checkpoint_tells_all_of_it() {
        let mut responses = Responses::default();
        says(&mut responses, 1, &[(7, DoorMode::Locked, 50), (8, DoorMode::Blocked, 50)]);
        responses.next_told();
        let again = Responses::from(ResponsesHead::from(responses.clone()));
        assert_eq!(again, responses);
    }

    #[test]
    fn a_checkpoint_that_tells_a_word_twice_leaves_nothing_of_the_first() {
        let said = |until| (DoorRef(7), AlarmId(1), word(DoorMode::Locked, until));
        let words = vec![said(50), said(60)];
        let head = ResponsesHead { words, changed: Vec::new(), dropped_count: 0 };
        let responses = Responses::from(head);
        assert_eq!(responses.by_door.len(), 1);
        assert_eq!(Responses::from(ResponsesHead::from(responses.clone())), responses);
    }
}
