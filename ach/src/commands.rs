//! One file a command.

mod alarms;
mod attention;
mod audit;
mod band;
mod capacity;
mod connection;
mod demo;
mod doctor;
mod doors;
mod enrol;
mod hex;
mod history;
mod journal;
mod leave;
mod person;
mod replay;
mod rules;
mod selftest;
mod serve;
mod site;
mod site_apply;
mod site_edit;
mod status;
mod support_bundle;
mod tag;
mod tail;
mod walk_test;

use ach_actors_model::EmergencyKind;
use ach_engine_net::Role;

pub(crate) use self::serve::NODE_NAME;
use crate::cli::{Cli, Command};
use crate::exit::{Failure, Outcome};

/// Does what was typed.
pub(crate) fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Vendor(enrolment) => enrol::run(Role::Vendor, enrolment),
        Command::Receiver(enrolment) => enrol::run(Role::Receiver, enrolment),
        Command::Operator(enrolment) => enrol::run(Role::Operator, enrolment),
        Command::Tail(tail) => tail::run(tail),
        Command::Status(connect) => status::status(connect),
        Command::Attention(connect) => attention::run(connect),
        Command::Selftest(order) => selftest::run(order),
        Command::Tag(wish) => tag::run(wish),
        Command::Actor(wish) => status::actor(wish),
        Command::Journal(journal) => journal::run(journal),
        Command::Audit(audit) => audit::run(audit),
        Command::Where(wish) => history::whereabouts(wish),
        Command::Visits(wish) => history::visits(wish),
        Command::Alarms(wish) => alarms::run(wish),
        Command::Door(wish) => doors::door(wish),
        Command::Lockdown(wish) => doors::emergency(EmergencyKind::Lockdown, wish),
        Command::Evacuate(wish) => doors::emergency(EmergencyKind::Evacuation, wish),
        Command::Leave(wish) => leave::run(wish),
        Command::Band(wish) => band::run(wish),
        Command::Explain(wish) => history::explain(wish),
        Command::History(wish) => history::run(wish),
        Command::Person(wish) => person::run(wish),
        Command::WalkTest(wish) => walk_test::run(wish),
        Command::Site(wish) => site::run(wish),
        Command::Rules(wish) => rules::run(wish),
        Command::Serve(wish) => serve::run(wish),
        Command::Demo(wish) => demo::run(wish),
        Command::Doctor(wish) => doctor::run(wish),
        Command::Capacity(wish) => Ok(capacity::run(wish)),
        Command::SupportBundle(wish) => support_bundle::run(wish),
        Command::Replay(wish) => replay::run(wish),
    }
}
