//! What can be typed.

pub(crate) mod alarms;
mod audit;
pub(crate) mod band;
mod certificates;
pub(crate) mod doors;
pub(crate) mod history;
pub(crate) mod leave;
mod operating;
pub(crate) mod person;
pub(crate) mod rules;
mod site;
mod tag;
pub(crate) mod walk_test;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ach_engine_node::DayMinute;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::audit::Audit;
pub(crate) use self::certificates::Enrolment;
pub(crate) use self::operating::{Capacity, Doctor, Selftest, SupportBundle};
pub(crate) use self::site::{Apply, Site};
pub(crate) use self::tag::{Register, Tag, TagClass};
use crate::recording::Unit;
use crate::span;

/// HMS-ACH: real-time location and alarms for hospitals.
#[derive(Debug, Parser)]
#[command(name = "ach", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  ach demo                                       watch a hospital for as long as you like
  ach site new my-site && ach site check my-site
  ach rules explain my-site                      what each rule really says
  ach serve --site my-site --data my-data        run a node
  ach vendor enrol acme --data my-data --out acme-credentials
  ach tail alarms --node 127.0.0.1:7400 --credentials operator-credentials

Exit codes: 0 done; 1 it could not be done; 2 the command was not understood; 3 what was checked \
is not as it should be.")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node on a sample hospital and watch simulated people raise real alarms
    Demo(Demo),
    /// Run a node on a site directory
    Serve(Serve),
    /// Make and check site directories, and put one in force on a running node
    #[command(subcommand)]
    Site(Site),
    /// Tell what rules really say, where they leave a hole, and what others would have raised
    #[command(subcommand)]
    Rules(rules::Rules),
    /// List tags that the site does not have, and register them
    #[command(subcommand)]
    Tag(Tag),
    /// Give a vendor a certificate with which to publish, renew it, revoke it
    #[command(subcommand)]
    Vendor(Enrolment),
    /// Give a receiver a certificate with which to subscribe, renew it, revoke it
    #[command(subcommand)]
    Receiver(Enrolment),
    /// Give an operator a certificate with which to look and command, renew it, revoke it
    #[command(subcommand)]
    Operator(Enrolment),
    /// Send a recording of positions
    Replay(Replay),
    /// Follow what happens
    Tail(Tail),
    /// Ask a node how it is
    #[command(after_help = "\
Examples:
  ach status --credentials operator-credentials
  ach status --node 10.0.0.7:7400 --server-name rtls.hospital.example --credentials desk --json

Exit code 3 when the node does not store, its journal or its audit log is not as it must be, or its daily \
self-test failed or was missed.")]
    Status(Connect),
    /// Tell who displays alarms, how far, and how many nobody has displayed
    #[command(after_help = "\
Example:
  ach attention --credentials operator-credentials

Exit code 3 when an open alarm was displayed by nobody for 30 s.")]
    Attention(Connect),
    /// Send a test alarm the whole way of a real one, and tell how far it came
    #[command(after_help = "\
Examples:
  ach selftest --credentials operator-credentials
  ach selftest --credentials operator-credentials --without ward-2-board

The alarm is of a kind of its own, self_test, and ends by itself. It is decided, told, stored, and \
displayed within 10 s by a receiver that says so, and by each that ever displayed one. Exit code 3 when it did \
not come all the way.")]
    Selftest(Selftest),
    /// Release or quarantine an actor
    #[command(subcommand)]
    Actor(Actor),
    /// Read a journal that no node has to be running for
    #[command(subcommand)]
    Journal(Journal),
    /// Tell whether this machine is fit to run a node, and what it can carry
    Doctor(Doctor),
    /// Tell what a site of a size needs: disk, memory, cores
    Capacity(Capacity),
    /// Pack what support needs to know, without names, keys or anybody's whereabouts
    SupportBundle(SupportBundle),
    /// Read and prove an audit log that no node has to be running for
    #[command(subcommand)]
    Audit(Audit),
    /// Tell where a tag was
    Where(history::Where),
    /// Tell who was in a zone
    Visits(history::Visits),
    /// List alarms that were, and tell what they were like for those who answer them
    #[command(subcommand)]
    Alarms(alarms::Alarms),
    /// Move doors, and tell how they stand
    #[command(subcommand)]
    Door(doors::Door),
    /// Let nobody in: declare a lockdown, end it, list what runs
    #[command(subcommand)]
    Lockdown(doors::Emergency),
    /// Unlock for everybody to come out: declare an evacuation, end it, list what runs
    #[command(subcommand)]
    Evacuate(doors::Emergency),
    /// Give somebody leave, so that no alarm says that he is out; end it; list who has any
    #[command(subcommand)]
    Leave(leave::Leave),
    /// Say that a band comes off or is on, and put another one in its place
    #[command(subcommand)]
    Band(band::Band),
    /// Tell why an alarm was raised
    Explain(history::Explain),
    /// Export positions, hold days, or derive history anew
    #[command(subcommand)]
    History(history::History),
    /// Keep, export and erase what is known about persons
    #[command(subcommand)]
    Person(person::Person),
    /// Carry a tag past doors and through zones, see each answer, and get a signed protocol
    WalkTest(walk_test::WalkTest),
}

/// `ach demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach demo                      until Ctrl-C
  ach demo --for 20s --json     twenty seconds, for programs
  ach demo --for 20s --crash    kill the node in the middle and show that nothing is lost

The data directory is a fresh one under the system's temporary directory and is removed at the end, \
unless --data names one: that is kept.")]
pub(crate) struct Demo {
    /// End after this long (ms, s, m, h); without it, Ctrl-C ends it
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Option<Duration>,
    /// Run the node as its own process and kill it with SIGKILL in the middle
    #[arg(long)]
    pub(crate) crash: bool,
    /// Seed of the simulation; without it, a new one is drawn and printed
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Keep the data in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach serve --site my-site --data my-data
  ach serve --site my-site --data my-data --listen 0.0.0.0:7400 --host rtls.hospital.example
  ach serve --site my-site --data my-data --metrics    and http://127.0.0.1:7401/metrics

The pages of --metrics ask nobody who he is: leave them on this machine or on a network of operators. \
The first start makes a certificate authority and a journal in the data directory. SIGTERM and \
Ctrl-C drain: what was heard is decided, made durable and acknowledged before the node ends.")]
pub(crate) struct Serve {
    /// The site directory
    #[arg(long, value_name = "DIR")]
    pub(crate) site: PathBuf,
    /// Where the node keeps its journal, keys and certificates
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Address and UDP port for QUIC; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7400")]
    pub(crate) listen: SocketAddr,
    /// A name or address clients will use; goes into the node's certificate. May be repeated
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Serve metrics, health and readiness over HTTP; without an address, on 127.0.0.1:7401
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:7401")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether sockets and decisions share a thread
    #[arg(long, value_enum, default_value_t)]
    pub(crate) arrangement: ArrangementChoice,
    /// Print JSON lines instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Take a checkpoint of the state after so many bytes of journal; a start decides at most twice
    /// as much again
    #[arg(long, value_name = "BYTES", hide_short_help = true)]
    pub(crate) checkpoint_bytes: Option<u64>,
    /// Measure what costs something to measure
    #[arg(long, value_enum, hide_short_help = true)]
    pub(crate) measure: Option<Measure>,
    /// Send a test alarm on its way each day at this time of the site's clocks; see `ach selftest`
    #[arg(long, value_name = "HH:MM", value_parser = operating::day_minute)]
    pub(crate) selftest_at: Option<DayMinute>,
    #[command(flatten)]
    pub(crate) remember: history::Remember,
    /// End in order when stdin ends: for whoever starts a node as a child and may die before it
    #[arg(long, hide_short_help = true)]
    pub(crate) until_stdin_ends: bool,
}

/// What is measured only on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Processor time from a vendor's frames to the alarm that follows, for
    /// `ach_residence_cpu_seconds`: a system call more at each wake-up, and nothing with two threads
    Residence,
}

/// Whether sockets and decisions share a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(crate) enum ArrangementChoice {
    /// Choose by the number of cores
    #[default]
    Auto,
    /// One thread: the lowest latency up to about 50,000 pings a second
    One,
    /// Two threads: the highest throughput
    Two,
}

/// Which node to talk to, and as whom.
#[derive(Debug, Args, Clone)]
pub(crate) struct Connect {
    /// Address of the node
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7400")]
    pub(crate) node: SocketAddr,
    /// The name the node's certificate must bear
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) server_name: String,
    /// Directory written by `enrol`
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach replay walks.csv --columns time=t_s,tag=walk,x=x_m,y=y_m,z=z_m --site my-site --speed 60
  ach replay walks.csv --columns time=t_s,tag=walk,x=x_m,y=y_m --list-tags > my-site/equipment.csv
  ach replay locations.jsonl --node 127.0.0.1:7400 --credentials acme-credentials

With --site the recording runs on a node of its own whose time follows the recording, so any speed \
gives the same decisions. With --node it is sent to a running node as if it happened now. Times may \
be ISO 8601, or numbers in s, ms or ns. A tag that is no EUI-64 stands for the hash of its name.")]
pub(crate) struct Replay {
    /// CSV with a header line, or omlox Location objects as JSON lines
    pub(crate) file: PathBuf,
    /// Names of the columns, as role=NAME pairs with commas between
    #[arg(long, value_name = "PAIRS", default_value = "")]
    pub(crate) columns: String,
    /// Unit of x, y, z and accuracy
    #[arg(long, value_enum, default_value_t)]
    pub(crate) unit: Unit,
    /// What stands between the columns
    #[arg(long, value_name = "CHARACTER", default_value = ",")]
    pub(crate) delimiter: char,
    /// How many times its own pace, or `max`
    #[arg(long, value_name = "FACTOR", default_value = "1")]
    pub(crate) speed: String,
    /// Run a node on this site directory; its feed is the first whose tags the recording has
    #[arg(long, value_name = "DIR", conflicts_with = "node")]
    pub(crate) site: Option<PathBuf>,
    /// Keep that node's data here; must not exist yet
    #[arg(long, value_name = "DIR", requires = "site")]
    pub(crate) data: Option<PathBuf>,
    /// Send nothing; print the recording's tags as an equipment.csv, to make a site for it
    #[arg(long, conflicts_with_all = ["site", "node"])]
    pub(crate) list_tags: bool,
    /// Print zones entered and left as they come, not alarms alone (with --site)
    #[arg(long, requires = "site")]
    pub(crate) events: bool,
    /// Send to this running node instead
    #[arg(long, value_name = "ADDRESS", requires = "credentials")]
    pub(crate) node: Option<SocketAddr>,
    /// The name the node's certificate must bear
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) server_name: String,
    /// A vendor's directory written by `enrol`
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach tail`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach tail alarms --credentials operator-credentials
  ach tail alarms --credentials operator-credentials --kind elopement,duress --priority high
  ach tail events --credentials operator-credentials --zone dementia-ward --json
  ach tail positions --credentials operator-credentials --tag 00124B0001A2B3C4")]
pub(crate) struct Tail {
    /// What to follow
    #[arg(value_enum)]
    pub(crate) what: Topic,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Only these kinds of alarm, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// Only these priorities: high, medium, low
    #[arg(long, value_name = "PRIORITIES", value_delimiter = ',')]
    pub(crate) priority: Vec<String>,
    /// Only these zones
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) zone: Vec<String>,
    /// Only these doors
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) door: Vec<String>,
    /// Only these subjects
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) subject: Vec<String>,
    /// Only these tags (EUI-64)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) tag: Vec<String>,
    /// Tell the node that people see what is printed; without it, it is told where stdout is a
    /// terminal
    #[arg(long)]
    pub(crate) displayed: bool,
    /// End after this long
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Option<Duration>,
}

/// What can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    /// Alarms and what becomes of them
    Alarms,
    /// Facts: zones entered and left, doors opened
    Events,
    /// Positions of tags
    Positions,
}

/// `ach actor`.
#[derive(Debug, Subcommand)]
pub(crate) enum Actor {
    /// Let a quarantined actor work again
    #[command(
        after_help = "Example:\n  ach actor release subject patient-17 --credentials operator-credentials"
    )]
    Release(ActorChoice),
    /// Set an actor aside
    #[command(
        after_help = "Example:\n  ach actor quarantine tag 00124B0001A2B3C4 --credentials operator-credentials"
    )]
    Quarantine(ActorChoice),
}

/// Which actor.
#[derive(Debug, Args)]
pub(crate) struct ActorChoice {
    /// What it is
    #[arg(value_enum)]
    pub(crate) kind: ActorKind,
    /// Its id
    pub(crate) id: String,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}

/// Kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActorKind {
    /// A tag, by EUI-64
    Tag,
    /// A patient, member of staff, visitor or asset
    Subject,
    /// A zone
    Zone,
    /// A door
    Door,
    /// A feed
    Feed,
}

/// `ach journal`.
#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Check every record: lengths, chain, checksums and, with the key, contents
    #[command(
        after_help = "Example:\n  ach journal verify my-data\n\nExit code 3 when it is damaged."
    )]
    Verify {
        /// The node's data directory
        dir: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print entries
    #[command(after_help = "\
Examples:
  ach journal show my-data --last 10
  ach journal show my-data --from 1200 --count 5 --json")]
    Show {
        /// The node's data directory
        dir: PathBuf,
        /// First entry
        #[arg(long, value_name = "INDEX", conflicts_with = "last")]
        from: Option<u64>,
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        count: u64,
        /// The last so many
        #[arg(long, value_name = "NUMBER")]
        last: Option<u64>,
        /// Print one JSON object an entry
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    /// Every `ach ...` line of the README and the guides can be typed.
    #[test]
    fn every_command_in_the_documents_is_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut seen = 0;
        let mut folders = vec![root.to_owned(), root.join("docs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && folder != root {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    seen += check_document(&path);
                }
            }
        }
        assert!(seen > 5, "the documents show only {seen} commands");
    }

    fn check_document(path: &std::path::Path) -> usize {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("$ ach "));
        let mut seen = 0;
        for line in lines {
            let words = line.split(" #").next().unwrap_or_default().split_whitespace();
            let parsed = Cli::try_parse_from(std::iter::once("ach").chain(words));
            assert!(parsed.is_ok(), "{}: `ach {line}`: {}", path.display(), parsed.unwrap_err());
            seen += 1;
        }
        seen
    }
}
