//! What a person or a timer did with an alarm, in words.

use ach_actors_model::{ActMark, AlarmLife, AlarmNotice, AlarmTransition, Name, Remark, Timestamp};
use serde_json::{Value, json};

use crate::moment::{iso, local};
use crate::notes::{snake, spaced};

/// What was done, by whom, until when, as which cause: `closed as wrong position by nurse-7`. Nothing for what the
/// condition itself says.
pub(super) fn act_words(notice: &AlarmNotice) -> Option<String> {
    let transition = notice.transition;
    let life = notice.life.as_deref().filter(|_| !transition.is_of_the_condition())?;
    let to = |who: &Option<Name>| who.as_ref().map_or("nobody".to_owned(), Name::to_string);
    let until =
        |at: Option<Timestamp>| at.map_or_else(String::new, |at| format!(" until {}", local(at)));
    let what = match transition {
        AlarmTransition::Assigned => format!("assigned to {}", to(&life.assignee)),
        AlarmTransition::Shelved => format!("shelved{}", until(life.quiet_until)),
        AlarmTransition::Suppressed => format!("muted{}", until(life.quiet_until)),
        AlarmTransition::Unsuppressed => "muted no more".to_owned(),
        AlarmTransition::TakenOut => format!("taken out of service{}", until(life.quiet_until)),
        AlarmTransition::Closed => {
            let cause = life.cause.map_or_else(|| "-".to_owned(), spaced);
            format!("closed as {cause}")
        }
        AlarmTransition::Escalated => {
            format!("passed on to {}, time {}", to(&life.escalated_to), life.level)
        }
        AlarmTransition::Realarmed => "calls again, for it still holds".to_owned(),
        AlarmTransition::Responded => "calls for responses that its rule has got".to_owned(),
        AlarmTransition::Dropped => "given up, for too many wait for people".to_owned(),
        other => spaced(other),
    };
    Some(match &life.by {
        Some(by) => format!("{what} by {by}"),
        None if is_an_end(transition) => format!("{what}, its time being over"),
        None => what,
    })
}

/// Whether something ends that would have ended by itself.
fn is_an_end(transition: AlarmTransition) -> bool {
    use AlarmTransition::{PutBack, Unshelved, Unsuppressed};
    matches!(transition, Unshelved | Unsuppressed | PutBack)
}

/// All that had been done with it by then, for programs; the fields are those of an alarm as a running node tells it.
pub(super) fn life_object(life: &AlarmLife) -> Value {
    let AlarmLife { revision, level, comment_count, .. } = life;
    let mark = |mark: &Option<ActMark>| {
        json!(mark.as_ref().map(|mark| json!({ "by": mark.by.as_str(), "at": iso(mark.at) })))
    };
    let name = |name: &Option<Name>| json!(name.as_ref().map(Name::as_str));
    json!({
        "revision": revision,
        "by": name(&life.by),
        "remark": life.remark.as_ref().map(Remark::as_str),
        "acknowledged": mark(&life.acknowledged),
        "confirmed": mark(&life.confirmed),
        "closed": mark(&life.closed),
        "cause": life.cause.map(snake),
        "assignee": name(&life.assignee),
        "quiet_until": life.quiet_until.map(iso),
        "level": level,
        "escalated_to": name(&life.escalated_to),
        "comment_count": comment_count,
    })
}
