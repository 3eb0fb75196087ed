//! The vendor's process: publishes what people do, dies, comes back.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{Lane, TagId, Timestamp};
use ach_clients_rust::{
    Client, ClientConfig, Ping, Publisher, PublisherOptions, Report, Surroundings,
};
use ach_engine_net::{Bundle, EndpointError, Underlay, client_endpoint_on};
use ach_engine_node::Clock as _;
use ach_engine_wire::ReportWord;
use quinn::Endpoint;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::chance::Chance;
use crate::clock::MachineClock;
use crate::network::{Network, machine};
use crate::past::{Past, Published};
use crate::runtime::SimRuntime;
use crate::script::Deed;
use crate::site::{FLOOR, door_name, tag_id};
use crate::socket::SimSocket;
use crate::trace::Trace;

/// How long a client that could not connect waits before it tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// Inputs a vendor remembers to send them again by mistake.
const REMEMBERED_MAX: usize = 8;

/// What a simulated client takes from its machine.
#[derive(Debug)]
pub(crate) struct SimSurroundings {
    pub network: Network,
    pub machine: u8,
    pub clock: Arc<MachineClock>,
    pub chance: Mutex<Chance>,
    pub runtime: Arc<SimRuntime>,
}

impl Surroundings for SimSurroundings {
    fn now(&self) -> Timestamp {
        self.clock.utc()
    }

    fn chance(&self) -> u64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn endpoint(&self, _remote: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
        let address = self.network.bind(machine(self.machine), None);
        let seed = self.chance.lock().unwrap_or_else(PoisonError::into_inner).seed_bytes();
        let under = Underlay {
            socket: SimSocket::new(self.network.clone(), address),
            runtime: self.runtime.clone(),
            seed,
        };
        client_endpoint_on(under, bundle)
    }

    fn keeps_at_once(&self) -> bool {
        true
    }
}

/// The vendor.
#[derive(Debug)]
pub(crate) struct Vendor {
    config: ClientConfig,
    runtime: Arc<SimRuntime>,
    clock: Arc<MachineClock>,
    trace: Trace,
    publisher: Rc<RefCell<Option<Publisher>>>,
    connecting: Option<JoinHandle<()>>,
    has_spool: bool,
    life: u32,
    latest: VecDeque<(Deed, Timestamp)>,
}

/// A ping with all that one may tell, or some of it: each place has its own, which decides nothing on a site
/// of one floor.
fn ping(tag: u32, observed_at: Timestamp, (x_mm, y_mm): (i32, i32)) -> Ping {
    let told = x_mm.unsigned_abs();
    Ping {
        z_mm: (!told.is_multiple_of(3)).then_some(x_mm + 200),
        floor: (!told.is_multiple_of(4)).then_some(FLOOR),
        // No finer than what is taken for one that is not told, or a step might be disbelieved.
        accuracy_mm: (!told.is_multiple_of(5)).then_some(told + 1_000),
        battery_percent: u8::try_from(told % 128).ok().filter(|percent| *percent <= 100),
        ..Ping::local(tag_id(tag), observed_at, x_mm, y_mm)
    }
}

impl Vendor {
    /// A vendor that is not running yet.
    pub(crate) fn new(
        mut config: ClientConfig,
        surroundings: SimSurroundings,
        spool: Option<PathBuf>,
        trace: Trace,
    ) -> Vendor {
        let (runtime, clock) = (surroundings.runtime.clone(), surroundings.clock.clone());
        config.surroundings = Arc::new(surroundings);
        let has_spool = spool.is_some();
        config.spool = spool;
        Vendor {
            config,
            runtime,
            clock,
            trace,
            publisher: Rc::default(),
            connecting: None,
            has_spool,
            life: 0,
            latest: VecDeque::new(),
        }
    }

    /// Starts the process, which connects as soon as it can.
    pub(crate) fn start(&mut self) {
        let (config, trace, slot) =
            (self.config.clone(), self.trace.clone(), self.publisher.clone());
        self.connecting = Some(tokio::task::spawn_local(async move {
            let publisher = loop {
                let error = match Client::connect(config.clone()).await {
                    Ok(client) => match client.publisher(PublisherOptions::default()) {
                        Ok(publisher) => break publisher,
                        Err(error) => error,
                    },
                    Err(error) => error,
                };
                trace.say("vendor", format_args!("not connected: {error}"));
                sleep(AGAIN_AFTER).await;
            };
            let mut notices = publisher.notices();
            trace.say("vendor", "connected");
            *slot.borrow_mut() = Some(publisher);
            while let Ok(notice) = notices.recv().await {
                trace.say("vendor", format_args!("{notice:?}"));
            }
        }));
    }

    /// The publisher, once there is one.
    pub(crate) fn publisher(&self) -> Option<Publisher> {
        self.publisher.borrow().clone()
    }

    /// Publishes a deed, now.
    pub(crate) fn publish(&mut self, deed: Deed, past: &mut Past) {
        let observed_at = self.clock.utc();
        self.publish_stamped(deed, observed_at, past);
        if self.latest.len() == REMEMBERED_MAX {
            self.latest.pop_front();
        }
        self.latest.push_back((deed, observed_at));
    }

    /// Publishes once more, under new numbers, what was published of late.
    pub(crate) fn publish_again(&mut self, past: &mut Past) {
        for (deed, observed_at) in self.latest.clone() {
            self.publish_stamped(deed, observed_at, past);
        }
    }

    fn publish_stamped(&self, deed: Deed, observed_at: Timestamp, past: &mut Past) {
        let Some(publisher) = self.publisher() else { return };
        let of_tag = |tag, word| Report::tag(tag, observed_at, word);
        let taken = match deed {
            Deed::Ping { tag, x_mm, y_mm } => {
                publisher.try_publish(ping(tag, observed_at, (x_mm, y_mm)))
            }
            Deed::OfTag { tag, word } => publisher.try_report(&of_tag(tag_id(tag), word)),
            Deed::OfStranger => {
                publisher.try_report(&of_tag(TagId(0xDEAD), ReportWord::ButtonPressed))
            }
            Deed::OfDoor { door, word } => {
                publisher.try_report(&Report::door(door_name(door), observed_at, word))
            }
        };
        match taken {
            Ok(ticket) => past.published.push(Published {
                life: self.life,
                lane: ticket.lane,
                number: ticket.number,
                deed,
                observed_at,
            }),
            Err(error) => self.trace.say("vendor", format_args!("could not publish: {error}")),
        }
    }

    /// Notes how far the node says that this life has come.
    pub(crate) fn note_acks(&self, past: &mut Past) {
        let Some(publisher) = self.publisher() else { return };
        let progress = *publisher.progress().borrow();
        for lane in [Lane::Duress, Lane::Door, Lane::Ping] {
            past.acked.insert((self.life, lane), *progress.lane(lane));
        }
    }

    /// The process dies, with all that it has in memory.
    pub(crate) fn kill(&mut self, past: &mut Past) {
        self.note_acks(past);
        self.trace.say("vendor", "killed");
        self.runtime.kill();
        if let Some(connecting) = self.connecting.take() {
            connecting.abort();
        }
        self.publisher.borrow_mut().take();
        if !self.has_spool {
            self.life = self.life.saturating_add(1);
        }
    }
}
