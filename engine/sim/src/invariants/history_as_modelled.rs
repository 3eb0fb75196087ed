//! Once all is healed history has every entry once: each ping, where each tag was last, each visit, each
//! change of an alarm, as the model makes them of the journal.

use std::collections::BTreeMap;

use ach_actors_model::{SubjectRef, TagRef, Timestamp, ZoneRef};
use ach_engine_store::{KeptPing, NameKind, QueryError, Store, Visit};

use super::alarms_as_modelled::unmodelled;
use crate::model::{Model, Seen};
use crate::past::Past;
use crate::site::{TAG_COUNT, ZONES};

/// More visits than a run can have.
const VISITS_MAX: usize = 100_000;

const EVER: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX / 2));

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    let store = match &past.history {
        Some(Ok(store)) => store,
        Some(Err(error)) => return Err(format!("history cannot be opened: {error}")),
        None => return Err("nobody looked at history".to_owned()),
    };
    let last_index = past.entries.last().map_or(0, |entry| entry.index);
    let through = store.through().map_err(|error| error.to_string())?;
    if through != last_index {
        return Err(format!("history ends with entry {through}, the journal with {last_index}"));
    }
    let begins_after = begins_after(store)?;
    if begins_after > 0 && (!past.has_lost_history || past.given_up.is_empty()) {
        return Err(format!("history begins after entry {begins_after}, and nothing was lost"));
    }
    let asked = |error: QueryError| format!("history cannot be asked: {error}");
    store.verify().map_err(asked)?;
    for tag in 0..TAG_COUNT {
        let seen = model.diary().pings.get(&tag).map_or(&[][..], Vec::as_slice);
        let seen = seen.iter().filter(|seen| seen.index > begins_after).collect::<Vec<_>>();
        check_pings(store, tag, &seen).map_err(asked)??;
    }
    for (zone, (name, _)) in (0..).zip(ZONES) {
        let number = store.number(NameKind::Zone, name).map_err(asked)?;
        let number = number.map(ZoneRef).ok_or(format!("history knows no zone {name}"))?;
        let first = past.entries.iter().find(|entry| entry.index > begins_after);
        // Whoever was there when history begins has come with its first entry.
        let begins_at = first.filter(|_| begins_after > 0).map_or(Timestamp(0), |entry| entry.at);
        check_visits(store, (zone, number), model, (begins_after, begins_at)).map_err(asked)??;
    }
    check_alarms(store, model, begins_after).map_err(asked)?
}

/// The last entry before those that history has.
fn begins_after(store: &Store) -> Result<u64, String> {
    for day in store.days() {
        if let Some(mark) = store.mark(day).map_err(|error| error.to_string())? {
            return Ok(mark.begins_after);
        }
    }
    Ok(0)
}

/// When who came, and when he left, if he has.
type Came = (Timestamp, u32);
type Left = Option<Timestamp>;

/// What is asked of the store, and what is wrong with what it says.
type Answer = Result<Result<(), String>, QueryError>;

fn check_pings(store: &Store, tag: u32, seen: &[&Seen]) -> Answer {
    let (from, until) = EVER;
    let kept = store.pings(TagRef(tag), from, until)?.collect::<Result<Vec<KeptPing>, _>>()?;
    let same = |kept: &KeptPing, seen: &Seen| {
        (kept.observed_at, kept.received_at) == (seen.observed_at, seen.received_at)
            && (kept.position.x_mm, kept.position.y_mm) == seen.at_mm
    };
    if kept.len() != seen.len() {
        let (kept, seen) = (kept.len(), seen.len());
        return Ok(Err(format!("history has {kept} pings of tag {tag}, the journal {seen}")));
    }
    if let Some((kept, seen)) = kept.iter().zip(seen).find(|(kept, seen)| !same(kept, seen)) {
        return Ok(Err(format!("history has {kept:?} of tag {tag}, the journal {seen:?}")));
    }
    // The last of those that were measured last.
    let last = seen.iter().max_by_key(|seen| seen.observed_at);
    let found = store.whereabouts(TagRef(tag), until)?;
    let is_right = match (&found, last) {
        (None, None) => true,
        (Some(kept), Some(seen)) => same(kept, seen),
        _ => false,
    };
    Ok(if is_right { Ok(()) } else { Err(format!("tag {tag} was last {last:?}, not {found:?}")) })
}

fn check_visits(
    store: &Store,
    (zone, number): (u32, ZoneRef),
    model: &Model,
    (begins_after, begins_at): (u64, Timestamp),
) -> Answer {
    let is_kept = |exited: Option<(u64, Timestamp)>| exited.is_none_or(|it| it.0 > begins_after);
    let stays = model.diary().stays.iter().filter(|stay| stay.zone == zone);
    let expected: BTreeMap<Came, Left> = stays
        .filter(|stay| is_kept(stay.exited))
        .map(|stay| ((stay.entered.1.max(begins_at), stay.tag), stay.exited.map(|it| it.1)))
        .collect();
    let row = |visit: &Visit| ((visit.entered_at, visit.subject.0), visit.exited_at);
    let visits = store.visits_of_zone(number, EVER, VISITS_MAX)?;
    let found: BTreeMap<Came, Left> = visits.iter().map(row).collect();
    if found != expected || visits.len() != found.len() {
        let surplus = found.iter().find(|(came, left)| expected.get(came) != Some(left));
        let missing = expected.iter().find(|(came, left)| found.get(came) != Some(left));
        return Ok(Err(format!(
            "of visits of zone {zone} history lacks {missing:?} and has {surplus:?} besides"
        )));
    }
    for tag in 0..TAG_COUNT {
        let visits = store.visits_of_subject(SubjectRef(tag), EVER, VISITS_MAX)?;
        let of_zone = visits.iter().filter(|visit| visit.zone == number).map(row);
        if !of_zone.eq(expected.iter().filter(|((_, who), _)| *who == tag).map(|(&k, &v)| (k, v))) {
            return Ok(Err(format!("subject {tag} has other visits of zone {zone} than it of it")));
        }
    }
    Ok(Ok(()))
}

fn check_alarms(store: &Store, model: &Model, begins_after: u64) -> Answer {
    let unmodelled = unmodelled(model);
    let kept = store.alarms(EVER, VISITS_MAX)?;
    let mut found: Vec<_> = kept
        .iter()
        .map(|record| (record.index, record.notice.id, record.notice.transition))
        .filter(|(_, id, _)| !unmodelled.contains(id))
        .collect();
    let notices = model.notices().iter().filter(|notice| notice.index > begins_after);
    let mut expected: Vec<_> =
        notices.map(|notice| (notice.index, notice.id, notice.transition)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found != expected {
        let surplus = found.iter().find(|it| !expected.contains(it));
        let missing = expected.iter().find(|it| !found.contains(it));
        return Ok(Err(format!("of alarms history lacks {missing:?} and has {surplus:?} besides")));
    }
    Ok(Ok(()))
}
