//! What is quiet: conditions that somebody put aside, places and rules that two persons muted or that are
//! being worked on. Each ends by itself.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmState, NS_PER_S, Name, Place, QuietKind, QuietScope,
    Remark, RuleRef, SubjectRef, Timestamp, WishRefusal,
};
use serde::{Deserialize, Serialize};

const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// Longest time a condition is put aside: a long shift. Whoever comes next decides anew.
pub const SHELVED_MAX_NS: u64 = 12 * HOUR_NS;

/// Longest time a place or rule is muted: a day, so that each day's two persons decide anew.
pub const SUPPRESSED_MAX_NS: u64 = 24 * HOUR_NS;

/// Longest time something is out of service: a month of building works.
pub const OUT_OF_SERVICE_MAX_NS: u64 = 31 * 24 * HOUR_NS;

/// How long one person's wish to mute something waits for another's.
pub const SECOND_PERSON_NS: u64 = 600 * NS_PER_S;

/// Things that are quiet at once: more than anybody keeps in mind. At some 400 bytes each, with a remark of the
/// longest, they are told at once in a checkpoint, so a slice's time bounds them.
const QUIET_COUNT_MAX: usize = 1_024;

/// Wishes that wait for a second person.
const ASK_COUNT_MAX: usize = 256;

/// Things ended by hand during one look at the open alarms of which it is known by whom.
const ENDED_COUNT_MAX: usize = 64;

/// Open alarms looked at in one entry after something became quiet or did no longer.
pub(crate) const SWEEP_ALARMS: usize = 256;

/// What is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum QuietKey {
    /// The condition of an alarm.
    Condition { rule: Option<RuleRef>, kind: AlarmKind, subject: Option<SubjectRef>, place: Place },
    /// All alarms about a place, or of a rule.
    Scope(QuietScope),
}

impl QuietKey {
    /// The condition an alarm is about.
    pub(crate) fn condition(notice: &AlarmNotice) -> QuietKey {
        let AlarmNotice { rule, kind, subject, place, .. } = *notice;
        QuietKey::Condition { rule, kind, subject, place }
    }
}

/// Until when, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quiet {
    pub(crate) until: Timestamp,
    pub(crate) by: Name,
    /// Who asked for it first, if it took two.
    pub(crate) asked_by: Option<Name>,
    pub(crate) remark: Option<Remark>,
    /// The alarm that was shelved.
    pub(crate) alarm: Option<AlarmId>,
}

/// A wish to mute something that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) scope: QuietScope,
    pub(crate) flag: AlarmState,
    /// By whose certificate.
    by: Name,
    /// For whom, if a program asked; else the same.
    pub(crate) person: Name,
    pub(crate) remark: Option<Remark>,
    pub(crate) for_ns: u64,
    pub(crate) asked_at: Timestamp,
}

/// Who wishes something to be quiet, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// By whose certificate.
    pub(crate) by: &'a Name,
    /// For whom.
    pub(crate) person: &'a Name,
    pub(crate) remark: Option<&'a Remark>,
    pub(crate) for_ns: u64,
}

/// Open alarms are being looked at, a few an entry, for what is quiet about them now. What changes
/// meanwhile is seen by those that are still to come; the others come once more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// The last one that was looked at.
    pub(crate) after: Option<AlarmId>,
    /// Behind the last it begins anew and goes on to this one.
    again_to: Option<AlarmId>,
    /// It has begun anew.
    is_second: bool,
}

/// All of it, as a checkpoint tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct QuietHead {
    kept: Vec<(QuietKey, AlarmState, Quiet)>,
    asks: Vec<Ask>,
    ended: Vec<(QuietKey, AlarmState, Name)>,
    sweep: Option<Sweep>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Quiets {
    kept: BTreeMap<(QuietKey, AlarmState), Quiet>,
    /// The same by when it ends.
    ends: BTreeSet<(Timestamp, QuietKey, AlarmState)>,
    asks: Vec<Ask>,
    /// What was ended by hand since the sweep under way began.
    ended: Vec<(QuietKey, AlarmState, Name)>,
    sweep: Option<Sweep>,
    /// Counts changes since the shard began to run: it is no state.
    revision: u64,
}

impl Quiets {
    /// All that is quiet.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (QuietKey, AlarmState, &Quiet)> {
        self.kept.iter().map(|(&(key, flag), quiet)| (key, flag, quiet))
    }

    /// All that waits for a second person.
    pub(crate) fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter()
    }

    /// How often anything of that has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// What a checkpoint tells of it.
    pub(crate) fn head(&self) -> QuietHead {
        let kept = self.kept.iter().map(|(&(key, flag), quiet)| (key, flag, quiet.clone()));
        QuietHead {
            kept: kept.collect(),
            asks: self.asks.clone(),
            ended: self.ended.clone(),
            sweep: self.sweep.clone(),
        }
    }

    /// That of a checkpoint.
    pub(crate) fn restore(head: QuietHead) -> Quiets {
        let QuietHead { asks, ended, sweep, .. } = head;
        let mut quiets = Quiets { asks, ended, sweep, ..Quiets::default() };
        for (key, flag, quiet) in head.kept {
            quiets.ends.insert((quiet.until, key, flag));
            quiets.kept.insert((key, flag), quiet);
        }
        quiets
    }

    /// Makes something quiet, or quiet until another moment.
    pub(crate) fn set(
        &mut self,
        key: QuietKey,
        flag: AlarmState,
        quiet: Quiet,
    ) -> Result<(), WishRefusal> {
        if self.kept.len() >= QUIET_COUNT_MAX && !self.kept.contains_key(&(key, flag)) {
            return Err(WishRefusal::TooManyQuiet);
        }
        self.remove(key, flag);
        self.revision += 1;
        self.ends.insert((quiet.until, key, flag));
        self.kept.insert((key, flag), quiet);
        self.look_again();
        Ok(())
    }

    /// Every open alarm is to be looked at from now on.
    pub(crate) fn look_again(&mut self) {
        let sweep = self.sweep.get_or_insert_default();
        (sweep.again_to, sweep.is_second) = (sweep.after, false);
    }

    /// Whether open alarms are to be looked at.
    pub(crate) fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// The look at open alarms that is under way.
    pub(crate) fn sweep(&self) -> Option<&Sweep> {
        self.sweep.as_ref()
    }

    /// The next open alarms were looked at, fewer than there might be if those were the last.
    pub(crate) fn sweep_on(&mut self, last: Option<AlarmId>, was_last: bool) {
        let Some(sweep) = &mut self.sweep else { return };
        sweep.after = last;
        let is_done = match sweep.again_to {
            None => was_last,
            // It has gone round to where the last change found it.
            Some(to) => sweep.is_second && (was_last || last >= Some(to)),
        };
        if is_done {
            self.end_sweep();
        } else if was_last {
            (sweep.after, sweep.is_second) = (None, true);
        }
    }

    fn end_sweep(&mut self) {
        self.sweep = None;
        self.ended.clear();
    }

    /// Who ended what was quiet about an alarm in one way; nobody if its time was over.
    pub(crate) fn ended_by(&self, notice: &AlarmNotice, flag: AlarmState) -> Option<&Name> {
        let keys = keys_of(notice);
        let is_it = |(key, of, _): &&(QuietKey, AlarmState, Name)| {
            *of == flag && keys.iter().flatten().any(|about| about == key)
        };
        self.ended.iter().rfind(is_it).map(|(_, _, by)| by)
    }

    /// What was shelved by way of an alarm, which may be over.
    pub(crate) fn shelved_by_way_of(&self, alarm: AlarmId) -> Option<QuietKey> {
        let mut kept = self.kept.iter();
        kept.find(|(_, quiet)| quiet.alarm == Some(alarm)).map(|(&(key, _), _)| key)
    }

    /// How many things are quiet.
    pub(crate) fn count(&self) -> usize {
        self.kept.len()
    }

    /// Ends something that is quiet, by somebody's hand. False if it was not.
    pub(crate) fn end(&mut self, key: QuietKey, flag: AlarmState, by: &Name) -> bool {
        // Whoever has asked for it alone thinks better of it, too.
        self.keep_asks(|ask| QuietKey::Scope(ask.scope) != key || ask.flag != flag);
        let was_quiet = self.remove(key, flag);
        if was_quiet {
            if self.ended.len() >= ENDED_COUNT_MAX {
                self.ended.remove(0);
            }
            self.ended.push((key, flag, by.clone()));
            self.look_again();
        }
        was_quiet
    }

    fn keep_asks(&mut self, is_kept: impl FnMut(&Ask) -> bool) {
        let count = self.asks.len();
        self.asks.retain(is_kept);
        self.revision += u64::from(self.asks.len() != count);
    }

    fn remove(&mut self, key: QuietKey, flag: AlarmState) -> bool {
        let quiet = self.kept.remove(&(key, flag));
        self.revision += u64::from(quiet.is_some());
        quiet.is_some_and(|quiet| self.ends.remove(&(quiet.until, key, flag)))
    }

    /// Ends what is over by now.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(&(until, key, flag)) = self.ends.first()
            && until <= now
        {
            self.remove(key, flag);
            self.look_again();
        }
    }

    /// When the next thing ends.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|&(until, ..)| until)
    }

    /// What is quiet about an alarm in one way, the latest to end.
    pub(crate) fn about(&self, notice: &AlarmNotice, flag: AlarmState) -> Option<&Quiet> {
        if self.kept.is_empty() {
            return None;
        }
        let all = keys_of(notice).into_iter().flatten();
        all.filter_map(|key| self.kept.get(&(key, flag))).max_by_key(|quiet| quiet.until)
    }

    /// Everything that is quiet about an alarm: the flags, and the latest to end.
    pub(crate) fn flags(&self, notice: &AlarmNotice) -> (AlarmState, Option<&Quiet>) {
        let mut flags = AlarmState(0);
        let mut last: Option<&Quiet> = None;
        for flag in QUIET_FLAGS {
            if let Some(quiet) = self.about(notice, flag) {
                flags = flags.with(flag);
                last = last.filter(|last| last.until >= quiet.until).or(Some(quiet));
            }
        }
        (flags, last)
    }

    /// One person wishes something to be quiet: in force if another has wished it just before, for the
    /// shorter of both times. That wish is returned.
    pub(crate) fn ask(
        &mut self,
        (scope, flag): (QuietScope, AlarmState),
        asking: Asking<'_>,
        now: Timestamp,
    ) -> Result<Ask, WishRefusal> {
        self.keep_asks(|ask| now.since_ns(ask.asked_at) < SECOND_PERSON_NS);
        let Asking { by, person, remark, for_ns } = asking;
        // At most one waits for each: the second is either the other or the same.
        if let Some(at) = self.asks.iter().position(|ask| (ask.scope, ask.flag) == (scope, flag)) {
            self.revision += 1;
            let ask = self.asks.swap_remove(at);
            if ask.by != *by {
                return Ok(Ask { for_ns: ask.for_ns.min(for_ns), ..ask });
            }
            self.asks.push(Ask { for_ns, asked_at: now, ..ask });
            return Err(WishRefusal::SamePerson);
        }
        if self.asks.len() >= ASK_COUNT_MAX {
            return Err(WishRefusal::TooManyQuiet);
        }
        self.revision += 1;
        let (by, person, remark) = (by.clone(), person.clone(), remark.cloned());
        self.asks.push(Ask { scope, flag, by, person, remark, for_ns, asked_at: now });
        Err(WishRefusal::NeedsSecondPerson)
    }
}

/// All by which an alarm may be quiet.
fn keys_of(notice: &AlarmNotice) -> [Option<QuietKey>; 3] {
    [
        Some(QuietKey::condition(notice)),
        Some(QuietKey::Scope(QuietScope::Place(notice.place))),
        notice.rule.map(|rule| QuietKey::Scope(QuietScope::Rule(rule))),
    ]
}

/// The ways in which something is quiet.
pub(crate) const QUIET_FLAGS: [AlarmState; 3] =
    [AlarmState::SHELVED, AlarmState::SUPPRESSED, AlarmState::OUT_OF_SERVICE];

/// The flag of a way, and for how long it may be so.
pub(crate) fn limits_of(kind: QuietKind) -> (AlarmState, u64) {
    match kind {
        QuietKind::Suppressed => (AlarmState::SUPPRESSED, SUPPRESSED_MAX_NS),
        QuietKind::OutOfService => (AlarmState::OUT_OF_SERVICE, OUT_OF_SERVICE_MAX_NS),
    }
}
