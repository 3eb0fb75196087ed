//! Everything a publisher keeps, against what a vendor may rely on.

use std::collections::BTreeMap;

use ach_actors_model::{Name, TagId};
use ach_engine_net::{Identity, Role};
use ach_engine_wire::{Code, LaneTotals};

use super::*;

fn ping(tag: u64, observed_at: u64) -> Ping {
    Ping::local(TagId(tag), Timestamp(observed_at), 1, 1)
}

fn welcome(credit_through: u64) -> LaneWelcome {
    let (accepted_through, durable_through) = (0, 0);
    LaneWelcome { lane: Lane::Ping, epoch: 1, accepted_through, durable_through, credit_through }
}

fn outboxes(pings_max: usize) -> Outboxes {
    Outboxes::new(PublisherOptions { pings_max, ..PublisherOptions::default() }, None)
}

/// What is sent next, as tag and moment, with the first number.
fn sent(outboxes: &mut Outboxes, count_max: usize) -> Option<(u64, Vec<(u32, u64)>)> {
    let mut batch = Vec::new();
    let first_seq = outboxes.ping.take(count_max, |_| true, &mut batch)?;
    let told = |ping: &WirePing| (ping.handle(), ping.reading().unwrap().observed_at.0);
    Some((first_seq, batch.iter().map(told).collect()))
}

#[test]
fn without_room_a_tags_newest_ping_takes_the_place_of_its_unsent_one_and_never_of_a_sent_one() {
    let mut outboxes = outboxes(3);
    outboxes.ping.on_welcome(&welcome(2)).unwrap();
    let publish = |outboxes: &mut Outboxes, tag, at| {
        outboxes.publish_pings(&[ping(tag, at)]).map(|taken| taken.last_number)
    };
    assert_eq!(publish(&mut outboxes, 1, 10), Ok(1));
    assert_eq!(publish(&mut outboxes, 2, 10), Ok(2));
    assert_eq!(publish(&mut outboxes, 1, 11), Ok(3), "while there is room nothing gives way");
    assert_eq!(publish(&mut outboxes, 1, 12), Ok(3));
    assert_eq!(publish(&mut outboxes, 1, 5), Ok(3), "the older of the two gives way");
    assert_eq!(publish(&mut outboxes, 2, 11), Ok(2));
    assert_eq!(sent(&mut outboxes, 9), Some((1, vec![(0, 10), (1, 11)])));
    let full = Err(PublishError::Full { capacity: 3 });
    assert_eq!(publish(&mut outboxes, 2, 12), full, "it was sent");
    assert_eq!(publish(&mut outboxes, 3, 10), full, "a tag of which nothing waits");
    // A lost connection: what was sent is sent again, unchanged.
    outboxes.ping.on_welcome(&welcome(100)).unwrap();
    assert_eq!(publish(&mut outboxes, 2, 13), full);
    assert_eq!(sent(&mut outboxes, 9), Some((1, vec![(0, 10), (1, 11), (0, 12)])));
    let progress = outboxes.ping.progress();
    assert_eq!((progress.published_through, progress.gave_way_count), (3, 3));
}

/// After a restart the older one is sent under their number, and the tag reports again.
#[test]
fn what_takes_the_place_of_an_older_ping_is_in_no_spool() {
    let directory = tempfile::TempDir::new().unwrap();
    let name = |text| Name::new(text).unwrap();
    let identity = Identity { site: name("st-anna"), role: Role::Vendor, name: name("uwb") };
    let opened = || Spool::open(directory.path(), &identity, true).unwrap();
    let options = PublisherOptions { pings_max: 2, ..PublisherOptions::default() };
    let mut outboxes = Outboxes::new(options, Some(opened()));
    outboxes.ping.on_welcome(&welcome(0)).unwrap();
    outboxes.spool.as_ref().unwrap().begin_epoch(1, [0; 3]);
    for (tag, at, number) in [(1, 10, 1), (2, 20, 2), (1, 11, 1), (2, 21, 2), (1, 12, 1)] {
        let taken = outboxes.publish_pings(&[ping(tag, at)]).unwrap();
        assert_eq!(taken.last_number, number, "tag {tag} at {at}");
    }
    drop(outboxes);
    let (_spool, kept) = opened();
    let [.., lane] = &kept.lanes;
    let moments = lane.inputs.iter().map(|input| match &input.record {
        KeptRecord::Ping(ping) => ping.reading().unwrap().observed_at.0,
        other @ KeptRecord::Report { .. } => panic!("{other:?}"),
    });
    assert_eq!((lane.first, moments.collect::<Vec<_>>()), (1, vec![10, 20]));
}

#[test]
fn where_every_position_counts_nothing_gives_way() {
    let options = PublisherOptions { pings_max: 2, ..PublisherOptions::default() };
    let mut outboxes = Outboxes::new(options.keeping_every_position(), None);
    let pings = [ping(1, 1), ping(1, 2), ping(1, 3)];
    let taken = TakenPings { count: 2, last_number: 2, ..TakenPings::default() };
    assert_eq!(outboxes.publish_pings(&pings), Ok(taken));
    let full = Err(PublishError::Full { capacity: 2 });
    assert_eq!(outboxes.publish_pings(&pings[2..]), full);
}

/// A restarted vendor: what it kept may have been sent.
#[test]
fn what_an_earlier_life_kept_does_not_give_way() {
    let mut outboxes = outboxes(1);
    let handle = outboxes.handles.handle(&InternItem::Tag(TagId(1))).unwrap();
    outboxes.ping.restore(1, 0, 4, 5);
    outboxes.ping.push_kept(ping(1, 10).wire(handle));
    assert!(outboxes.publish_pings(&[ping(1, 11)]).is_err());
}

/// Of any tags at any pace: all that was handed over is counted once, each tag's pings go in order, and
/// the newest of each that was taken goes last.
#[test]
fn under_a_flood_each_tags_newest_goes_last_and_everything_is_counted() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut chance = SplitMix64(seed);
        let mut outboxes = outboxes(usize::try_from(1 + chance.below(30)).unwrap());
        outboxes.ping.on_welcome(&welcome(0)).unwrap();
        let (mut newest, mut last_sent) = (BTreeMap::new(), BTreeMap::new());
        let (mut handed, mut turned_away, mut through) = (0, 0, 0);
        let mut send = |outboxes: &mut Outboxes, last_sent: &mut BTreeMap<u32, u64>| {
            while let Some((first_seq, batch)) = sent(outboxes, 7) {
                assert_eq!(first_seq, through + 1, "without a gap");
                through += u64::try_from(batch.len()).unwrap();
                for (handle, at) in batch {
                    assert!(last_sent.insert(handle, at) < Some(at), "in order");
                }
            }
            through
        };
        for at in 1..2_000 {
            let tag = chance.below(12);
            handed += 1;
            if outboxes.publish_pings(&[ping(tag, at)]).is_ok() {
                newest.insert(outboxes.handles.known(&InternItem::Tag(TagId(tag))), at);
            } else {
                turned_away += 1;
            }
            if chance.below(20) == 0 {
                let through = send(&mut outboxes, &mut last_sent);
                let credit_through = through + chance.below(20);
                let durable_through = through.saturating_sub(chance.below(3));
                outboxes.on_ack(&ack(through, durable_through, credit_through));
            }
        }
        outboxes.on_ack(&ack(0, 0, u64::MAX));
        send(&mut outboxes, &mut last_sent);
        let progress = outboxes.ping.progress();
        assert_eq!(progress.published_through + progress.gave_way_count + turned_away, handed);
        let newest: Vec<_> = newest.into_iter().map(|(handle, at)| (handle.unwrap(), at)).collect();
        assert_eq!(last_sent.into_iter().collect::<Vec<_>>(), newest);
    }
}

fn ack(accepted_through: u64, durable_through: u64, credit_through: u64) -> Ack {
    Ack {
        lane: Lane::Ping,
        epoch: 1,
        accepted_through,
        durable_through,
        credit_through,
        totals: LaneTotals::default(),
    }
}

/// Small and the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 11) % bound
    }
}

/// Of 1 to 4, the second and the fourth were refused and told together; the node has 3.
#[test]
fn refusals_that_are_told_together_with_others_between_excuse_a_node_that_starts_again() {
    let mut outboxes = Outboxes::new(PublisherOptions::default(), None);
    let report = Report::tag(TagId(1), Timestamp(1), ReportWord::ButtonPressed);
    for number in 1..=4 {
        assert_eq!(outboxes.publish_report(&report), Ok(number));
    }
    let welcome = |durable_through| LaneWelcome {
        lane: Lane::Duress,
        epoch: 1,
        accepted_through: durable_through,
        durable_through,
        credit_through: 100,
    };
    outboxes.duress.on_welcome(&welcome(0)).unwrap();
    outboxes.duress.take(10, |_| true, &mut Vec::new());
    outboxes.on_refusal(&Refusal {
        lane: Lane::Duress,
        epoch: 1,
        first_seq: 2,
        last_seq: 4,
        count: 2,
        code: Code::UnknownThing,
        handle: None,
    });
    outboxes.on_ack(&Ack {
        lane: Lane::Duress,
        epoch: 1,
        accepted_through: 4,
        durable_through: 4,
        credit_through: 100,
        totals: LaneTotals::default(),
    });
    assert_eq!(outboxes.duress.on_welcome(&welcome(3)), Ok(()));
    assert_eq!(outboxes.duress.on_welcome(&welcome(0)), Err(OutboxError::NodeIsBehind));
}

/// Whether the session is to be woken after each call.
#[test]
fn only_what_can_be_sent_at_once_is_work() {
    let mut outboxes = outboxes(3);
    let has_work = |outboxes: &mut Outboxes, tag| {
        outboxes.publish_pings(&[ping(tag, 1)]).map(|taken| taken.has_work)
    };
    assert_eq!(has_work(&mut outboxes, 1), Ok(false), "no node has given credit yet");
    outboxes.ping.on_welcome(&welcome(2)).unwrap();
    assert_eq!(has_work(&mut outboxes, 2), Ok(true));
    assert_eq!(sent(&mut outboxes, 9), Some((1, vec![(0, 1), (1, 1)])));
    assert_eq!(has_work(&mut outboxes, 3), Ok(false), "without credit");
    assert_eq!(has_work(&mut outboxes, 3), Ok(false), "it took the place of one that waits");
    outboxes.on_ack(&ack(2, 2, 9));
    assert_eq!(has_work(&mut outboxes, 3), Ok(true));
}

#[test]
fn a_grant_waits_until_the_node_knows_the_badge_it_names() {
    for (handle, badge, confirmed, is_known) in [
        (1, None, 2, true),
        (1, None, 1, false),
        (1, Some(0), 2, true),
        (1, Some(2), 2, false),
        (1, Some(2), 3, true),
        (2, Some(1), 2, false),
    ] {
        let word = ReportWord::AccessGranted { valid_ms: 5_000 };
        let grant = PendingReport { handle, observed_at: Timestamp(1), word, badge };
        assert_eq!(grant.is_known(confirmed), is_known, "{handle} {badge:?} of {confirmed}");
    }
}
