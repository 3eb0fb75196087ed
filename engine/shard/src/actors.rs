//! The actors of a shard, one slab a kind.

use ach_actors_entities::{Anchor, Door, Outbox, Site, Source, Subject, Tag, Turn, Verdict, Zone};
use ach_actors_model::{AnchorRef, DoorRef, EntityRef, SourceRef, SubjectRef, TagRef, ZoneRef};
use ach_actors_runtime::{Cell, Image, Slab, SlabCounts};

use crate::call::Call;

/// Applies one expression to every slab.
macro_rules! each_slab {
    ($actors:expr, $slab:ident => $do:expr) => {{
        let Actors { tags, subjects, zones, doors, sources, anchors, .. } = $actors;
        {
            let $slab = tags;
            $do;
        }
        {
            let $slab = subjects;
            $do;
        }
        {
            let $slab = zones;
            $do;
        }
        {
            let $slab = doors;
            $do;
        }
        {
            let $slab = sources;
            $do;
        }
        {
            let $slab = anchors;
            $do;
        }
    }};
}

/// Applies one expression to the slab of an entity and its number there.
macro_rules! slab_of {
    ($actors:expr, $entity:expr, ($slab:ident, $id:ident) => $do:expr) => {
        match $entity {
            EntityRef::Tag(at) => {
                let ($slab, $id) = (&mut $actors.tags, at.0);
                $do
            }
            EntityRef::Subject(at) => {
                let ($slab, $id) = (&mut $actors.subjects, at.0);
                $do
            }
            EntityRef::Zone(at) => {
                let ($slab, $id) = (&mut $actors.zones, at.0);
                $do
            }
            EntityRef::Door(at) => {
                let ($slab, $id) = (&mut $actors.doors, at.0);
                $do
            }
            EntityRef::Source(at) => {
                let ($slab, $id) = (&mut $actors.sources, at.0);
                $do
            }
            EntityRef::Anchor(at) => {
                let ($slab, $id) = (&mut $actors.anchors, at.0);
                $do
            }
        }
    };
}

/// All actors.
#[derive(Debug, Default)]
pub(crate) struct Actors {
    pub(crate) tags: Slab<Tag>,
    pub(crate) subjects: Slab<Subject>,
    pub(crate) zones: Slab<Zone>,
    pub(crate) doors: Slab<Door>,
    pub(crate) sources: Slab<Source>,
    pub(crate) anchors: Slab<Anchor>,
    /// A bug planted by a test: an actor panics after it has taken such a call.
    #[cfg(test)]
    pub(crate) bug: Option<fn(&Call<'_>) -> bool>,
}

/// A cell of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CellImage<'a> {
    PackedTag(u32, &'a [u8]),
    PackedSubject(u32, &'a [u8]),
    Tag(u32, &'a Tag),
    Subject(u32, &'a Subject),
    Zone(u32, &'a Zone),
    Door(u32, &'a Door),
    Source(u32, &'a Source),
    Anchor(u32, &'a Anchor),
}

/// Which cells of an image are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Those that were copied.
    Copies,
    /// Those that nobody has touched.
    Seats,
}

impl Actors {
    /// Makes room for everything the site has ever named.
    pub(crate) fn seat(&mut self, site: &Site) {
        self.tags.seat(ref_count(site.tag_ref_count()));
        self.subjects.seat(ref_count(site.subject_ref_count()));
        self.zones.seat(ref_count(site.zone_ref_count()));
        self.doors.seat(ref_count(site.door_ref_count()));
        self.sources.seat(ref_count(site.source_ref_count()));
        self.anchors.seat(ref_count(site.anchor_ref_count()));
    }

    /// Runs one actor. An entity without a seat refuses everything.
    pub(crate) fn call(&mut self, call: Call<'_>, turn: &Turn<'_>, out: &mut Outbox) -> Verdict {
        let verdict = self.call_actor(call, turn, out);
        #[cfg(test)]
        self.fail_if_planted(&call);
        verdict
    }

    #[cfg(test)]
    pub(crate) fn fail_if_planted(&self, call: &Call<'_>) {
        assert!(!self.has_bug(call), "a planted bug");
    }

    #[cfg(test)]
    pub(crate) fn has_bug(&self, call: &Call<'_>) -> bool {
        self.bug.is_some_and(|is_hit| is_hit(call))
    }

    fn call_actor(&mut self, call: Call<'_>, turn: &Turn<'_>, out: &mut Outbox) -> Verdict {
        match call {
            Call::Tag(me, input) => match self.tags.touch(me.0, Tag::default) {
                Some(tag) => tag.step(me, input, turn, out),
                None => Verdict::Refused,
            },
            Call::Subject(me, input) => match self.subjects.touch(me.0, Subject::default) {
                Some(subject) => {
                    subject.step(me, input, turn, out);
                    Verdict::Accepted
                }
                None => Verdict::Refused,
            },
            Call::Zone(me, input) => match self.zones.touch(me.0, Zone::default) {
                Some(zone) => {
                    zone.step(me, input, turn, out);
                    Verdict::Accepted
                }
                None => Verdict::Refused,
            },
            Call::Door(me, input) => match self.doors.touch(me.0, Door::default) {
                Some(door) => door.step(me, input, turn, out),
                None => Verdict::Refused,
            },
            Call::Source(me, input) => match self.sources.touch(me.0, Source::default) {
                Some(source) => {
                    source.step(me, input, turn, out);
                    Verdict::Accepted
                }
                None => Verdict::Refused,
            },
            Call::Anchor(me, input) => match self.anchors.touch(me.0, Anchor::default) {
                Some(anchor) => anchor.step(me, input, turn, out),
                None => Verdict::Refused,
            },
        }
    }

    pub(crate) fn commit(&mut self) {
        each_slab!(self, slab => slab.commit());
    }

    pub(crate) fn roll_back(&mut self) {
        each_slab!(self, slab => slab.roll_back());
    }

    /// Whether there is an actor at all: one that was ever called, of a seat that exists.
    pub(crate) fn has(&mut self, entity: EntityRef) -> bool {
        slab_of!(self, entity, (slab, id) => slab.get(id).is_some())
    }

    /// Whether the actor could be called.
    pub(crate) fn is_seated(&mut self, entity: EntityRef) -> bool {
        slab_of!(self, entity, (slab, id) => usize::try_from(id).is_ok_and(|id| id < slab.seat_count()))
    }

    pub(crate) fn is_set_aside(&mut self, entity: EntityRef) -> bool {
        slab_of!(self, entity, (slab, id) => slab.is_set_aside(id))
    }

    pub(crate) fn set_aside(&mut self, entity: EntityRef, is_set_aside: bool) {
        slab_of!(self, entity, (slab, id) => slab.set_aside(id, is_set_aside));
    }

    /// Every subject there may be.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = SubjectRef> + use<> {
        (0..ref_count(self.subjects.seat_count())).map(SubjectRef)
    }

    /// Every actor that was ever called, in the order of [`EntityRef`].
    pub(crate) fn all(&self) -> Vec<EntityRef> {
        let mut all = Vec::new();
        collect(&self.tags, &mut all, |id| EntityRef::Tag(TagRef(id)));
        collect(&self.subjects, &mut all, |id| EntityRef::Subject(SubjectRef(id)));
        collect(&self.zones, &mut all, |id| EntityRef::Zone(ZoneRef(id)));
        collect(&self.doors, &mut all, |id| EntityRef::Door(DoorRef(id)));
        collect(&self.sources, &mut all, |id| EntityRef::Source(SourceRef(id)));
        collect(&self.anchors, &mut all, |id| EntityRef::Anchor(AnchorRef(id)));
        all
    }

    /// Compacts idle actors: visits as many seats of every slab as `visits` makes of its size.
    pub(crate) fn sweep(&mut self, visits: impl Fn(usize) -> usize) {
        each_slab!(self, slab => {
            let count = visits(slab.seat_count());
            slab.sweep(count);
        });
    }

    /// Begins an image of all actors as they are now.
    pub(crate) fn begin_image(&mut self) {
        each_slab!(self, slab => slab.begin_image());
    }

    /// Tells the next cells of the image, copies of any kind first, at most `count_max`, and says
    /// how many it counts for.
    pub(crate) fn image(
        &mut self,
        count_max: usize,
        each: &mut impl FnMut(CellImage<'_>),
    ) -> usize {
        let copied = self.tell(Telling::Copies, count_max, each);
        copied + self.tell(Telling::Seats, count_max - copied, each)
    }

    fn tell(
        &mut self,
        telling: Telling,
        count_max: usize,
        each: &mut impl FnMut(CellImage<'_>),
    ) -> usize {
        let mut left = count_max;
        left -= tell(&mut self.tags, telling, left, &mut |id, image| {
            each(match image {
                Image::Packed(record) => CellImage::PackedTag(id, record),
                Image::Whole(tag) => CellImage::Tag(id, tag),
            });
        });
        left -= tell(&mut self.subjects, telling, left, &mut |id, image| {
            each(match image {
                Image::Packed(record) => CellImage::PackedSubject(id, record),
                Image::Whole(subject) => CellImage::Subject(id, subject),
            });
        });
        left -= tell_whole(&mut self.zones, telling, left, &mut |id, zone| {
            each(CellImage::Zone(id, zone));
        });
        left -= tell_whole(&mut self.doors, telling, left, &mut |id, door| {
            each(CellImage::Door(id, door));
        });
        left -= tell_whole(&mut self.sources, telling, left, &mut |id, source| {
            each(CellImage::Source(id, source));
        });
        left -= tell_whole(&mut self.anchors, telling, left, &mut |id, anchor| {
            each(CellImage::Anchor(id, anchor));
        });
        count_max - left
    }

    /// Copies that are still to be told.
    pub(crate) fn copy_count(&self) -> usize {
        let mut sum = 0;
        each_slab!(self, slab => sum += slab.copy_count());
        sum
    }

    /// Whether the image is whole.
    pub(crate) fn is_imaged(&self) -> bool {
        let mut is_imaged = true;
        each_slab!(self, slab => is_imaged &= slab.is_imaged());
        is_imaged
    }

    /// Ends the image, whole or not.
    pub(crate) fn end_image(&mut self) {
        each_slab!(self, slab => slab.end_image());
    }

    /// Counts of all slabs together.
    pub(crate) fn counts(&self) -> SlabCounts {
        let mut sum = SlabCounts::default();
        each_slab!(self, slab => {
            let counts = slab.counts();
            sum.hot += counts.hot;
            sum.cold += counts.cold;
            sum.reserved_bytes += counts.reserved_bytes;
        });
        sum
    }
}

fn tell<C: Cell>(
    slab: &mut Slab<C>,
    telling: Telling,
    count_max: usize,
    each: &mut impl FnMut(u32, Image<'_, C>),
) -> usize {
    match telling {
        Telling::Copies => slab.image_copies(count_max, each),
        Telling::Seats => slab.image_seats(count_max, each),
    }
}

/// Tells cells of a kind that has no packed form.
fn tell_whole<C: Cell>(
    slab: &mut Slab<C>,
    telling: Telling,
    count_max: usize,
    each: &mut impl FnMut(u32, &C),
) -> usize {
    tell(slab, telling, count_max, &mut |id, image| match image {
        Image::Whole(cell) => each(id, cell),
        Image::Packed(_) => {}
    })
}

/// Refs are 32 bits, so there never are more.
fn ref_count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn collect<C: Cell>(slab: &Slab<C>, all: &mut Vec<EntityRef>, name: impl Fn(u32) -> EntityRef) {
    let seat_count = u32::try_from(slab.seat_count()).unwrap_or(u32::MAX);
    all.extend((0..seat_count).filter(|&id| slab.get(id).is_some()).map(name));
}
