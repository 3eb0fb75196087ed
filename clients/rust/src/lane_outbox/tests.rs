//! The outbox against what a vendor may rely on.

use ach_actors_model::Lane;

use super::*;

fn welcome(epoch: u32, accepted: u64, durable: u64, credit: u64) -> LaneWelcome {
    LaneWelcome {
        lane: Lane::Ping,
        epoch,
        accepted_through: accepted,
        durable_through: durable,
        credit_through: credit,
    }
}

fn ack(epoch: u32, accepted: u64, durable: u64, credit: u64) -> Ack {
    Ack {
        lane: Lane::Ping,
        epoch,
        accepted_through: accepted,
        durable_through: durable,
        credit_through: credit,
        totals: LaneTotals { accepted, ..LaneTotals::default() },
    }
}

fn outbox(items: u64, capacity: usize) -> LaneOutbox<u64> {
    let mut outbox = LaneOutbox::new(capacity);
    for item in 1..=items {
        assert_eq!(outbox.push(item), Ok(item));
    }
    outbox
}

#[track_caller]
fn check_sent(outbox: &mut LaneOutbox<u64>, count_max: usize, expected: Option<(u64, &[u64])>) {
    let mut sent = Vec::new();
    let first_seq = outbox.take(count_max, |_| true, &mut sent);
    assert_eq!(first_seq.map(|first_seq| (first_seq, sent.as_slice())), expected);
}

#[test]
fn nothing_is_sent_before_the_welcome_nor_beyond_credit() {
    let mut outbox = outbox(5, 10);
    check_sent(&mut outbox, 10, None);
    outbox.on_welcome(&welcome(1, 0, 0, 3)).unwrap();
    check_sent(&mut outbox, 2, Some((1, &[1, 2])));
    check_sent(&mut outbox, 10, Some((3, &[3])));
    check_sent(&mut outbox, 10, None);
    outbox.on_ack(&ack(1, 3, 0, 100));
    check_sent(&mut outbox, 10, Some((4, &[4, 5])));
}

#[test]
fn what_is_not_ready_holds_up_what_comes_after_it() {
    let mut outbox = outbox(5, 10);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    let mut sent = Vec::new();
    assert_eq!(outbox.take(10, |item| *item != 3, &mut sent), Some(1));
    assert_eq!(sent, [1, 2]);
    assert_eq!(outbox.take(10, |item| *item != 3, &mut sent), None);
    check_sent(&mut outbox, 10, Some((3, &[3, 4, 5])));
}

#[test]
fn only_what_is_durable_makes_room() {
    let mut outbox = outbox(4, 4);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[1, 2, 3, 4])));
    outbox.on_ack(&ack(1, 4, 0, 100));
    assert_eq!(outbox.push(5), Err(OutboxError::Full { capacity: 4 }));
    outbox.on_ack(&ack(1, 4, 3, 100));
    assert_eq!(outbox.room(), 3);
    assert_eq!(outbox.push(5), Ok(5));
}

#[test]
fn a_reconnect_within_the_epoch_sends_again_from_durable_under_the_same_numbers() {
    let mut outbox = outbox(6, 10);
    outbox.on_welcome(&welcome(7, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 5, Some((1, &[1, 2, 3, 4, 5])));
    outbox.on_ack(&ack(7, 5, 2, 100));
    assert_eq!(outbox.resume(), Some((7, 5)));
    outbox.on_welcome(&welcome(7, 3, 3, 100)).unwrap();
    assert_eq!(outbox.progress().durable_through, 3);
    check_sent(&mut outbox, 10, Some((4, &[4, 5, 6])));
    assert_eq!((outbox.progress().sent_count, outbox.progress().resent_count), (8, 2));
}

#[test]
fn a_new_epoch_numbers_what_is_not_durable_from_one() {
    let mut outbox = outbox(4, 10);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[1, 2, 3, 4])));
    outbox.on_ack(&ack(1, 4, 2, 100));
    outbox.on_welcome(&welcome(2, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[3, 4])));
    assert_eq!(outbox.ticket_of(1, 2), Some(2));
    assert_eq!(outbox.ticket_of(2, 2), Some(4));
    assert_eq!(outbox.ticket_of(3, 1), None);
    outbox.on_ack(&ack(1, 4, 4, 100));
    assert_eq!(outbox.progress().durable_through, 2, "an ack of the old epoch changes nothing");
    outbox.on_ack(&ack(2, 2, 2, 100));
    assert_eq!(outbox.progress().durable_through, 4);
    assert_eq!(outbox.progress().totals.accepted, 6, "totals go on over epochs");
}

#[test]
fn a_node_that_forgot_what_it_acknowledged_is_found_out() {
    let mut outbox = outbox(4, 10);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[1, 2, 3, 4])));
    outbox.on_ack(&ack(1, 4, 3, 100));
    assert_eq!(outbox.on_welcome(&welcome(1, 1, 1, 100)), Err(OutboxError::NodeIsBehind));
    outbox.on_welcome(&welcome(2, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[4])));
}

/// Four are sent and durable to us, `refused` of them refused; what a node may come back with that has
/// `durable` of them in its journal.
#[track_caller]
fn check_after_refusals(refused: &[u64], durable: u64, expected: Result<(), OutboxError>) {
    let mut outbox = outbox(5, 10);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 4, Some((1, &[1, 2, 3, 4])));
    outbox.on_ack(&ack(1, 4, 3, 100));
    for &number in refused {
        outbox.on_refused(1, number..=number);
    }
    outbox.on_ack(&ack(1, 4, 4, 100));
    let again = outbox.on_welcome(&welcome(1, durable, durable, 100));
    assert_eq!(again, expected, "{refused:?}, {durable}");
    if expected.is_ok() {
        check_sent(&mut outbox, 10, Some((5, &[5])));
    }
}

#[test]
fn what_was_refused_is_not_missed_in_a_node_that_starts_again() {
    check_after_refusals(&[], 4, Ok(()));
    check_after_refusals(&[], 3, Err(OutboxError::NodeIsBehind));
    check_after_refusals(&[4], 3, Ok(()));
    check_after_refusals(&[4], 2, Err(OutboxError::NodeIsBehind));
    check_after_refusals(&[3, 4], 2, Ok(()));
    check_after_refusals(&[4, 3], 2, Ok(()));
    check_after_refusals(&[2, 4], 3, Ok(()));
    check_after_refusals(&[2, 4], 2, Err(OutboxError::NodeIsBehind));
    check_after_refusals(&[2, 3], 3, Err(OutboxError::NodeIsBehind));
    check_after_refusals(&[1, 2, 3, 4], 0, Ok(()));
}

#[test]
fn refusals_of_another_epoch_or_of_what_was_not_sent_excuse_nothing() {
    let mut outbox = outbox(4, 10);
    outbox.on_welcome(&welcome(2, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 2, Some((1, &[1, 2])));
    outbox.on_refused(1, 1..=2);
    outbox.on_refused(2, 3..=u64::MAX);
    outbox.on_ack(&ack(2, 2, 2, 100));
    assert_eq!(outbox.on_welcome(&welcome(2, 1, 1, 100)), Err(OutboxError::NodeIsBehind));
}

#[test]
fn an_ack_beyond_what_was_sent_frees_no_more_than_that() {
    for durable in [5, 6, u64::MAX] {
        let mut outbox = outbox(5, 10);
        outbox.on_welcome(&welcome(1, 0, 0, u64::MAX)).unwrap();
        check_sent(&mut outbox, 2, Some((1, &[1, 2])));
        outbox.on_ack(&ack(1, durable, durable, u64::MAX));
        assert_eq!(outbox.progress().durable_through, 2);
        check_sent(&mut outbox, 10, Some((3, &[3, 4, 5])));
    }
}

/// A node that crashes and forgets what is not durable, and a client that reconnects, in any order:
/// whatever was durable once is never sent again, and in the end all is durable, in order.
#[test]
fn over_any_crashes_every_input_becomes_durable_once_and_in_order() {
    for seed in 0..200_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut chance = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut outbox = LaneOutbox::new(16);
        let (mut disk, mut memory): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        // The disk's length when the epoch in force began.
        let (mut epoch, mut epoch_start) = (1, 0);
        let seq = |count: usize, start: usize| u64::try_from(count - start).unwrap();
        outbox.on_welcome(&welcome(epoch, 0, 0, 8)).unwrap();
        let mut pushed = 0;
        while disk.len() < 300 {
            match chance(8) {
                0 | 1 if pushed < 300 => pushed += u64::from(outbox.push(pushed + 1).is_ok()),
                2 | 3 => {
                    let mut sent = Vec::new();
                    if let Some(first_seq) = outbox.take(5, |_| true, &mut sent) {
                        let known = seq(disk.len() + memory.len(), epoch_start);
                        assert!(first_seq <= known + 1, "seed {seed}: a gap");
                        let fresh = usize::try_from(known + 1 - first_seq).unwrap();
                        memory.extend(sent.iter().skip(fresh));
                    }
                }
                4 => disk.append(&mut memory),
                5 | 6 => {
                    let accepted = seq(disk.len() + memory.len(), epoch_start);
                    let durable = seq(disk.len(), epoch_start);
                    outbox.on_ack(&ack(epoch, accepted, durable, accepted + 8));
                }
                _ => {
                    memory.clear();
                    let durable = seq(disk.len(), epoch_start);
                    if chance(3) == 0 && outbox.progress().durable_through == seq(disk.len(), 0) {
                        (epoch, epoch_start) = (epoch + 1, disk.len());
                        outbox.on_welcome(&welcome(epoch, 0, 0, 8)).unwrap();
                    } else {
                        let welcome = welcome(epoch, durable, durable, durable + 8);
                        outbox.on_welcome(&welcome).unwrap();
                    }
                }
            }
        }
        assert_eq!(disk, (1..=300).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn while_the_node_does_not_store_room_is_made_by_giving_up_what_was_decided() {
    let mut outbox = outbox(8, 8);
    outbox.on_welcome(&welcome(1, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 6, Some((1, &[1, 2, 3, 4, 5, 6])));
    outbox.on_ack(&ack(1, 3, 0, 100));
    assert_eq!(outbox.push(9), Err(OutboxError::Full { capacity: 8 }));
    outbox.on_storing(false);
    assert_eq!(outbox.room(), 2);
    assert_eq!(outbox.push(9), Ok(9), "1 and 2 are given up");
    assert_eq!(outbox.push(10), Ok(10));
    assert_eq!(outbox.push(11), Ok(11), "3 is given up");
    assert_eq!(outbox.push(12), Err(OutboxError::Full { capacity: 8 }), "4 is not decided on");
    let progress = outbox.progress();
    assert_eq!((progress.unkept_count, progress.durable_through), (3, 0));
    // The same node again: what is kept is sent again, under the same numbers.
    outbox.on_welcome(&welcome(1, 3, 0, 100)).unwrap();
    check_sent(&mut outbox, 2, Some((4, &[4, 5])));
    // A node that stores again, in a new epoch.
    outbox.on_welcome(&welcome(2, 0, 0, 100)).unwrap();
    outbox.on_storing(true);
    check_sent(&mut outbox, 2, Some((1, &[4, 5])));
    assert_eq!(outbox.progress().durable_through, 0, "what was given up is not durable");
    outbox.on_ack(&ack(2, 2, 1, 100));
    assert_eq!(outbox.progress().durable_through, 4);
}

/// A vendor that starts again with what it had kept: 3 to 5 of epoch 7, whose tickets are 2 ahead.
fn restored() -> LaneOutbox<u64> {
    let mut outbox = LaneOutbox::new(10);
    outbox.restore(7, 2, 4, 5);
    for item in 5..=7 {
        outbox.push_kept(item);
    }
    assert_eq!(outbox.resume(), Some((7, 5)));
    assert_eq!(outbox.push(8), Ok(8));
    outbox
}

#[test]
fn a_vendor_that_starts_again_goes_on_with_its_epoch_and_numbers() {
    let mut outbox = restored();
    outbox.on_welcome(&welcome(7, 5, 3, 100)).unwrap();
    assert_eq!(outbox.progress().durable_through, 5);
    check_sent(&mut outbox, 10, Some((4, &[6, 7, 8])));
    outbox.on_ack(&ack(7, 6, 6, 100));
    assert_eq!(outbox.progress().durable_through, 8);
}

#[test]
fn a_vendor_that_starts_again_in_a_new_epoch_numbers_what_it_kept_from_one() {
    let mut outbox = restored();
    outbox.on_welcome(&welcome(8, 0, 0, 100)).unwrap();
    check_sent(&mut outbox, 10, Some((1, &[5, 6, 7, 8])));
    outbox.on_ack(&ack(8, 4, 4, 100));
    assert_eq!(outbox.progress().durable_through, 8);
}

#[test]
fn a_vendor_that_starts_again_finds_out_a_node_that_forgot() {
    let mut outbox = restored();
    assert_eq!(outbox.on_welcome(&welcome(7, 1, 1, 100)), Err(OutboxError::NodeIsBehind));
}

#[test]
fn a_vendor_that_starts_again_misses_nothing_that_was_refused_in_an_earlier_life() {
    let behind = Err(OutboxError::NodeIsBehind);
    for (taken, durable_seq, expected) in [(4, 1, behind), (3, 1, Ok(())), (3, 0, behind)] {
        let mut outbox = restored();
        outbox.restore_taken(taken);
        let again = outbox.on_welcome(&welcome(7, durable_seq, durable_seq, 100));
        assert_eq!(again, expected, "{taken}, {durable_seq}");
    }
}

/// The last one was refused, and of more than are remembered it is not known which.
#[test]
fn of_a_long_run_of_refusals_the_last_are_remembered() {
    let count = 3 * u64::try_from(REFUSED_REMEMBERED).unwrap();
    let mut outbox = outbox(count, usize::try_from(count).unwrap());
    outbox.on_welcome(&welcome(1, 0, 0, count)).unwrap();
    outbox.take(usize::MAX, |_| true, &mut Vec::new());
    outbox.on_refused(1, 2..=count);
    assert_eq!(outbox.refused.len(), REFUSED_REMEMBERED);
    outbox.on_ack(&ack(1, count, count, count));
    assert_eq!(outbox.on_welcome(&welcome(1, count - 4_000, count - 4_000, count)), Ok(()));
}

#[test]
fn an_outbox_has_room_for_one_at_least() {
    let mut outbox = LaneOutbox::new(0);
    assert_eq!((outbox.capacity(), outbox.push(1)), (1, Ok(1)));
    assert_eq!(outbox.push(2), Err(OutboxError::Full { capacity: 1 }));
}
