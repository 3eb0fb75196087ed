//! Effects in words.

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{AlarmNotice, AlarmTransition, NS_PER_MS, Place, Timestamp};

use super::hospital::MONDAY;

/// `70 raised Elopement anna ward tentative late`, or `(CameBack)` for the reason.
pub(crate) fn alarm(notice: &AlarmNotice, site: &Site) -> String {
    let subject = notice.subject.and_then(|subject| site.subject_name(subject));
    let mut text = format!(
        "{} {} {:?} {}",
        clock(notice.changed_at),
        word(notice.transition),
        notice.kind,
        subject.unwrap_or("-"),
    );
    let place = match notice.place {
        Place::Site | Place::Tag(_) => None,
        Place::Zone(zone) => site.zone_name(zone),
        Place::Door(door) => site.door_name(door),
        Place::Line(line) => site.line_name(line),
        Place::Source(source) => site.source_name(source),
        Place::Anchor(anchor) => site.anchor_name(anchor),
        Place::Subject(other) => site.subject_name(other),
    };
    text.extend(place.into_iter().flat_map(|place| [" ", place]));
    if notice.is_tentative {
        text.push_str(" tentative");
    }
    if notice.is_late {
        text.push_str(" late");
    }
    if let Some(reason) = notice.reason {
        text.extend([" (", &format!("{reason:?}"), ")"]);
    }
    text
}

/// Alarms among effects, in words.
pub(crate) fn alarms(effects: &[Effect], site: &Site) -> Vec<String> {
    let notices = effects.iter().filter_map(|effect| match effect {
        Effect::Alarm(notice) => Some(notice),
        _ => None,
    });
    notices.map(|notice| alarm(notice, site)).collect()
}

/// What became of an alarm, as a story says it.
fn word(transition: AlarmTransition) -> &'static str {
    match transition {
        AlarmTransition::Raised => "raised",
        AlarmTransition::Upheld => "upheld",
        AlarmTransition::Retracted => "retracted",
        AlarmTransition::Cleared => "cleared",
        AlarmTransition::Acknowledged => "acknowledged",
        AlarmTransition::Confirmed => "confirmed",
        AlarmTransition::Assigned => "assigned",
        AlarmTransition::Commented => "commented",
        AlarmTransition::Shelved => "shelved",
        AlarmTransition::Unshelved => "unshelved",
        AlarmTransition::Suppressed => "suppressed",
        AlarmTransition::Unsuppressed => "unsuppressed",
        AlarmTransition::TakenOut => "taken-out",
        AlarmTransition::PutBack => "put-back",
        AlarmTransition::Reset => "reset",
        AlarmTransition::Closed => "closed",
        AlarmTransition::Escalated => "escalated",
        AlarmTransition::Realarmed => "realarmed",
        AlarmTransition::Dropped => "dropped",
        AlarmTransition::Responded => "responded",
    }
}

/// Seconds since midnight.
pub(crate) fn clock(at: Timestamp) -> String {
    let ms = at.since_ns(MONDAY) / NS_PER_MS;
    if ms.is_multiple_of(1_000) {
        format!("{}", ms / 1_000)
    } else {
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }
}
