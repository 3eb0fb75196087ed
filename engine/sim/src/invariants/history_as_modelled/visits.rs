//! Who was in which zone, and when.

use std::collections::BTreeMap;

use ach_actors_model::{SubjectRef, Timestamp, ZoneRef};
use ach_engine_store::{NameKind, Store, Visit};

use super::{Answer, Journal, ROWS_MAX, Run};
use crate::site::{TAG_COUNT, ZONES};

/// When who came, and when he left, if he has.
type Came = (Timestamp, u32);
type Left = Option<Timestamp>;

pub(super) fn check(store: &Store, journal: &Journal<'_>) -> Answer {
    for (zone, (name, _)) in (0..).zip(ZONES) {
        let Some(number) = store.number(NameKind::Zone, name)?.map(ZoneRef) else {
            return Ok(Err(format!("history knows no zone {name}")));
        };
        for run in &journal.runs {
            if let Err(wrong) = check_zone(store, (zone, number), journal, run)? {
                return Ok(Err(wrong));
            }
        }
    }
    Ok(Ok(()))
}

fn check_zone(
    store: &Store,
    (zone, number): (u32, ZoneRef),
    journal: &Journal<'_>,
    run: &Run,
) -> Answer {
    // How a visit ended is not told if it was behind a gap, or with the last entry before it.
    let left = |exited: Option<(u64, Timestamp)>| {
        exited.filter(|it| run.has(it.0) && Some(it.1) != run.ends_at).map(|it| it.1)
    };
    let stays = journal.model.diary().stays.iter().filter(|stay| {
        stay.zone == zone
            && stay.entered.0 <= run.through
            && stay.exited.is_none_or(|it| it.0 > run.after)
    });
    let expected: BTreeMap<Came, Left> = stays
        .map(|stay| ((stay.entered.1.max(run.comes_at), stay.tag), left(stay.exited)))
        .collect();
    let row = |visit: &Visit| ((visit.entered_at, visit.subject.0), visit.exited_at);
    let visits = store.visits_of_zone(number, run.asked, ROWS_MAX)?;
    let found: BTreeMap<Came, Left> = visits.iter().map(row).collect();
    if found != expected || visits.len() != found.len() {
        let surplus = found.iter().find(|(came, left)| expected.get(came) != Some(left));
        let missing = expected.iter().find(|(came, left)| found.get(came) != Some(left));
        return Ok(Err(format!(
            "of visits of zone {zone} history lacks {missing:?} and has {surplus:?} besides"
        )));
    }
    for tag in 0..TAG_COUNT {
        let visits = store.visits_of_subject(SubjectRef(tag), run.asked, ROWS_MAX)?;
        let of_zone = visits.iter().filter(|visit| visit.zone == number).map(row);
        if !of_zone.eq(expected.iter().filter(|((_, who), _)| *who == tag).map(|(&k, &v)| (k, v))) {
            return Ok(Err(format!("subject {tag} has other visits of zone {zone} than it of it")));
        }
    }
    Ok(Ok(()))
}
