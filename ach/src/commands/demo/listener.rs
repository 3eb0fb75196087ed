//! The receiver: writes down and shows what arrives, and probes the connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_clients_rust::{AlarmUpdate, Filter, Prober, Subscriber, now};
use ach_engine_site::NameBook;
use ach_load_tests_fleet::Ledger;
use tokio::task::JoinHandle;

use super::cast::Cast;
use super::screen::Screen;
use crate::exit::Failure;

/// Probes go out ten times a second: enough for a median in twenty seconds, too few to be load.
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// The size of an alarm on the wire.
const PROBE_BYTES: u32 = 256;

/// The receiver's tasks. Dropping it does not stop them; [`Listener::stop`] does.
#[derive(Debug)]
pub(super) struct Listener {
    tasks: [JoinHandle<()>; 2],
    _subscriber: Subscriber,
}

impl Listener {
    /// Subscribes to all alarms.
    pub(super) async fn start(
        cast: &Cast,
        node: SocketAddr,
        ledger: &Arc<Mutex<Ledger>>,
        names: &Arc<NameBook>,
        screen: Screen,
    ) -> Result<Listener, Failure> {
        let mut subscriber = cast.subscriber(node).await?;
        let mut alarms = subscriber.alarms(Filter::default(), None).await?;
        let prober = alarms.prober();
        let (book, names) = (Arc::clone(ledger), Arc::clone(names));
        let listening = tokio::spawn(async move {
            while let Some(update) = alarms.next().await {
                let arrived_at = now();
                let latency_ns = {
                    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
                    book.heard(&update, arrived_at).and_then(|episode| episode.latency_ns)
                };
                if let AlarmUpdate::Note(note) = &update {
                    screen.alarm(note, latency_ns, &names);
                }
            }
        });
        let probing = tokio::spawn(probe(prober, Arc::clone(ledger)));
        Ok(Listener { tasks: [listening, probing], _subscriber: subscriber })
    }

    /// Ends it.
    pub(super) fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Sends probes for ever; while the node is away they are lost and not counted.
async fn probe(prober: Prober, ledger: Arc<Mutex<Ledger>>) {
    let mut ticks = tokio::time::interval(PROBE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    for nonce in 1.. {
        ticks.tick().await;
        let send_at = now();
        ledger.lock().unwrap_or_else(PoisonError::into_inner).probe_sent(nonce, send_at);
        if prober.send(nonce, PROBE_BYTES).await.is_err() {
            return;
        }
    }
}
