//! What a node writes into its audit log, and that it goes on when it cannot.

use ach_actors_model::{AlarmKind, TagId};
use ach_clients_rust::{Client, ClientConfig, Filter, Report, ReportWord, Thing, now};
use ach_engine_audit::{
    Action, AgentRole, Outcome, Record, Report as AuditReport, Verifier, VerifyingKey,
};
use ach_engine_journal::{Disk, FileDisk, SimDisk, SimFault};
use ach_engine_net::{Authority, Role};
use ach_engine_node::{AuditTrouble, Ended, Node, Running, SystemClock};
use std::sync::Arc;

use crate::ward::raw::Raw;
use crate::ward::{Ward, in_time, name};

const DISK_BYTES: u64 = 256 << 20;

pub(crate) async fn drain(node: Running) {
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

fn start_on(ward: &Ward, audit_disk: &SimDisk) -> Running {
    // The key is a file, wherever the log lies.
    std::fs::create_dir_all(ward.folder.path().join("data")).unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let clock = Arc::new(SystemClock::default());
    Node::start_on_disks(ward.config(), &disk, audit_disk.clone(), clock).unwrap()
}

fn read(ward: &Ward, disk: &impl Disk) -> (Vec<Record>, AuditReport) {
    let key = VerifyingKey::load(&ward.folder.path().join("data/audit.pub")).unwrap();
    let mut records = Vec::new();
    let mut take =
        |entry: &ach_engine_audit::Entry<'_>| records.push(entry.record.clone().unwrap());
    let report = Verifier::new(Some(key)).run(disk, &mut take).unwrap();
    (records, report)
}

/// The log of a node that has ended: sound, and under a head to its end.
pub(crate) fn records(ward: &Ward) -> Vec<Record> {
    let disk = FileDisk::existing(ward.folder.path().join("data/audit")).unwrap();
    let (records, report) = read(ward, &disk);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.head.unwrap().head.size, report.records);
    records
}

/// A record in a line.
fn line(record: &Record) -> String {
    let objects: Vec<String> = record.objects.iter().map(ToString::to_string).collect();
    let code = record.code.map_or_else(String::new, |code| format!(" code {code}"));
    let (who, action, outcome) = (&record.who, record.action.word(), record.outcome.word());
    format!("{who} {action} {outcome}{code} [{}]", objects.join(", "))
}

#[track_caller]
pub(crate) fn check_has(records: &[Record], expected: &str) {
    let lines: Vec<String> = records.iter().map(line).collect();
    assert!(lines.iter().any(|line| line == expected), "`{expected}` is not in {lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_who_read_what_and_who_commanded_is_in_the_log() {
    let ward = Ward::new();
    let node = ward.start();
    let alarms = ward.alarms(node.address()).await;
    let filter = Filter { subjects: vec![name("nurse")], ..Filter::default() };
    let client = ward.client(node.address(), Role::Receiver, "wall").await;
    let events = client.subscriber().events(filter, None).await.unwrap();
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    operator.quarantine(Thing::Subject(name("pump"))).await.unwrap();
    operator.release(Thing::Subject(name("pump"))).await.unwrap();
    assert!(operator.release(Thing::Subject(name("nobody"))).await.is_err());
    operator.close().await;
    drop((alarms, events));
    drain(node).await;
    let records = records(&ward);
    assert_eq!(
        line(&records[0]),
        "node node-1 node_started done [node node-1, site st-anna version 1]"
    );
    check_has(&records, "receiver desk connected done []");
    check_has(&records, "receiver desk read_begun done [topic alarms]");
    check_has(&records, "receiver wall read_begun done [topic events, subject nurse]");
    check_has(&records, "operator chief actor_set_aside begun [subject pump]");
    check_has(&records, "operator chief actor_set_aside done [subject pump]");
    check_has(&records, "operator chief actor_released done [subject pump]");
    check_has(&records, "operator chief actor_released refused code 64 [unknown subject:1]");
    check_has(&records, "node node-1 site_put_in_force done [site st-anna version 1]");
    check_has(&records, "operator chief disconnected done []");
    assert_eq!(line(records.last().unwrap()), "node node-1 node_stopped done []");
    let done = |record: &&Record| {
        record.action == Action::ActorSetAside && record.outcome == Outcome::Done
    };
    let done = records.iter().find(done).unwrap();
    assert!(done.entry.is_some() && done.session.is_some() && done.request.is_some(), "{done:?}");
    assert!(done.from.to_string().starts_with("127.0.0.1:"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_in_the_log_and_a_flood_of_it_is_one_record() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[100; 300]).await;
    let stranger = tempfile::tempdir().unwrap();
    let theirs = Authority::create(&stranger.path().join("pki"), &name("st-anna")).unwrap();
    let bundle = theirs.issue(Role::Operator, &name("chief")).unwrap();
    let mut config = ClientConfig::new(node.address(), "localhost", bundle);
    config.answer_within = std::time::Duration::from_secs(2);
    assert!(Client::connect(config).await.is_err());
    let nobody = ward.bundle(Role::Vendor, "nobody");
    let refused = Client::connect(ClientConfig::new(node.address(), "localhost", nobody)).await;
    assert!(refused.is_err());
    drop(raw);
    drain(node).await;
    let records = records(&ward);
    let named: Vec<&Record> =
        records.iter().filter(|record| record.action == Action::ThingNamed).collect();
    assert_eq!(named.len(), 2, "{named:#?}");
    check_has(&records, "vendor uwb thing_named refused code 65 [tag 0000000000000064]");
    let count: u64 = named.iter().map(|record| record.repeated.map_or(1, |it| it.count)).sum();
    assert_eq!(count, 300, "each is counted");
    check_has(&records, "vendor nobody connected refused code 35 []");
    let is_stranger = |record: &Record| {
        record.who.role == AgentRole::Unknown && record.outcome == Outcome::Refused
    };
    assert!(records.iter().any(is_stranger), "{records:#?}");
}

/// What a peer sends may be anything, and what is in the log is there for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_site_does_not_have_is_counted_and_not_kept() {
    let ward = Ward::new();
    let node = ward.start();
    let filter = Filter {
        subjects: vec![name("Anna.Huber"), name("nurse"), name("Max.Huber")],
        ..Filter::default()
    };
    let client = ward.client(node.address(), Role::Receiver, "wall").await;
    let events = client.subscriber().events(filter, None).await.unwrap();
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    assert!(operator.quarantine(Thing::Zone(name("Anna.Huber"))).await.is_err());
    drop(events);
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "receiver wall read_begun done [topic events, subject nurse, unknown subject:2]",
    );
    check_has(&records, "operator chief actor_set_aside refused code 64 [unknown zone:1]");
    for entry in std::fs::read_dir(ward.folder.path().join("data/audit")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"Huber"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_is_one_record() {
    let ward = Ward::new();
    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "wall").await;
    let mut operator = client.operator();
    assert!(operator.quarantine(Thing::Subject(name("pump"))).await.is_err());
    drain(node).await;
    let refused: Vec<String> = records(&ward)
        .iter()
        .filter(|record| record.outcome == Outcome::Refused)
        .map(line)
        .collect();
    assert_eq!(refused, ["receiver wall actor_set_aside refused code 33 [subject pump]"]);
}

/// A folder that cannot be used keeps no node from its alarms, and is used once it can be.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_without_its_audit_folder() {
    let ward = Ward::new();
    let folder = ward.folder.path().join("data/audit");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, b"in the way").unwrap();
    let node = ward.start();
    let trouble = node.health().audit_trouble;
    assert!(matches!(trouble, Some(AuditTrouble::NotOpened { .. })), "{trouble:?}");
    drop(ward.alarms(node.address()).await);
    std::fs::remove_file(&folder).unwrap();
    let opened = async {
        while node.health().audit_trouble.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    in_time("the log", opened).await;
    drain(node).await;
    check_has(&records(&ward), "node node-1 node_stopped done []");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_audit_log_cannot_be_written_alarms_go_on_and_an_operator_is_told() {
    let ward = Ward::new();
    let audit_disk = SimDisk::new(2, DISK_BYTES);
    let node = start_on(&ward, &audit_disk);
    let mut alarms = ward.alarms_of(node.address(), vec![AlarmKind::Duress]).await;
    let vendor = ward.vendor(node.address()).await;
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    assert!(!node.health().is_degraded());
    for op in 1..=20 {
        audit_disk.plan(op, SimFault::Fail);
    }
    let pump = || Thing::Subject(name("pump"));
    let refused = operator.quarantine(pump()).await.unwrap_err();
    assert!(refused.to_string().contains("96"), "nothing is set aside unseen: {refused}");
    operator.release(pump()).await.unwrap();
    let health = node.health();
    assert!(matches!(health.audit_trouble, Some(AuditTrouble::Failed { .. })), "{health:?}");
    assert!(health.is_degraded() && health.is_ready(), "{health:?}");
    let status = operator.status().await.unwrap();
    let count = |word: &str| {
        status.counters.iter().find(|counter| counter.name.as_str() == word).map(|it| it.count)
    };
    assert_eq!(count("is_audit_sound"), Some(0));
    assert_eq!(count("audit_trouble_disk_failed"), Some(1));
    assert!(count("audit_records_lost") > Some(0));
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acked_command_is_in_the_log_whenever_the_power_goes() {
    let ward = Ward::new();
    let audit_disk = SimDisk::new(2, DISK_BYTES);
    let node = start_on(&ward, &audit_disk);
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    for number in 0..8_u64 {
        if number % 2 == 0 {
            operator.quarantine(Thing::Subject(name("pump"))).await.unwrap();
        } else {
            operator.release(Thing::Subject(name("pump"))).await.unwrap();
        }
        let cut = audit_disk.fork(number);
        cut.cut_power();
        let (records, report) = read(&ward, &cut.power_on());
        assert!(report.is_sound(), "{report:?}");
        let is_done = |record: &&Record| {
            matches!(record.action, Action::ActorSetAside | Action::ActorReleased)
                && record.outcome == Outcome::Done
        };
        let done = records.iter().filter(is_done).count();
        assert_eq!(u64::try_from(done).unwrap(), number + 1);
    }
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_edited_or_cut_is_told_and_left_as_it_is() {
    let ward = Ward::new();
    let audit_disk = SimDisk::new(2, DISK_BYTES);
    let node = start_on(&ward, &audit_disk);
    drop(ward.alarms(node.address()).await);
    drain(node).await;
    let segment = "0000000000000001.aud";
    let contents = audit_disk.contents(segment);
    let desk = contents.windows(4).position(|window| window == b"desk").unwrap();
    let edited = audit_disk.fork(3);
    edited.corrupt(segment, |file| file[desk] ^= 1).unwrap();
    let cut = audit_disk.fork(4);
    cut.corrupt(segment, |file| file[desk..].fill(0)).unwrap();
    let gone = audit_disk.fork(5);
    gone.remove(segment).unwrap();
    for disk in [edited, cut, gone] {
        let before = disk.contents(segment);
        let node = start_on(&ward, &disk);
        let trouble = node.health().audit_trouble;
        assert!(matches!(trouble, Some(AuditTrouble::Damaged { .. })), "{trouble:?}");
        drop(ward.alarms(node.address()).await);
        drain(node).await;
        assert_eq!(disk.contents(segment), before, "it is evidence");
    }
    std::fs::remove_file(ward.folder.path().join("data/audit.key")).unwrap();
    let node = start_on(&ward, &audit_disk);
    let trouble = node.health().audit_trouble;
    assert!(matches!(trouble, Some(AuditTrouble::NoKey { .. })), "{trouble:?}");
    drain(node).await;
}

/// Where the damage lies before the last segment, the check beside the work finds it.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_long_ago_is_found_while_the_node_runs() {
    use ach_engine_audit::{Config, Log, LogName, SigningKey};
    let ward = Ward::new();
    let audit_disk = SimDisk::new(2, DISK_BYTES);
    let key_path = ward.folder.path().join("data/audit.key");
    std::fs::create_dir_all(ward.folder.path().join("data")).unwrap();
    let key = SigningKey::load_or_create(&key_path, false).unwrap();
    let log_name = LogName::new(&name("st-anna"), &name("node-1"));
    let config = Config { segment_bytes: 0 };
    let (mut log, _) = Log::open(audit_disk.clone(), config, key, log_name, now()).unwrap();
    let record = ward_record();
    while !audit_disk.list().unwrap().contains(&"0000000000000002.aud".to_owned()) {
        log.append(&record).unwrap();
        log.commit(now()).unwrap();
    }
    log.close(now()).unwrap();
    audit_disk.corrupt("0000000000000001.aud", |file| file[9_000] ^= 8).unwrap();
    let node = start_on(&ward, &audit_disk);
    let found = async {
        while node.counters().audit_damage_found.get() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    in_time("the check", found).await;
    let trouble = node.health().audit_trouble;
    assert!(matches!(trouble, Some(AuditTrouble::Damaged { .. })), "{trouble:?}");
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    operator.quarantine(Thing::Subject(name("pump"))).await.unwrap();
    drain(node).await;
}

/// A large record, so that a segment is soon full.
fn ward_record() -> Record {
    use ach_engine_audit::{Agent, Object, ObjectKind, Origin, Reason};
    let subject = |n: usize| Object::new(ObjectKind::Subject, name(&format!("visitor-{n:050}")));
    Record {
        at: now(),
        site: name("st-anna"),
        node: name("node-1"),
        who: Agent::new(AgentRole::Receiver, name("desk")),
        from: Origin::Machine,
        action: Action::ReadBegun,
        objects: (0..1_000).map(subject).collect(),
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: None,
        request: None,
        entry: None,
    }
}
