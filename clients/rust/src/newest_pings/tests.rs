//! What gives way in an outbox without room, in words: `4@70` publishes a position of tag 4 measured at 70,
//! `send2` sends two.

use ach_actors_model::{Lane, TagId, Timestamp};
use ach_engine_wire::LaneWelcome;

use super::*;
use crate::Ping;

/// An outbox of pings and its index.
struct Bench {
    outbox: LaneOutbox<WirePing>,
    newest: NewestPings,
    room: usize,
}

impl Bench {
    fn new(room: usize, look_behind: u64) -> Bench {
        let mut outbox = LaneOutbox::new(room);
        let welcome = LaneWelcome {
            lane: Lane::Ping,
            epoch: 1,
            accepted_through: 0,
            durable_through: 0,
            credit_through: u64::MAX,
        };
        outbox.on_welcome(&welcome).unwrap();
        Bench { outbox, newest: NewestPings::looking_behind(look_behind), room }
    }

    /// The ticket of what was published, if it found a place.
    fn publish(&mut self, tag: u32, at: u64) -> Option<u64> {
        let wire = Ping::local(TagId(u64::from(tag)), Timestamp(at), 1, 1).wire(tag);
        if self.outbox.room() == 0 {
            return self.newest.give_way(&mut self.outbox, &wire, at);
        }
        let number = self.outbox.push(wire).unwrap();
        self.newest.keep_up(&self.outbox);
        Some(number)
    }

    fn send(&mut self, count_max: usize) -> Vec<WirePing> {
        let mut sent = Vec::new();
        self.outbox.take(count_max, |_| true, &mut sent);
        sent
    }

    /// Does what a word says, and says what came of it.
    fn act(&mut self, word: &str) -> String {
        if let Some(count) = word.strip_prefix("send") {
            return rendered(&self.send(count.parse().unwrap()));
        }
        let (tag, at) = word.split_once('@').unwrap();
        let number = self.publish(tag.parse().unwrap(), at.parse().unwrap());
        number.map_or("full".to_owned(), |number| number.to_string())
    }
}

fn rendered(sent: &[WirePing]) -> String {
    let told = |ping: &WirePing| format!("{}@{}", ping.handle(), moment(ping));
    format!("[{}]", sent.iter().map(told).collect::<Vec<_>>().join(" "))
}

fn moment(ping: &WirePing) -> u64 {
    ping.reading().unwrap().observed_at.0
}

/// The same must come of it however early pings are looked at.
#[track_caller]
fn check(room: usize, words: &str, expected: &str, gave_way_count: u64) {
    for look_behind in [0, 1, 2, LOOK_BEHIND] {
        let mut bench = Bench::new(room, look_behind);
        let said: Vec<String> = words.split_whitespace().map(|word| bench.act(word)).collect();
        assert_eq!(said.join(" "), expected, "{words}, looking {look_behind} behind");
        let progress = bench.outbox.progress();
        assert_eq!(progress.gave_way_count, gave_way_count, "{words}, {look_behind} behind");
    }
}

#[test]
fn where_nothing_waits_nothing_gives_way() {
    check(9, "1@10 send1 1@11 send1 1@12 send1", "1 [1@10] 2 [1@11] 3 [1@12]", 0);
    check(2, "1@10 2@10 send2 1@11 2@11", "1 2 [1@10 2@10] full full", 0);
}

#[test]
fn while_there_is_room_nothing_gives_way() {
    check(3, "1@10 1@11 1@12 send3", "1 2 3 [1@10 1@11 1@12]", 0);
}

#[test]
fn where_all_wait_the_newest_of_a_tag_takes_the_place_of_its_last() {
    check(3, "1@10 2@10 1@11 1@12 2@11 send9", "1 2 3 3 2 [1@10 2@11 1@12]", 2);
    check(1, "1@10 1@11 1@12 send9", "1 1 1 [1@12]", 2);
    check(2, "1@10 2@10 3@10 1@11 send9", "1 2 full 1 [1@11 2@10]", 1);
}

#[test]
fn of_those_that_wait_the_older_by_its_own_time_gives_way() {
    check(1, "1@10 1@5 1@12 1@11 send9", "1 1 1 1 [1@12]", 3);
    check(1, "1@10 1@10 send9", "1 1 [1@10]", 1);
}

#[test]
fn where_some_were_sent_only_what_waits_gives_way() {
    check(3, "1@10 2@10 send1 3@10 1@11 2@11 send9", "1 2 [1@10] 3 full 2 [2@11 3@10]", 1);
    check(3, "1@10 1@11 send1 2@10 1@12 send9 1@13", "1 2 [1@10] 3 2 [1@12 2@10] full", 1);
}

/// What a line takes as it comes is not looked at, so publishing it costs nothing more.
#[test]
fn what_is_sent_soon_is_never_looked_at() {
    let mut bench = Bench::new(1 << 20, LOOK_BEHIND);
    let tags = 1_000;
    for round in 0..50 {
        for tag in 0..tags {
            bench.publish(tag, round);
        }
        // Something waits all the time, as before a busy line.
        if round > 5 {
            bench.send(1_000);
        }
    }
    assert!(bench.newest.by_handle.is_empty(), "{:?}", bench.newest.looked_through);
}

/// However many wait, few are left to be looked at when there is no room.
#[test]
fn where_all_wait_each_is_looked_at_in_time() {
    let room = 3 * LOOK_BEHIND;
    let mut bench = Bench::new(usize::try_from(room).unwrap(), LOOK_BEHIND);
    for number in 1..=room {
        bench.publish(u32::try_from(number % 100).unwrap(), number);
        let left = number - bench.newest.looked_through;
        assert_eq!(left, number.min(LOOK_BEHIND), "of {number}");
    }
    let last = (1..=room).rev().find(|number| number % 100 == 7);
    assert_eq!(bench.publish(7, room + 1), last);
    assert_eq!(bench.newest.looked_through, room);
}

/// At any pace: the same tickets as from a plain list that is searched from its end.
#[test]
fn the_index_finds_what_a_search_would_find() {
    for seed in 0..60_u64 {
        println!("seed {seed}");
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut chance = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let room = usize::try_from(1 + chance(60)).unwrap();
        let mut bench = Bench::new(room, chance(20));
        let mut listed: Vec<(u32, u64)> = Vec::new();
        let (mut sent, mut durable) = (0, 0);
        for at in 1..3_000 {
            let (tag, at) = (u32::try_from(chance(9)).unwrap(), at - chance(5).min(at));
            let found = if listed.len() - durable < bench.room {
                listed.push((tag, at));
                Some(listed.len())
            } else {
                let place = listed.iter().rposition(|it| it.0 == tag).filter(|at| *at >= sent);
                if let Some(place) = place {
                    listed[place].1 = listed[place].1.max(at);
                }
                place.map(|place| place + 1)
            };
            let number = bench.publish(tag, at).map(|number| usize::try_from(number).unwrap());
            assert_eq!(number, found);
            if chance(30) == 0 {
                for ping in bench.send(usize::try_from(chance(40)).unwrap()) {
                    assert_eq!((ping.handle(), moment(&ping)), listed[sent]);
                    sent += 1;
                }
                durable = sent - usize::try_from(chance(3)).unwrap().min(sent - durable);
                let durable_through = u64::try_from(durable).unwrap();
                bench.outbox.on_ack(&ack(durable_through));
            }
        }
        assert!(bench.outbox.progress().gave_way_count > 0);
    }
}

fn ack(durable_through: u64) -> ach_engine_wire::Ack {
    ach_engine_wire::Ack {
        lane: Lane::Ping,
        epoch: 1,
        accepted_through: durable_through,
        durable_through,
        credit_through: u64::MAX,
        totals: ach_engine_wire::LaneTotals::default(),
    }
}
