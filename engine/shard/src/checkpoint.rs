//! A checkpoint: all that a shard remembers at one entry, told in slices while it goes on deciding.
//!
//! What is small is told at once, in a [`ShardHead`]. Actors, deadlines and open alarms are told in
//! [`Piece`]s, a slice between two turns; who is touched meanwhile is copied before. Their order
//! means nothing: the state is the head and the set of the pieces.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{
    Anchor, DeadlineKind, Door, Health, Message, Site, Source, Subject, Tag, Zone,
};
use ach_actors_model::{AlarmKind, AlarmNotice, AnchorRef, EntityRef, Pass, Timestamp};
use ach_actors_runtime::Cell;
use serde::{Deserialize, Serialize};

use crate::actors::CellImage;
use crate::board::{OpenNotice, RaisedHead};
use crate::door_desk::DoorDesk;
use crate::lanes::Lanes;
use crate::quiet::QuietHead;
use crate::shard::Shard;
use crate::status::Totals;

/// Most cells, deadlines and alarms one slice tells: at some 150 ns each 30 µs, a third of what a
/// slice may take (decision 0008), so that one with large cells among them stays within it.
pub const SLICE_CELLS: usize = 200;

/// Copies that may wait to be told: with 400 bytes each 26 MB. Beyond that the checkpoint is to be
/// given up; it takes a shard that decides a hundred batches without a single slice between them.
pub const COPIES_MAX: usize = 65_536;

/// What is told at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardHead {
    pub(crate) entry_index: u64,
    pub(crate) entry_at: Timestamp,
    pub(crate) logic_version: u16,
    pub(crate) site_version: u32,
    pub(crate) lanes: Lanes,
    pub(crate) health: Health,
    pub(crate) idle: Vec<IdleHead>,
    pub(crate) episodes: BTreeMap<EntityRef, u32>,
    pub(crate) missed: Vec<(EntityRef, AnchorRef, Message)>,
    pub(crate) raised_by_kind: BTreeMap<AlarmKind, u64>,
    pub(crate) quiet: QuietHead,
    pub(crate) door_desk: DoorDesk,
    pub(crate) raised: RaisedHead,
    pub(crate) totals: Totals,
    pub(crate) set_aside_input_count: u64,
    pub(crate) dropped_count: u64,
    pub(crate) passes: Vec<Arc<Pass>>,
}

impl ShardHead {
    /// The last entry that is in the state.
    pub fn entry_index(&self) -> u64 {
        self.entry_index
    }

    /// Shard time of that entry.
    pub fn entry_at(&self) -> Timestamp {
        self.entry_at
    }

    /// Version of the site in force; 0 before the first.
    pub fn site_version(&self) -> u32 {
        self.site_version
    }

    /// Every version of the site the state goes by, some perhaps several times.
    pub fn site_versions(&self) -> impl Iterator<Item = u32> {
        let in_force = Some(self.site_version).filter(|version| *version > 0);
        in_force.into_iter().chain(self.idle.iter().map(|idle| idle.saw_version))
    }
}

/// An actor that is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdleHead {
    pub(crate) actor: EntityRef,
    /// The version of the site it last saw.
    pub(crate) saw_version: u32,
    pub(crate) held: Vec<(Timestamp, DeadlineKind)>,
    /// Of a feed: how its clock was last found, its offset in ns and when.
    pub(crate) clock: Option<(i64, Timestamp)>,
    pub(crate) notices: Vec<AlarmNotice>,
}

/// What kind of actor a packed state is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PackedKind {
    /// A tag.
    Tag,
    /// A subject.
    Subject,
}

/// One cell, deadline or alarm of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// An actor's state in a form of its own.
    Packed(PackedKind, u32, &'a [u8]),
    /// A tag.
    Tag(u32, &'a Tag),
    /// A subject.
    Subject(u32, &'a Subject),
    /// A zone.
    Zone(u32, &'a Zone),
    /// A door.
    Door(u32, &'a Door),
    /// A feed.
    Source(u32, &'a Source),
    /// An anchor.
    Anchor(u32, &'a Anchor),
    /// A call that an actor wants.
    Deadline(Timestamp, EntityRef, DeadlineKind),
    /// An open alarm.
    Open(&'a OpenNotice),
}

/// A piece that was read back.
#[derive(Debug, Clone)]
pub enum StoredPiece<'a> {
    /// An actor's state in a form of its own.
    Packed(PackedKind, u32, &'a [u8]),
    /// A tag.
    Tag(u32, Box<Tag>),
    /// A subject.
    Subject(u32, Box<Subject>),
    /// A zone.
    Zone(u32, Box<Zone>),
    /// A door.
    Door(u32, Box<Door>),
    /// A feed.
    Source(u32, Box<Source>),
    /// An anchor.
    Anchor(u32, Box<Anchor>),
    /// A call that an actor wants.
    Deadline(Timestamp, EntityRef, DeadlineKind),
    /// An open alarm.
    Open(Box<OpenNotice>),
}

impl StoredPiece<'_> {
    /// Whether a packed state, if it is one, can be unpacked. Whoever tells it does not look.
    pub fn can_be_unpacked(&self) -> bool {
        match self {
            StoredPiece::Packed(PackedKind::Tag, _, record) => Tag::unpack(record).is_some(),
            StoredPiece::Packed(PackedKind::Subject, _, record) => {
                Subject::unpack(record).is_some()
            }
            _ => true,
        }
    }
}

impl Shard {
    /// Begins a checkpoint of the state as it is: after the last entry, before the next. One that
    /// was under way is given up.
    pub fn begin_checkpoint(&mut self) -> ShardHead {
        self.end_checkpoint();
        self.is_in_checkpoint = true;
        self.stage.actors.begin_image();
        self.stage.deadlines.begin_image();
        self.board.begin_image();
        ShardHead {
            entry_index: self.entry_index,
            entry_at: self.entry_at,
            logic_version: self.logic_version,
            site_version: self.site_version(),
            lanes: self.lanes.clone(),
            health: self.stage.health.clone(),
            idle: self.quarantine.idle_heads(),
            episodes: self.quarantine.episodes().clone(),
            missed: self.stage.missed().collect(),
            raised_by_kind: self.board.raised_by_kind().clone(),
            quiet: self.board.quiets.head(),
            door_desk: self.door_desk.clone(),
            raised: self.board.raised_head(),
            totals: self.totals,
            set_aside_input_count: self.set_aside_input_count,
            dropped_count: self.stage.dropped_count,
            passes: self.passes().cloned().collect(),
        }
    }

    /// Tells the next pieces, at most [`SLICE_CELLS`], and says whether all have been told, which
    /// ends the checkpoint. Call it between entries.
    ///
    /// # Panics
    ///
    /// If it told more.
    pub fn checkpoint_slice(&mut self, each: &mut dyn FnMut(Piece<'_>)) -> bool {
        let mut count = 0;
        let is_whole = self.slice_of(SLICE_CELLS, &mut |piece| {
            count += 1;
            each(piece);
        });
        assert!(count <= SLICE_CELLS, "a slice tells no more than it may");
        is_whole
    }

    /// Tells at most `count_max` pieces.
    pub(crate) fn slice_of(&mut self, count_max: usize, each: &mut impl FnMut(Piece<'_>)) -> bool {
        if !self.is_in_checkpoint {
            return true;
        }
        let mut left = count_max;
        // Copies first, of whatever kind, so that a slice leaves so many fewer.
        left -= self.stage.deadlines.image_copies(left, &mut |due_at, &(entity, kind)| {
            each(Piece::Deadline(Timestamp(due_at), entity, kind));
        });
        left -= self.stage.actors.image(left, &mut |cell| each(piece_of(&cell)));
        left -= self.stage.deadlines.image(left, &mut |due_at, &(entity, kind)| {
            each(Piece::Deadline(Timestamp(due_at), entity, kind));
        });
        self.board.image(left, &mut |open| each(Piece::Open(open)));
        let is_whole = self.stage.actors.is_imaged()
            && self.stage.deadlines.is_imaged()
            && self.board.is_imaged();
        if is_whole {
            self.end_checkpoint();
        }
        is_whole
    }

    /// Copies that wait to be told, of what was touched since the checkpoint began. Tell slices
    /// until there are few; give the checkpoint up at [`COPIES_MAX`].
    pub fn checkpoint_copy_count(&self) -> usize {
        self.stage.actors.copy_count() + self.stage.deadlines.copy_count() + self.board.copy_count()
    }

    /// Whether a checkpoint is under way. A change of the site gives it up, because it touches every
    /// actor at once.
    pub fn is_in_checkpoint(&self) -> bool {
        self.is_in_checkpoint
    }

    /// Gives up the checkpoint under way.
    pub fn end_checkpoint(&mut self) {
        self.is_in_checkpoint = false;
        self.stage.actors.end_image();
        self.stage.deadlines.end_image();
        self.board.end_image();
    }

    /// The versions of the site that something still goes by: that in force first, then those that
    /// actors saw last who are set aside.
    pub fn sites_in_use(&self) -> Vec<Arc<Site>> {
        let mut sites: Vec<Arc<Site>> = self.site.iter().cloned().collect();
        for saw in self.quarantine.sites() {
            if sites.iter().all(|site| site.version() != saw.version()) {
                sites.push(Arc::clone(saw));
            }
        }
        sites
    }
}

fn piece_of<'a>(cell: &CellImage<'a>) -> Piece<'a> {
    match *cell {
        CellImage::PackedTag(id, record) => Piece::Packed(PackedKind::Tag, id, record),
        CellImage::PackedSubject(id, record) => Piece::Packed(PackedKind::Subject, id, record),
        CellImage::Tag(id, tag) => Piece::Tag(id, tag),
        CellImage::Subject(id, subject) => Piece::Subject(id, subject),
        CellImage::Zone(id, zone) => Piece::Zone(id, zone),
        CellImage::Door(id, door) => Piece::Door(id, door),
        CellImage::Source(id, source) => Piece::Source(id, source),
        CellImage::Anchor(id, anchor) => Piece::Anchor(id, anchor),
    }
}
