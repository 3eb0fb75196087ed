//! Plays lives until enough hours have been watched.

use ach_actors_entities::{Site, SiteError};
use ach_actors_model::SiteConfig;
use thiserror::Error;

use crate::casting::Casting;
use crate::chance::Chance;
use crate::life::Life;
use crate::noise::{Noise, NoiseError};
use crate::number::count;
use crate::omlox::OmloxFence;
use crate::product::Product;
use crate::round::{BEGIN, Round};
use crate::score::Score;
use crate::totals::Totals;

/// How long a life is: long enough for some ten transitions, short enough for many lives.
const LIFE_S: u32 = 3_600;
/// Most hours of one score: a hundred times what the limits are stated for, and some minutes of one core.
pub const HOURS_MAX: u32 = 100_000;
/// Five times the thousand hours that the limits are stated for, and some seconds of one core.
const HOURS_DEFAULT: u32 = 5_000;
/// Most lives at a time: their logs take some tens of megabytes.
const LIVES_MAX: usize = 4_096;
/// Streams of chance that are no life's: of what grounds are made of, and of rounds.
const GROUND_STREAM: u64 = 1 << 62;
/// See above.
const ROUND_STREAM: u64 = 1 << 63;

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Where all chance comes from.
    pub seed: u64,
    /// Tag-hours, at least 1 and at most [`HOURS_MAX`].
    pub hours: u32,
    /// What the locating system gets wrong.
    pub noise: Noise,
    /// The gates of the judge that keeps to omlox.
    pub omlox: OmloxFence,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 42,
            hours: HOURS_DEFAULT,
            noise: Noise::default(),
            omlox: OmloxFence::USUAL,
        }
    }
}

/// Why there is no score.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The noise is none.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The site does not compile.
    #[error("the site does not compile; `ach site check` tells what to mend")]
    Site(#[from] SiteError),
    /// The shard refused what compiled.
    #[error("the shard refused the site; `ach site check` tells what to mend")]
    SiteRefused,
    /// Nobody has a tag.
    #[error("nobody in the site has a tag; there is nobody to walk about")]
    NoTags,
    /// No zone is large enough.
    #[error("no zone is two metres wide with a way out; there is nowhere to walk about")]
    NoGround,
    /// No hours.
    #[error("{0} hours are too few or too many; ask for 1 to {HOURS_MAX}")]
    Hours(u32),
}

/// Scores a site's rules. `told` is told after each second of a round how many seconds of tags have been watched, and
/// of how many.
///
/// The same site and options give the same score.
///
/// # Errors
///
/// See [`ScoreError`].
pub fn score(
    config: &SiteConfig,
    options: &Options,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Score, ScoreError> {
    options.noise.check()?;
    if options.hours == 0 || options.hours > HOURS_MAX {
        return Err(ScoreError::Hours(options.hours));
    }
    // What is scored is where, not when.
    let mut config = config.clone();
    for rule in &mut config.rules {
        rule.when.clear();
    }
    Site::compile(None, &config)?;
    let seed = options.seed;
    let casting = Casting::new(&config, &mut Chance::new(seed, GROUND_STREAM));
    if config.tags.iter().all(|tag| tag.subject.is_none()) {
        return Err(ScoreError::NoTags);
    }
    if casting.subject_count() == 0 {
        return Err(ScoreError::NoGround);
    }
    let wanted = usize::try_from(options.hours).unwrap_or(usize::MAX);
    let wanted_s = u64::from(options.hours) * u64::from(LIFE_S);
    let mut totals = Totals::default();
    let mut rounds = 0;
    while totals.life_count < count(wanted) {
        let left = wanted.saturating_sub(usize::try_from(totals.life_count).unwrap_or(wanted));
        let most = left.min(casting.subject_count()).min(LIVES_MAX);
        let mut chance = Chance::new(seed, ROUND_STREAM + rounds);
        let haunts = casting.round(most, &mut chance);
        if haunts.is_empty() {
            return Err(ScoreError::NoGround);
        }
        let lives = haunts.into_iter().zip(totals.life_count..);
        let lives: Vec<Life> =
            lives.map(|(haunt, number)| Life::new(haunt, options, number)).collect();
        let before_s = totals.life_count * u64::from(LIFE_S);
        let life_count = count(lives.len());
        let mut round = Round::new(Product::new(&config, BEGIN)?, lives);
        for second in 0..LIFE_S {
            totals.ping_count += round.step(second);
            told(before_s + life_count * u64::from(second + 1), wanted_s);
        }
        totals.add(round.finish(LIFE_S), &config, LIFE_S);
        rounds += 1;
    }
    Ok(totals.finish(seed, casting.left_out()))
}
