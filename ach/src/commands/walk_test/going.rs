//! Who walks is told what is seen, as it is seen.

use std::time::Duration;

use ach_actors_model::{Name, Timestamp};
use ach_clients_rust::{
    AlarmNote, AlarmStream, EventNote, EventStream, EventWord, Filter, NoteUpdate, Subscriber,
    TagId,
};
use serde_json::json;
use tokio::time::{interval, timeout};

use super::alarms::Alarms;
use super::choice::{Choice, ChosenBy};
use super::round::{Round, Thing};
use crate::exit::Failure;
use crate::moment::time_of_day;
use crate::notes::{alarm_line, alarm_object, thing_id};

/// A node that answers at all does within: longer than a connection takes that breaks and is made again.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);
/// A probe is lost with its connection; the next one is sent after this.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Doors that need not answer are named up to here; the protocol names them all.
const NAMED_MAX: usize = 20;

/// What is told of on the way.
pub(super) struct News {
    events: EventStream,
    alarms: AlarmStream,
}

impl News {
    /// Follows the tag and the doors.
    pub(super) async fn subscribe(
        subscriber: &mut Subscriber,
        tag: TagId,
    ) -> Result<News, Failure> {
        use EventWord::{DoorClosed, DoorOpened, DoorPassed, ZoneEntered, ZoneExited};
        let of_the_tag = Filter { tags: vec![tag], ..Filter::default() };
        // The node takes wishes in their order: whose events it tells, their alarms it tells as well.
        let alarms = subscriber.alarms(of_the_tag, None).await?;
        let events = vec![ZoneEntered, ZoneExited, DoorPassed, DoorOpened, DoorClosed];
        let events = subscriber.events(Filter { events, ..Filter::default() }, None).await?;
        Ok(News { events, alarms })
    }

    /// Returns once the node tells of all that happens from then on: before that nobody should walk.
    pub(super) async fn begun(&mut self) -> Result<(), Failure> {
        let answered = async {
            let prober = self.events.prober();
            let mut again = interval(PROBE_EVERY);
            loop {
                tokio::select! {
                    _ = again.tick() => prober.send(0, 0).await?,
                    update = self.events.next() => match update {
                        Some(NoteUpdate::EchoReply { .. }) => return Ok(()),
                        Some(_) => {}
                        None => return Err(self.ended()),
                    },
                }
            }
        };
        timeout(LISTENS_WITHIN, answered).await.map_err(|_| {
            let text =
                format!("the node did not answer within {LISTENS_WITHIN:?}; is it still running?");
            Failure::new(text)
        })?
    }

    /// Why there will be nothing more.
    fn ended(&self) -> Failure {
        let refused = self.events.refused().or_else(|| self.alarms.refused());
        refused.map_or_else(
            || Failure::new("the node closed the connection; is it still running?"),
            |refused| Failure::new(refused.to_string()),
        )
    }
}

/// What was seen and told on the way.
pub(super) struct Going {
    pub(super) round: Round,
    pub(super) alarms: Alarms,
    has_gaps: bool,
    is_json: bool,
}

impl Going {
    /// Nothing yet.
    pub(super) fn new(tag: TagId, choice: &Choice, is_json: bool) -> Going {
        let round = Round::new(tag, &choice.doors, &choice.zones);
        Going { round, alarms: Alarms::new(tag), has_gaps: false, is_json }
    }

    /// Whether something may have been missed.
    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps || self.alarms.has_gaps
    }

    /// Says that it is time to walk, and past what.
    pub(super) fn begin(&self, tag: TagId, choice: &Choice) {
        let things = self.round.things.len();
        let left_out: Vec<&str> = choice.doors_left_out.iter().map(Name::as_str).collect();
        if self.is_json {
            let event = json!({
                "event": "walk_begun", "tag": tag.to_string(), "chosen_by": choice.by.word(),
                "thing_count": things, "doors_left_out": left_out,
            });
            say!("{event}");
            return;
        }
        let things = if things == 1 { "1 thing".to_owned() } else { format!("{things} things") };
        say!("walk with tag {tag}; {things} must answer");
        match (choice.by, left_out.as_slice()) {
            (_, []) => {}
            (ChosenBy::Name, doors) => {
                say!("doors that were not named, and need not answer: {}", doors.len());
            }
            (ChosenBy::Told, doors) => {
                say!("never told whether they are open, and need not answer: {}", some_of(doors));
            }
        }
        say!("the alarms it causes are real: it should be on a subject that your rules leave out");
    }

    /// Until all have answered.
    pub(super) async fn hear(&mut self, news: &mut News) -> Result<(), Failure> {
        while !self.round.is_over() {
            tokio::select! {
                update = news.events.next() => match update.ok_or_else(|| news.ended())? {
                    NoteUpdate::Note(note) => self.see(&note),
                    NoteUpdate::EchoReply { .. } => {}
                    NoteUpdate::Gap(_) | NoteUpdate::Disconnected | NoteUpdate::Unreadable(_) => {
                        self.miss();
                    }
                },
                update = news.alarms.next() => {
                    let update = update.ok_or_else(|| news.ended())?;
                    if let Some(note) = self.alarms.take(&update) {
                        self.show_alarm(note);
                    }
                }
            }
        }
        Ok(())
    }

    fn miss(&mut self) {
        self.has_gaps = true;
        self.round.begin_anew();
        if self.is_json {
            say!("{}", json!({ "event": "walk_gap" }));
        } else {
            say!("events were missed: walk again past what has not answered");
        }
    }

    fn see(&mut self, note: &EventNote) {
        let Some((thing, word)) = self.round.take(note) else { return };
        let (kind, id, is_answered) = (thing.kind(), thing.id.clone(), thing.is_answered());
        let (answered, of) = (self.round.answered_count(), self.round.things.len());
        if self.is_json {
            say!(
                "{}",
                json!({
                    "event": "walk_seen", "kind": kind, "id": id.as_str(), "seen": word, "at_ns": note.at.0,
                    "is_answered": is_answered, "answered_count": answered, "thing_count": of,
                })
            );
            return;
        }
        let done =
            if is_answered { format!("  answered, {answered} of {of}") } else { String::new() };
        say!("{}  {kind} {:<24} {word:<8}{done}", time_of_day(note.at), id.as_str());
    }

    fn show_alarm(&self, note: &AlarmNote) {
        if self.is_json {
            say!("{}", alarm_object(note, None));
        } else {
            say!("{}", alarm_line(note, None, thing_id));
        }
    }

    /// Says what came of it.
    pub(super) fn end(&self, protocol: &serde_json::Value) {
        if self.is_json {
            say!("{}", json!({ "event": "walk_test", "protocol": protocol }));
            return;
        }
        say!("");
        for thing in &self.round.things {
            say!("{}", line(thing));
        }
        if self.has_gaps() {
            say!("events or alarms were missed meanwhile");
        }
        if self.alarms.left_out > 0 {
            say!("the protocol leaves out {} alarms of the tag", self.alarms.left_out);
        }
        let (answered, of) = (self.round.answered_count(), self.round.things.len());
        say!("{answered} of {of} answered");
    }
}

fn line(thing: &Thing) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), time_of_day);
    let parts: Vec<String> =
        thing.parts().into_iter().map(|(word, at)| format!("{word} {:<8}", time(at))).collect();
    let end = if thing.is_answered() {
        "answered".to_owned()
    } else {
        format!("NOT ANSWERED: {}", thing.missing())
    };
    format!("{} {:<24} {}  {end}", thing.kind(), thing.id.as_str(), parts.join("  "))
}

/// The first of them, and how many more.
pub(super) fn some_of(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().copied().take(NAMED_MAX).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
