//! `fleet play`: plays use cases on a node whose time is moved by hand, and says what went otherwise than expected.

mod acts;
mod cast;
mod controllers;
mod hours;
mod judgement;
mod own_hours;
mod performance;
mod report;
mod stage;
mod told;
mod use_case;

use ach_engine_site::sample_hospital;
use ach_load_tests_fleet::World;
use serde_json::json;

use self::hours::Hours;
use self::judgement::judge;
use self::own_hours::OwnHours;
use self::performance::perform;
use self::report::Report;
use self::use_case::{SiteWord, UseCase};
use crate::arguments::Play;
use crate::failure::Failure;
use crate::series::Ending;

/// Plays every file; what is wrong with one keeps none of the others from being played.
pub(crate) fn play(asked: &Play) -> Ending {
    let mut ending = Ending::Held;
    for file in &asked.files {
        let name = file.display().to_string();
        match UseCase::read(file).and_then(|case| play_one(&case)) {
            Ok(report) => {
                if asked.json {
                    println!("{}", report.object(&name));
                } else {
                    println!("{name}: {}", report.text());
                }
                if !report.is_as_expected() {
                    ending = Ending::Otherwise;
                }
            }
            Err(error) => {
                if asked.json {
                    println!("{}", json!({ "file": name, "error": error.to_string() }));
                }
                eprintln!("fleet: {name}: {error}");
                ending = Ending::Otherwise;
            }
        }
    }
    ending
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
    let own_hours = OwnHours::of(&world.config, hours.begin()?);
    let judgement = judge(case, (&hours, &own_hours), &story.told)?;
    Ok(Report::new(&case.goal, &hours, story, &judgement))
}
