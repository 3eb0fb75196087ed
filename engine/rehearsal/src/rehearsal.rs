//! The same past twice: as it was, and under other rules.

use std::sync::Arc;

use ach_actors_entities::{Site, SiteError};
use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_review::{Episode, TooManyAlarms};
use ach_engine_shard::{Entry, Input, Shard};
use thiserror::Error;

use crate::run::Run;

/// Why a rehearsal cannot go on.
#[derive(Debug, Error)]
pub enum RehearsalError<E> {
    /// This program decides what was recorded differently.
    #[error("entry {index} is decided differently by this program; use the one that recorded it")]
    Diverged {
        /// Which entry.
        index: u64,
    },
    /// The rules do not fit a site that was in force.
    #[error(
        "the rules do not fit version {version} of the site, which came into force at entry {index}"
    )]
    Unfit {
        /// The version.
        version: u32,
        /// The entry that brought it.
        index: u64,
        /// What does not fit.
        source: E,
    },
    /// A site with the rules cannot be put in force.
    #[error("the rules cannot be put in force: {0}")]
    Site(#[from] SiteError),
    /// There are more alarms than anybody reads.
    #[error(transparent)]
    TooManyAlarms(#[from] TooManyAlarms),
    /// There is no room for another version of the site.
    #[error("the site has had every version there can be")]
    Versions,
}

/// Two shards that hear the same.
#[derive(Debug)]
pub struct Rehearsal {
    was: Run,
    would: Run,
    entry_count: u64,
    ping_count: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Rehearsed {
    /// The alarms there were, in the order in which they were raised.
    pub was: Vec<Episode>,
    /// The alarms there would have been.
    pub would: Vec<Episode>,
    /// The site that was in force last, with the rules that were rehearsed: it has all names but those of rules.
    pub site: Option<Arc<Site>>,
    /// Entries that were decided twice.
    pub entry_count: u64,
    /// Pings in them.
    pub ping_count: u64,
}

impl Rehearsal {
    /// Begins with two shards in the same state.
    ///
    /// # Errors
    ///
    /// More alarms are open in it than are kept.
    ///
    /// # Panics
    ///
    /// If they are not of the same entry: they would not hear the same.
    pub fn new(was: Shard, would: Shard) -> Result<Rehearsal, TooManyAlarms> {
        assert_eq!(was.entry_index(), would.entry_index(), "both are of one entry");
        assert_eq!(was.entry_at(), would.entry_at(), "both are of one moment");
        let (was, would) = (Run::new(was)?, Run::new(would)?);
        Ok(Rehearsal { was, would, entry_count: 0, ping_count: 0 })
    }

    /// Puts a site with other rules in force in the second shard, at the moment both are at.
    ///
    /// # Errors
    ///
    /// It has a mistake, or there are too many alarms.
    pub fn change<E>(&mut self, config: SiteConfig) -> Result<(), RehearsalError<E>> {
        let config = self.versioned(config)?;
        let would = &self.would.shard;
        Site::compile(would.site().map(AsRef::as_ref), &config)?;
        let at = would.entry_at();
        let entry = self.next(at, would.logic_version(), vec![Input::SiteChange(config.into())]);
        self.would.step(&entry)?;
        Ok(())
    }

    /// Has both decide an entry as it was recorded. `swap` gives a site other rules: it is asked when a site
    /// came into force.
    ///
    /// # Errors
    ///
    /// See [`RehearsalError`]; then the rehearsal is over.
    ///
    /// # Panics
    ///
    /// If the entry is not the next one, see [`Shard::step`].
    pub fn step<E>(
        &mut self,
        mut entry: Entry,
        swap: &mut dyn FnMut(&SiteConfig) -> Result<SiteConfig, E>,
    ) -> Result<(), RehearsalError<E>> {
        self.wake_up(awake_until(&entry))?;
        let index = entry.index;
        if self.was.step(&entry)? != entry.effects_hash {
            return Err(RehearsalError::Diverged { index });
        }
        self.entry_count += 1;
        self.ping_count += entry.inputs.iter().map(pings).sum::<u64>();
        if entry.inputs.iter().any(|input| matches!(input, Input::SiteChange(_))) {
            let is_in_force = self.was.has_changed_site();
            entry.inputs = self.with_rules(entry.inputs, is_in_force, index, swap)?;
        }
        let entry = self.next(entry.at, entry.logic_version, entry.inputs);
        self.would.step(&entry)?;
        Ok(())
    }

    /// Has the second run decide what is due before a moment that no recorded entry comes up to. `next` is the
    /// recorded entry after that, if there is one.
    ///
    /// # Errors
    ///
    /// There are too many alarms.
    pub fn play_on<E>(
        &mut self,
        until: Timestamp,
        next: Option<&Entry>,
    ) -> Result<(), RehearsalError<E>> {
        let until = next.map_or(until, |entry| until.min(awake_until(entry)));
        self.wake_up(until)
    }

    /// The alarms of both.
    pub fn finish(self) -> Rehearsed {
        let Rehearsal { was, would, entry_count, ping_count } = self;
        let (was, _) = was.finish();
        let (would, site) = would.finish();
        Rehearsed { was, would, site, entry_count, ping_count }
    }

    /// Shard time of what was decided last.
    pub fn at(&self) -> Timestamp {
        self.was.shard.entry_at()
    }

    /// Has the second shard decide what became due before a moment and was not due in the first. A node wakes
    /// up for every deadline, so what both wait for has an entry of its own among those recorded; what only
    /// other rules wait for has none.
    fn wake_up<E>(&mut self, until: Timestamp) -> Result<(), RehearsalError<E>> {
        while let Some(due_at) = self.would.shard.next_due() {
            let is_due_there = self.was.shard.next_due().is_some_and(|other| other <= due_at);
            if due_at >= until || is_due_there {
                return Ok(());
            }
            let shard = &self.would.shard;
            let at = due_at.max(shard.entry_at());
            let tick = self.next(at, shard.logic_version(), vec![Input::Tick]);
            self.would.step(&tick)?;
        }
        Ok(())
    }

    /// The inputs of an entry, sites among them with the rules that are rehearsed; a site that did not come
    /// into force is left out.
    fn with_rules<E>(
        &self,
        inputs: Vec<Input>,
        is_in_force: bool,
        index: u64,
        swap: &mut dyn FnMut(&SiteConfig) -> Result<SiteConfig, E>,
    ) -> Result<Vec<Input>, RehearsalError<E>> {
        let version = self.was.shard.site().map_or(0, |site| site.version());
        let mut kept = Vec::with_capacity(inputs.len());
        for input in inputs {
            match input {
                Input::SiteChange(config) if is_in_force && config.version == version => {
                    let swapped = swap(&config).map_err(|source| RehearsalError::Unfit {
                        version,
                        index,
                        source,
                    })?;
                    let swapped = self.versioned(swapped)?;
                    Site::compile(self.would.shard.site().map(AsRef::as_ref), &swapped)?;
                    kept.push(Input::SiteChange(swapped.into()));
                }
                Input::SiteChange(_) => {}
                input => kept.push(input),
            }
        }
        Ok(kept)
    }

    /// A site under the next version the second shard has room for: it has had one more than the first.
    fn versioned<E>(&self, mut config: SiteConfig) -> Result<SiteConfig, RehearsalError<E>> {
        let version = self.would.shard.site().map_or(0, |site| site.version());
        config.version = version.checked_add(1).ok_or(RehearsalError::Versions)?;
        Ok(config)
    }

    /// The next entry of the second shard.
    fn next(&self, at: Timestamp, logic_version: u16, inputs: Vec<Input>) -> Entry {
        let shard = &self.would.shard;
        Entry {
            index: shard.entry_index() + 1,
            at,
            site_version: shard.site().map_or(0, |site| site.version()),
            logic_version,
            inputs,
            effects_hash: 0,
        }
    }
}

/// Until when the node was there before an entry: while it was down nobody woke up.
fn awake_until(entry: &Entry) -> Timestamp {
    let away_since = entry.inputs.iter().find_map(|input| match *input {
        Input::Resumed { away_since } => Some(away_since.min(entry.at)),
        _ => None,
    });
    away_since.unwrap_or(entry.at)
}

fn pings(input: &Input) -> u64 {
    match input {
        Input::Pings(batch) => u64::try_from(batch.pings.len()).unwrap_or(u64::MAX),
        _ => 0,
    }
}
