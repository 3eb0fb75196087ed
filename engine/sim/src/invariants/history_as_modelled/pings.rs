//! Where each tag was, asked in every way there is, and who bore it.

use ach_actors_model::{NS_PER_MS, SubjectRef, TagRef, Timestamp};
use ach_engine_shard::Input;
use ach_engine_store::{KeptPing, QueryError, Store};

use super::{Answer, EVER, Journal, Run};
use crate::site::TAG_COUNT;

pub(super) fn check(store: &Store, journal: &Journal<'_>) -> Answer {
    for tag in 0..TAG_COUNT {
        let seen = journal.pings_of(tag);
        for check in [check_pings, check_bearer] {
            if let Err(wrong) = check(store, tag, &seen, journal)? {
                return Ok(Err(format!("of tag {tag}: {wrong}")));
            }
        }
    }
    Ok(Ok(()))
}

impl Journal<'_> {
    /// The pings of a tag that history must have, in the order in which they came.
    fn pings_of(&self, tag: u32) -> Vec<KeptPing> {
        let seen = self.model.diary().pings.get(&tag).into_iter().flatten();
        seen.filter(|seen| self.has(seen.index)).map(|seen| seen.kept).collect()
    }

    /// When an entry was made.
    fn made_at(&self, index: u64) -> Option<Timestamp> {
        self.past.entries.iter().find(|entry| entry.index == index).map(|entry| entry.at)
    }
}

/// Both must be the same, one by one.
fn compared(how: &str, kept: &[KeptPing], seen: &[KeptPing]) -> Result<(), String> {
    if let Some((kept, seen)) = kept.iter().zip(seen).find(|(kept, seen)| kept != seen) {
        return Err(format!("{how} history has {kept:?}, the journal {seen:?}"));
    }
    if kept.len() != seen.len() {
        let (kept, seen) = (kept.len(), seen.len());
        return Err(format!("{how} history has {kept} pings, the journal {seen}"));
    }
    Ok(())
}

/// The last of those that were measured last, by `at`.
fn last_of(seen: &[KeptPing], at: Timestamp) -> Option<KeptPing> {
    let by_then = seen.iter().filter(|seen| seen.observed_at <= at);
    by_then.max_by_key(|seen| seen.observed_at).copied()
}

/// The same, of those that were measured within a time.
fn compared_within(
    store: &Store,
    (how, tag): (&str, TagRef),
    seen: &[KeptPing],
    (from, until): (Timestamp, Timestamp),
) -> Answer {
    let kept = store.pings(tag, from, until)?.collect::<Result<Vec<KeptPing>, _>>()?;
    let mut measured = seen.to_vec();
    measured.retain(|it| (from..until).contains(&it.observed_at));
    Ok(compared(how, &kept, &measured))
}

fn check_pings(store: &Store, tag: u32, seen: &[KeptPing], journal: &Journal<'_>) -> Answer {
    let tag = TagRef(tag);
    let mut wrong = Ok(());
    for run in &journal.runs {
        wrong = wrong.and(compared_within(store, ("in all", tag), seen, run.asked)?);
    }
    let mut received = Vec::new();
    let mut asked_at = vec![EVER.1];
    for gap in &journal.gaps {
        asked_at.extend([gap.after_at, gap.until_at, gap.until_at.plus_ns(1)]);
    }
    for day in store.days() {
        received.extend(store.received(tag, day).collect::<Result<Vec<KeptPing>, _>>()?);
        // What was measured on a day may have come on a later one.
        for Run { asked: (from, until), .. } in &journal.runs {
            let of_day = (day.begins_at().max(*from), day.ends_at().min(*until));
            if of_day.0 < of_day.1 {
                let how = format!("of {day}");
                wrong = wrong.and(compared_within(store, (&how, tag), seen, of_day)?);
            }
        }
        asked_at.push(Timestamp(day.ends_at().0.saturating_sub(1)));
    }
    wrong = wrong.and(compared("by when they came", &received, seen));
    for at in asked_at {
        wrong = wrong.and(check_last(store, tag, (seen, at), journal)?);
    }
    Ok(wrong)
}

/// Where a tag was last by a moment. It is not known if there was a gap since.
fn check_last(
    store: &Store,
    tag: TagRef,
    (seen, at): (&[KeptPing], Timestamp),
    journal: &Journal<'_>,
) -> Answer {
    let last = last_of(seen, at);
    let last_at = last.map_or(Timestamp(0), |last| last.observed_at);
    let is_hidden = journal.gaps.iter().any(|gap| last_at <= gap.until_at && at > gap.after_at);
    let found = match store.whereabouts(tag, at) {
        Err(QueryError::Gap { .. }) if is_hidden => return Ok(Ok(())),
        found => found?,
    };
    if found == last && !is_hidden {
        return Ok(Ok(()));
    }
    let hidden = if is_hidden { ", behind which is a gap" } else { "" };
    Ok(Err(format!("at {at:?} it was last {last:?}{hidden}, not {found:?}")))
}

/// Who bears a tag does from the entry on that put the site in force, or from where history begins.
fn check_bearer(store: &Store, tag: u32, seen: &[KeptPing], journal: &Journal<'_>) -> Answer {
    let (subject, tag) = (SubjectRef(tag), TagRef(tag));
    let borne = store.bearers(tag)?;
    let [(since, Some(bearer))] = borne[..] else {
        return Ok(Err(format!("it was borne by {borne:?}")));
    };
    let changes = |input: &Input| matches!(input, Input::SiteChange(_));
    let mut entries = journal.past.entries.iter();
    let in_force = entries.find(|entry| entry.inputs.iter().any(changes));
    let in_force = in_force.map_or((0, Timestamp(0)), |entry| (entry.index, entry.at));
    let is_right = match journal.runs.iter().find(|run| run.through >= in_force.0) {
        Some(run) if run.has(in_force.0) => in_force.1 == since,
        // It may have been begun earlier, and not written.
        Some(run) => journal.made_at(run.after).is_some_and(|at| since <= at),
        None => false,
    };
    if bearer != subject || !is_right {
        return Ok(Err(format!("it was borne by {borne:?}")));
    }
    let before = Timestamp(since.0.saturating_sub(1));
    let asked = [since, before].map(|at| store.bearer(tag, at));
    let [then, before] = asked;
    if (then?, before?) != (Some(subject), None) {
        return Ok(Err(format!("who bore it at {since:?} is not told")));
    }
    let tags = store.tags_of(subject)?;
    if tags != [(tag, since, None)] {
        return Ok(Err(format!("its bearer bore {tags:?}")));
    }
    let found = store.positions_of(subject)?.collect::<Result<Vec<_>, QueryError>>()?;
    let found: Vec<KeptPing> = found.into_iter().map(|(_, ping)| ping).collect();
    let mut theirs = seen.to_vec();
    // Known to the millisecond: whoever bore it in any part of that one.
    // Of what was measured in a gap nobody knows it.
    let is_in_gap = |ping: &KeptPing| {
        let at = ping.observed_at;
        journal.gaps.iter().any(|gap| at > gap.after_at && at <= gap.until_at)
    };
    theirs.retain(|ping| ping.observed_at.plus_ns(NS_PER_MS - 1) >= since && !is_in_gap(ping));
    Ok(compared("as positions of its bearer", &found, &theirs))
}
