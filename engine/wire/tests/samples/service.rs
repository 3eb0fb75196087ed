//! Frames about the node itself: sites on their way, unregistered tags, who looks at alarms.

use ach_actors_model::Remark;

use super::*;

pub(super) fn frames() -> Vec<(&'static str, Frame)> {
    [site_frames(), tag_frames(), attention_frames(), selftest_frames(), leave_frames()].concat()
}

fn site_frames() -> Vec<(&'static str, Frame)> {
    let digest = SiteDigest(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
    let marks = FrameMarks {
        origin_lon: 13_376_000_000,
        origin_lat: -52_526_000_000,
        x_lon: 13_390_742_000,
        x_lat: -52_526_000_000,
        y_lon: 13_376_000_000,
        y_lat: -52_517_013_000,
    };
    let offer = SiteOffer {
        command: 7,
        base_version: 9,
        base_digest: Some(digest),
        frame: Some(marks),
        total_bytes: 3,
        digest: SiteDigest::of(&[1, 2, 3]),
        is_dry_run: true,
        may_strand: false,
    };
    let plain = SiteOffer { base_digest: None, frame: None, may_strand: true, ..offer };
    let verdict = SiteVerdict {
        command: 7,
        code: Code::SiteStrands,
        detail: "1 open alarm would end".into(),
        version: 9,
        digest: Some(digest),
        reasons: vec!["alarm elopement of patient-8: its rule is gone".into()],
        reason_count: 1,
        cursor: None,
    };
    let done = SiteVerdict {
        code: Code::Done,
        version: 10,
        digest: None,
        detail: Text::default(),
        reasons: vec![],
        reason_count: 0,
        cursor: Some(Cursor { shard: 0, index: 101, ordinal: 0 }),
        ..verdict
    };
    let bytes = PartBytes::cut(&[1, 2, 3]).next().unwrap();
    vec![
        ("site query", Frame::SiteQuery(SiteQuery { command: 7 })),
        ("site offer, to be judged alone", Frame::SiteOffer(offer)),
        ("site offer of a site that lies nowhere", Frame::SiteOffer(plain)),
        ("site part", Frame::SitePart(SitePart { command: 7, bytes })),
        ("site verdict, refused", Frame::SiteVerdict(verdict)),
        ("site verdict, in force", Frame::SiteVerdict(done)),
    ]
}

fn tag_frames() -> Vec<(&'static str, Frame)> {
    let tag = UnregisteredTag {
        feed: name("uwb"),
        tag: TagId(0xA7),
        first_at: AT,
        last_at: AT.plus_ns(5_000_000_000),
        count: 6,
    };
    vec![
        ("unregistered query", Frame::UnregisteredQuery(UnregisteredQuery { query: 8 })),
        (
            "unregistered tags",
            Frame::Unregistered(Unregistered { query: 8, tags: vec![tag], is_last: true }),
        ),
        ("certificate ends", Frame::CertificateEnds(CertificateEnds { ends_at: AT })),
    ]
}

fn attention_frames() -> Vec<(&'static str, Frame)> {
    let cursor = Cursor { shard: 0, index: 100, ordinal: 1 };
    let board = WireReceiver {
        name: name("board"),
        is_operator: false,
        subscription: 1,
        begun_at: AT,
        displayed: Some(cursor),
        displayed_at: Some(AT.plus_ns(1_000)),
        waiting_count: 2,
        waiting_since: Some(AT),
    };
    let desk = WireReceiver {
        name: name("desk"),
        is_operator: true,
        displayed: None,
        displayed_at: None,
        waiting_count: 0,
        waiting_since: None,
        ..board
    };
    vec![
        (
            "displayed through a cursor, and an alarm that is not durable",
            Frame::Displayed(Displayed {
                subscription: 1,
                through: Some(cursor),
                alarms: vec![AlarmId(0xA1)],
            }),
        ),
        (
            "displayed nothing yet",
            Frame::Displayed(Displayed { subscription: 1, through: None, alarms: vec![] }),
        ),
        ("attention query", Frame::AttentionQuery(AttentionQuery { query: 9 })),
        (
            "attention",
            Frame::Attention(Attention {
                query: 9,
                receivers: vec![board, desk],
                unseen_count: 1,
                unseen_since: Some(AT),
                is_last: true,
            }),
        ),
    ]
}

fn selftest_frames() -> Vec<(&'static str, Frame)> {
    let hop = |word, after_ns| SelftestHop { word: name(word), after_ns };
    let board = SelftestReceiver {
        name: name("board"),
        is_operator: false,
        displayed_after_ns: Some(12_000_000),
    };
    let desk = SelftestReceiver { name: name("desk"), is_operator: true, displayed_after_ns: None };
    let hops = vec![
        hop("decided", 40_000),
        hop("told", 90_000),
        hop("durable", 2_000_000),
        hop("displayed", 12_000_000),
        hop("ended", 14_000_000),
    ];
    let good = SelftestReport {
        command: 10,
        code: Code::Done,
        detail: Text::default(),
        alarm: Some(AlarmId(0xA2)),
        hops,
        receivers: vec![board, desk.clone()],
        findings: vec![],
    };
    let broken = SelftestReport {
        code: Code::SelftestFailed,
        detail: "nobody displayed it within 10 s".into(),
        hops: vec![hop("decided", 40_000), hop("told", 90_000)],
        receivers: vec![desk],
        findings: vec![SelftestFinding {
            detail: "nobody displayed it within 10 s".into(),
            remedy: "look at the screens".into(),
        }],
        ..good
    };
    let not_now = SelftestReport {
        code: Code::NotNow,
        detail: "another self-test is under way".into(),
        alarm: None,
        hops: vec![],
        receivers: vec![],
        findings: vec![],
        ..good
    };
    let without = SelftestOrder { command: 11, dropped: vec![name("desk-2"), name("desk-3")] };
    vec![
        ("selftest order", Frame::SelftestOrder(SelftestOrder { command: 10, dropped: vec![] })),
        ("selftest order without", Frame::SelftestOrder(without)),
        ("selftest report, good", Frame::SelftestReport(good)),
        ("selftest report, broken", Frame::SelftestReport(broken)),
        ("selftest report, not now", Frame::SelftestReport(not_now)),
    ]
}

fn leave_frames() -> Vec<(&'static str, Frame)> {
    let escorted = WireLeave {
        subject: name("patient-8"),
        given_at: AT,
        until: AT.plus_ns(7_200_000_000_000),
        places: vec![Thing::Zone(name("ward-3")), Thing::Line(name("front"))],
        is_until_back: true,
        escort: Some(name("nurse-7")),
        within_mm: Some(10_000),
        gap_ns: Some(30_000_000_000),
        by: name("desk"),
        reason: Remark::new("walk in the garden").unwrap(),
    };
    let alone = WireLeave {
        subject: name("patient-9"),
        places: vec![],
        is_until_back: false,
        escort: None,
        within_mm: None,
        gap_ns: None,
        ..escorted.clone()
    };
    vec![
        ("leave query", Frame::LeaveQuery(LeaveQuery { query: 12 })),
        (
            "leaves",
            Frame::Leaves(Leaves { query: 12, leaves: vec![escorted, alone], is_last: true }),
        ),
        ("leaves, nobody's", Frame::Leaves(Leaves { query: 12, leaves: vec![], is_last: true })),
    ]
}
