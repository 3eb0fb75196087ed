//! `ach rules rehearse`: which alarms other rules would have raised.

mod left_out;
mod object;
mod report;
mod told;

use std::ops::ControlFlow;

use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_journal::FileDisk;
use ach_engine_node::{Clock, RereadError, Rereading, Standing, SystemClock};
use ach_engine_rehearsal::{
    Comparison, Rehearsal, RehearsalError, Rehearsed, SAME_NS_MAX, compare,
};
use ach_engine_review::Review;
use ach_engine_site::{Finding, FindingKind, Findings, RuleBook};
use indicatif::{ProgressBar, ProgressStyle};

use self::left_out::{LeftOut, LockedDoors};
use self::told::Told;
use super::rule_file;
use crate::audit_deposit;
use crate::cli::rules::Rehearse;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment::local;

/// How far it is is told again after so many entries: some thousand times a second.
const ENTRIES_A_LOOK: u64 = 256;

/// What a rehearsal came to, for whoever tells it.
struct Account<'a> {
    comparison: &'a Comparison<'a>,
    /// What the alarms were like for those who answered them, and would have been.
    was: Review<'a>,
    would: Review<'a>,
    told: &'a Told<'a>,
    left_out: LeftOut,
    /// What was asked for, or is there of it.
    from: Timestamp,
    to: Timestamp,
    pings: u64,
    entries: u64,
    /// How long what was decided took when it happened, and now.
    happened_ns: u64,
    took_ns: u64,
}

/// Rehearses.
pub(crate) fn run(wish: &Rehearse) -> Result<Outcome, Failure> {
    if let (Some(from), Some(to)) = (wish.from, wish.to)
        && from >= to
    {
        return Err(Failure::misused("--from must lie before --to"));
    }
    let book = rule_file::read(&wish.file)?;
    if book.rule_count() == 0 {
        complain!("{} has no rules: no alarm would have been raised", wish.file.display());
    }
    let directory = DataDirectory::existing(&wish.data)?;
    if !directory.has_journal()? {
        return Err(Failure::new(format!(
            "{} has no journal: nothing was recorded there; name the data directory of a node",
            wish.data.display()
        )));
    }
    let disk = FileDisk::existing(directory.journal())?;
    let rereading = Rereading::new(disk, directory.key_source().load()?, &directory.archive());
    audit_deposit::remembered(&wish.data, "rehearse", Vec::new())?;
    let standing =
        rereading.stand_by(wish.from.unwrap_or_default()).map_err(|error| unread(&error))?;
    let clock = SystemClock::default();
    let begun_ns = clock.monotonic_ns();
    let mut run = play(wish, &book, &rereading, standing)?;
    let left_out = run.locked.leave_out(&mut run.rehearsed);
    let took_ns = clock.monotonic_ns().saturating_sub(begun_ns);
    let (from, to) = span(wish, &run)?;
    let rehearsed = &run.rehearsed;
    let comparison = compare(&rehearsed.was, &rehearsed.would, (from, to));
    let account = Account {
        comparison: &comparison,
        was: Review::of(&rehearsed.was, (from, to)),
        would: Review::of(&rehearsed.would, (from, to)),
        told: &Told::new(rehearsed.site.as_deref()),
        left_out,
        from,
        to,
        pings: rehearsed.ping_count,
        entries: rehearsed.entry_count,
        happened_ns: run.last_at.since_ns(run.first_at.unwrap_or_default()),
        took_ns,
    };
    if wish.json {
        object::print(&account);
    } else {
        report::print(&account, &wish.file, wish.examples);
    }
    let has_beginning = wish.from.is_none_or(|asked| asked >= from);
    Ok(if run.is_whole && has_beginning { Outcome::Done } else { Outcome::Unsound })
}

/// The time that was asked for, as far as it is recorded.
fn span(wish: &Rehearse, run: &Played) -> Result<(Timestamp, Timestamp), Failure> {
    let Some(first_at) = run.first_at else {
        return Err(Failure::new("nothing was recorded before that time; ask for a later one"));
    };
    // What was so at a checkpoint was decided before it, and the rules are exchanged in that moment.
    let begins_at = if run.has_past { first_at.plus_ns(1) } else { first_at };
    let from = wish.from.unwrap_or(begins_at).max(begins_at);
    if let Some(asked) = wish.from.filter(|asked| *asked < begins_at) {
        complain!("what was recorded begins {}, not {}", local(first_at), local(asked));
    }
    let end = run.end_at.plus_ns(1);
    let to = wish.to.unwrap_or(end).min(end);
    if from >= to {
        return Err(Failure::new(format!(
            "what was recorded goes from {} to {}; ask for a time within it",
            local(first_at),
            local(run.end_at)
        )));
    }
    Ok((from, to))
}

/// What cannot be read, for somebody who wants to rehearse and has no history to mend.
fn unread(error: &RereadError) -> Failure {
    match error {
        RereadError::Missing { expected } => Failure::new(format!(
            "neither journal nor archives have entry {expected}, and no checkpoint lies behind it; ask for a \
             later --from, or put the archives back"
        )),
        RereadError::Checkpoint { index, detail } => Failure::new(format!(
            "the checkpoint of entry {index} cannot be read: {detail}; use the program that wrote it, or ask \
             for a time before it"
        )),
        error => Failure::new(error.to_string()),
    }
}

/// What was played.
struct Played {
    rehearsed: Rehearsed,
    locked: LockedDoors,
    /// The moments of the first and the last entry that was decided.
    first_at: Option<Timestamp>,
    last_at: Timestamp,
    /// The last entry there is, or the last that can be read.
    end_at: Timestamp,
    /// Whether it began at a checkpoint.
    has_past: bool,
    is_whole: bool,
}

/// Plays all entries up to the moment that was asked for, and a little further: an alarm that comes somewhat later
/// than it did is not gone.
fn play(
    wish: &Rehearse,
    book: &RuleBook,
    rereading: &Rereading<FileDisk>,
    standing: Standing,
) -> Result<Played, Failure> {
    let Standing { shard, twin, site, mut place } = standing;
    let has_past = shard.entry_index() > 0;
    let mut first_at = has_past.then(|| shard.entry_at());
    let begun_after = shard.entry_index();
    let end_at = rereading.end()?.at;
    let until = wish.to.unwrap_or(Timestamp(u64::MAX - SAME_NS_MAX)).plus_ns(SAME_NS_MAX);
    let bar = Progress::new(wish.json, first_at, until.min(end_at));
    let mut rehearsal = Rehearsal::new(shard, twin)?;
    let mut is_told = false;
    let mut locked = LockedDoors::default();
    let mut swap = |site: &SiteConfig| put_into(book, site, &mut is_told, &mut locked);
    if let Some(site) = &site {
        let version = site.version;
        let site = swap(site).map_err(|source| {
            unfit(wish, RehearsalError::Unfit { version, index: begun_after, source })
        })?;
        rehearsal.change::<Findings>(site).map_err(|error| unfit(wish, error))?;
    }
    let mut outcome = Ok(());
    let read = rereading.follow(&mut place, &mut |entry| {
        if entry.at >= until {
            outcome = rehearsal.play_on(until, Some(&entry));
            return ControlFlow::Break(());
        }
        first_at = first_at.or(Some(entry.at));
        bar.look(&entry, first_at);
        outcome = rehearsal.step(entry, &mut swap);
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    bar.end();
    outcome.map_err(|error| unfit(wish, error))?;
    let is_whole = match read {
        Err(error @ RereadError::Damaged { .. }) => {
            complain!("{error}");
            false
        }
        read => read.map(|()| true).map_err(|error| unread(&error))?,
    };
    let last_at = rehearsal.at();
    let end_at = if is_whole { end_at.max(last_at) } else { last_at };
    let rehearsed = rehearsal.finish();
    Ok(Played { rehearsed, locked, first_at, last_at, end_at, has_past, is_whole })
}

/// The rules in the place of a site's own. Whom and what they do not find is told once.
fn put_into(
    book: &RuleBook,
    site: &SiteConfig,
    is_told: &mut bool,
    locked: &mut LockedDoors,
) -> Result<SiteConfig, Findings> {
    let in_force = site;
    let (site, warnings) = book.put_into(in_force)?;
    locked.note(in_force, &site);
    let is_empty = |warning: &&Finding| warning.kind == FindingKind::EmptySelection;
    if !*is_told {
        warnings.iter().filter(is_empty).for_each(|warning| complain!("{warning}"));
    }
    *is_told = true;
    Ok(site)
}

fn unfit(wish: &Rehearse, error: RehearsalError<Findings>) -> Failure {
    match error {
        RehearsalError::Unfit { version, index, source } => {
            source.iter().for_each(|finding| complain!("{finding}"));
            Failure::new(format!(
                "{} does not fit version {version} of the site, which was in force at entry {index}; mend what \
                 is told above, or rehearse a time at which the site had it",
                wish.file.display()
            ))
        }
        error => error.into(),
    }
}

/// Tells how far it is.
struct Progress {
    bar: ProgressBar,
    to: Timestamp,
}

impl Progress {
    fn new(is_json: bool, from: Option<Timestamp>, to: Timestamp) -> Progress {
        if is_json {
            return Progress { bar: ProgressBar::hidden(), to };
        }
        let seconds = to.since_ns(from.unwrap_or(to)) / 1_000_000_000;
        let bar = ProgressBar::new(seconds);
        let style = ProgressStyle::with_template("{bar:40} {percent} %  {msg}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress { bar, to }
    }

    /// Looks now and then how far an entry is.
    fn look(&self, entry: &ach_engine_shard::Entry, first_at: Option<Timestamp>) {
        if !entry.index.is_multiple_of(ENTRIES_A_LOOK) {
            return;
        }
        let first_at = first_at.unwrap_or(entry.at);
        self.bar.set_length(self.to.since_ns(first_at) / 1_000_000_000);
        self.bar.set_position(entry.at.since_ns(first_at) / 1_000_000_000);
        self.bar.set_message(local(entry.at));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
