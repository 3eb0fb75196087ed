//! Puts the audit log of a node to work.

use std::sync::Arc;
use std::time::Duration;

use ach_engine_audit::{LogName, SigningKey, has_log};
use ach_engine_journal::Disk;

use crate::audit_state::{AuditState, AuditTrouble};
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

/// Opens the audit log on a thread of its own.
///
/// # Errors
///
/// The system gives no thread. That the log cannot be written is no error but trouble.
pub(crate) fn audit<A>(
    config: &NodeConfig,
    disk: A,
    counters: &Arc<Counters>,
    clock: &Arc<ShardClock>,
) -> Result<Audit, StartError>
where
    A: Disk + Clone + Send + 'static,
{
    let (site, node) = (config.site.site.clone(), config.name.clone());
    let key_path = config.data.join("audit.key");
    let key = match has_log(&disk) {
        Ok(has_log) => SigningKey::load_or_create(&key_path, has_log)
            .map_err(|error| AuditTrouble::from(&error)),
        Err(error) => Err(AuditTrouble::Failed { detail: error.to_string() }),
    };
    let state: Arc<AuditState> = Arc::default();
    let parts = AuditParts {
        disk,
        key,
        name: LogName::new(&site, &node),
        state: state.clone(),
        counters: counters.clone(),
        clock: clock.clone(),
        found: Box::new(damage_record(clock.now(), &site, &node)),
    };
    let (orders, opened) = audit_writer::start(parts).map_err(StartError::Thread)?;
    // What is not known in time is told when it is.
    let _ = opened.recv_timeout(OPENED_WITHIN);
    let (counters, clock) = (counters.clone(), clock.clone());
    let auditor = Auditor::new((site, node), orders, state.clone(), counters, clock);
    Ok(Audit { auditor, state })
}
