//! The test alarm on its way: displayed, not displayed, told to nobody, on a disk that stalls, left open,
//! every day.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ach_actors_model::{AlarmKind, NS_PER_S, Timestamp};
use ach_clients_rust::{AlarmStream, AlarmUpdate, Code, Filter, Operator, SelftestReport, now};
use ach_engine_journal::{SimDisk, StallingDisk};
use ach_engine_net::Role;
use ach_engine_node::{Clock, DayMinute, Node, Running, SelftestTrouble, SystemClock};
use ach_engine_wire::{Frame, SelftestOrder};
use tokio::task::JoinHandle;

use crate::audit::{check_has, drain, records};
use crate::ward::raw::Raw;
use crate::ward::{Alarms, Ward, in_time, name, render};

const DISK_BYTES: u64 = 256 << 20;

/// As long as a test may take that is to fail.
const SOON: Duration = Duration::from_secs(1);

/// A ward whose tests fail soon.
fn hasty() -> Ward {
    let mut ward = Ward::new();
    ward.limits.selftest_within = SOON;
    ward
}

async fn operator(ward: &Ward, node: &Running) -> Operator {
    ward.client(node.address(), Role::Operator, "chief").await.operator()
}

/// A receiver that has its open set.
async fn follow(ward: &Ward, node: &Running, who: &str, filter: Filter) -> AlarmStream {
    follow_as(Role::Receiver, ward, node, who, filter).await
}

async fn follow_as(
    role: Role,
    ward: &Ward,
    node: &Running,
    who: &str,
    filter: Filter,
) -> AlarmStream {
    let client = ward.client(node.address(), role, who).await;
    let mut stream = client.subscriber().alarms(filter, None).await.unwrap();
    let mark = in_time("the mark", stream.next()).await.unwrap();
    assert_eq!(render(&mark), "open 0");
    stream
}

/// Shows all that comes, and says so, until the test alarm has ended; gives what came.
fn show(mut stream: AlarmStream) -> JoinHandle<(AlarmStream, Vec<String>)> {
    tokio::spawn(async move {
        let mut came = Vec::new();
        loop {
            let update = in_time("news", stream.next()).await.unwrap();
            came.push(render(&update));
            stream.displayed().await.unwrap();
            if came.last().is_some_and(|it| it.starts_with("Cleared SelfTest")) {
                return (stream, came);
            }
        }
    })
}

async fn test(operator: &mut Operator) -> SelftestReport {
    in_time("the report", operator.selftest()).await.unwrap()
}

async fn until_nobody_follows(operator: &mut Operator) {
    let asked = async { while !operator.attention().await.unwrap().receivers.is_empty() {} };
    in_time("everybody to be gone", asked).await;
}

fn hops(report: &SelftestReport) -> Vec<&str> {
    report.hops.iter().map(|hop| hop.word.as_str()).collect()
}

fn found(report: &SelftestReport) -> Vec<&str> {
    assert_eq!(report.code == Code::Done, report.findings.is_empty(), "{report:?}");
    assert!(report.findings.iter().all(|it| !it.remedy.as_str().is_empty()));
    report.findings.iter().map(|it| it.detail.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_alarm_comes_all_the_way_and_is_ended() {
    let ward = Ward::new();
    let node = ward.start();
    // A board of another ward, for urgent alarms alone, is tested as well.
    let zones = vec![name("vault")];
    let priorities = vec![ach_actors_model::AlarmPriority::High];
    let filter = Filter { zones, priorities, ..Filter::default() };
    let board = show(follow(&ward, &node, "board", filter).await);
    let kinds = vec![AlarmKind::Duress];
    let narrow = Filter { kinds, ..Filter::default() };
    let deaf = follow(&ward, &node, "deaf", narrow).await;
    let mut operator = operator(&ward, &node).await;
    let report = test(&mut operator).await;
    assert_eq!(found(&report), Vec::<&str>::new());
    assert_eq!(hops(&report), ["decided", "told", "durable", "displayed", "ended"]);
    let after: Vec<u64> = report.hops.iter().map(|hop| hop.after_ns).collect();
    assert!(after[0] <= after[1] && after[1] <= after[2] && after[4] >= after[3], "{after:?}");
    let receivers: Vec<_> = report.receivers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(receivers, ["board"], "who lists other kinds is not told");
    assert_eq!(report.receivers[0].displayed_after_ns, Some(after[3]));
    let (_, came) = board.await.unwrap();
    assert_eq!(came[0], "Raised SelfTest - Provisional(None)");
    assert_eq!(came.last().unwrap(), "Cleared SelfTest - Durable");
    assert_eq!(node.counters().selftests_passed.get(), 1);
    assert!(!node.health().is_degraded());
    operator.close().await;
    drop(deaf);
    drain(node).await;
    check_has(&records(&ward), "operator chief self_tested done []");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_alarm_that_nobody_displays_is_a_broken_chain() {
    let ward = hasty();
    let node = ward.start();
    let mut operator = operator(&ward, &node).await;
    let report = test(&mut operator).await;
    assert_eq!(found(&report), ["no receiver follows alarms, so none was told of the test alarm"]);
    assert_eq!(hops(&report), ["decided", "told", "durable", "ended"]);

    // What an operator has left running displays it; nobody comes for it.
    let everything = Filter::default();
    let terminal = show(follow_as(Role::Operator, &ward, &node, "desk", everything).await);
    let report = test(&mut operator).await;
    assert_eq!(found(&report), ["no receiver follows alarms, so none was told of the test alarm"]);
    let receiver = &report.receivers[0];
    assert!(receiver.is_operator && receiver.displayed_after_ns.is_some(), "{receiver:?}");
    drop(terminal.await.unwrap());

    let silent = follow(&ward, &node, "silent", Filter::default()).await;
    let report = test(&mut operator).await;
    assert_eq!(found(&report), ["no receiver said in time that people could see the test alarm"]);
    assert_eq!(report.receivers[0].name.as_str(), "silent");
    assert_eq!(report.receivers[0].displayed_after_ns, None);

    // One that has displayed alarms and does no more is found, though another one does.
    let mut frozen = follow(&ward, &node, "frozen", Filter::default()).await;
    frozen.displayed().await.unwrap();
    let mut attention = ward.client(node.address(), Role::Operator, "other").await.operator();
    let known = async {
        loop {
            let told = attention.attention().await.unwrap();
            if told.receivers.iter().any(|it| it.displayed_at.is_some()) {
                return;
            }
        }
    };
    in_time("what it displays to be known", known).await;
    let board = show(follow(&ward, &node, "board", Filter::default()).await);
    let report = test(&mut operator).await;
    let told = "frozen displays alarms, was told of the test alarm, and did not display it in time";
    assert_eq!(found(&report), [told]);
    assert!(hops(&report).contains(&"displayed"));
    board.await.unwrap();
    assert_eq!(node.counters().selftests_failed.get(), 4);
    assert!(!node.health().is_degraded(), "nobody asked for a test each day");
    drop((silent, frozen));
    operator.close().await;
    attention.close().await;
    drain(node).await;
    check_has(&records(&ward), "operator chief self_tested failed []");
}

/// A wall with a board and later two; the first is unplugged one night, and the node started anew. Whoever never
/// displayed anything is not waited for, so the first test has one board.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_displayed_test_alarms_and_is_away_or_frozen_is_named_until_it_is_dropped()
{
    let mut ward = Ward::new();
    let node = ward.start();
    let everything = Filter::default;
    let board = show(follow(&ward, &node, "board-2", everything()).await);
    // A terminal that is gone the next day is nobody's loss.
    let terminal = show(follow_as(Role::Operator, &ward, &node, "desk", everything()).await);
    let mut chief = operator(&ward, &node).await;
    assert_eq!(found(&test(&mut chief).await), Vec::<&str>::new());
    drop(terminal.await.unwrap());
    drop(board.await.unwrap());
    chief.close().await;
    drain(node).await;

    ward.limits.selftest_within = Duration::from_secs(3);
    let node = ward.start();
    let mut chief = operator(&ward, &node).await;
    let board = show(follow(&ward, &node, "board-1", everything()).await);
    let report = test(&mut chief).await;
    let away = "board-2 displayed test alarms before, and was not there to be told of this one";
    assert_eq!(found(&report), [away]);
    assert!(hops(&report).contains(&"displayed"), "by the other one");
    drop(board.await.unwrap());
    until_nobody_follows(&mut chief).await;

    // It is back, and froze before it displayed anything over this connection.
    let board = show(follow(&ward, &node, "board-1", everything()).await);
    let frozen = follow(&ward, &node, "board-2", everything()).await;
    let silent =
        "board-2 displays alarms, was told of the test alarm, and did not display it in time";
    assert_eq!(found(&test(&mut chief).await), [silent]);
    drop((board.await.unwrap(), frozen));
    until_nobody_follows(&mut chief).await;

    let board = show(follow(&ward, &node, "board-1", everything()).await);
    let gone = vec![name("board-2"), name("nobody")];
    let report = in_time("the report", chief.selftest_without(gone)).await.unwrap();
    assert_eq!(found(&report), Vec::<&str>::new());
    drop(board.await.unwrap());
    until_nobody_follows(&mut chief).await;
    let report = test(&mut chief).await;
    let nobody = "no receiver follows alarms, so none was told of the test alarm";
    assert_eq!(found(&report), [nobody, away.replace('2', "1").as_str()]);
    chief.close().await;
    drain(node).await;
    let dropped = "operator chief self_tested done [receiver_certificate board-2]";
    check_has(&records(&ward), dropped);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_test_at_a_time_and_only_for_an_operator() {
    let mut ward = Ward::new();
    ward.limits.selftest_within = Duration::from_secs(3);
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut first = operator(&ward, &node).await;
    let first = tokio::spawn(async move { test(&mut first).await });
    alarms.expect("Raised SelfTest - Provisional(None)").await;
    let mut second = ward.client(node.address(), Role::Operator, "other").await.operator();
    let refused = test(&mut second).await;
    assert_eq!((refused.code, refused.alarm), (Code::NotNow, None));
    assert_eq!(first.await.unwrap().code, Code::SelftestFailed);
    let mut board = ward.client(node.address(), Role::Receiver, "board").await.operator();
    let refused = in_time("an answer", board.selftest()).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(node.counters().selftests_failed.get(), 1);
}

/// The operator's connection breaks in the middle, and its client asks again.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_comes_again_is_answered_with_the_report_of_its_test() {
    let mut ward = Ward::new();
    ward.limits.selftest_within = Duration::from_secs(3);
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let chief = ward.bundle(Role::Operator, "chief");
    let order = SelftestOrder { command: 7, dropped: Vec::new() };
    let mut first = Raw::open(node.address(), &chief).await;
    first.say(order.clone()).await;
    alarms.expect("Raised SelfTest - Provisional(None)").await;
    drop(first);
    let is_report = |frame: &Frame| matches!(frame, Frame::SelftestReport(_));
    let mut told = Vec::new();
    // While the test is under way, and when it is over.
    for _ in 0..2 {
        let mut again = Raw::open(node.address(), &chief).await;
        again.say(order.clone()).await;
        let Frame::SelftestReport(report) = again.hear(is_report).await else { panic!() };
        told.push(report);
    }
    assert_eq!((told[0].code, told[0].alarm.is_some()), (Code::SelftestFailed, true));
    assert_eq!(told[0], told[1]);
    assert_eq!(node.counters().selftests_failed.get(), 1, "one test was made");
    // Another number is another test, and so is another operator's.
    let mut other = Raw::open(node.address(), &ward.bundle(Role::Operator, "other")).await;
    other.say(order).await;
    other.hear(is_report).await;
    assert_eq!(node.counters().selftests_failed.get(), 2);
    drop((alarms, other));
    drain(node).await;
    check_has(&records(&ward), "operator chief self_tested begun []");
}

/// Sixteen repeated orders wait for a report.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_order_that_comes_again_and_again_no_more_wait_than_there_is_room_for() {
    let mut ward = Ward::new();
    ward.limits.selftest_within = Duration::from_secs(3);
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let chief = ward.bundle(Role::Operator, "chief");
    let order = |command| SelftestOrder { command, dropped: Vec::new() };
    let mut first = Raw::open(node.address(), &chief).await;
    first.say(order(7)).await;
    alarms.expect("Raised SelfTest - Provisional(None)").await;
    let mut again = Raw::open(node.address(), &chief).await;
    for _ in 0..16 + 3 {
        again.say(order(7)).await;
    }
    let is_report = |frame: &Frame| matches!(frame, Frame::SelftestReport(_));
    first.hear(is_report).await;
    // What is asked now is answered after all that waited.
    again.say(order(8)).await;
    let mut told = Vec::new();
    while told.last() != Some(&8) {
        let Frame::SelftestReport(report) = again.hear(is_report).await else { panic!() };
        told.push(report.command);
    }
    assert_eq!(told, [vec![7; 16], vec![8]].concat());
    // There is room again.
    again.say(order(8)).await;
    again.hear(is_report).await;
    assert_eq!(node.counters().selftests_failed.get(), 2, "of two orders");
}

/// Somebody says that a board is gone while another test is under way.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_refused_drops_no_screens() {
    let mut ward = Ward::new();
    ward.limits.selftest_within = Duration::from_secs(3);
    let node = ward.start();
    let mut chief = operator(&ward, &node).await;
    let board = show(follow(&ward, &node, "board", Filter::default()).await);
    assert_eq!(test(&mut chief).await.code, Code::Done);
    drop(board.await.unwrap());
    until_nobody_follows(&mut chief).await;

    let mut alarms = ward.alarms(node.address()).await;
    let first = tokio::spawn(async move { (test(&mut chief).await, chief) });
    alarms.expect("Raised SelfTest - Provisional(None)").await;
    let mut other = ward.client(node.address(), Role::Operator, "other").await.operator();
    let gone = vec![name("board")];
    let refused = in_time("an answer", other.selftest_without(gone)).await.unwrap();
    assert_eq!(refused.code, Code::NotNow);
    let (report, mut chief) = first.await.unwrap();
    let away = "board displayed test alarms before, and was not there to be told of this one";
    assert!(found(&report).contains(&away), "{report:?}");
    let report = test(&mut chief).await;
    assert!(found(&report).contains(&away), "the next one: {report:?}");
    drop((alarms, other));
    chief.close().await;
    drain(node).await;
    let code = Code::NotNow.value();
    let told =
        format!("operator other self_tested refused code {code} [receiver_certificate board]");
    check_has(&records(&ward), &told);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_stalls_the_test_says_so_and_ends_when_the_disk_answers() {
    let ward = hasty();
    let disk = StallingDisk::new(SimDisk::new(1, DISK_BYTES));
    let node = ward.start_on(disk.clone());
    let board = show(follow(&ward, &node, "board", Filter::default()).await);
    let mut operator = operator(&ward, &node).await;
    disk.stall();
    let report = test(&mut operator).await;
    disk.go_on();
    assert_eq!(found(&report), ["the disk did not have the test alarm in time"]);
    assert_eq!(hops(&report), ["decided", "told", "displayed"]);
    let (mut stream, came) = board.await.unwrap();
    assert_eq!(came[0], "Raised SelfTest - Provisional(None)");
    // And the next one is good.
    let board = tokio::spawn(async move {
        while let Some(update) = stream.next().await {
            stream.displayed().await.unwrap();
            if matches!(update, AlarmUpdate::Disconnected) {
                return;
            }
        }
    });
    assert_eq!(found(&test(&mut operator).await), Vec::<&str>::new());
    board.abort();
}

/// As after a crash in the middle: who comes to the next start hears that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_alarm_that_an_earlier_run_left_open_is_ended_by_the_next_start() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut chief = operator(&ward, &node).await;
    let asked = tokio::spawn(async move { chief.selftest().await.is_ok() });
    alarms.expect("Raised SelfTest - Provisional(None)").await;
    alarms.expect("durable Raised").await;
    drain(node).await;
    asked.abort();

    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let stream = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let mut alarms = Alarms { stream };
    let first = alarms.next().await;
    if first == "open 0" {
        // Its end came before this receiver did.
        assert_eq!(node.counters().alarms_cleared.get(), 1);
    } else {
        assert_eq!(first, "Raised SelfTest - Durable");
        while alarms.next().await != "Cleared SelfTest - Durable" {}
    }
}

/// The machine's clocks, set ahead.
#[derive(Debug, Default)]
struct AheadClock {
    system: SystemClock,
    ahead_ns: AtomicU64,
}

impl Clock for AheadClock {
    fn monotonic_ns(&self) -> u64 {
        self.system.monotonic_ns() + self.ahead_ns.load(Ordering::SeqCst)
    }

    fn utc(&self) -> Timestamp {
        self.system.utc().plus_ns(self.ahead_ns.load(Ordering::SeqCst))
    }
}

async fn until_trouble(operator: &mut Operator, node: &Running, expected: Option<SelftestTrouble>) {
    let asked = async {
        while node.health().selftest_trouble != expected {
            operator.status().await.unwrap();
        }
    };
    in_time("what the daily test is in trouble with", asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_test_that_fails_or_is_missed_makes_the_node_degraded_until_one_is_good() {
    let mut ward = hasty();
    let in_two_minutes = now().0 / (60 * NS_PER_S) % 1_440 + 2;
    let (hour, minute) = (in_two_minutes / 60 % 24, in_two_minutes % 60);
    let minute = DayMinute::new(u8::try_from(hour).unwrap(), u8::try_from(minute).unwrap());
    ward.limits.selftest_at = minute;
    let clock = Arc::new(AheadClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut chief = operator(&ward, &node).await;
    assert_eq!(node.health().selftest_trouble, None, "before the first is due");
    let failed = vec![AlarmKind::SelftestFailed];
    let mut watcher = ward.alarms_of(node.address(), failed).await;
    clock.ahead_ns.store(180 * NS_PER_S, Ordering::SeqCst);
    until_trouble(&mut chief, &node, Some(SelftestTrouble::Failed)).await;
    assert!(node.health().is_degraded());
    watcher.expect("Raised SelftestFailed - Provisional(None)").await;
    watcher.expect("durable Raised").await;
    let kinds = vec![AlarmKind::SelfTest];
    let board = Filter { kinds: kinds.clone(), ..Filter::default() };
    let board = show(follow(&ward, &node, "board", board).await);
    assert_eq!(test(&mut chief).await.code, Code::Done);
    until_trouble(&mut chief, &node, None).await;
    board.await.unwrap();
    watcher.expect("Cleared SelftestFailed - Durable").await;
    chief.close().await;
    drain(node).await;
    check_has(&records(&ward), "node node-1 self_tested failed []");

    // The next day it is away when the test is due, and knows it when it is back.
    let clock = Arc::new(AheadClock::default());
    clock.ahead_ns.store((86_400 + 1_200) * NS_PER_S, Ordering::SeqCst);
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut chief = operator(&ward, &node).await;
    until_trouble(&mut chief, &node, Some(SelftestTrouble::Missed)).await;
    assert_eq!(node.counters().selftests_missed.get(), 1);
    let board = Filter { kinds, ..Filter::default() };
    let board = show(follow(&ward, &node, "board", board).await);
    clock.ahead_ns.store((86_400 + 1_300) * NS_PER_S, Ordering::SeqCst);
    until_trouble(&mut chief, &node, None).await;
    assert_eq!(node.counters().selftests_passed.get(), 1, "it was made up for");
    board.await.unwrap();
}
