//! `fleet`: loads a node by scenarios and writes down what came of it.

mod alert_plan;
mod arguments;
mod campus;
mod chart;
mod cores;
mod cpu_times;
mod failure;
mod history_cost;
mod host;
mod node_numbers;
mod outcome;
mod overload;
mod pacer;
mod page;
mod play;
mod receiver;
mod report;
mod report_page;
mod residence;
mod resident;
mod restart;
mod results;
mod run;
mod scenario;
mod schedule;
mod sender;
mod series;
mod slope;
mod stall;
mod standing;
mod storm;
mod timeline;
mod verdict;
mod watched;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Job};
use crate::series::Ending;

/// Pings are made on one thread and freed on another, as in the node.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Job::Local(local) => series::local(&local),
        Job::Overload(overload) => overload::overload(&overload),
        Job::Soak(soak) => overload::soak(&soak),
        Job::History(asked) => history_cost::history_cost(&asked),
        Job::Restart(asked) => restart::restart(&asked),
        Job::Standing(asked) => standing::standing(&asked),
        Job::Storm(asked) => storm::storm(&asked),
        Job::Play(asked) => Ok(play::play(&asked)),
        Job::Run(run) => series::remote(&run),
        Job::Site(site) => series::write_site(&site),
    };
    match ended {
        Ok(Ending::Held) => ExitCode::SUCCESS,
        Ok(Ending::Otherwise) => ExitCode::FAILURE,
        Ok(Ending::NotHeld) => ExitCode::from(3),
        Err(failure) => {
            eprintln!("fleet: {failure}");
            ExitCode::FAILURE
        }
    }
}
