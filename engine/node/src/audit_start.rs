//! Puts the audit log of a node to work.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ach_engine_audit::{Config, LogName};
use ach_engine_journal::Disk;
use tokio::sync::mpsc;

use crate::assembly::Beside;
use crate::audit_opening::Opening;
use crate::audit_state::AuditState;
use crate::audit_writer::{self, AuditParts, Order};
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
    let (state, parts) = parts(config, place, counters, clock);
    let (orders, opened) = audit_writer::start(parts).map_err(StartError::Thread)?;
    // What is not known in time is told when it is.
    let _ = opened.recv_timeout(OPENED_WITHIN);
    Ok(told_by(config, orders, state, counters, clock))
}

/// The same without a thread: the future opens, checks and writes the log.
pub(crate) fn audit_here<A>(
    config: &NodeConfig,
    place: impl FnMut() -> io::Result<A> + Send + 'static,
    counters: &Arc<Counters>,
    clock: &Arc<ShardClock>,
) -> (Audit, Beside)
where
    A: Disk + Clone + Send + 'static,
{
    let (state, parts) = parts(config, place, counters, clock);
    let (orders, writer) = audit_writer::start_here(parts);
    (told_by(config, orders, state, counters, clock), Box::pin(writer))
}

fn parts<A: Disk>(
    config: &NodeConfig,
    place: impl FnMut() -> io::Result<A> + Send + 'static,
    counters: &Arc<Counters>,
    clock: &Arc<ShardClock>,
) -> (Arc<AuditState>, AuditParts<A>) {
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
            sizes: Config { segment_bytes: config.limits.audit_segment_bytes },
        },
        state: state.clone(),
        counters: counters.clone(),
        clock: clock.clone(),
        found: Arc::new(found),
    };
    (state, parts)
}

fn told_by(
    config: &NodeConfig,
    orders: mpsc::Sender<Order>,
    state: Arc<AuditState>,
    counters: &Arc<Counters>,
    clock: &Arc<ShardClock>,
) -> Audit {
    let names = (config.site.site.clone(), config.name.clone());
    let auditor = Auditor::new(names, orders, state.clone(), counters.clone(), clock.clone());
    Audit { auditor, state }
}
