//! The receiver's process: follows alarms, now and then reads nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ach_clients_rust::{AlarmUpdate, Client, ClientConfig, Filter};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::past::Heard;
use crate::trace::Trace;
use crate::vendor::SimSurroundings;

/// How long a client that could not connect waits before it tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// How long a newcomer may take to hear the open set once everything is healed.
const OPEN_SET_WITHIN: Duration = Duration::from_secs(30);

/// The receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    heard: Rc<RefCell<Heard>>,
    sleeps_until: Rc<Cell<Option<Instant>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts the process.
    pub(crate) fn start(config: ClientConfig, trace: Trace) -> Receiver {
        let heard: Rc<RefCell<Heard>> = Rc::default();
        let sleeps_until: Rc<Cell<Option<Instant>>> = Rc::default();
        let task =
            tokio::task::spawn_local(follow(config, trace, heard.clone(), sleeps_until.clone()));
        Receiver { heard, sleeps_until, task }
    }

    /// Reads nothing for so long.
    pub(crate) fn sleep_for(&self, how_long: Duration) {
        self.sleeps_until.set(Some(Instant::now() + how_long));
    }

    /// What it was told.
    pub(crate) fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(config: &ClientConfig, trace: &Trace) -> Client {
    loop {
        match Client::connect(config.clone()).await {
            Ok(client) => return client,
            Err(error) => trace.say("receiver", format_args!("not connected: {error}")),
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn follow(
    config: ClientConfig,
    trace: Trace,
    heard: Rc<RefCell<Heard>>,
    sleeps_until: Rc<Cell<Option<Instant>>>,
) {
    let mut subscriber = connect(&config, &trace).await.subscriber();
    let Ok(mut alarms) = subscriber.alarms(Filter::default(), None).await else { return };
    while let Some(update) = alarms.next().await {
        trace.say("receiver", brief(&update));
        heard.borrow_mut().take(&update, config.surroundings.now());
        if let Some(until) = sleeps_until.take() {
            sleep_until(until).await;
        }
    }
    trace.say("receiver", "its stream has ended");
}

/// What a receiver hears that comes for the first time, up to the end of the open set. `None` if it
/// does not hear it.
pub(crate) async fn newcomer(config: ClientConfig, trace: &Trace) -> Option<Heard> {
    let listening = async {
        let mut subscriber = connect(&config, trace).await.subscriber();
        let mut alarms = subscriber.alarms(Filter::default(), None).await.ok()?;
        let mut heard = Heard::default();
        while let Some(update) = alarms.next().await {
            heard.take(&update, config.surroundings.now());
            if matches!(update, AlarmUpdate::OpenSetComplete { .. }) {
                return Some(heard);
            }
        }
        None
    };
    timeout(OPEN_SET_WITHIN, listening).await.ok().flatten()
}

fn brief(update: &AlarmUpdate) -> String {
    match update {
        AlarmUpdate::Note(note) => {
            let who = note.subject.as_ref().map_or("-", |subject| subject.as_str());
            let (id, transition, kind) = (note.id, note.transition, note.kind);
            format!("{id} {transition:?} {kind:?} {who} {:?}", note.storage)
        }
        other => format!("{other:?}"),
    }
}

/// A receiver's configuration in the simulated world.
pub(crate) fn in_world(mut config: ClientConfig, surroundings: SimSurroundings) -> ClientConfig {
    config.surroundings = Arc::new(surroundings);
    config
}
