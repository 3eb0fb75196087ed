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

/// Things that are quiet at once: more than anybody keeps in mind. At some 200 bytes each they are told at
/// once in a checkpoint.
const QUIET_COUNT_MAX: usize = 4_096;

/// Wishes that wait for a second person.
const ASK_COUNT_MAX: usize = 256;

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
    pub(crate) remark: Option<Remark>,
}

/// A wish to mute something that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    scope: QuietScope,
    by: Name,
    for_ns: u64,
    asked_at: Timestamp,
}

/// Open alarms are being looked at, a few an entry, for what is quiet about them now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// The last one that was looked at.
    pub(crate) after: Option<AlarmId>,
    /// Who ended something; nobody if its time was over.
    pub(crate) by: Option<Name>,
}

/// All of it, as a checkpoint tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct QuietHead {
    kept: Vec<(QuietKey, AlarmState, Quiet)>,
    asks: Vec<Ask>,
    sweep: Option<Sweep>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Quiets {
    kept: BTreeMap<(QuietKey, AlarmState), Quiet>,
    /// The same by when it ends.
    ends: BTreeSet<(Timestamp, QuietKey, AlarmState)>,
    asks: Vec<Ask>,
    pub(crate) sweep: Option<Sweep>,
}

impl Quiets {
    /// What a checkpoint tells of it.
    pub(crate) fn head(&self) -> QuietHead {
        let kept = self.kept.iter().map(|(&(key, flag), quiet)| (key, flag, quiet.clone()));
        QuietHead { kept: kept.collect(), asks: self.asks.clone(), sweep: self.sweep.clone() }
    }

    /// That of a checkpoint.
    pub(crate) fn restore(head: QuietHead) -> Quiets {
        let mut quiets = Quiets { asks: head.asks, sweep: head.sweep, ..Quiets::default() };
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
        self.ends.insert((quiet.until, key, flag));
        self.kept.insert((key, flag), quiet);
        self.sweep = Some(Sweep::default());
        Ok(())
    }

    /// Ends something that is quiet, by somebody's hand. False if it was not.
    pub(crate) fn end(&mut self, key: QuietKey, flag: AlarmState, by: &Name) -> bool {
        let was_quiet = self.remove(key, flag);
        if was_quiet {
            self.sweep = Some(Sweep { after: None, by: Some(by.clone()) });
        }
        was_quiet
    }

    fn remove(&mut self, key: QuietKey, flag: AlarmState) -> bool {
        let quiet = self.kept.remove(&(key, flag));
        quiet.is_some_and(|quiet| self.ends.remove(&(quiet.until, key, flag)))
    }

    /// Ends what is over by now.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(&(until, key, flag)) = self.ends.first()
            && until <= now
        {
            self.remove(key, flag);
            self.sweep = Some(Sweep::default());
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
        let of = |key: QuietKey| self.kept.get(&(key, flag));
        let rule = notice.rule.and_then(|rule| of(QuietKey::Scope(QuietScope::Rule(rule))));
        let place = of(QuietKey::Scope(QuietScope::Place(notice.place)));
        let all = [of(QuietKey::condition(notice)), rule, place];
        all.into_iter().flatten().max_by_key(|quiet| quiet.until)
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

    /// One person wishes to mute something: in force if another has wished it just before, for the shorter
    /// of both times.
    pub(crate) fn ask(
        &mut self,
        scope: QuietScope,
        by: &Name,
        for_ns: u64,
        now: Timestamp,
    ) -> Result<u64, WishRefusal> {
        self.asks.retain(|ask| now.since_ns(ask.asked_at) < SECOND_PERSON_NS);
        if let Some(at) = self.asks.iter().position(|ask| ask.scope == scope && ask.by != *by) {
            let ask = self.asks.swap_remove(at);
            self.asks.retain(|other| other.scope != scope);
            return Ok(ask.for_ns.min(for_ns));
        }
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.scope == scope) {
            (ask.for_ns, ask.asked_at) = (for_ns, now);
            return Err(WishRefusal::SamePerson);
        }
        if self.asks.len() >= ASK_COUNT_MAX {
            return Err(WishRefusal::TooManyQuiet);
        }
        self.asks.push(Ask { scope, by: by.clone(), for_ns, asked_at: now });
        Err(WishRefusal::NeedsSecondPerson)
    }
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
