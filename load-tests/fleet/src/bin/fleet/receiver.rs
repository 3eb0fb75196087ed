//! Hears alarms and the answers of probes, on a thread of its own: a lock shared with the sender, or
//! a runtime shared with the vendor's connection, would be measured as the node's latency.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use ach_actors_model::{AlarmKind, AlarmTransition, Timestamp};
use ach_clients_rust::{
    AlarmNote, AlarmStream, AlarmUpdate, Client, ClientConfig, Filter, Prober, WireCause, now,
};
use ach_engine_wire::{EchoReply, Frame, InputCause, Padding};
use tokio::sync::{oneshot, watch};

use crate::failure::Failure;

/// An alarm that an input opened, and its way.
#[derive(Debug, Clone)]
pub(crate) struct HeardAlarm {
    /// Which input.
    pub(crate) cause: InputCause,
    /// When the node took the input.
    pub(crate) received_at: Timestamp,
    /// When it began to decide on it.
    pub(crate) decided_at: Timestamp,
    /// When the alarm came.
    pub(crate) arrived_at: Timestamp,
}

/// What came, with the moment it did.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Alarms that an input opened: batteries, buttons and doors.
    pub(crate) alarms: Vec<HeardAlarm>,
    /// Alarms that a deadline opened: when it was due, when the alarm came.
    pub(crate) deadlines: Vec<(Timestamp, Timestamp)>,
    /// Answers of probes.
    pub(crate) echoes: Vec<(u64, Timestamp)>,
    /// Alarms that the load did not ask for.
    pub(crate) others_count: u64,
    /// How often something was left out or the connection broke.
    pub(crate) gaps_count: u64,
}

/// How much of it has come; written by the receiver, read by whoever waits.
#[derive(Debug, Default)]
pub(crate) struct HeardCounts {
    alarms: AtomicU64,
    echoes: AtomicU64,
    note_bytes: AtomicU64,
    /// When the load ended; 0 while it goes on.
    load_ended_at: AtomicU64,
}

impl HeardCounts {
    /// From now on the feed is silent, and an alarm that says so is right.
    pub(crate) fn load_ends(&self) {
        self.load_ended_at.store(now().0, Ordering::Relaxed);
    }

    fn is_after_load(&self, moment: Timestamp) -> bool {
        let ended_at = self.load_ended_at.load(Ordering::Relaxed);
        ended_at > 0 && moment.0 >= ended_at
    }

    pub(crate) fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    pub(crate) fn echoes(&self) -> u64 {
        self.echoes.load(Ordering::Relaxed)
    }

    /// The padding that makes a probe's answer as long as the last alarm's frame was.
    pub(crate) fn probe_bytes(&self) -> u32 {
        let note = self.note_bytes.load(Ordering::Relaxed);
        let bare = frame_bytes(EchoReply { nonce: 0, padding: Padding { bytes: 0 } });
        u32::try_from(note.saturating_sub(bare)).unwrap_or(0)
    }
}

/// A receiver at work.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) prober: Prober,
    pub(crate) counts: Arc<HeardCounts>,
    end: watch::Sender<bool>,
    thread: JoinHandle<Heard>,
}

impl Receiver {
    /// Connects and follows all alarms. Returns once the node has told the open ones.
    pub(crate) fn start(config: ClientConfig) -> Result<Receiver, Failure> {
        let counts = Arc::new(HeardCounts::default());
        let (end, ends) = watch::channel(false);
        let (ready, is_ready) = oneshot::channel();
        let mut hearing = Hearing { counts: Arc::clone(&counts), heard: Heard::default(), ends };
        let thread = std::thread::Builder::new().name("receiver".to_owned()).spawn(move || {
            if let Err(error) = hearing.run(config, ready) {
                eprintln!("the receiver failed: {error}");
            }
            hearing.heard
        })?;
        let prober = is_ready
            .blocking_recv()
            .map_err(|_| Failure::new("the receiver did not come to hear anything"))?;
        Ok(Receiver { prober, counts, end, thread })
    }

    /// Ends it and gives what was heard.
    pub(crate) fn end(self) -> Result<Heard, Failure> {
        self.end.send_replace(true);
        self.thread.join().map_err(|_| Failure::new("the receiver's thread failed"))
    }
}

#[derive(Debug)]
struct Hearing {
    counts: Arc<HeardCounts>,
    heard: Heard,
    ends: watch::Receiver<bool>,
}

impl Hearing {
    fn run(&mut self, config: ClientConfig, ready: oneshot::Sender<Prober>) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut subscriber = Client::connect(config).await?.subscriber();
            let mut alarms = subscriber.alarms(Filter::default(), None).await?;
            loop {
                match alarms.next().await {
                    Some(AlarmUpdate::OpenSetComplete { .. }) => break,
                    Some(AlarmUpdate::Disconnected) | None => {
                        return Err(Failure::new("the connection broke before a run began"));
                    }
                    Some(_) => {}
                }
            }
            let prober = alarms.prober();
            ready.send(prober).map_err(|_| Failure::new("nobody waits for the receiver"))?;
            self.follow(&mut alarms).await;
            // The node must hear that this connection is closed, or it goes on sending to it.
            subscriber.close().await;
            Ok(())
        })
    }

    async fn follow(&mut self, alarms: &mut AlarmStream) {
        let mut ends = self.ends.clone();
        loop {
            let update = tokio::select! {
                biased;
                update = alarms.next() => update,
                // An error means that nobody wants to know any more.
                _ = ends.wait_for(|is_over| *is_over) => return,
            };
            let arrived_at = now();
            match update {
                Some(AlarmUpdate::Note(note)) => self.note(&note, arrived_at),
                Some(AlarmUpdate::EchoReply { nonce }) => {
                    self.heard.echoes.push((nonce, arrived_at));
                    self.counts.echoes.fetch_add(1, Ordering::Relaxed);
                }
                Some(AlarmUpdate::Gap(_) | AlarmUpdate::Disconnected) => {
                    self.heard.gaps_count += 1;
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    fn note(&mut self, note: &AlarmNote, arrived_at: Timestamp) {
        if note.transition != AlarmTransition::Raised || note.is_resent {
            return;
        }
        match (&note.cause, note.kind) {
            (
                WireCause::Input(cause),
                AlarmKind::BatteryLow | AlarmKind::Duress | AlarmKind::DoorForced,
            ) => {
                if self.heard.alarms.is_empty() {
                    let bytes = frame_bytes(note.clone());
                    self.counts.note_bytes.store(bytes, Ordering::Relaxed);
                }
                self.heard.alarms.push(HeardAlarm {
                    cause: cause.clone(),
                    received_at: note.received_at,
                    decided_at: note.changed_at,
                    arrived_at,
                });
                self.counts.alarms.fetch_add(1, Ordering::Relaxed);
            }
            (WireCause::Deadline { due_at }, AlarmKind::TagSilent) => {
                self.heard.deadlines.push((*due_at, arrived_at));
            }
            (WireCause::Deadline { due_at }, AlarmKind::FeedSilent)
                if self.counts.is_after_load(*due_at) => {}
            (cause, kind) => {
                eprintln!("an alarm that nothing asked for: {kind:?} of {cause:?}");
                self.heard.others_count += 1;
            }
        }
    }
}

fn frame_bytes(frame: impl Into<Frame>) -> u64 {
    let mut bytes = Vec::new();
    // What the node could send, this can encode.
    let encoded = frame.into().encode(&mut bytes);
    encoded.map_or(0, |()| u64::try_from(bytes.len()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_may_be_silent_once_the_load_has_ended() {
        let counts = HeardCounts::default();
        let before = now();
        assert!(!counts.is_after_load(before), "the load goes on");
        counts.load_ends();
        assert!(
            !counts.is_after_load(Timestamp(before.0 - 1)),
            "it was silent while the load went on"
        );
        assert!(counts.is_after_load(now().plus_ns(1)));
    }
}
