//! `ach rules score`: how often rules err, and how late they are, on walks whose truth is known.

mod object;
mod report;

use std::fs;
use std::path::Path;

use ach_actors_model::SiteConfig;
use ach_engine_node::{Clock, SystemClock};
use ach_engine_score::{Noise, OmloxFence, Options, Score, ScoreError, score};
use indicatif::{ProgressBar, ProgressStyle};

use super::{read, rule_file};
use crate::cli::rules::Score as Wish;
use crate::exit::{Failure, Outcome};

/// A bar that moves oftener than this many times is not seen to.
const LOOKS: u64 = 400;

/// A score, for whoever tells it.
struct Account<'a> {
    wish: &'a Wish,
    score: Score,
    noise: Noise,
    took_ns: u64,
}

/// Scores.
pub(crate) fn run(wish: &Wish) -> Result<Outcome, Failure> {
    let config = site(wish)?;
    let noise = wish.noise.as_deref().map(read_noise).transpose()?.unwrap_or_default();
    let options = Options { seed: wish.seed, hours: wish.hours, noise, omlox: OmloxFence::USUAL };
    let clock = SystemClock::default();
    let begun_ns = clock.monotonic_ns();
    let bar = bar(wish.json);
    let mut shown = 0;
    let scored = score(&config, &options, &mut |played_s, wanted_s| {
        let look = played_s * LOOKS / wanted_s.max(1);
        if look > shown {
            shown = look;
            bar.set_position(look);
            bar.set_message(format!("{} of {} tag-hours", played_s / 3_600, wanted_s / 3_600));
        }
    });
    bar.finish_and_clear();
    let score = scored.map_err(|error| unscored(wish, error))?;
    let took_ns = clock.monotonic_ns().saturating_sub(begun_ns);
    let account = Account { wish, score, noise, took_ns };
    if wish.json {
        object::print(&account);
    } else {
        report::print(&account);
    }
    Ok(if account.score.is_held() { Outcome::Done } else { Outcome::Unsound })
}

/// The site, with other rules where some are named.
fn site(wish: &Wish) -> Result<SiteConfig, Failure> {
    let config = read(&wish.dir)?.config(1).map_err(|findings| {
        findings.iter().for_each(|finding| complain!("{finding}"));
        Failure::new(format!(
            "mend what is told above, and see `ach site check {}`",
            wish.dir.display()
        ))
    })?;
    let Some(file) = &wish.rules else { return Ok(config) };
    let (config, warnings) = rule_file::read(file)?
        .put_into(&config)
        .map_err(|findings| rule_file::mistaken(file, &findings))?;
    warnings.iter().for_each(|warning| complain!("{warning}"));
    Ok(config)
}

fn read_noise(file: &Path) -> Result<Noise, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    toml::from_str(&text).map_err(|error| {
        let error = error.to_string();
        Failure::new(format!("{} is no noise: {}", file.display(), error.trim_end()))
    })
}

fn unscored(wish: &Wish, error: ScoreError) -> Failure {
    match (&error, &wish.noise) {
        (ScoreError::Noise(_), Some(file)) => Failure::new(format!("{}: {error}", file.display())),
        _ => error.into(),
    }
}

fn bar(is_json: bool) -> ProgressBar {
    if is_json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(LOOKS);
    let style = ProgressStyle::with_template("{bar:40} {percent} %  {msg}  {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
