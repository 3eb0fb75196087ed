//! A small ward with its node, certificates and clients, all in a temporary folder.
//!
//! Floor 0, millimetres: the ward is 0..10,000 square, the vault 20,000..30,000 by 0..10,000. Feed
//! `uwb` reports tags 1 to 9 and door `vault-door`; feed `rival` reports tag 100.

pub(crate) mod initial;
pub(crate) mod raw;
pub(crate) mod saboteur;
pub(crate) mod scene;
pub(crate) mod tap;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, BadgeConfig, Condition, DoorConfig, Name, RuleConfig,
    SiteConfig, SourceConfig, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId, Timestamp,
    UtcOffset, Who, ZoneConfig,
};
use ach_clients_rust::{
    AlarmStream, AlarmUpdate, Client, ClientConfig, Filter, Ping, Publisher, PublisherOptions, now,
};
use ach_engine_journal::{Config, Disk, KekSource, SimDisk};
use ach_engine_net::{Authority, Bundle, Role};
use ach_engine_node::{
    Arrangement, HereHistory, Node, NodeConfig, NodeLimits, Running, SystemClock,
};
use ach_engine_store::SimTables;
use ach_geo::{Floor, Gates, Outline};
use tempfile::TempDir;

/// Longest wait for anything that must come. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const FLOOR: Floor = Floor(0);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn zone(id: &str, west_mm: i32) -> ZoneConfig {
    let east_mm = west_mm + 10_000;
    ZoneConfig {
        id: name(id),
        labels: Vec::new(),
        floor: Some(FLOOR),
        outline: Outline::Polygon {
            outer_mm: vec![(west_mm, 0), (east_mm, 0), (east_mm, 10_000), (west_mm, 10_000)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    }
}

fn rule(id: &str, condition: Condition, alarm: AlarmKind) -> RuleConfig {
    RuleConfig {
        id: name(id),
        who: Who::default(),
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

/// The ward's site.
pub(crate) fn site() -> SiteConfig {
    let source = |id| SourceConfig { id: name(id), silence_ns: None, zones: vec![] };
    let tag = |id, source, subject| TagConfig { id: TagId(id), source, subject };
    let subject = |id: &str, class| SubjectConfig { id: name(id), class, labels: Vec::new() };
    let mut subjects = vec![subject("nurse", SubjectClass::Staff)];
    subjects.extend((2..=9).map(|n| subject(&format!("visitor-{n}"), SubjectClass::Visitor)));
    subjects.push(subject("pump", SubjectClass::Asset));
    let mut tags: Vec<TagConfig> =
        (1..=9).map(|n| tag(n, 0, Some(u32::try_from(n).unwrap() - 1))).collect();
    tags.push(tag(100, 1, Some(9)));
    let visitors = Who { classes: vec![SubjectClass::Visitor], ..Who::default() };
    SiteConfig {
        site: name("st-anna"),
        version: 0,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: [SubjectClass::Staff, SubjectClass::Visitor]
            .map(|class| SpeedLimit { class, mm_per_s: 1_000_000 })
            .to_vec(),
        sources: vec![source("uwb"), source("rival")],
        anchors: Vec::new(),
        zones: vec![zone("ward", 0), zone("vault", 20_000)],
        doors: vec![DoorConfig {
            id: name("vault-door"),
            labels: Vec::new(),
            source: Some(0),
            floor: FLOOR,
            sill_mm: ((20_000, 4_000), (20_000, 5_000)),
            control: None,
        }],
        lines: Vec::new(),
        subjects,
        tags,
        rules: vec![
            rule("duress", Condition::ButtonPressed, AlarmKind::Duress),
            RuleConfig {
                who: visitors,
                ..rule(
                    "no-visitors",
                    Condition::Inside { zones: vec![1] },
                    AlarmKind::UnauthorisedEntry,
                )
            },
            rule("forced", Condition::DoorForced { doors: vec![0] }, AlarmKind::DoorForced),
        ],
        largest_gap_ns: 2_000_000_000,
        holidays: Vec::new(),
        badges: vec![BadgeConfig { id: name("card-1"), subject: 0 }],
    }
}

/// The folder of a ward, with its authority.
pub(crate) struct Ward {
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) limits: NodeLimits,
    pub(crate) arrangement: Arrangement,
    pub(crate) site: SiteConfig,
}

impl Ward {
    pub(crate) fn new() -> Ward {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(&folder.path().join("pki"), &name("st-anna")).unwrap();
        Ward {
            folder,
            authority,
            limits: NodeLimits::default(),
            arrangement: Arrangement::OneThread,
            site: site(),
        }
    }

    pub(crate) fn config(&self) -> NodeConfig {
        NodeConfig {
            name: name("node-1"),
            site: self.site.clone(),
            frame: None,
            made_from: None,
            data: self.folder.path().join("data"),
            kek: KekSource::File(self.folder.path().join("journal.key")),
            journal: Config { segment_bytes: 1 << 20, reserve_bytes: 0, ..Config::default() },
            bundle: self.authority.issue_node(&name("node-1"), &[]).unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            arrangement: self.arrangement,
            limits: self.limits,
        }
    }

    pub(crate) fn start(&self) -> Running {
        Node::start(self.config()).unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "a disk is a handle, and most are made here")]
    pub(crate) fn start_on<D: Disk + Clone + Send + 'static>(&self, disk: D) -> Running {
        let clock = Arc::new(SystemClock::default());
        Node::start_on(self.config(), &disk, clock).unwrap()
    }

    /// As [`Ward::start_on`], with a history in simulated tables in which every entry is written.
    pub(crate) fn start_with_history(&self, disk: &SimDisk, tables: &SimTables) -> Running {
        let clock = Arc::new(SystemClock::default());
        let history = HereHistory { tables: tables.clone(), write_every: Duration::ZERO };
        Node::start_with_history(self.config(), disk, clock, history).unwrap()
    }

    pub(crate) fn bundle(&self, role: Role, who: &str) -> Bundle {
        self.authority.issue(role, &name(who)).unwrap()
    }

    pub(crate) async fn client(&self, address: SocketAddr, role: Role, who: &str) -> Client {
        let config = ClientConfig::new(address, "localhost", self.bundle(role, who));
        Client::connect(config).await.unwrap()
    }

    /// As [`Ward::client`], of a node that others keep busy, or that gives a hello so little time that a
    /// busy machine may be late with it: then it comes again.
    pub(crate) async fn client_at_last(
        &self,
        address: SocketAddr,
        role: Role,
        who: &str,
    ) -> Client {
        let bundle = self.bundle(role, who);
        let connecting = async {
            loop {
                let config = ClientConfig::new(address, "localhost", bundle.clone());
                match Client::connect(config).await {
                    Ok(client) => return client,
                    Err(error) => assert!(error.may_retry(), "{error}"),
                }
            }
        };
        in_time("a connection", connecting).await
    }

    pub(crate) async fn vendor(&self, address: SocketAddr) -> Publisher {
        let client = self.client(address, Role::Vendor, "uwb").await;
        client.publisher(PublisherOptions::default()).unwrap()
    }

    pub(crate) async fn alarms(&self, address: SocketAddr) -> Alarms {
        self.alarms_of(address, Vec::new()).await
    }

    /// Alarms of these kinds, or of all.
    pub(crate) async fn alarms_of(&self, address: SocketAddr, kinds: Vec<AlarmKind>) -> Alarms {
        let client = self.client(address, Role::Receiver, "desk").await;
        let filter = Filter { kinds, ..Filter::default() };
        let stream = client.subscriber().alarms(filter, None).await.unwrap();
        let mut alarms = Alarms { stream };
        alarms.expect("open 0").await;
        alarms
    }
}

/// News of alarms in words.
pub(crate) struct Alarms {
    pub(crate) stream: AlarmStream,
}

impl Alarms {
    /// The next news.
    pub(crate) async fn next(&mut self) -> String {
        let update = tokio::time::timeout(PATIENCE, self.stream.next()).await;
        render(&update.expect("no news in time").expect("the stream ended"))
    }

    /// The next news must be this.
    pub(crate) async fn expect(&mut self, expected: &str) {
        assert_eq!(self.next().await, expected);
    }
}

pub(crate) fn render(update: &AlarmUpdate) -> String {
    match update {
        AlarmUpdate::Note(note) => {
            let who = note.subject.as_ref().map_or("-", |subject| subject.as_str());
            format!("{:?} {:?} {who} {:?}", note.transition, note.kind, note.storage)
        }
        AlarmUpdate::Durable { transition, .. } => format!("durable {transition:?}"),
        AlarmUpdate::Withdrawn { transition, .. } => format!("withdrawn {transition:?}"),
        AlarmUpdate::StillProvisional { transition, reason, .. } => {
            format!("{transition:?} is still provisional: {reason:?}")
        }
        AlarmUpdate::Gone { .. } => "gone".to_owned(),
        AlarmUpdate::Unreadable(error) => format!("unreadable: {error}"),
        AlarmUpdate::Gap(gap) => format!("gap {:?}", gap.code),
        AlarmUpdate::OpenSetComplete { open_count } => format!("open {open_count}"),
        AlarmUpdate::EchoReply { nonce } => format!("echo {nonce}"),
        AlarmUpdate::Disconnected => "disconnected".to_owned(),
    }
}

/// A ping of a tag, now.
pub(crate) fn ping(tag: u64, x_mm: i32, y_mm: i32) -> Ping {
    Ping::local(TagId(tag), now(), x_mm, y_mm).on_floor(FLOOR)
}

/// Waits for what must come; fails when it does not in time.
pub(crate) async fn in_time<T>(what: &str, comes: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, comes).await;
    waited.unwrap_or_else(|_| panic!("waited for {what}"))
}
