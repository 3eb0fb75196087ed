//! Wires on which packets are lost, doubled, overtaken, bent and cut, or that a stranger speaks into: every
//! alarm comes once and in order, and no session ends.

use crate::ward::tap::{Tap, Wear};
use crate::ward::{FLOOR, Ward, in_time};
use ach_actors_model::{NS_PER_MS, TagId, Timestamp};
use ach_clients_rust::{Ping, now};
use ach_engine_node::Counter;

/// A visitor goes into the vault and out again so often.
const ROUNDS: u64 = 20;

/// From one position to the next.
const STEP_NS: u64 = 50 * NS_PER_MS;

async fn check_nothing_is_lost(wear: Wear) {
    let ward = Ward::new();
    let node = ward.start();
    let seed = now().0;
    let up = Tap::new(node.address(), wear, seed).await;
    let down = Tap::new(node.address(), wear, seed ^ 1).await;
    let mut alarms = ward.alarms(down.address).await;
    let vendor = ward.vendor(up.address).await;
    up.wear_out();
    down.wear_out();
    let begun_at = now().0 - 2 * ROUNDS * STEP_NS;
    let spotted = |step: u64, x_mm| {
        Ping::local(TagId(2), Timestamp(begun_at + step * STEP_NS), x_mm, 5_000).on_floor(FLOOR)
    };
    let mut last = None;
    for round in 0..ROUNDS {
        vendor.publish(spotted(2 * round, 25_000)).await.unwrap();
        alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
        alarms.expect("durable Raised").await;
        last = Some(vendor.publish(spotted(2 * round + 1, 5_000)).await.unwrap());
        alarms.expect("Cleared UnauthorisedEntry visitor-2 Durable").await;
    }
    in_time("the disk", vendor.wait_durable(last.unwrap())).await.unwrap();
    assert!(up.done() > 0 && down.done() > 0, "the wires were sound");
    // What is still under way on a worn wire is no part of this.
    up.mend();
    down.mend();
    let counters = node.counters();
    assert_eq!(counters.pings_accepted.get(), 2 * ROUNDS);
    assert_eq!(counters.alarms_raised.get(), ROUNDS);
    let ended = [&counters.sessions_ended, &counters.transport_broken, &counters.sessions_panicked];
    assert_eq!(ended.map(Counter::get), [0, 0, 0]);
    assert_eq!(vendor.progress().borrow().ping.resent_count, 0, "the vendor came anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_lost_or_doubled_change_nothing() {
    check_nothing_is_lost(Wear { lost: 100, ..Wear::default() }).await;
    check_nothing_is_lost(Wear { doubled: 500, ..Wear::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_overtaken_change_nothing() {
    check_nothing_is_lost(Wear { overtaken: 300, ..Wear::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_bent_or_cut_change_nothing() {
    check_nothing_is_lost(Wear { bent: 100, ..Wear::default() }).await;
    check_nothing_is_lost(Wear { cut: 100, ..Wear::default() }).await;
}

/// Noise in a peer's name, made-up resets, and closes under the keys of the first packets.
#[tokio::test(flavor = "multi_thread")]
async fn forged_packets_and_resets_end_no_session() {
    check_nothing_is_lost(Wear { forged: 700, ..Wear::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_at_once_changes_nothing() {
    let wear = Wear { lost: 30, doubled: 100, overtaken: 100, bent: 30, cut: 30, forged: 100 };
    check_nothing_is_lost(wear).await;
}
