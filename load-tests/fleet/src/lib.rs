//! A hospital that never was, with the truth beside it: walkers, tags, doors and incidents for the
//! demo and for load tests.
//!
//! [`Hospital`] is pure and repeats itself from a seed; [`judge`] holds the alarms of the product
//! against [`Truth`], with geometry and rule reading of its own.

mod badge;
mod chance;
mod door_controller;
mod door_truth;
mod drive;
mod hospital;
mod incident;
mod judge;
mod latency;
mod ledger;
mod observation;
mod options;
mod path;
mod permit;
mod plane;
mod provenance;
mod radio;
mod rule_book;
mod spread;
mod stage;
mod summary;
mod synthetic;
mod truth;
mod walk_graph;
mod walker;
mod world;

pub use door_controller::{lock_word, obeyed};
pub use drive::{Drive, DriveError};
pub use hospital::Hospital;
pub use incident::Incident;
pub use judge::{HeardAlarm, NEAR_NS, Verdict, judge};
pub use latency::{Latencies, Percentiles};
pub use ledger::{Episode, Ledger};
pub use observation::{Observation, Observed};
pub use options::{Options, PERIOD_NS, STILL_PERIOD_NS};
pub use path::Path;
pub use permit::Permit;
pub use plane::TruePlace;
pub use provenance::Provenance;
pub use radio::Noise;
pub use spread::Spread;
pub use summary::{OPENING_NS, Summary, verdict};
pub use synthetic::{Scale, synthetic};
pub use truth::{Breach, TrueWhere, Truth};
pub use walk_graph::{Link, Spot, WalkGraph, Way, door_between};
pub use world::{Residence, World};
