//! The receiver: writes down and shows what arrives, and probes the connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_clients_rust::{AlarmStream, AlarmUpdate, Filter, Prober, Subscriber, now};
use ach_engine_site::NameBook;
use ach_load_tests_fleet::Ledger;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cast::Cast;
use super::screen::Screen;
use crate::exit::Failure;

/// Probes go out ten times a second: enough for a median in twenty seconds, too few to be load.
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// The size of an alarm on the wire.
const PROBE_BYTES: u32 = 256;

/// A receiver that is away when the end comes gets this long to come back: a reconnect takes at most
/// some seconds.
const RETURN_WAIT: Duration = Duration::from_secs(15);
/// The stream ends when the node has ended. One that is still open after this long is an error: it
/// is not cut silently.
const LAST_ALARMS_WAIT: Duration = Duration::from_secs(30);

/// How the stream of alarms is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// Not connected, or not yet told which alarms are open.
    Away,
    /// Knows all there is to know.
    Current,
}

/// The receiver's tasks.
#[derive(Debug)]
pub(super) struct Listener {
    listening: JoinHandle<()>,
    probing: JoinHandle<()>,
    stream: watch::Receiver<Stream>,
    is_ending: watch::Sender<bool>,
    subscriber: Subscriber,
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
        let alarms = subscriber.alarms(Filter::default(), None).await?;
        let probing = tokio::spawn(probe(alarms.prober(), Arc::clone(ledger)));
        let (is_ending, ending) = watch::channel(false);
        let (stream_state, stream) = watch::channel(Stream::Away);
        let ear = Ear {
            ledger: Arc::clone(ledger),
            names: Arc::clone(names),
            screen,
            stream: stream_state,
            ending,
        };
        let listening = tokio::spawn(ear.listen(alarms));
        Ok(Listener { listening, probing, stream, is_ending, subscriber })
    }

    /// From now on the end of the stream is the end: the node is about to be told to end. It sends
    /// what it has for its subscribers before it does. Waits for a receiver that is away.
    pub(super) async fn expect_end(&self) {
        let mut stream = self.stream.clone();
        let is_current = stream.wait_for(|stream| *stream == Stream::Current);
        // One that does not come back misses alarms, which the summary shows.
        drop(tokio::time::timeout(RETURN_WAIT, is_current).await);
        self.is_ending.send_replace(true);
    }

    /// Returns when all has been heard.
    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        self.probing.abort();
        let heard = if *self.stream.borrow() == Stream::Away {
            self.listening.abort();
            Ok(())
        } else {
            let late = "the node has ended and its last alarms have not come; try again";
            match tokio::time::timeout(LAST_ALARMS_WAIT, &mut self.listening).await {
                Ok(ended) => ended.map_err(Failure::from),
                Err(_) => Err(Failure::new(late)),
            }
        };
        // It need not look for a node that has ended.
        self.subscriber.close().await;
        heard
    }
}

/// What listens.
struct Ear {
    ledger: Arc<Mutex<Ledger>>,
    names: Arc<NameBook>,
    screen: Screen,
    stream: watch::Sender<Stream>,
    ending: watch::Receiver<bool>,
}

impl Ear {
    async fn listen(self, mut alarms: AlarmStream) {
        while let Some(update) = alarms.next().await {
            let arrived_at = now();
            let latency_ns = {
                let mut book = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                book.heard(&update, arrived_at).and_then(|episode| episode.latency_ns)
            };
            match &update {
                AlarmUpdate::Note(note) => self.screen.alarm(note, latency_ns, &self.names),
                AlarmUpdate::OpenSetComplete { .. } => {
                    self.stream.send_replace(Stream::Current);
                }
                // The last state stays `Current`: whoever asks then knows that this has ended well.
                AlarmUpdate::Disconnected if *self.ending.borrow() => return,
                AlarmUpdate::Disconnected => {
                    self.stream.send_replace(Stream::Away);
                }
                _ => {}
            }
        }
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
