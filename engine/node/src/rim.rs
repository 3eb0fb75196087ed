//! What the sessions and the publisher share on their one thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{
    DoorStanding, NS_PER_S, Name, Pass, PassNotice, SourceRef, SubjectRef, Timestamp, WishRefusal,
};
use ach_engine_net::{Listener, Revocations};
use ach_engine_shard::QuietThing;
use ach_engine_wire::SiteDigest;
use ach_geo::SiteFrame;
use tokio::sync::{Mutex, Notify, oneshot, watch};
use tokio::task::yield_now;

use crate::ack_table::AckTable;
use crate::attention::{AttentionBook, Unseen};
use crate::auditor::Auditor;
use crate::clock::ShardClock;
use crate::commit_mark::CommitMark;
use crate::counters::Counters;
use crate::door_table::DoorTable;
use crate::fan_out::{FanOut, SubscriberKey};
use crate::lanes::Lanes;
use crate::limits::NodeLimits;
use crate::memo::{Memo, MemoBook};
use crate::node_trouble::TroubleDesk;
use crate::outlet::Outlet;
use crate::ping_line::PingLine;
use crate::recent::NoticeAt;
use crate::residence::Residence;
use crate::selftest::SelftestDesk;
use crate::selftest::schedule::Schedule;
use crate::shard_gauge::ShardGauge;
use crate::site_desk::SiteDesk;
use crate::told::Told;
use crate::unregistered::UnregisteredBook;

/// Lines about what peers do wrong that are logged in [`LINES_WITHIN_NS`].
const LINES_MAX: u32 = 20;

/// See [`LINES_MAX`].
const LINES_WITHIN_NS: u64 = 10 * NS_PER_S;

/// That the entry which held an input is stepped and, if the node stores, on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The entry.
    pub index: u64,
    /// Whether it is on disk.
    pub is_durable: bool,
    /// Why nothing came of it, if nothing did.
    pub refusal: Option<WishRefusal>,
}

/// The rim of a node. Everything in it belongs to one thread; what other threads share is in an
/// `Arc` and locks nothing that anybody holds while the lanes have room.
#[derive(Debug)]
pub(crate) struct Rim {
    pub node: Name,
    pub frame: Option<SiteFrame>,
    pub lanes: Arc<Lanes>,
    /// Who gives pings to their lane next.
    pub ping_line: Rc<PingLine>,
    pub outlet: Arc<Outlet>,
    pub clock: Arc<ShardClock>,
    pub mark: Arc<CommitMark>,
    pub counters: Arc<Counters>,
    pub gauge: Arc<ShardGauge>,
    pub limits: NodeLimits,
    pub listener: Listener,
    pub audit: Auditor,
    pub acks: RefCell<AckTable>,
    pub fan_out: RefCell<FanOut>,
    /// How doors stand, and what they are told to do.
    pub doors: RefCell<DoorTable>,
    pub residence: Residence,
    /// True once the node is ending; sessions say goodbye.
    pub goodbye: watch::Sender<bool>,
    /// True once something failed without which the node must not go on.
    pub failed: watch::Sender<bool>,
    /// True once nothing is stored any more.
    pub storing_stopped: watch::Sender<bool>,
    /// UTC less shard time in nanoseconds while that is more than it should be, else 0.
    pub skew_ns: watch::Sender<i64>,
    /// The version of the site that sessions go by.
    pub site_version: watch::Sender<u32>,
    /// Who puts another version of the site in force, and what is known of the one in force.
    pub site_desk: SiteDesk,
    /// Whose certificates are void.
    pub revocations: watch::Receiver<Revocations>,
    /// Tags that vendors name and the site does not have.
    pub unregistered: RefCell<UnregisteredBook>,
    /// All that is quiet, as the shard told last.
    pub quiet: RefCell<Vec<QuietThing>>,
    /// Who has leave.
    pub passes: RefCell<BTreeMap<SubjectRef, Arc<Pass>>>,
    /// Who displays alarms, and how far.
    pub attention: RefCell<AttentionBook>,
    /// Held while it is worked out which alarms were displayed.
    attention_look: Mutex<()>,
    /// Where a test alarm is followed.
    pub selftest: SelftestDesk,
    /// Where inputs about trouble of the node itself are followed.
    pub troubles: TroubleDesk,
    /// When one is due, if it is every day.
    pub schedule: Option<Schedule>,
    /// What is known of earlier runs.
    pub memo: MemoBook,
    waiting: Cell<usize>,
    told: Notify,
    streams_told: Cell<u64>,
    logged: Cell<(Timestamp, u32)>,
    tickets: RefCell<BTreeMap<u64, oneshot::Sender<Settled>>>,
    next_ticket: Cell<u64>,
    vendors: RefCell<BTreeMap<SourceRef, Rc<watch::Sender<bool>>>>,
}

/// What a rim is made of.
#[derive(Debug)]
pub(crate) struct RimParts {
    pub node: Name,
    pub frame: Option<SiteFrame>,
    pub lanes: Arc<Lanes>,
    pub outlet: Arc<Outlet>,
    pub clock: Arc<ShardClock>,
    pub mark: Arc<CommitMark>,
    pub counters: Arc<Counters>,
    pub gauge: Arc<ShardGauge>,
    pub limits: NodeLimits,
    pub audit: Auditor,
    pub acks: AckTable,
    pub told: Told,
    pub doors: DoorTable,
    pub site: Arc<Site>,
    pub site_digest: Option<SiteDigest>,
    pub revocations: watch::Receiver<Revocations>,
    pub memo: MemoBook,
    pub passes: Vec<Arc<Pass>>,
}

impl Rim {
    /// A rim without sessions.
    pub(crate) fn new(parts: RimParts, listener: Listener) -> Rim {
        let version = parts.site.version();
        let begun_at = parts.clock.now();
        let memo = parts.memo.memo();
        parts.counters.tally.set_selftest(memo.tested_at, memo.test_good_at);
        if memo.displayed_at.0 > 0 {
            parts.counters.tally.expect_displays();
        }
        let fan_out = FanOut::new(parts.site, parts.told, parts.counters.clone());
        Rim {
            node: parts.node,
            frame: parts.frame,
            ping_line: PingLine::new(parts.lanes.clone()),
            lanes: parts.lanes,
            outlet: parts.outlet,
            clock: parts.clock,
            mark: parts.mark,
            counters: parts.counters,
            gauge: parts.gauge,
            limits: parts.limits,
            listener,
            audit: parts.audit,
            acks: RefCell::new(parts.acks),
            fan_out: RefCell::new(fan_out),
            doors: RefCell::new(parts.doors),
            residence: Residence::new(parts.limits.is_residence_measured),
            goodbye: watch::Sender::new(false),
            failed: watch::Sender::new(false),
            storing_stopped: watch::Sender::new(false),
            skew_ns: watch::Sender::new(0),
            site_version: watch::Sender::new(version),
            site_desk: SiteDesk::new(version, parts.site_digest),
            revocations: parts.revocations,
            unregistered: RefCell::default(),
            quiet: RefCell::default(),
            passes: RefCell::new(
                parts.passes.into_iter().map(|pass| (pass.subject, pass)).collect(),
            ),
            attention: RefCell::new(AttentionBook::begun_at(begun_at)),
            attention_look: Mutex::default(),
            selftest: SelftestDesk::default(),
            troubles: TroubleDesk::default(),
            schedule: parts.limits.selftest_at.map(|at| Schedule::new(at, begun_at)),
            memo: parts.memo,
            waiting: Cell::new(0),
            told: Notify::new(),
            streams_told: Cell::new(0),
            logged: Cell::default(),
            tickets: RefCell::default(),
            next_ticket: Cell::new(0),
            vendors: RefCell::default(),
        }
    }

    /// The site in force.
    pub(crate) fn site(&self) -> Arc<Site> {
        self.fan_out.borrow().site().clone()
    }

    /// From here on another version of the site is in force.
    pub(crate) fn set_site(&self, site: Arc<Site>) {
        let version = site.version();
        let told = self.doors.borrow_mut().change_site(&site);
        self.fan_out.borrow_mut().set_site(site);
        self.wake_vendors(told);
        self.site_version.send_replace(version);
    }

    /// What vendors are told has changed.
    pub(crate) fn wake_vendors(&self, sources: impl IntoIterator<Item = SourceRef>) {
        let mut acks = self.acks.borrow_mut();
        for source in sources {
            acks.source(source).changed.send_replace(());
        }
    }

    /// A door is otherwise than it was, or is told to be.
    pub(crate) fn put_door(&self, standing: DoorStanding, at: NoticeAt) {
        let site = self.site();
        let told = self.doors.borrow_mut().put(standing, at, &site);
        self.wake_vendors(told);
    }

    /// A subscriber to alarms goes.
    pub(crate) fn leave_attention(&self, key: SubscriberKey) {
        self.attention.borrow_mut().leave(key, &self.fan_out.borrow());
    }

    /// A receiver displays alarms: from now on, and in later runs, it is trouble when none does.
    pub(crate) fn expect_displays(&self, now: Timestamp) {
        let memo = self.memo.memo();
        if memo.displayed_at.0 == 0 {
            self.memo.keep(Memo { displayed_at: now, ..memo });
            self.counters.tally.expect_displays();
            tracing::info!("a receiver displays alarms; from now on one is expected to");
        }
    }

    /// Remembers, for later starts, that there is a list of revoked certificates.
    pub(crate) fn remember_revocations(&self) {
        let memo = self.memo.memo();
        if memo.revoked_at.0 == 0 && !self.revocations.borrow().is_empty() {
            self.memo.keep(Memo { revoked_at: self.clock.now(), ..memo });
        }
    }

    /// Works out which open alarms nobody has displayed; counts and tells what is newly overdue. Others
    /// have their turn between.
    pub(crate) async fn look_at_attention(&self) -> Unseen {
        let _only_one = self.attention_look.lock().await;
        let mut look = self.attention.borrow_mut().begin_look(self.clock.now());
        while !self.attention.borrow_mut().look_on(&mut look, &self.fan_out.borrow()) {
            yield_now().await;
        }
        let unseen = look.unseen();
        self.tell_unseen(unseen);
        unseen
    }

    fn tell_unseen(&self, unseen: Unseen) {
        let displaying = self.attention.borrow().displaying_count();
        if unseen.new_count > 0 {
            let alarms = unseen.new_count;
            self.counters.alarms_not_displayed.add(u64::try_from(alarms).unwrap_or(u64::MAX));
            if self.counters.tally.is_display_expected() {
                tracing::error!(
                    alarms,
                    displaying,
                    "nobody has displayed these alarms in 30 s: look whether anybody looks"
                );
            } else {
                tracing::info!(alarms, "no receiver of this site says what it displays");
            }
        }
        self.counters.tally.set_unseen(unseen, displaying);
    }

    /// Feeds whose vendors are connected.
    pub(crate) fn connected_feeds(&self) -> Vec<SourceRef> {
        self.vendors.borrow().keys().copied().collect()
    }

    /// Whether vendors' clocks may be compared with the node's: not where it follows a recording, and
    /// not while it differs from the machine's, when one of the two is wrong and nobody knows which.
    pub(crate) fn has_certain_clock(&self) -> bool {
        self.clock.runs_by_itself() && *self.skew_ns.borrow() == 0
    }

    /// Whether one more line about what peers do wrong may be logged: at most [`LINES_MAX`] in
    /// [`LINES_WITHIN_NS`], so that nobody can fill a disk with them. All of it is counted.
    pub(crate) fn may_log(&self) -> bool {
        let now = self.clock.now();
        let (since, lines) = self.logged.get();
        let (since, lines) =
            if now.since_ns(since) > LINES_WITHIN_NS { (now, 0) } else { (since, lines) };
        self.logged.set((since, lines.saturating_add(1)));
        lines < LINES_MAX
    }

    /// The publisher has brought what had come; so many effects wait for the disk.
    pub(crate) fn note_waiting(&self, waiting: usize) {
        self.waiting.set(waiting);
        self.told.notify_one();
    }

    /// An alarm is in the queues of so many subscribers. Who works on lets their connections send it
    /// first.
    pub(crate) fn note_alarm_told(&self, subscribers: usize) {
        let streams = u64::try_from(subscribers).unwrap_or(u64::MAX);
        self.streams_told.set(self.streams_told.get().wrapping_add(streams));
    }

    /// Into how many streams alarms were put so far.
    pub(crate) fn streams_told(&self) -> u64 {
        self.streams_told.get()
    }

    /// Returns when all that left the shard has been told.
    pub(crate) async fn all_told(&self) {
        while self.waiting.get() > 0 || self.outlet.depth() > 0 {
            self.outlet.wake_publisher();
            self.told.notified().await;
        }
    }

    /// A ticket for an input, and what tells when the input is settled.
    pub(crate) fn ticket(&self) -> (u64, oneshot::Receiver<Settled>) {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket.wrapping_add(1));
        let (tell, told) = oneshot::channel();
        self.tickets.borrow_mut().insert(ticket, tell);
        (ticket, told)
    }

    /// Tells whoever waits for a ticket.
    pub(crate) fn settle(&self, ticket: u64, settled: Settled) {
        if let Some(tell) = self.tickets.borrow_mut().remove(&ticket) {
            // Whoever waited may be gone.
            let _ = tell.send(settled);
        }
    }

    /// Leave was given, or is over.
    pub(crate) fn note_pass(&self, notice: PassNotice) {
        let mut passes = self.passes.borrow_mut();
        match notice.end {
            None => passes.insert(notice.pass.subject, notice.pass),
            Some(_) => passes.remove(&notice.pass.subject),
        };
    }

    /// Begins a vendor's turn at its feed. An older session of the same feed is told to give way.
    pub(crate) fn take_over(&self, source: SourceRef) -> VendorTurn<'_> {
        let gives_way = Rc::new(watch::Sender::new(false));
        let older = self.vendors.borrow_mut().insert(source, gives_way.clone());
        if let Some(older) = older {
            older.send_replace(true);
        }
        let site = self.site();
        let orders_turn = self.doors.borrow_mut().begin(source, &site);
        VendorTurn { rim: self, source, gives_way, orders_turn }
    }
}

/// A session's turn at a feed. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct VendorTurn<'a> {
    rim: &'a Rim,
    source: SourceRef,
    gives_way: Rc<watch::Sender<bool>>,
    /// What it takes the orders of its doors with.
    orders_turn: u64,
}

impl VendorTurn<'_> {
    /// What it takes the orders of its doors with: those of an older session are not for it.
    pub(crate) fn orders_turn(&self) -> u64 {
        self.orders_turn
    }

    /// Becomes true when a newer session of the same feed has begun.
    pub(crate) fn gives_way(&self) -> watch::Receiver<bool> {
        self.gives_way.subscribe()
    }
}

impl Drop for VendorTurn<'_> {
    fn drop(&mut self) {
        let mut vendors = self.rim.vendors.borrow_mut();
        if vendors.get(&self.source).is_some_and(|turn| Rc::ptr_eq(turn, &self.gives_way)) {
            vendors.remove(&self.source);
        }
    }
}
