//! Merges what is done again and again, so that nobody can fill a disk, or hide in a flood, by being
//! refused: the first of a kind is recorded at once, the others of the same window as one.

use std::collections::HashMap;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_audit::{Action, Agent, Origin, Outcome, Reason, Record, Repeated};

/// How long alike acts are merged. Six records a minute for each who does wrong.
const WINDOW_NS: u64 = 10 * NS_PER_S;

/// Bytes of records that each may cause at once: three reads with full filters, or a thousand common
/// acts.
const ALLOWANCE_BYTES: u64 = 256 * 1024;

/// Bytes a second that the allowance grows again: 90 MB a day for each who does all he may.
const ALLOWANCE_BYTES_PER_S: u64 = 1_024;

/// What a record takes besides its objects: 64 bytes of frame, names and numbers.
const COMMON_BYTES: u64 = 256;

/// Kinds that are told apart at once: some dozens of peers that each do several things wrong. Beyond
/// that those who did it are not told apart any more.
const KINDS_MAX: usize = 256;

/// Different things named in a merged record; how often is counted for all.
const OBJECTS_MAX: usize = 16;

/// What makes acts alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    who: Agent,
    action: Action,
    outcome: Outcome,
    code: Option<u16>,
    reason: Reason,
}

/// A window of alike acts.
#[derive(Debug)]
struct Window {
    opened_at: Timestamp,
    /// Those of the window that are in no record yet.
    merged: Option<Record>,
}

/// What somebody may still cause to be recorded each by itself.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    left_bytes: u64,
    at: Timestamp,
}

impl Allowance {
    fn grown(self, now: Timestamp) -> Allowance {
        let grown = now.since_ns(self.at) / (NS_PER_S / ALLOWANCE_BYTES_PER_S);
        let left_bytes = self.left_bytes.saturating_add(grown).min(ALLOWANCE_BYTES);
        // What has passed and brought no byte yet is not forgotten.
        if grown == 0 { self } else { Allowance { left_bytes, at: now } }
    }
}

/// All windows, by the time of the shard, which no correction of the clock turns back.
#[derive(Debug, Default)]
pub(crate) struct AuditTally {
    windows: HashMap<Kind, Window>,
    allowances: HashMap<Agent, Allowance>,
}

impl AuditTally {
    /// Takes an act. Gives it back if it is the first of its kind, to be recorded at once.
    pub(crate) fn note(&mut self, record: Record, now: Timestamp) -> Option<Record> {
        let kind = self.kind(&record);
        if self.windows.contains_key(&kind) {
            self.merge(record, now);
            return None;
        }
        self.windows.insert(kind, Window { opened_at: now, merged: None });
        Some(record)
    }

    /// Takes an act. Gives it back, to be recorded at once, as long as who did it has not used up
    /// his allowance.
    pub(crate) fn afford(&mut self, record: Record, now: Timestamp) -> Option<Record> {
        let ids = record.objects.iter().map(|object| object.id.as_str().len().saturating_add(6));
        let object_bytes = u64::try_from(ids.sum::<usize>()).unwrap_or(u64::MAX);
        let bytes = COMMON_BYTES.saturating_add(object_bytes);
        let is_known = self.allowances.contains_key(&record.who);
        // Beyond so many those who come new share one.
        let is_told_apart = is_known || self.allowances.len() < KINDS_MAX;
        let who = if is_told_apart { record.who.clone() } else { Agent::unknown() };
        let whole = Allowance { left_bytes: ALLOWANCE_BYTES, at: now };
        let allowance = self.allowances.entry(who).or_insert(whole);
        *allowance = allowance.grown(now);
        if let Some(left_bytes) = allowance.left_bytes.checked_sub(bytes) {
            allowance.left_bytes = left_bytes;
            return Some(record);
        }
        self.merge(record, now);
        None
    }

    /// Takes an act that could not be recorded at once: it is recorded with others of its kind.
    pub(crate) fn merge(&mut self, mut record: Record, now: Timestamp) {
        let kind = self.kind(&record);
        let who = kind.who.clone();
        let window = self.windows.entry(kind).or_insert(Window { opened_at: now, merged: None });
        if let Some(merged) = &mut window.merged {
            add(merged, record);
            return;
        }
        record.objects.truncate(OBJECTS_MAX);
        let repeated = record.repeated.unwrap_or(Repeated { count: 1, since: record.at });
        window.merged = Some(Record { who, repeated: Some(repeated), ..record });
    }

    /// What is to be recorded now of the windows that are over, or of all.
    pub(crate) fn take(&mut self, now: Timestamp, is_end: bool) -> Vec<Record> {
        let mut due = Vec::new();
        self.windows.retain(|_, window| {
            let is_over = is_end || now.since_ns(window.opened_at) >= WINDOW_NS;
            if is_over {
                due.extend(window.merged.take());
            }
            !is_over
        });
        self.allowances.retain(|_, allowance| allowance.grown(now).left_bytes < ALLOWANCE_BYTES);
        due
    }

    fn kind(&self, record: &Record) -> Kind {
        let Record { who, action, outcome, code, reason, .. } = record;
        let (action, outcome, code) = (*action, *outcome, *code);
        let kind = Kind { who: who.clone(), action, outcome, code, reason: reason.clone() };
        if self.windows.len() < KINDS_MAX || self.windows.contains_key(&kind) {
            return kind;
        }
        Kind { who: Agent::unknown(), reason: Reason::new("done by many"), ..kind }
    }
}

/// Adds an act to those merged.
fn add(merged: &mut Record, record: Record) {
    let count = record.repeated.map_or(1, |repeated| repeated.count);
    if let Some(repeated) = &mut merged.repeated {
        repeated.count = repeated.count.saturating_add(count);
    }
    merged.at = merged.at.max(record.at);
    if merged.from != record.from {
        merged.from = Origin::Several;
    }
    if merged.session != record.session {
        merged.session = None;
    }
    merged.request = None;
    merged.entry = None;
    for object in record.objects {
        if merged.objects.len() < OBJECTS_MAX && !merged.objects.contains(&object) {
            merged.objects.push(object);
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Name;
    use ach_engine_audit::{AgentRole, Object, ObjectKind};

    use super::*;

    fn refused(who: u32, tag: u32, at_s: u64) -> Record {
        let name = |text: &str| Name::new(text).unwrap();
        Record {
            at: Timestamp(at_s * NS_PER_S),
            site: name("st-anna"),
            node: name("node-1"),
            who: Agent::new(AgentRole::Vendor, name(&format!("vendor-{who}"))),
            from: Origin::Network([10, 0, 0, 1].into(), u16::try_from(who).unwrap()),
            action: Action::ThingNamed,
            objects: vec![Object::new(ObjectKind::Tag, name(&format!("{tag:016X}")))],
            outcome: Outcome::Refused,
            code: Some(65),
            reason: Reason::default(),
            repeated: None,
            session: Some(1),
            request: None,
            entry: None,
        }
    }

    fn note(tally: &mut AuditTally, record: Record) -> Option<Record> {
        let now = record.at;
        tally.note(record, now)
    }

    fn merge(tally: &mut AuditTally, record: Record) {
        let now = record.at;
        tally.merge(record, now);
    }

    #[test]
    fn the_first_is_recorded_at_once_and_the_others_as_one() {
        let mut tally = AuditTally::default();
        assert_eq!(note(&mut tally, refused(1, 1, 100)), Some(refused(1, 1, 100)));
        for second in 101..105 {
            assert_eq!(note(&mut tally, refused(1, 2, second)), None);
        }
        assert_eq!(note(&mut tally, refused(2, 1, 105)), Some(refused(2, 1, 105)), "somebody else");
        assert!(tally.take(Timestamp(109 * NS_PER_S), false).is_empty());
        let due = tally.take(Timestamp(110 * NS_PER_S), false);
        let repeated = Repeated { count: 4, since: Timestamp(101 * NS_PER_S) };
        assert_eq!(due, [Record { repeated: Some(repeated), ..refused(1, 2, 104) }]);
        assert_eq!(note(&mut tally, refused(1, 3, 111)), Some(refused(1, 3, 111)), "a new window");
    }

    #[test]
    fn a_flood_is_bounded_and_every_act_of_it_is_counted() {
        let mut tally = AuditTally::default();
        let mut told = 0;
        for act in 0..10_000_u32 {
            told += u64::from(note(&mut tally, refused(act % 1_000, act, 100)).is_some());
        }
        assert!(tally.windows.len() <= KINDS_MAX + 1);
        let due = tally.take(Timestamp(100 * NS_PER_S), true);
        assert!(due.iter().all(|record| record.objects.len() <= OBJECTS_MAX));
        let merged: u64 = due.iter().filter_map(|record| record.repeated).map(|it| it.count).sum();
        assert_eq!(told + merged, 10_000);
        assert!(due.iter().any(|record| record.from == Origin::Several));
        assert!(tally.windows.is_empty());
    }

    #[test]
    fn what_found_no_room_is_recorded_later() {
        let mut tally = AuditTally::default();
        merge(&mut tally, refused(1, 1, 100));
        merge(&mut tally, refused(1, 1, 101));
        let due = tally.take(Timestamp(110 * NS_PER_S), false);
        let repeated = due[0].repeated.unwrap();
        assert_eq!((repeated.count, repeated.since), (2, Timestamp(100 * NS_PER_S)));
    }

    /// A receiver that subscribes with full filters and unsubscribes, as fast as it can, for ten minutes.
    #[test]
    fn whoever_reads_in_a_loop_does_not_fill_the_disk() {
        const SECONDS: u64 = 600;
        let mut tally = AuditTally::default();
        let id = |n: usize| Name::new(&format!("zone-{n:059}")).unwrap();
        let objects: Vec<Object> = (0..768).map(|n| Object::new(ObjectKind::Zone, id(n))).collect();
        let read = |second: u64| Record {
            action: Action::ReadBegun,
            objects: objects.clone(),
            entry: Some(7),
            outcome: Outcome::Done,
            code: None,
            ..refused(1, 1, second)
        };
        let (mut bytes, mut told, mut merged) = (0, 0, 0);
        let mut keep = |record: Record| {
            bytes += record.to_bytes().unwrap().len();
            merged += record.repeated.map_or(0, |repeated| repeated.count);
            assert!(record.repeated.is_none_or(|it| it.count < 2 || record.entry.is_none()));
        };
        for second in 0..SECONDS {
            let now = Timestamp(second * NS_PER_S);
            for _ in 0..20 {
                if let Some(record) = tally.afford(read(second), now) {
                    told += 1;
                    keep(record);
                }
            }
            tally.take(now, false).into_iter().for_each(&mut keep);
        }
        tally.take(Timestamp(SECONDS * NS_PER_S), true).into_iter().for_each(&mut keep);
        assert_eq!(told + merged, 20 * SECONDS, "each is counted");
        assert!(told > 3, "{told}");
        assert!(bytes < 1_200 * 1_024, "{bytes} bytes in ten minutes");
    }

    #[test]
    fn who_reads_now_and_then_has_a_record_of_each() {
        let mut tally = AuditTally::default();
        for second in 0..10_000 {
            let now = Timestamp(second * NS_PER_S);
            assert!(tally.afford(refused(1, 1, second), now).is_some(), "second {second}");
            tally.take(now, false);
        }
        assert!(tally.take(Timestamp(20_000 * NS_PER_S), false).is_empty());
        assert!(tally.allowances.is_empty(), "who does nothing is forgotten");
    }

    #[test]
    fn allowances_are_bounded() {
        let mut tally = AuditTally::default();
        for who in 0..2_000 {
            drop(tally.afford(refused(who, 1, 1), Timestamp(NS_PER_S)));
        }
        assert!(tally.allowances.len() <= KINDS_MAX + 1);
    }
}
