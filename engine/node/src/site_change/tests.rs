//! Offers against what is in force: what is taken, and what is said against the others.

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_S, Place, RuleConfig, RuleRef,
    SourceConfig, SourceRef, SubjectClass, SubjectConfig, SubjectRef, TagConfig, TagId, TagRef,
    Who,
};
use ach_engine_wire::{Storage, encode_site};

use super::*;
use crate::test_values::empty_site;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A site with one feed, one subject with a tag, and one rule, in version 4.
fn config() -> SiteConfig {
    SiteConfig {
        version: 4,
        sources: vec![SourceConfig { id: name("uwb"), silence_ns: None, zones: vec![] }],
        subjects: vec![SubjectConfig {
            id: name("nurse"),
            class: SubjectClass::Staff,
            labels: vec![],
        }],
        tags: vec![TagConfig { id: TagId(7), source: 0, subject: Some(0) }],
        rules: vec![RuleConfig {
            id: name("duress"),
            who: Who::default(),
            when: vec![],
            condition: Condition::ButtonPressed,
            alarm: AlarmKind::Duress,
            priority: AlarmPriority::High,
            gates: None,
            is_tentative: false,
            answer: AnswerConfig::default(),
        }],
        ..empty_site("st-anna")
    }
}

/// The alarm of the button, as the site in force says it.
fn notice() -> AlarmNotice {
    AlarmNotice {
        rule: Some(RuleRef(0)),
        subject: Some(SubjectRef(0)),
        tag: Some(TagRef(0)),
        place: Place::Tag(TagRef(0)),
        ..crate::test_values::notice(0xA1)
    }
}

/// An alarm, as it is open and as it is told.
fn open(site: &Site, notice: AlarmNotice) -> (AlarmNotice, AlarmNote) {
    let note = crate::notes::alarm_note(site, &notice, Storage::Durable, None, true);
    (notice, note)
}

/// Noon of the first day.
const NOON: Timestamp = Timestamp(12 * 3_600 * NS_PER_S);

fn marks() -> FrameMarks {
    FrameMarks { origin_lon: 1, origin_lat: 2, x_lon: 3, x_lat: 4, y_lon: 5, y_lat: 6 }
}

fn in_force() -> InForce {
    InForce {
        site: Arc::new(Site::compile(None, &config()).unwrap()),
        digest: Some(SiteDigest::of(&encode_site(&config()).unwrap())),
        frame: Some(marks()),
        open: Vec::new(),
        now: NOON,
        feeds: Vec::new(),
    }
}

fn offer(next: &SiteConfig) -> (SiteOffer, Vec<u8>) {
    let bytes = encode_site(next).unwrap();
    let offer = SiteOffer {
        command: 1,
        base_version: 4,
        base_digest: in_force().digest,
        frame: Some(marks()),
        total_bytes: u32::try_from(bytes.len()).unwrap(),
        digest: SiteDigest::of(&bytes),
        is_dry_run: false,
        may_strand: false,
    };
    (offer, bytes)
}

/// What comes of an offer, in words.
fn words(judged: &Judged) -> String {
    match judged {
        Judged::Fit(fit) => format!("version {}", fit.config.version),
        Judged::Same => "same".to_owned(),
        Judged::Unfit(Unfit { code, detail, reasons, reason_count }) => {
            let reasons: Vec<&str> = reasons.iter().map(Text::as_str).collect();
            assert!(reasons.len() <= *reason_count);
            format!("{}: {detail} {reasons:?}", code.value())
        }
    }
}

#[track_caller]
fn check(next: &SiteConfig, edit: impl FnOnce(&mut SiteOffer, &mut InForce), expected: &str) {
    let ((mut offer, bytes), mut in_force) = (offer(next), in_force());
    edit(&mut offer, &mut in_force);
    let said = words(&judge(&offer, &bytes, &in_force));
    assert!(said.starts_with(expected), "{said}");
}

fn changed() -> SiteConfig {
    SiteConfig { largest_gap_ns: 1_000_000_000, ..config() }
}

#[test]
fn a_version_made_from_the_one_in_force_is_the_next_one() {
    check(&changed(), |_, _| {}, "version 5");
    check(&changed(), |offer, _| offer.base_digest = None, "version 5");
    check(&changed(), |_, in_force| in_force.digest = None, "version 5");
    check(&config(), |_, _| {}, "same");
    check(&config(), |offer, _| offer.base_version = 1, "same");
}

#[test]
fn a_version_made_from_another_one_is_told_which_is_in_force() {
    let stale = "98: made from version 3, in force is 4";
    check(&changed(), |offer, _| offer.base_version = 3, stale);
    let newer = "98: made from version 5, in force is 4";
    check(&changed(), |offer, _| offer.base_version = 5, newer);
    let other = "98: made from another version 4, in force is 4";
    check(&changed(), |offer, _| offer.base_digest = Some(SiteDigest(1)), other);
}

#[test]
fn another_frame_another_site_and_bytes_that_are_none_are_refused() {
    check(&changed(), |offer, _| offer.frame = None, "100: its origin");
    let moved = |offer: &mut SiteOffer, _: &mut InForce| {
        offer.frame = Some(FrameMarks { y_lat: 6 + 21, ..marks() });
    };
    check(&changed(), moved, "100: its origin");
    let as_good = |offer: &mut SiteOffer, _: &mut InForce| {
        offer.frame = Some(FrameMarks { y_lat: 6 + 20, ..marks() });
    };
    check(&changed(), as_good, "version 5");
    let other = SiteConfig { site: name("st-mark"), ..changed() };
    check(&other, |_, _| {}, "34: this node serves site st-anna, not st-mark");
    let digest = |offer: &mut SiteOffer, _: &mut InForce| offer.digest = SiteDigest(1);
    check(&changed(), digest, "99: the bytes that came are not those");
    let nonsense = SiteOffer { digest: SiteDigest::of(b"x"), ..offer(&changed()).0 };
    assert!(words(&judge(&nonsense, b"x", &in_force())).starts_with("99: a site of format 120"));
    let cut = SiteOffer { digest: SiteDigest::of(&[1, 2]), ..offer(&changed()).0 };
    assert!(words(&judge(&cut, &[1, 2], &in_force())).starts_with("99: the site's bytes do not"));
}

#[test]
fn every_mistake_of_a_site_that_does_not_compile_is_told() {
    let mut wrong = changed();
    wrong.tags.push(TagConfig { id: TagId(8), source: 9, subject: None });
    wrong.tags.push(TagConfig { id: TagId(9), source: 0, subject: Some(9) });
    let (offer, bytes) = offer(&wrong);
    let Judged::Unfit(unfit) = judge(&offer, &bytes, &in_force()) else { panic!("it is taken") };
    assert_eq!((unfit.code, unfit.reason_count), (Code::SiteUnsound, unfit.reasons.len()));
    assert!(unfit.reason_count >= 2, "{unfit:?}");
}

/// The offer while an alarm is open that the site in force knows like this.
#[track_caller]
fn check_open(next: &SiteConfig, notice: AlarmNotice, expected: &str) {
    let has_alarm = |_: &mut SiteOffer, in_force: &mut InForce| {
        in_force.open.push(open(&in_force.site, notice));
    };
    check(next, has_alarm, expected);
}

fn without(edit: impl FnOnce(&mut SiteConfig)) -> SiteConfig {
    let mut next = changed();
    edit(&mut next);
    next
}

#[test]
fn what_would_end_or_be_cut_is_named_and_may_be_meant() {
    check_open(&changed(), notice(), "version 5");
    let no_rule = without(|next| next.rules.clear());
    check(&no_rule, |_, _| {}, "version 5");
    let said = "101: 1 thing that is in use would end or be cut [\"open alarm 000000000000000000000000000000a1 (Duress of nurse): rule duress is gone\"]";
    check_open(&no_rule, notice(), said);
    let meant = |offer: &mut SiteOffer, in_force: &mut InForce| {
        offer.may_strand = true;
        in_force.open.push(open(&in_force.site, notice()));
    };
    check(&no_rule, meant, "version 5");
    let system = AlarmNotice { rule: None, kind: AlarmKind::FeedSilent, ..notice() };
    let system = AlarmNotice { place: Place::Source(SourceRef(0)), tag: None, ..system };
    let system = AlarmNotice { subject: None, ..system };
    check_open(&changed(), system.clone(), "version 5");
    let no_feed = without(|next| {
        next.sources.clear();
        next.tags.clear();
    });
    check_open(&no_feed, system, "101: 1 thing");
    let connected = |_: &mut SiteOffer, in_force: &mut InForce| in_force.feeds.push(name("uwb"));
    check(&no_feed, |_, _| {}, "version 5");
    check(&no_feed, connected, "101: 1 thing that is in use would end or be cut [\"feed uwb: its");
}

/// All ids are still there, and the alarm ends all the same.
#[test]
fn an_alarm_whose_ground_is_taken_away_is_named() {
    let moved = without(|next| {
        let nurse = next.subjects[0].clone();
        next.subjects.push(SubjectConfig { id: name("other"), ..nurse });
        next.tags[0].subject = Some(1);
    });
    let said = |why: &str| {
        format!(
            "101: 1 thing that is in use would end or be cut [\"open alarm \
             000000000000000000000000000000a1 (Duress of nurse): {why}\"]"
        )
    };
    check_open(&moved, notice(), &said("its tag is on somebody else, or on nobody"));
    let gone = without(|next| next.tags[0].id = TagId(8));
    check_open(&gone, notice(), &said("tag 0000000000000007 is gone"));
    let unlabelled = without(|next| next.rules[0].who.labels_any = vec![name("ward")]);
    check_open(&unlabelled, notice(), &said("rule duress is about its subject no more"));
    let other_rule = without(|next| {
        next.rules[0].condition = Condition::BandCut;
        next.rules[0].alarm = AlarmKind::BandCut;
    });
    check_open(&other_rule, notice(), &said("rule duress says something else"));
    // Who has a second tag keeps an alarm about himself, whichever tag goes.
    let second = without(|next| next.tags.push(TagConfig { id: TagId(9), ..next.tags[0] }));
    check_open(&second, notice(), "version 5");
}

/// A flood of alarms must not make an answer that fits into no frame.
#[test]
fn of_many_reasons_the_first_are_told_and_all_are_counted() {
    let no_rule = SiteConfig { rules: vec![], ..config() };
    let ((offer, bytes), mut in_force) = (offer(&no_rule), in_force());
    in_force.open = vec![open(&in_force.site, notice()); 5_000];
    let Judged::Unfit(unfit) = judge(&offer, &bytes, &in_force) else { panic!("it is taken") };
    assert_eq!((unfit.reasons.len(), unfit.reason_count), (SITE_REASONS_MAX, 5_000));
}
