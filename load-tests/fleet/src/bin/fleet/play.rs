//! `fleet play`: plays use cases on a node whose time is moved by hand, and says what went otherwise than expected.

mod acts;
mod cast;
mod controllers;
mod hours;
mod judgement;
mod performance;
mod report;
mod stage;
mod told;
mod use_case;

use std::path::Path;

use ach_engine_site::sample_hospital;
use ach_load_tests_fleet::World;

use self::hours::Hours;
use self::judgement::judge;
use self::performance::perform;
use self::report::Report;
use self::use_case::{SiteWord, UseCase};
use crate::arguments::Play;
use crate::failure::Failure;
use crate::series::Ending;

/// Plays every file; what is wrong with one keeps none of the others from being played.
pub(crate) fn play(asked: &Play) -> Result<Ending, Failure> {
    let cases: Vec<(&Path, UseCase)> = asked
        .files
        .iter()
        .map(|file| Ok((file.as_path(), UseCase::read(file)?)))
        .collect::<Result<_, Failure>>()?;
    let mut ending = Ending::Held;
    for (file, case) in &cases {
        let name = file.display().to_string();
        let report = play_one(case).map_err(|error| Failure::new(format!("{name}: {error}")))?;
        if asked.json {
            println!("{}", report.object(&name));
        } else {
            println!("{name}: {}", report.text());
        }
        if !report.is_as_expected() {
            ending = Ending::Otherwise;
        }
    }
    Ok(ending)
}

fn play_one(case: &UseCase) -> Result<Report, Failure> {
    let SiteWord::Sample = case.site;
    let sample = sample_hospital();
    let config = sample.directory.config(1)?;
    let world = World::of_sample(&sample, config);
    let hours = Hours::from(&case.start, &sample.directory.time_zone)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let story = runtime.block_on(perform(case, &hours, &sample.directory, &world))?;
    let judgement = judge(case, &hours, &story.told)?;
    Ok(Report::new(&case.goal, &hours, story, &judgement))
}
