//! Alarms that are open: raised, and something of them is still to be waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use ach_actors_entities::{Site, hear_condition, next_call, note_response};
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmLife, AlarmNotice, AlarmState, AlarmTransition, AnswerConfig,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::chatter::{Chatter, ChatterHead};
use crate::incidents::{Incidents, IncidentsHead};
use crate::quiet::{QuietHead, Quiets};
use crate::waiting::Waiting;

/// Open alarms whose condition has ended. They wait for people, so there is no end to them but this: at
/// ten an hour nine months of nobody looking. The oldest is dropped, and that is told.
pub(crate) const ENDED_COUNT_MAX: usize = 65_536;

/// An open alarm and where its latest word is told: the entry, and the place among its effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenNotice {
    /// The latest word of its condition, with the state it has now and what was done with it.
    pub notice: AlarmNotice,
    /// Index of the entry.
    pub index: u64,
    /// Place among that entry's effects.
    pub ordinal: u32,
    /// When its condition ended.
    ended_at: Option<Timestamp>,
    /// When it is passed on, or calls again.
    call_at: Option<Timestamp>,
}

/// All open alarms, and what is quiet.
#[derive(Debug)]
pub(crate) struct Board {
    /// Boxed: a map keeps a third of its places empty, of a quarter of a kilobyte each if the alarms lay in them.
    open: BTreeMap<AlarmId, Box<OpenNotice>>,
    /// Those of them whose condition has ended, by when.
    ended: BTreeSet<(Timestamp, AlarmId)>,
    /// Those of them that have a timer, by when it is due.
    calls: BTreeSet<(Timestamp, AlarmId)>,
    pub(crate) quiets: Quiets,
    incidents: Incidents,
    waiting: Waiting,
    chatter: Chatter,
    /// Of more whose condition has ended the first are dropped.
    pub(crate) ended_count_max: usize,
    /// How many effects of this entry were taken over.
    pub(crate) taken_count: usize,
    raised_by_kind: BTreeMap<AlarmKind, u64>,
    imaging: Option<Imaging>,
}

/// What the alarms were that were raised last: which belong together, and which chatter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RaisedHead {
    incidents: IncidentsHead,
    chatter: ChatterHead,
}

/// A checkpoint of the board that is under way: what is open changes meanwhile.
#[derive(Debug, Default)]
struct Imaging {
    /// Alarms up to this one were visited.
    done: Option<AlarmId>,
    /// What changed beyond it since the checkpoint began; not to be visited.
    changed: BTreeSet<AlarmId>,
    /// What was open of it, and is still to be told.
    copies: Vec<OpenNotice>,
    is_over: bool,
}

impl Default for Board {
    fn default() -> Board {
        Board {
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            calls: BTreeSet::new(),
            quiets: Quiets::default(),
            incidents: Incidents::default(),
            waiting: Waiting::default(),
            chatter: Chatter::default(),
            ended_count_max: ENDED_COUNT_MAX,
            taken_count: 0,
            raised_by_kind: BTreeMap::new(),
            imaging: None,
        }
    }
}

impl Board {
    /// A board with what a checkpoint tells at once.
    pub(crate) fn restore(
        raised_by_kind: BTreeMap<AlarmKind, u64>,
        quiet: QuietHead,
        raised: RaisedHead,
    ) -> Board {
        let RaisedHead { incidents, chatter } = raised;
        Board {
            raised_by_kind,
            quiets: Quiets::restore(quiet),
            incidents: Incidents::restore(incidents),
            chatter: Chatter::restore(chatter),
            ..Board::default()
        }
    }

    /// What a checkpoint tells at once of what was raised.
    pub(crate) fn raised_head(&self) -> RaisedHead {
        RaisedHead { incidents: self.incidents.head(), chatter: self.chatter.head() }
    }

    /// Puts an alarm of a checkpoint on it. False if it has that one.
    pub(crate) fn put(&mut self, open: Box<OpenNotice>) -> bool {
        let id = open.notice.id;
        self.ended.extend(open.ended_at.map(|at| (at, id)));
        self.calls.extend(open.call_at.map(|at| (at, id)));
        self.waiting.put(&open.notice);
        self.open.insert(id, open).is_none()
    }

    /// Takes over what a condition says, and gives it the state its alarm has after it; if it is new, its incident.
    pub(crate) fn hear(&mut self, notice: &mut AlarmNotice, at: (u64, u32), site: &Site) {
        let answer = site.answer_to(notice);
        let open = self.open.get(&notice.id).map(|open| &open.notice);
        let (flags, quiet) = match open {
            Some(_) => (AlarmState(0), None),
            None => self.quiets.flags(notice),
        };
        let is_new = open.is_none();
        hear_condition(notice, open, answer, flags);
        if notice.state.is_quiet() && is_new {
            let quiet_until = quiet.map(|quiet| quiet.until);
            notice.life = Some(AlarmLife { quiet_until, ..AlarmLife::default() }.into());
        }
        if notice.transition == AlarmTransition::Raised {
            *self.raised_by_kind.entry(notice.kind).or_insert(0) += 1;
            if is_new {
                notice.incident = Some(self.incidents.join(notice, &self.waiting, site));
                self.chatter.hear(notice);
            }
        }
        note_response(notice, notice.reason, site);
        self.keep(notice, at, answer);
    }

    /// Keeps the latest word on an alarm, or forgets the alarm if it is over.
    pub(crate) fn keep(
        &mut self,
        notice: &AlarmNotice,
        (index, ordinal): (u64, u32),
        answer: Option<&AnswerConfig>,
    ) {
        let id = notice.id;
        self.copy_before_change(id);
        let before = self.open.remove(&id);
        if let Some(before) = &before {
            self.unlist(before);
        }
        if !notice.state.is_retained() {
            return;
        }
        let kept = if notice.transition.is_of_the_condition() {
            notice.clone()
        } else {
            let said = before.as_ref().map(|before| &before.notice);
            assert!(said.is_some(), "only what is open is acted on");
            said.map_or_else(|| notice.clone(), |said| said.after_act(notice))
        };
        let ended_at = before.and_then(|before| before.ended_at).or(Some(notice.changed_at));
        let ended_at = ended_at.filter(|_| !notice.state.is_any(AlarmState::ACTIVE));
        let call_at = next_call(&kept, answer);
        self.put(Box::new(OpenNotice { notice: kept, index, ordinal, ended_at, call_at }));
    }

    fn unlist(&mut self, open: &OpenNotice) {
        let id = open.notice.id;
        self.waiting.take(&open.notice);
        if let Some(at) = open.ended_at {
            self.ended.remove(&(at, id));
        }
        if let Some(at) = open.call_at {
            self.calls.remove(&(at, id));
        }
    }

    /// An open alarm.
    pub(crate) fn notice(&self, id: AlarmId) -> Option<&AlarmNotice> {
        self.open.get(&id).map(|open| &open.notice)
    }

    /// The next open alarms by id.
    pub(crate) fn ids_after(&self, after: Option<AlarmId>, count_max: usize) -> Vec<AlarmId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.open.range((from, Bound::Unbounded));
        rest.take(count_max).map(|(&id, _)| id).collect()
    }

    /// How many alarms are open whose condition has ended.
    pub(crate) fn ended_count(&self) -> usize {
        self.ended.len()
    }

    /// The one of them whose condition ended first.
    pub(crate) fn oldest_ended(&self) -> Option<AlarmNotice> {
        self.ended.first().and_then(|(_, id)| self.notice(*id)).cloned()
    }

    /// An alarm whose timer is due.
    pub(crate) fn next_caller(&self, now: Timestamp) -> Option<AlarmNotice> {
        let &(at, id) = self.calls.first()?;
        if at > now { None } else { self.notice(id).cloned() }
    }

    /// When the next timer is due.
    pub(crate) fn next_call_at(&self) -> Option<Timestamp> {
        self.calls.first().map(|&(at, _)| at)
    }

    /// Nothing came of a timer: its rule may have another, later.
    pub(crate) fn call_later(&mut self, id: AlarmId, answer: Option<&AnswerConfig>) {
        let Some(open) = self.open.get(&id) else { return };
        let call_at = next_call(&open.notice, answer);
        if call_at == open.call_at {
            return;
        }
        self.copy_before_change(id);
        let Some(mut open) = self.open.remove(&id) else { return };
        self.unlist(&open);
        open.call_at = call_at;
        self.put(open);
    }

    fn copy_before_change(&mut self, id: AlarmId) {
        let Some(imaging) = &mut self.imaging else { return };
        let is_visited = imaging.is_over || imaging.done.is_some_and(|done| id <= done);
        if !is_visited && imaging.changed.insert(id) {
            imaging.copies.extend(self.open.get(&id).map(|open| OpenNotice::clone(open)));
        }
    }

    /// Begins an image of what is open now.
    pub(crate) fn begin_image(&mut self) {
        self.imaging = Some(Imaging::default());
    }

    /// Hands the next alarms of the image to `each`, at most `count_max`, and says how many.
    pub(crate) fn image(&mut self, count_max: usize, each: &mut dyn FnMut(&OpenNotice)) -> usize {
        let Some(imaging) = &mut self.imaging else { return 0 };
        let mut count = 0;
        while count < count_max
            && let Some(copy) = imaging.copies.pop()
        {
            each(&copy);
            count += 1;
        }
        let from = imaging.done.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.open.range((from, Bound::Unbounded));
        while count < count_max && !imaging.is_over {
            let Some((&id, open)) = rest.next() else {
                imaging.is_over = true;
                break;
            };
            imaging.done = Some(id);
            // What changed costs a look as well, so it counts.
            count += 1;
            if !imaging.changed.contains(&id) {
                each(open);
            }
        }
        count
    }

    /// Copies that are still to be told.
    pub(crate) fn copy_count(&self) -> usize {
        self.imaging.as_ref().map_or(0, |imaging| imaging.copies.len())
    }

    /// Whether the image is whole.
    pub(crate) fn is_imaged(&self) -> bool {
        self.imaging.as_ref().is_none_or(|imaging| imaging.is_over && imaging.copies.is_empty())
    }

    /// Ends the image, whole or not.
    pub(crate) fn end_image(&mut self) {
        self.imaging = None;
    }

    /// Open alarms by id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &OpenNotice> {
        self.open.values().map(Box::as_ref)
    }

    /// How many are open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many were raised, by kind.
    pub(crate) fn raised_by_kind(&self) -> &BTreeMap<AlarmKind, u64> {
        &self.raised_by_kind
    }
}
