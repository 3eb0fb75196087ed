//! The receiver of a replay: counts what follows and prints it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{AlarmKind, AlarmTransition, Timestamp};
use ach_clients_rust::{
    AlarmNote, AlarmStream, AlarmUpdate, Client, EventNote, EventStream, EventWord, Filter,
    NoteUpdate, Subscriber,
};
use indicatif::ProgressBar;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Heard;
use crate::exit::Failure;
use crate::notes::{self, thing_id};

/// The streams end when the node has ended. One that is still open after this long is not cut
/// silently: the replay fails.
const LAST_NOTES_WAIT: Duration = Duration::from_secs(30);

/// What is printed as it comes.
#[derive(Debug, Clone)]
pub(super) struct Show {
    /// Zones entered and left too, not alarms alone.
    pub(super) events: bool,
    /// As JSON.
    pub(super) is_json: bool,
    /// What must not be written over.
    pub(super) bar: ProgressBar,
    /// When the recording ends. Silence after it is nobody's: neither a tag nor a feed has failed.
    pub(super) end_at: Timestamp,
}

/// The receiver's tasks.
#[derive(Debug)]
pub(super) struct Listener {
    tasks: [JoinHandle<()>; 2],
    heard: Arc<Mutex<Heard>>,
    is_ending: watch::Sender<bool>,
    _subscriber: Subscriber,
}

impl Listener {
    /// Subscribes on a connection of its own.
    pub(super) async fn start(client: Client, show: Show) -> Result<Listener, Failure> {
        let mut subscriber = client.subscriber();
        let events = subscriber.events(Filter::default(), None).await?;
        let alarms = subscriber.alarms(Filter::default(), None).await?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (is_ending, ending) = watch::channel(false);
        let tasks = [
            tokio::spawn(hear_events(events, show.clone(), Arc::clone(&heard), ending.clone())),
            tokio::spawn(hear_alarms(alarms, show, Arc::clone(&heard), ending)),
        ];
        Ok(Listener { tasks, heard, is_ending, _subscriber: subscriber })
    }

    /// From now on the end of a stream is the end: the node is about to be told to end. It sends
    /// what it has for its subscribers before it does.
    pub(super) fn expect_end(&self) {
        self.is_ending.send_replace(true);
    }

    /// What was heard, all of it.
    pub(super) async fn finish(self) -> Result<Heard, Failure> {
        for task in self.tasks {
            match tokio::time::timeout(LAST_NOTES_WAIT, task).await {
                Ok(ended) => ended?,
                Err(_) => {
                    return Err(Failure::new(
                        "the node has ended and its last notes have not come; replay again",
                    ));
                }
            }
        }
        Ok(*self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn hear_events(
    mut events: EventStream,
    show: Show,
    heard: Arc<Mutex<Heard>>,
    ending: watch::Receiver<bool>,
) {
    while let Some(update) = events.next().await {
        let note = match update {
            NoteUpdate::Note(note) => note,
            NoteUpdate::Disconnected if *ending.borrow() => return,
            _ => continue,
        };
        if !matches!(note.word, EventWord::ZoneEntered | EventWord::ZoneExited) {
            continue;
        }
        if show.events {
            show.crossing(&note);
        }
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        match note.word {
            EventWord::ZoneEntered => heard.entered += 1,
            _ => heard.exited += 1,
        }
    }
}

async fn hear_alarms(
    mut alarms: AlarmStream,
    show: Show,
    heard: Arc<Mutex<Heard>>,
    ending: watch::Receiver<bool>,
) {
    while let Some(update) = alarms.next().await {
        let note = match update {
            AlarmUpdate::Note(note) => note,
            AlarmUpdate::Disconnected if *ending.borrow() => return,
            _ => continue,
        };
        if show.is_of_the_end(&note) {
            continue;
        }
        show.alarm(&note);
        if note.transition == AlarmTransition::Raised && !note.is_resent {
            heard.lock().unwrap_or_else(PoisonError::into_inner).alarms += 1;
        }
    }
}

impl Show {
    fn is_of_the_end(&self, note: &AlarmNote) -> bool {
        let is_silence = matches!(
            note.kind,
            AlarmKind::TagSilent | AlarmKind::FeedSilent | AlarmKind::ZoneBlind
        );
        is_silence && note.observed_at > self.end_at
    }

    fn crossing(&self, note: &EventNote) {
        if self.is_json {
            say!("{}", notes::event_object(note));
        } else {
            self.bar.suspend(|| say!("{}", notes::event_line(note, thing_id)));
        }
    }

    fn alarm(&self, note: &AlarmNote) {
        if self.is_json {
            say!("{}", notes::alarm_object(note, None));
        } else {
            self.bar.suspend(|| say!("{}", notes::alarm_line(note, None, thing_id)));
        }
    }
}
