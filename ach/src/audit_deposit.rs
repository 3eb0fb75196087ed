//! Records what a command does to a data directory, whether or not a node is running on it.

use std::path::Path;

use ach_actors_model::{Name, TagId, Timestamp};
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
    done(
        directory,
        (action, Outcome::Done, Reason::default()),
        vec![Object::new(kind, name.clone())],
    )
}

/// Records what a command is about to do, or has not done. Who cannot have it recorded does not do it.
pub(crate) fn done(
    directory: &DataDirectory,
    act: (Action, Outcome, Reason),
    objects: Vec<Object>,
) -> Result<(), Failure> {
    lay_down(directory, act, objects).map_err(|why| {
        Failure::new(format!(
            "cannot record it in {}: {why}; nothing was done. Make room, or run as the owner of the \
             directory",
            directory.audit().display()
        ))
    })
}

/// As [`done`], of what came of it: it is said when it cannot be recorded any more.
pub(crate) fn ended(
    directory: &DataDirectory,
    act: (Action, Outcome, Reason),
    objects: Vec<Object>,
) {
    if let Err(why) = lay_down(directory, act, objects) {
        complain!("what came of it is in no audit log: {why}");
    }
}

/// Records that somebody is about to read, at the machine itself, what tells of persons: `what` in a
/// word, and of which things, if not of all. Who may read the files can read them by other means, so it
/// is said, and goes on, when it cannot be recorded.
pub(crate) fn read(directory: &DataDirectory, what: &str, of: Vec<Object>) {
    if let Err(why) = topic(what, of).and_then(|objects| lay_down(directory, read_act(), objects)) {
        complain!("that it is read is in no audit log: {why}");
    }
}

/// As [`read`], of what nobody can read by other means, since it is encrypted and this program has the key:
/// what cannot be recorded is not told.
pub(crate) fn decrypted(
    directory: &DataDirectory,
    what: &str,
    of: Vec<Object>,
) -> Result<(), Failure> {
    done(directory, read_act(), topic(what, of)?)
}

fn read_act() -> (Action, Outcome, Reason) {
    (Action::ReadBegun, Outcome::Done, Reason::default())
}

fn topic(what: &str, of: Vec<Object>) -> Result<Vec<Object>, Failure> {
    let mut objects = vec![Object::new(ObjectKind::Topic, Name::new(what)?)];
    objects.extend(of);
    Ok(objects)
}

/// As [`read`], of what a data directory remembers.
pub(crate) fn remembered(data: &Path, what: &str, of: Vec<Object>) -> Result<(), Failure> {
    read(&DataDirectory::existing(data)?, what, of);
    Ok(())
}

/// Tags, as objects of a record.
pub(crate) fn tags(tags: &[TagId]) -> Result<Vec<Object>, Failure> {
    let object = |tag: &TagId| Ok(Object::new(ObjectKind::Tag, Name::new(&tag.to_string())?));
    tags.iter().map(object).collect()
}

/// Lays a record down beside the log, and takes it in if nobody else has the log.
fn lay_down(
    directory: &DataDirectory,
    (action, outcome, reason): (Action, Outcome, Reason),
    objects: Vec<Object>,
) -> Result<(), Failure> {
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
        objects,
        outcome,
        code: None,
        reason,
        repeated: None,
        session: None,
        // Tells one that was taken in twice, after a crash, from two.
        request: Some(rand::random()),
        entry: None,
    };
    // What another user makes here the node could not open any more.
    directory.must_be_ours()?;
    let disk = FileDisk::create(directory.audit())?;
    deposit(&disk, &record)?;
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
    let mut log = match Log::open(disk, Config::default(), key.clone(), name, at) {
        Ok((log, _)) => log,
        Err(OpenError::InUse) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    key.publish(&directory.audit_key())?;
    log.collect(at)?;
    log.close(at)?;
    Ok(())
}
