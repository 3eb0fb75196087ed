//! What a node is given that runs on the caller's thread instead of on its own.

use std::fmt;
use std::time::Duration;

use ach_engine_store::SimTables;
use quinn::Endpoint;

/// What a node is given that runs on the caller's thread. The same code decides, stores and talks;
/// only who calls it is another, so that a simulation can call it in the same order each time.
pub struct Here {
    /// Takes connections.
    pub endpoint: Endpoint,
    /// How long the disk took since it was last asked, where a disk says so instead of taking the
    /// time; zero for one that takes it.
    pub disk_pace: Box<dyn Fn() -> Duration>,
    /// Where history lies, if the node is to have one: its limits say so too.
    pub history: Option<HereHistory>,
}

/// Where the history of a node lies whose tables are simulated.
#[derive(Debug, Clone)]
pub struct HereHistory {
    /// Its tables.
    pub tables: SimTables,
    /// How often it is written: a simulated world does not last for minutes.
    pub write_every: Duration,
}

impl fmt::Debug for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").finish_non_exhaustive()
    }
}
