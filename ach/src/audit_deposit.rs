//! Records what a command does to a data directory, whether or not a node is running on it.

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{
    Action, Agent, AgentRole, Config, Log, LogName, Object, ObjectKind, OpenError, Origin, Outcome,
    Reason, Record, SigningKey, deposit, has_log,
};
use ach_engine_journal::FileDisk;
use ach_engine_net::Role;
use ach_engine_node::{Clock, SystemClock};

use crate::commands::NODE_NAME;
use crate::data_directory::DataDirectory;
use crate::exit::Failure;

/// Records what is done to somebody's certificate. Returns once the record survives a power cut: it lies
/// beside the audit log then, and in it as soon as whoever has the log takes it in: a node that runs,
/// within a second; else this command itself.
pub(crate) fn certified(
    directory: &DataDirectory,
    action: Action,
    role: Role,
    name: &Name,
) -> Result<(), Failure> {
    let kind = match role {
        Role::Node => ObjectKind::NodeCertificate,
        Role::Vendor => ObjectKind::VendorCertificate,
        Role::Receiver => ObjectKind::ReceiverCertificate,
        Role::Operator => ObjectKind::OperatorCertificate,
    };
    let user = format!("uid:{}", rustix::process::getuid().as_raw());
    let at = SystemClock::default().utc();
    let (site, node) = (directory.site()?, Name::new(NODE_NAME)?);
    let record = Record {
        at,
        site: site.clone(),
        node: node.clone(),
        who: Agent::new(AgentRole::Administrator, Name::new(&user)?),
        from: Origin::Machine,
        action,
        objects: vec![Object::new(kind, name.clone())],
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: None,
        // Tells one that was taken in twice, after a crash, from two.
        request: Some(rand::random()),
        entry: None,
    };
    let folder = directory.audit();
    let laid_down = FileDisk::create(&folder).and_then(|disk| {
        deposit(&disk, &record)?;
        Ok(disk)
    });
    let disk = laid_down.map_err(|error| {
        Failure::new(format!(
            "cannot record it in {}: {error}; nothing was done. Make room, or run as the owner of the \
             directory",
            folder.display()
        ))
    })?;
    if let Err(why) = take_in(directory, disk, LogName::new(&site, &node), at) {
        complain!("it is recorded beside the audit log, which cannot be written now: {why}");
    }
    Ok(())
}

/// Takes in what lies beside the log, unless a node has it.
fn take_in(
    directory: &DataDirectory,
    disk: FileDisk,
    name: LogName,
    at: Timestamp,
) -> Result<(), Failure> {
    let key = SigningKey::load_or_create(&directory.audit_key(), has_log(&disk)?)?;
    let mut log = match Log::open(disk, Config::default(), key, name, at) {
        Ok((log, _)) => log,
        Err(OpenError::InUse) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    log.collect(at)?;
    log.close(at)?;
    Ok(())
}
