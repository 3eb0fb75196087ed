//! Several feeds before one lane.

use std::collections::BTreeMap;

use ach_actors_model::{PingBatch, SourceRef, TagRef, Timestamp};
use tokio::task::LocalSet;

use super::*;
use crate::give_way::step_behind;
use crate::lanes::{PING_BATCHES_MAX, PINGS_WAITING_MAX};
use crate::limits::NodeLimits;
use crate::ping_buffer::BATCH_PINGS_MAX;
use crate::test_values::ping;

const FLOODS: u32 = 3;
/// Of each flood: two of a tag fit the credit.
const TAGS: u32 = 20_000;
/// What each flood reads in a round in which it gives nothing; the shard decides on half of that.
const SENT_A_ROUND: usize = 2 * BATCH_PINGS_MAX;
/// The feed beside them sends one ping while the shard decides on so many.
const SMALL_EVERY: u64 = 10_000;
const SMALL: SourceRef = SourceRef(FLOODS);
const DECIDED_MAX: u64 = 600_000;

/// The world: time is how many pings the shard has decided on.
struct World {
    line: Rc<PingLine>,
    lanes: Arc<Lanes>,
    now: Cell<u64>,
    /// How old the pings of the small feed were at most, and how many there were.
    small: Cell<(u64, u64)>,
    by_feed: RefCell<BTreeMap<SourceRef, u64>>,
    /// When each tag was decided on last, and how long it waited for that at most.
    tags: RefCell<BTreeMap<TagRef, u64>>,
    longest: Cell<u64>,
    /// Numbers that batches stood for, by feed, all of them once (LOAD-1).
    through: RefCell<BTreeMap<SourceRef, u64>>,
}

impl World {
    fn new() -> Rc<World> {
        let lanes = Arc::new(Lanes::new(PING_BATCHES_MAX));
        Rc::new(World {
            line: PingLine::new(lanes.clone()),
            lanes,
            now: Cell::new(0),
            small: Cell::default(),
            by_feed: RefCell::default(),
            tags: RefCell::default(),
            longest: Cell::new(0),
            through: RefCell::default(),
        })
    }

    fn buffer(source: SourceRef) -> PingBuffer {
        let window = usize::try_from(NodeLimits::default().ping_window).unwrap();
        PingBuffer::new(source, 1, window, 1, 0)
    }

    /// A session as `ping_lane` runs it: always something to read, as far as its credit goes.
    async fn flood(self: Rc<World>, number: u32) {
        let place = self.line.place();
        let mut buffer = World::buffer(SourceRef(number));
        let mut sent = 0;
        loop {
            tokio::select! {
                biased;
                room = place.room(), if !buffer.is_empty() => room.unwrap(),
                () = async {}, if buffer.room() > 0 => {
                    for _ in 0..SENT_A_ROUND.min(buffer.room()) {
                        sent += 1;
                        let tag = number * TAGS + sent % TAGS;
                        buffer.push(ping(tag, self.now.get()), Timestamp(self.now.get()));
                    }
                }
            }
            place.fill(&mut buffer);
            step_behind().await;
        }
    }

    async fn small(self: Rc<World>) {
        let place = self.line.place();
        let mut buffer = World::buffer(SMALL);
        let mut due = 0;
        loop {
            if self.now.get() >= due {
                due += SMALL_EVERY;
                buffer.push(ping(FLOODS * TAGS, self.now.get()), Timestamp(self.now.get()));
                place.fill(&mut buffer);
            }
            tokio::select! {
                biased;
                room = place.room(), if !buffer.is_empty() => {
                    room.unwrap();
                    place.fill(&mut buffer);
                }
                () = step_behind() => {}
            }
        }
    }

    fn decide(&self, batch: &PingBatch) {
        let now = self.now.get() + u64::try_from(batch.pings.len()).unwrap();
        self.now.set(now);
        let mut through = self.through.borrow_mut();
        let through = through.entry(batch.source).or_default();
        assert_eq!(batch.first_seq, *through + 1);
        let stood_for = batch.pings.len() + usize::try_from(batch.conflated_count).unwrap();
        *through += u64::try_from(stood_for).unwrap();
        assert_eq!(batch.last_seq, *through);
        *self.by_feed.borrow_mut().entry(batch.source).or_default() +=
            u64::try_from(batch.pings.len()).unwrap();
        for ping in &batch.pings {
            if batch.source == SMALL {
                let (oldest, count) = self.small.get();
                self.small.set((oldest.max(now - ping.observed_at.0), count + 1));
            } else {
                let before = self.tags.borrow_mut().insert(ping.tag, now).unwrap_or(0);
                self.longest.set(self.longest.get().max(now - before));
            }
        }
    }

    async fn shard(self: Rc<World>) {
        while self.now.get() < DECIDED_MAX {
            if let Some(batch) = self.lanes.pop_pings() {
                self.decide(&batch);
            }
            step_behind().await;
        }
    }
}

/// LOAD-1 and LOAD-3 with several vendors: floods share the shard alike, each of their tags is decided on in
/// the time of twice all tags, and a small feed beside them waits for the lane and one round of the line.
#[tokio::test]
async fn floods_share_alike_and_a_small_feed_beside_them_waits_for_one_round() {
    let world = World::new();
    let local = LocalSet::new();
    for number in 0..FLOODS {
        local.spawn_local(world.clone().flood(number));
    }
    local.spawn_local(world.clone().small());
    // A task like the others, so that each has its turn in a round.
    let shard = local.spawn_local(world.clone().shard());
    local.run_until(shard).await.unwrap();

    let (oldest, count) = world.small.get();
    assert!(count >= DECIDED_MAX / SMALL_EVERY - 1, "{count} of the small feed");
    let round = u64::from(FLOODS + 1) * u64::try_from(BATCH_PINGS_MAX).unwrap();
    let lane = u64::try_from(PINGS_WAITING_MAX + BATCH_PINGS_MAX).unwrap();
    assert!(oldest <= lane + 2 * round, "a ping of the small feed waited for {oldest} others");
    for (feed, decided) in &*world.by_feed.borrow() {
        let even = DECIDED_MAX / u64::from(FLOODS);
        let is_even = decided.abs_diff(even) < even / 20;
        assert!(*feed == SMALL || is_even, "{feed:?} had {decided} of {DECIDED_MAX}");
    }
    let tags = u64::from(FLOODS * TAGS);
    assert_eq!(world.tags.borrow().len(), usize::try_from(tags).unwrap());
    let longest = world.longest.get();
    assert!(longest <= 2 * tags + lane + round, "a tag waited for {longest} others");
}

#[tokio::test]
async fn a_session_keeps_its_place_while_it_reads_and_one_that_ends_leaves_it() {
    let lanes = Arc::new(Lanes::new(1));
    let line = PingLine::new(lanes.clone());
    let mut sessions: Vec<(Place, PingBuffer)> =
        (0..3).map(|number| (line.place(), World::buffer(SourceRef(number)))).collect();
    let mut push = |number: usize, at: u64| {
        let (place, buffer) = &mut sessions[number];
        buffer.push(ping(0, at), Timestamp(at));
        place.fill(buffer)
    };
    assert_eq!(push(0, 1), Some(1));
    assert_eq!((push(1, 1), push(2, 1), push(0, 2)), (None, None, None), "the lane is full");
    lanes.pop_pings().unwrap();
    assert_eq!((push(2, 2), push(0, 3)), (None, None), "another one stands before");
    assert_eq!(push(1, 2), Some(2));
    lanes.pop_pings().unwrap();
    let (first, _) = sessions.remove(2);
    assert_eq!(first.room().await, Ok(()));
    let (place, buffer) = &mut sessions[0];
    assert_eq!(place.fill(buffer), None);
    let (room, ()) = tokio::join!(place.room(), async { drop(first) });
    assert_eq!((room, place.fill(buffer)), (Ok(()), Some(3)));
    // The next is told of what the shard takes, and of the end.
    buffer.push(ping(0, 4), Timestamp(4));
    assert_eq!(place.fill(buffer), None);
    let (room, taken) = tokio::join!(place.room(), async { lanes.pop_pings().unwrap() });
    assert_eq!((room, taken.last_seq), (Ok(()), 3));
    lanes.close();
    assert_eq!(place.room().await, Err(LanesClosed));
}
