//! `ach vendor`, `ach receiver`, `ach operator`: certificates are given, renewed, revoked and listed.

use std::path::Path;

use ach_actors_model::Name;
use ach_engine_audit::Action;
use ach_engine_net::{Role, made_at, valid_from, valid_until};
use ach_engine_node::{Clock, SystemClock};
use serde_json::json;

use crate::audit_deposit;
use crate::cli::Enrolment;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment;

/// Does what is wished for clients of a role.
pub(crate) fn run(role: Role, enrolment: &Enrolment) -> Result<Outcome, Failure> {
    match enrolment {
        Enrolment::Enrol { name, data, out } => {
            let name = named(name)?;
            let directory = DataDirectory::existing(data)?;
            issue(&directory, Action::Enrolled, role, &name, out)
        }
        Enrolment::Renew { name, data, out } => {
            let name = named(name)?;
            let directory = DataDirectory::existing(data)?;
            must_be_known(&directory, role, &name)?;
            issue(&directory, Action::Renewed, role, &name, out)
        }
        Enrolment::Revoke { name, data } => revoke(role, &named(name)?, data),
        Enrolment::List { data, json } => list(role, data, *json),
    }
}

fn named(name: &str) -> Result<Name, Failure> {
    Name::new(name).map_err(|error| Failure::misused(format!("`{name}`: {error}")))
}

/// Writes a directory with which somebody can connect.
fn issue(
    directory: &DataDirectory,
    action: Action,
    role: Role,
    name: &Name,
    out: &Path,
) -> Result<Outcome, Failure> {
    directory.must_be_ours()?;
    if out.exists() {
        return Err(Failure::new(format!(
            "{} exists already; name a new directory with --out",
            out.display()
        )));
    }
    let bundle = directory.enrol(role, name)?;
    // Recorded first: no certificate leaves that nobody knows of.
    audit_deposit::certified(directory, action, role, name)?;
    directory.keep_issued(&bundle)?;
    bundle.save(out)?;
    say!("{}  written to {}", bundle.identity(), out.display());
    say!("Its key is readable by you alone. Carry the directory by a way you trust.");
    match role {
        Role::Vendor => say!(
            "The node accepts what feed `{name}` of site.toml may report, and refuses a vendor that \
             is no feed; see docs/specs/wire.md."
        ),
        Role::Receiver | Role::Operator => {
            say!("Try: ach tail alarms --node ADDRESS --credentials {}", out.display());
        }
        Role::Node => {}
    }
    Ok(Outcome::Done)
}

/// Who renews somebody nobody has heard of has mistyped a name.
fn must_be_known(directory: &DataDirectory, role: Role, name: &Name) -> Result<(), Failure> {
    let is_issued = directory.issued_to(role)?.iter().any(|(known, _)| known == name);
    if is_issued || directory.revocations()?.revoked_at(role, name).is_some() {
        return Ok(());
    }
    let word = role.word();
    Err(Failure::new(format!(
        "no certificate of {word} {name} is known here; `ach {word} list --data DIR` tells which are, \
         `ach {word} enrol` gives one"
    )))
}

fn revoke(role: Role, name: &Name, data: &Path) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    let word = role.word();
    let kept = directory.issued_to(role)?.into_iter().find(|(known, _)| known == name);
    let is_issued = kept.is_some();
    // The last one may be dated later than now: it was made in the second of an earlier revocation, or
    // while the clock was ahead.
    let made = kept.and_then(|(_, pem)| valid_from(&pem)).map(made_at);
    let now = SystemClock::default().utc();
    // Recorded first, as all that takes something away.
    audit_deposit::certified(&directory, Action::Revoked, role, name)?;
    directory.revoke(role, name, made.map_or(now, |made| made.max(now)))?;
    say!("{word} {name} is revoked: every certificate it was given until now is void");
    say!("A node that runs on {} closes its connections within seconds.", data.display());
    if !is_issued {
        // Revoked all the same: it may have been given one before they were kept.
        complain!("no certificate of {word} {name} is known here; was the name meant?");
    }
    Ok(Outcome::Done)
}

fn list(role: Role, data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    let revocations = directory.revocations()?;
    let now = SystemClock::default().utc();
    let site = directory.site()?;
    for (name, pem) in directory.issued_to(role)? {
        let identity = ach_engine_net::Identity { site: site.clone(), role, name };
        let until = valid_until(&pem);
        let is_void = valid_from(&pem).is_some_and(|from| revocations.is_void(&identity, from));
        let left_days = until.map_or(0, |until| until.since_ns(now) / NS_PER_DAY);
        let state = match (is_void, left_days) {
            (true, _) => "revoked",
            (false, 0) => "ended",
            (false, 1..=WARN_DAYS) => "ends soon",
            (false, _) => "good",
        };
        let ends = until.map(moment::iso);
        if is_json {
            let (name, role) = (identity.name.as_str(), role.word());
            say!("{}", json!({ "role": role, "name": name, "state": state, "ends_at": ends }));
        } else {
            let ends = ends.unwrap_or_else(|| "unknown".to_owned());
            say!("{:<32}  {state:<9}  until {ends}  ({left_days} days)", identity.name);
        }
    }
    Ok(Outcome::Done)
}

/// A day.
const NS_PER_DAY: u64 = 86_400 * ach_actors_model::NS_PER_S;

/// The node warns clients from so many days before the end.
const WARN_DAYS: u64 = 60;
