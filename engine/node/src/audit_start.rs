//! Puts the audit log of a node to work.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ach_engine_audit::LogName;
use ach_engine_journal::Disk;

use crate::audit_opening::Opening;
use crate::audit_state::AuditState;
use crate::audit_writer::{self, AuditParts};
use crate::auditor::{Auditor, damage_record};
use crate::clock::ShardClock;
use crate::counters::Counters;
use crate::node::NodeConfig;
use crate::start_error::StartError;

/// How long a start waits to know whether the audit log can be written, so that it can be said at
/// once. Opening takes milliseconds; a disk that takes longer keeps no node from its alarms.
const OPENED_WITHIN: Duration = Duration::from_secs(2);

/// The audit log at work.
#[derive(Debug)]
pub(crate) struct Audit {
    pub auditor: Auditor,
    pub state: Arc<AuditState>,
}

/// Opens the audit log on a thread of its own, which asks `place` for its folder.
///
/// # Errors
///
/// The system gives no thread. That the log cannot be written is no error but trouble.
pub(crate) fn audit<A>(
    config: &NodeConfig,
    place: impl FnMut() -> io::Result<A> + Send + 'static,
    counters: &Arc<Counters>,
    clock: &Arc<ShardClock>,
) -> Result<Audit, StartError>
where
    A: Disk + Clone + Send + 'static,
{
    let (site, node) = (config.site.site.clone(), config.name.clone());
    let state: Arc<AuditState> = Arc::default();
    let found = {
        let (site, node, clock) = (site.clone(), node.clone(), clock.clone());
        move || damage_record(clock.utc(), &site, &node)
    };
    let parts = AuditParts {
        opening: Opening {
            place: Box::new(place),
            key_path: config.data.join("audit.key"),
            name: LogName::new(&site, &node),
        },
        state: state.clone(),
        counters: counters.clone(),
        clock: clock.clone(),
        found: Arc::new(found),
    };
    let (orders, opened) = audit_writer::start(parts).map_err(StartError::Thread)?;
    // What is not known in time is told when it is.
    let _ = opened.recv_timeout(OPENED_WITHIN);
    let (counters, clock) = (counters.clone(), clock.clone());
    let auditor = Auditor::new((site, node), orders, state.clone(), counters, clock);
    Ok(Audit { auditor, state })
}
