//! `ach walk-test`: somebody carries a tag, each door and zone answers, and a signed protocol says so.

mod protocol;
mod round;

use std::path::Path;

use ach_actors_model::{AlarmTransition, Name, Timestamp};
use ach_clients_rust::{
    AlarmNote, AlarmStream, AlarmUpdate, Client, ClientConfig, EventStream, EventWord, Filter,
    NoteUpdate, Operator, Subscriber, now,
};
use serde_json::json;

use self::protocol::{Walked, Where};
use self::round::{Round, Thing};
use super::connection::{OPERATORS, credentials, runtime};
use crate::cli::walk_test::{Walk, WalkTest, WalkTestAct};
use crate::exit::{Failure, Outcome};
use crate::interruption::Interruption;
use crate::moment::time_of_day;
use crate::notes::{alarm_line, alarm_object, thing_id};
use crate::out;
use crate::whole_file::WholeFile;

/// Alarms of the tag that are kept for the protocol. Whoever walks causes a few; the rest is told all the same.
const ALARMS_MAX: usize = 1_000;

/// Walks, or verifies what was walked.
pub(crate) fn run(wish: &WalkTest) -> Result<Outcome, Failure> {
    match (&wish.act, wish.walk()) {
        (Some(WalkTestAct::Verify { file, ca, json }), _) => verify(file, ca, *json),
        (None, Some(walk)) => runtime()?.block_on(walk_with(&walk)),
        (None, None) => Err(Failure::misused("say which tag: --tag TAG --for TIME --out FILE")),
    }
}

/// What was seen and told on the way.
struct Going {
    round: Round,
    alarms: Vec<AlarmNote>,
    has_gaps: bool,
    is_json: bool,
}

async fn walk_with(walk: &Walk) -> Result<Outcome, Failure> {
    let to = &walk.connect;
    let bundle = credentials(&to.credentials, OPERATORS)?;
    let connected = || Client::connect(ClientConfig::new(to.node, &to.server_name, bundle.clone()));
    // Said before anybody walks: a file that is there already is not written over.
    let file = WholeFile::begin(&walk.out)?;
    let client = connected().await?;
    let (node, site) = (client.node().clone(), client.site().clone());
    let mut operator = client.operator();
    let in_force = operator.site_in_force().await?;
    let doors = doors_of(walk, &mut operator).await?;
    let round = Round::new(walk.tag, &doors, &walk.zones);
    let mut subscriber = connected().await?.subscriber();
    let (events, alarms) = subscribe(&mut subscriber, walk).await?;
    let mut going = Going { round, alarms: Vec::new(), has_gaps: false, is_json: to.json };
    if !to.json {
        say!("walk with tag {}; {} must answer", walk.tag, count(going.round.things.len()));
        say!("the alarms it causes are real: it should be on a subject that your rules leave out");
    }
    let begun_at = now();
    let mut interruption = Interruption::of_visit()?;
    // The protocol is written in any case: what was seen until then was seen.
    let trouble = tokio::select! {
        heard = going.hear(events, alarms) => heard.err(),
        () = tokio::time::sleep(walk.length) => None,
        () = interruption.told() => None,
        () = out::gone() => None,
    };
    let version_at_end = operator.site_in_force().await.ok().map(|verdict| verdict.version);
    operator.close().await;
    let walked = Walked {
        place: Where {
            node,
            site,
            site_version: in_force.version,
            site_version_at_end: version_at_end,
            site_digest: in_force.digest.map(|digest| digest.to_string()),
        },
        walker: bundle.identity(),
        tag: walk.tag,
        begun_at,
        ended_at: now(),
        round: &going.round,
        alarms: &going.alarms,
        has_gaps: going.has_gaps,
    };
    let object = walked.object();
    protocol::write(file, &object, &bundle)?;
    print(&going, &object, walk);
    trouble.map_or_else(|| missing(&going.round, going.has_gaps), Err)
}

/// Those that were named, or all that have ever told anything.
async fn doors_of(walk: &Walk, operator: &mut Operator) -> Result<Vec<Name>, Failure> {
    if !walk.doors.is_empty() || !walk.zones.is_empty() {
        return Ok(walk.doors.clone());
    }
    let told = operator.doors().await?.doors;
    let doors: Vec<Name> =
        told.into_iter().filter(|door| door.is_open.is_some()).map(|door| door.door).collect();
    if doors.is_empty() {
        return Err(Failure::new(
            "no door has ever told the node that it is open or closed; name doors or zones with --doors and --zones",
        ));
    }
    Ok(doors)
}

async fn subscribe(
    subscriber: &mut Subscriber,
    walk: &Walk,
) -> Result<(EventStream, AlarmStream), Failure> {
    use EventWord::{DoorClosed, DoorOpened, DoorPassed, ZoneEntered, ZoneExited};
    let events = vec![ZoneEntered, ZoneExited, DoorPassed, DoorOpened, DoorClosed];
    let events = subscriber.events(Filter { events, ..Filter::default() }, None).await?;
    let of_the_tag = Filter { tags: vec![walk.tag], ..Filter::default() };
    let alarms = subscriber.alarms(of_the_tag, None).await?;
    Ok((events, alarms))
}

impl Going {
    /// Until all have answered.
    async fn hear(
        &mut self,
        mut events: EventStream,
        mut alarms: AlarmStream,
    ) -> Result<(), Failure> {
        let ended = || Failure::new("the node closed the connection; is it still running?");
        while !self.round.is_over() {
            tokio::select! {
                update = events.next() => match update.ok_or_else(ended)? {
                    NoteUpdate::Note(note) => self.see(&note),
                    NoteUpdate::EchoReply { .. } => {}
                    NoteUpdate::Gap(_) | NoteUpdate::Disconnected | NoteUpdate::Unreadable(_) => {
                        self.has_gaps = true;
                    }
                },
                update = alarms.next() => if let AlarmUpdate::Note(note) = update.ok_or_else(ended)? {
                    self.alarm(*note);
                },
            }
        }
        Ok(())
    }

    fn see(&mut self, note: &ach_clients_rust::EventNote) {
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

    fn alarm(&mut self, note: AlarmNote) {
        if note.transition != AlarmTransition::Raised || note.is_resent {
            return;
        }
        if self.is_json {
            say!("{}", alarm_object(&note, None));
        } else {
            say!("{}", alarm_line(&note, None, thing_id));
        }
        if self.alarms.len() < ALARMS_MAX {
            self.alarms.push(note);
        }
    }
}

fn print(going: &Going, protocol: &serde_json::Value, walk: &Walk) {
    if going.is_json {
        say!("{}", json!({ "event": "walk_test", "protocol": protocol }));
        return;
    }
    say!("");
    for thing in &going.round.things {
        say!("{}", line(thing));
    }
    if going.has_gaps {
        say!("events were missed meanwhile: walk again past what did not answer");
    }
    let (answered, of) = (going.round.answered_count(), going.round.things.len());
    say!("{answered} of {of} answered; signed protocol in {}", walk.out.display());
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

fn count(things: usize) -> String {
    if things == 1 { "1 thing".to_owned() } else { format!("{things} things") }
}

/// Done if all have answered; else why not, which is exit code 1.
fn missing(round: &Round, has_gaps: bool) -> Result<Outcome, Failure> {
    let silent: Vec<String> = round
        .things
        .iter()
        .filter(|thing| !thing.is_answered())
        .map(|thing| format!("{} {} ({})", thing.kind(), thing.id, thing.missing()))
        .collect();
    if silent.is_empty() {
        return Ok(Outcome::Done);
    }
    let gaps = if has_gaps { "; events were missed meanwhile" } else { "" };
    Err(Failure::new(format!("did not answer: {}{gaps}", silent.join(", "))))
}

fn verify(file: &Path, authority: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let name = file.display();
    match protocol::verify(file, authority)? {
        Ok((signer, protocol)) => {
            if is_json {
                let signer = signer.uri();
                say!(
                    "{}",
                    json!({ "event": "walk_test", "is_good": true, "signer": signer, "protocol": protocol })
                );
            } else {
                let text = |field: &str| protocol.get(field).cloned().unwrap_or_default();
                say!("{name} is as {signer} signed it");
                say!(
                    "tag {}, {} to {}: {} of {} answered",
                    text("tag").as_str().unwrap_or("?"),
                    text("begun_at").as_str().unwrap_or("?"),
                    text("ended_at").as_str().unwrap_or("?"),
                    text("answered_count"),
                    text("thing_count")
                );
                say!("whether the certificate was revoked, the node alone knows");
            }
            Ok(Outcome::Done)
        }
        Err(why) => {
            if is_json {
                say!("{}", json!({ "event": "walk_test", "is_good": false, "why": why }));
            } else {
                say!("{name} is NOT to be trusted: {why}");
            }
            Ok(Outcome::Unsound)
        }
    }
}
