//! `ach explain`: why an alarm was raised, what became of it, and what people and timers did with it.

use ach_actors_model::{AlarmKind, AlarmNotice, Cause, Gate, Place, Timestamp};
use ach_engine_store::{AlarmRecord, HistoryGap, KeptAlarm, NameKind};
use serde_json::{Value, json};

mod act;
mod door;
mod heard;
mod incident;
mod response;

use self::act::{act_words, life_object};
use self::heard::Heard;
use super::gap_object;
use super::source::Source;
use crate::audit_deposit;
use crate::cli::history::Explain;
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, length, local};
use crate::notes::{incident_object, snake, spaced};

/// Every gate with its word.
const GATES: [(Gate, &str); 12] = [
    (Gate::Line, "line"),
    (Gate::EntryMargin, "entry_margin"),
    (Gate::ExitTolerance, "exit_tolerance"),
    (Gate::ToleranceTimeout, "tolerance_timeout"),
    (Gate::ExitDelay, "exit_delay"),
    (Gate::Confirm, "confirm"),
    (Gate::Dwell, "dwell"),
    (Gate::ErrorCircle, "error_circle"),
    (Gate::FenceTimeout, "fence_timeout"),
    (Gate::Crossed, "crossed"),
    (Gate::JumpConfirmed, "jump_confirmed"),
    (Gate::OnDelay, "on_delay"),
];

/// Does what was asked.
pub(super) fn run(wish: &Explain) -> Result<Outcome, Failure> {
    let source = Source::open(&wish.data)?;
    let KeptAlarm { records, gaps } = source.store.alarm(wish.alarm)?;
    if records.is_empty() {
        complain!("there is no alarm {} in this history", wish.alarm);
        return Ok(Outcome::Unsound);
    }
    audit_deposit::remembered(&wish.data, "explain", Vec::new())?;
    let mut gaps = gaps.iter().peekable();
    for record in &records {
        while let Some(gap) = gaps.next_if(|gap| gap.until < record.index) {
            say_gap(gap, wish.json);
        }
        let told = Told::of(&source, record)?;
        if wish.json {
            say!("{}", told.object());
        } else {
            for line in told.lines() {
                say!("{line}");
            }
        }
    }
    gaps.for_each(|gap| say_gap(gap, wish.json));
    incident::tell(&source, &records, wish.json)?;
    Ok(source.outcome(Outcome::Done))
}

/// That the alarm is told to be raised, or not to have ended, says nothing of a gap.
fn say_gap(gap: &HistoryGap, is_json: bool) {
    if is_json {
        say!("{}", gap_object(gap));
    } else {
        say!("{gap}: what became of it is not known");
    }
}

/// A change of an alarm with its evidence, for programs; `event` is what they know it by.
pub(crate) fn object(source: &Source, record: &AlarmRecord, event: &str) -> Result<Value, Failure> {
    let mut object = Told::of(source, record)?.object();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("event".to_owned(), json!(event));
    }
    Ok(object)
}

/// What kind of place, and its id.
fn place_of(source: &Source, place: Place) -> Result<(&'static str, Option<String>), Failure> {
    let (word, kind, number) = match place {
        Place::Site => return Ok(("site", None)),
        Place::Zone(it) => ("zone", NameKind::Zone, it.0),
        Place::Door(it) => ("door", NameKind::Door, it.0),
        Place::Line(it) => ("line", NameKind::Line, it.0),
        Place::Tag(it) => ("tag", NameKind::Tag, it.0),
        Place::Source(it) => ("feed", NameKind::Source, it.0),
        Place::Anchor(it) => ("anchor", NameKind::Anchor, it.0),
        Place::Subject(it) => ("subject", NameKind::Subject, it.0),
    };
    Ok((word, Some(source.name(kind, number)?)))
}

/// Who was near a door of which leave is told, by their ids.
fn near(source: &Source, notice: &AlarmNotice) -> Result<Vec<String>, Failure> {
    let near = notice.door.as_deref().map(|known| known.near.as_slice()).unwrap_or_default();
    near.iter().map(|subject| source.name(NameKind::Subject, subject.0)).collect()
}

/// Whose badge such a door had been granted last.
fn granted_to(notice: &AlarmNotice) -> Option<u32> {
    notice.door.as_deref().and_then(|known| known.granted_to).map(|subject| subject.0)
}

/// A record with its numbers put into words.
struct Told<'a> {
    record: &'a AlarmRecord,
    rule: Option<String>,
    subject: Option<String>,
    tag: Option<String>,
    place: (&'static str, Option<String>),
    feed: Option<String>,
    heard: Option<Heard>,
    /// Who was near a door of which leave is told.
    near: Vec<String>,
    /// Whose badge it was granted last.
    granted_to: Option<String>,
    /// The doors that its rule's responses asked to lock.
    locked: Vec<String>,
}

impl Told<'_> {
    fn of<'a>(source: &Source, record: &'a AlarmRecord) -> Result<Told<'a>, Failure> {
        let notice = &record.notice;
        let name = |kind, number: Option<u32>| match number {
            None => Ok(None),
            Some(number) => source.name(kind, number).map(Some),
        };
        let feed = match notice.cause {
            Cause::Input { source, .. } => Some(source.0),
            Cause::Deadline { .. } | Cause::SiteChange => None,
        };
        Ok(Told {
            record,
            rule: name(NameKind::Rule, notice.rule.map(|it| it.0))?,
            subject: name(NameKind::Subject, notice.subject.map(|it| it.0))?,
            tag: name(NameKind::Tag, notice.tag.map(|it| it.0))?,
            place: place_of(source, notice.place)?,
            feed: name(NameKind::Source, feed)?,
            near: near(source, notice)?,
            granted_to: name(NameKind::Subject, granted_to(notice))?,
            locked: response::doors(source, notice)?,
            heard: record.input.as_ref().map(|input| Heard::of(source, input)).transpose()?,
        })
    }

    fn gates(&self) -> Vec<&'static str> {
        let passed = self.record.notice.gates_passed;
        GATES.iter().filter(|(gate, _)| passed & bit(*gate) != 0).map(|(_, word)| *word).collect()
    }

    fn lines(&self) -> Vec<String> {
        let AlarmNotice { kind, priority, transition, reason, site_version, .. } =
            self.record.notice;
        let notice = &self.record.notice;
        if let Some(act) = act_words(notice) {
            return self.act_lines(&act);
        }
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let why = reason.map_or_else(String::new, |reason| format!(", {}", snake(reason)));
        let tentative = if notice.is_tentative { ", tentative" } else { "" };
        let late = if notice.is_late { ", late" } else { "" };
        let drill = if notice.is_drill { ", in a drill" } else { "" };
        let mut lines = vec![format!(
            "{}  {}{why}{tentative}{late}{drill}: {} ({}), entry {}",
            local(notice.changed_at),
            snake(transition),
            snake(kind),
            snake(priority),
            self.record.index
        )];
        let mut put = |what: &str, text: String| lines.push(format!("    {what:<10}{text}"));
        put("subject", format!("{}, tag {}", or_none(&self.subject), or_none(&self.tag)));
        put("place", format!("{} {}", self.place.0, or_none(&self.place.1)));
        put("rule", format!("{}, site version {site_version}", or_none(&self.rule)));
        put("opened by", self.cause_words());
        if let Some(heard) = &self.heard {
            put("heard", heard.words());
        }
        if let Some(known) = notice.door.as_deref() {
            put("leave", door::leave_words(known, self.granted_to.as_deref()));
            put("near", door::near_words(&self.near, notice.is_late));
        }
        if let Some(known) = notice.response.as_deref() {
            for (what, text) in response::lines(known, &self.locked) {
                put(what, text);
            }
        }
        put("gates", self.gates().join(", "));
        if notice.gates_passed & bit(Gate::OnDelay) != 0 {
            put("waited", "it held for as long as its rule waits (on_delay)".to_owned());
        }
        let age = |at: Timestamp| length(notice.changed_at.since_ns(at) / 1_000);
        put("clock", self.clock_words());
        put(
            "evidence",
            format!(
                "observed {} ({} before), received {} before",
                local(notice.observed_at),
                age(notice.observed_at),
                age(notice.received_at)
            ),
        );
        lines
    }

    /// What people and timers did changes nothing of the evidence.
    fn act_lines(&self, act: &str) -> Vec<String> {
        let AlarmRecord { index, notice, .. } = self.record;
        let (at, state) = (local(notice.changed_at), spaced(notice.state.name()));
        let mut lines = vec![format!("{at}  {act}: now {state}, entry {index}")];
        let remark = notice.life.as_ref().and_then(|life| life.remark.as_ref());
        lines.extend(remark.map(|remark| format!("    {:<10}\"{remark}\"", "remark")));
        lines
    }

    fn cause_words(&self) -> String {
        match self.record.notice.cause {
            Cause::Input { epoch, seq, .. } => {
                let feed = self.feed.as_deref().unwrap_or("-");
                format!("input {seq} of feed {feed}, epoch {epoch}")
            }
            Cause::Deadline { due_at } => format!("a deadline due {}", local(due_at)),
            Cause::SiteChange => match self.record.notice.kind {
                AlarmKind::SelfTest => "the order of a self-test".to_owned(),
                AlarmKind::AuditTrouble => "the node, of its audit log".to_owned(),
                AlarmKind::NodeClockOff => "the node, of its clock".to_owned(),
                AlarmKind::SelftestFailed => "the node, of its daily self-test".to_owned(),
                AlarmKind::ClockSkewed => "the node, of its feed's clock".to_owned(),
                _ => "a change of the site, or a command".to_owned(),
            },
        }
    }

    fn clock_words(&self) -> String {
        match self.record.clock_offset_ns {
            None => "its feed's was not compared with the node's".to_owned(),
            Some(ns) if ns.unsigned_abs() < 1_000_000 => {
                "its feed's agreed with the node's".to_owned()
            }
            Some(ns) => {
                let way = if ns > 0 { "ahead of" } else { "behind" };
                format!("its feed's was {} {way} the node's", length(ns.unsigned_abs() / 1_000))
            }
        }
    }

    fn object(&self) -> Value {
        let notice = &self.record.notice;
        let cause = match notice.cause {
            Cause::Input { lane, epoch, seq, .. } => json!({
                "kind": "input", "feed": self.feed, "lane": lane, "epoch": epoch, "seq": seq,
            }),
            Cause::Deadline { due_at } => json!({ "kind": "deadline", "due_at": iso(due_at) }),
            Cause::SiteChange if notice.kind == AlarmKind::SelfTest => {
                json!({ "kind": "self_test" })
            }
            Cause::SiteChange => json!({ "kind": "site_change" }),
        };
        json!({
            "event": "explanation",
            "id": notice.id.to_string(),
            "entry": self.record.index,
            "transition": snake(notice.transition),
            "reason": notice.reason.map(snake),
            "kind": snake(notice.kind),
            "priority": snake(notice.priority),
            "state": snake(notice.state.name()),
            "life": notice.life.as_deref().map(life_object),
            "incident": notice.incident.map(incident_object),
            "rule": self.rule,
            "site_version": notice.site_version,
            "episode": notice.episode,
            "subject": self.subject,
            "tag": self.tag,
            "place": json!({ "kind": self.place.0, "id": self.place.1 }),
            "is_tentative": notice.is_tentative,
            "is_late": notice.is_late,
            "is_drill": notice.is_drill,
            "cause": cause,
            "door": notice.door.as_deref().map(|known| door::object(known, &self.near, self.granted_to.as_deref())),
            "response": notice.response.as_deref().map(|known| response::object(known, &self.locked)),
            "input": self.heard.as_ref().map(Heard::object),
            "gates": self.gates(),
            "observed_at": iso(notice.observed_at),
            "received_at": iso(notice.received_at),
            "changed_at": iso(notice.changed_at),
            "observed_age_ms": notice.changed_at.since_ns(notice.observed_at) / 1_000_000,
            "received_age_ms": notice.changed_at.since_ns(notice.received_at) / 1_000_000,
            "clock_offset_ms": self.record.clock_offset_ns.map(|ns| ns / 1_000_000),
            "position": notice.position.map(|position| json!({
                "x_mm": position.x_mm,
                "y_mm": position.y_mm,
                "z_mm": position.z_mm,
                "floor": position.floor.map(|floor| f64::from(floor.0) / 100.0),
                "accuracy_mm": notice.accuracy_mm,
            })),
        })
    }
}

#[expect(clippy::as_conversions, reason = "a gate's value is its bit")]
fn bit(gate: Gate) -> u16 {
    gate as u16
}
