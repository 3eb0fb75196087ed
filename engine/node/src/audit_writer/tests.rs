//! The thread of the audit log on disks that fail, are full, or are not there yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{
    Action, Agent, LogName, Origin, Outcome, Reason, Report, SigningKey, Verifier,
};
use ach_engine_journal::{SimDisk, SimFault};

use super::*;
use crate::clock::SimClock;

const DISK_BYTES: u64 = 64 << 20;

/// How long a test waits for what a tick of a second brings.
const PATIENCE: Duration = Duration::from_secs(30);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn record() -> Record {
    Record {
        at: Timestamp(1 << 60),
        site: name("st-anna"),
        node: name("node-1"),
        who: Agent::unknown(),
        from: Origin::Machine,
        action: Action::Connected,
        objects: Vec::new(),
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: None,
        request: None,
        entry: None,
    }
}

/// A log at work.
struct Scene {
    folder: tempfile::TempDir,
    orders: mpsc::Sender<Order>,
    opened: Receiver<()>,
    state: Arc<AuditState>,
    counters: Arc<Counters>,
}

impl Scene {
    fn start(place: impl FnMut() -> std::io::Result<SimDisk> + Send + 'static) -> Scene {
        Scene::start_with(tempfile::tempdir().unwrap(), place)
    }

    fn start_with(
        folder: tempfile::TempDir,
        place: impl FnMut() -> std::io::Result<SimDisk> + Send + 'static,
    ) -> Scene {
        let (state, counters): (Arc<AuditState>, Arc<Counters>) = (Arc::default(), Arc::default());
        let clock = ShardClock::start(Arc::new(SimClock::at(Timestamp(1 << 60))), None);
        let parts = AuditParts {
            opening: Opening {
                place: Box::new(place),
                key_path: folder.path().join("audit.key"),
                name: LogName::new(&name("st-anna"), &name("node-1")),
                sizes: ach_engine_audit::Config::default(),
            },
            state: state.clone(),
            counters: counters.clone(),
            clock: Arc::new(clock),
            found: Arc::new(record),
        };
        let (orders, opened) = start(parts).unwrap();
        Scene { folder, orders, opened, state, counters }
    }

    fn on(disk: &SimDisk) -> Scene {
        let disk = disk.clone();
        Scene::start(move || Ok(disk.clone()))
    }

    /// Keeps a record, and says whether it is on disk.
    fn ask(&self) -> bool {
        let (told, is_told) = oneshot::channel();
        let order = Order::Keep { record: Box::new(record()), told: Some(told) };
        self.orders.blocking_send(order).unwrap();
        is_told.blocking_recv().unwrap()
    }

    /// Asks until a record is kept.
    #[expect(clippy::disallowed_methods, reason = "a limit for a tick of the thread")]
    fn ask_until_kept(&self) -> u64 {
        let begun_at = std::time::Instant::now();
        let mut lost = 0;
        while !self.ask() {
            lost += 1;
            assert!(begun_at.elapsed() < PATIENCE, "{:?}", self.state.trouble());
            std::thread::sleep(Duration::from_millis(20));
        }
        lost
    }

    fn end(&self) {
        let (ending, has_ended) = oneshot::channel();
        self.orders.blocking_send(Order::End(ending)).unwrap();
        has_ended.blocking_recv().unwrap();
    }

    fn word(&self) -> Option<&'static str> {
        self.state.trouble().map(|why| why.word())
    }

    fn report(&self, disk: &SimDisk) -> Report {
        let key = SigningKey::load(&self.folder.path().join("audit.key")).unwrap();
        Verifier::new(Some(key.verifying())).run(disk, &mut |_| {}).unwrap()
    }
}

/// Whatever fails and whenever: each record is on disk or counted, and none is both.
#[test]
fn each_record_is_written_or_counted_as_lost() {
    let mut lost_any = 0;
    for op in 1..40 {
        let disk = SimDisk::new(op, DISK_BYTES);
        let scene = Scene::on(&disk);
        scene.opened.recv().unwrap();
        disk.plan(op, SimFault::Fail);
        for _ in 0..5 {
            for _ in 0..9 {
                let order = Order::Keep { record: Box::new(record()), told: None };
                scene.orders.blocking_send(order).unwrap();
            }
            scene.ask();
        }
        scene.end();
        let written = scene.counters.audit_records_written.get();
        let lost = scene.counters.audit_records_lost.get();
        assert_eq!(written + lost, 50, "fault at {op}: {written} written, {lost} lost");
        assert!(scene.report(&disk.restart()).records >= written, "fault at {op}");
        assert!(lost == 0 || scene.word() == Some("disk_failed"), "fault at {op}: {lost} lost");
        lost_any += u64::from(lost > 0);
    }
    assert!(lost_any > 5, "only {lost_any} faults have lost anything");
}

#[test]
fn a_first_start_without_room_goes_on_when_there_is_some() {
    let disk = SimDisk::new(1, 0);
    let scene = Scene::on(&disk);
    scene.opened.recv().unwrap();
    assert_eq!(scene.word(), Some("disk_full"));
    assert!(!scene.ask(), "nothing is kept without room");
    disk.set_capacity(DISK_BYTES);
    let lost = 1 + scene.ask_until_kept();
    assert_eq!(scene.word(), None);
    scene.end();
    assert_eq!(scene.counters.audit_records_lost.get(), lost);
    assert_eq!(scene.report(&disk).records, 1);
}

#[test]
fn a_folder_that_is_not_there_yet_is_waited_for() {
    let disk = SimDisk::new(1, DISK_BYTES);
    let is_mounted = Arc::new(AtomicBool::new(false));
    let place = {
        let (disk, is_mounted) = (disk.clone(), is_mounted.clone());
        move || {
            let is_mounted = is_mounted.load(Ordering::SeqCst);
            let gone = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            if is_mounted { Ok(disk.clone()) } else { Err(gone) }
        }
    };
    let scene = Scene::start(place);
    scene.opened.recv().unwrap();
    assert_eq!(scene.word(), Some("not_opened"));
    assert!(!scene.ask());
    is_mounted.store(true, Ordering::SeqCst);
    scene.ask_until_kept();
    assert_eq!(scene.word(), None);
    scene.end();
    assert!(scene.report(&disk).is_sound());
}

/// Somebody has removed all of it: the key does not sign another one in its place.
#[test]
fn a_log_that_is_gone_is_trouble_until_it_is_put_back() {
    let disk = SimDisk::new(1, DISK_BYTES);
    let empty = SimDisk::new(2, DISK_BYTES);
    let is_back = Arc::new(AtomicBool::new(true));
    let first = Scene::on(&disk);
    assert!(first.ask());
    first.end();
    let place = {
        let (disk, is_back) = (disk.clone(), is_back.clone());
        move || Ok(if is_back.load(Ordering::SeqCst) { disk.clone() } else { empty.clone() })
    };
    is_back.store(false, Ordering::SeqCst);
    let folder = first.folder;
    let scene = Scene::start_with(folder, place);
    scene.opened.recv().unwrap();
    assert_eq!(scene.word(), Some("gone"));
    assert!(!scene.ask());
    is_back.store(true, Ordering::SeqCst);
    scene.ask_until_kept();
    assert_eq!(scene.word(), None);
    scene.end();
    assert_eq!(scene.report(&disk).records, 2);
}
