//! Ping batches: what the shard spends its time on.
//!
//! Cells of a hundred thousand tags do not fit a cache. The pings of a batch are looked at in runs
//! of [`WARM_PING_COUNT`]: one pass fetches who bears the tags, one the seats, one the cells, and
//! only then the first is decided, so that the memory is fetched for all at once instead of for one
//! after the other.

use ach_actors_entities::{Accepted, Verdict};
use ach_actors_model::{Cause, EntityRef, Lane, Ping, PingBatch, Timestamp};
use ach_actors_runtime::Runaway;

use crate::actors::Actors;
use crate::lanes::Admission;
use crate::quarantine::Origin;
use crate::shard::Shard;
use crate::stage::{Scene, Stage};
use crate::tally::count;

/// Pings whose cells are fetched together: 64 tags and subjects of some 600 bytes stay in a
/// first-level cache of 48 KiB.
const WARM_PING_COUNT: usize = 64;

/// Where a batch stands.
struct Cursor<'a> {
    scene: Scene<'a>,
    batch: &'a PingBatch,
    received_at: Timestamp,
    /// Pings up to this number were decided on before.
    seen_through: u64,
    /// The next ping to decide on.
    next: usize,
    row: Accepted,
    set_aside_count: u64,
}

impl Shard {
    pub(crate) fn pings(&mut self, batch: &PingBatch, now: Timestamp) {
        let PingBatch { source, epoch, first_seq, last_seq, .. } = *batch;
        let site = self.site.clone();
        let admission = if check_shape(batch) {
            self.lanes.admit(source, Lane::Ping, epoch, (first_seq, last_seq))
        } else {
            Admission::Refused
        };
        let (Some(site), Admission::New { seen_through }) = (site, admission) else {
            self.reject_batch(batch, admission, now);
            return;
        };
        let scene = Scene { site: &site, now };
        let origin = origin_of(batch, now);
        self.hear(source, scene, origin);
        let received_at = origin.received_at;
        let row = *self.tally.row(source, Lane::Ping, epoch);
        let mut cursor =
            Cursor { scene, batch, received_at, seen_through, next: 0, row, set_aside_count: 0 };
        cursor.count_repeated();
        while cursor.next < batch.pings.len() {
            let outcome = self.stage.guard(|stage| {
                while cursor.next < batch.pings.len() {
                    cursor.run(stage)?;
                }
                Ok(())
            });
            if let Err(undone) = outcome {
                // The ping is next still: it is played again without whoever failed in it.
                self.stage.roll_back();
                self.set_aside(undone.actor, scene, Origin { cause: cursor.cause(), received_at });
            }
        }
        self.lanes.advance(source, Lane::Ping, last_seq);
        cursor.row.through_seq = cursor.row.through_seq.max(last_seq);
        self.set_aside_input_count += cursor.set_aside_count;
        *self.tally.row(source, Lane::Ping, epoch) = cursor.row;
    }

    /// Answers a batch none of which is decided on.
    fn reject_batch(&mut self, batch: &PingBatch, admission: Admission, now: Timestamp) {
        let input_count = batch.last_seq.saturating_sub(batch.first_seq).saturating_add(1);
        let input_count = u32::try_from(input_count).unwrap_or(u32::MAX);
        let PingBatch { source, epoch, .. } = *batch;
        if admission == Admission::Seen
            && let Some(site) = self.site.clone()
        {
            self.hear(source, Scene { site: &site, now }, origin_of(batch, now));
        }
        let lane = self.lanes.state(source, Lane::Ping);
        let row = self.tally.row(source, Lane::Ping, epoch);
        if lane.epoch == epoch {
            row.through_seq = lane.accepted_through;
        }
        let place = match admission {
            Admission::Seen => &mut row.duplicate_count,
            Admission::New { .. } | Admission::Refused => &mut row.refused_count,
        };
        *place = place.saturating_add(input_count);
    }
}

impl Cursor<'_> {
    /// Counts what the batch stands for without a ping, and what was decided on before.
    ///
    /// Which numbers were refused or conflated is not told. Of those in the repeated part the
    /// refused ones are taken first: what is sent again is never conflated.
    fn count_repeated(&mut self) {
        let batch = self.batch;
        let repeated = (self.seen_through + 1).saturating_sub(batch.first_seq);
        let repeated = u32::try_from(repeated).unwrap_or(u32::MAX);
        self.next = batch.pings.partition_point(|ping| ping.seq_offset < repeated);
        let repeated_pings = u32::try_from(self.next).unwrap_or(u32::MAX);
        let others = repeated.saturating_sub(repeated_pings);
        let refused = others.min(batch.refused_count);
        let conflated = (others - refused).min(batch.conflated_count);
        let row = &mut self.row;
        row.duplicate_count = row.duplicate_count.saturating_add(repeated);
        row.refused_count = row.refused_count.saturating_add(batch.refused_count - refused);
        row.conflated_count = row.conflated_count.saturating_add(batch.conflated_count - conflated);
    }

    /// Decides on a run of pings.
    fn run(&mut self, stage: &mut Stage) -> Result<(), Runaway> {
        let until = (self.next + WARM_PING_COUNT).min(self.batch.pings.len());
        let Some(pings) = self.batch.pings.get(self.next..until) else { return Ok(()) };
        if pings.len() > 1 {
            warm(stage, self.scene, pings);
        }
        for ping in pings {
            let verdict = self.ping(stage, ping)?;
            count(&mut self.row, verdict);
            self.next += 1;
        }
        Ok(())
    }

    fn ping(&mut self, stage: &mut Stage, ping: &Ping) -> Result<Verdict, Runaway> {
        if self.scene.site.tag_source(ping.tag) != Some(self.batch.source) {
            return Ok(Verdict::Refused);
        }
        if stage.actors.is_set_aside(EntityRef::Tag(ping.tag)) {
            self.set_aside_count += 1;
            return Ok(Verdict::Accepted);
        }
        stage.hear(self.scene, ping, self.received_at, self.cause())
    }

    /// The ping that is next.
    fn cause(&self) -> Cause {
        let offset = self.batch.pings.get(self.next).map_or(0, |ping| ping.seq_offset);
        let seq = self.batch.first_seq + u64::from(offset);
        Cause::Input { source: self.batch.source, lane: Lane::Ping, epoch: self.batch.epoch, seq }
    }
}

fn origin_of(batch: &PingBatch, now: Timestamp) -> Origin {
    let PingBatch { source, epoch, first_seq: seq, .. } = *batch;
    let cause = Cause::Input { source, lane: Lane::Ping, epoch, seq };
    Origin { cause, received_at: batch.received_at.min(now) }
}

/// Fetches what the pings will need, each pass what the pass before has told the place of.
fn warm(stage: &Stage, scene: Scene<'_>, pings: &[Ping]) {
    let Scene { site, .. } = scene;
    let Actors { tags, subjects, .. } = &stage.actors;
    let mut bearers = [None; WARM_PING_COUNT];
    for (bearer, ping) in bearers.iter_mut().zip(pings) {
        *bearer = site.tag_subject(ping.tag);
    }
    let mut fetched = 0;
    for (bearer, ping) in bearers.iter().zip(pings) {
        fetched ^= tags.warm_seat(ping.tag.0);
        fetched ^= bearer.map_or(0, |subject| subjects.warm_seat(subject.0));
    }
    std::hint::black_box(fetched);
    for (bearer, ping) in bearers.iter().zip(pings) {
        fetched ^= tags.warm_cell(ping.tag.0);
        fetched ^= bearer.map_or(0, |subject| subjects.warm_cell(subject.0));
        fetched ^= bearer.map_or(0, |subject| stage.health.warm(subject));
    }
    std::hint::black_box(fetched);
}

/// Whether a batch is what it says: its pings ascend within its numbers, and with those that were
/// refused and conflated they are as many as it stands for. Sessions make no other.
fn check_shape(batch: &PingBatch) -> bool {
    let Some(span) = batch.last_seq.checked_sub(batch.first_seq) else { return false };
    let ping_count = u64::try_from(batch.pings.len()).unwrap_or(u64::MAX);
    let others = u64::from(batch.conflated_count) + u64::from(batch.refused_count);
    let is_whole = span.checked_add(1) == ping_count.checked_add(others);
    let ascends = batch.pings.is_sorted_by(|a, b| a.seq_offset < b.seq_offset);
    let is_within = batch.pings.last().is_none_or(|ping| u64::from(ping.seq_offset) <= span);
    is_whole && ascends && is_within
}
