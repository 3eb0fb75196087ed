//! `ach vendor enrol`, `ach receiver enrol`, `ach operator enrol`.

use ach_actors_model::Name;
use ach_engine_net::Role;

use crate::audit_deposit;
use crate::cli::Enrolment;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// Writes a directory with which `role` can connect.
pub(crate) fn run(role: Role, enrolment: &Enrolment) -> Result<Outcome, Failure> {
    let Enrolment::Enrol { name, data, out } = enrolment;
    let name = Name::new(name).map_err(|error| Failure::misused(format!("`{name}`: {error}")))?;
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    if out.exists() {
        return Err(Failure::new(format!(
            "{} exists already; name a new directory with --out",
            out.display()
        )));
    }
    let bundle = directory.enrol(role, &name)?;
    // Recorded first: no certificate leaves that nobody knows of.
    audit_deposit::enrolled(&directory, role, &name)?;
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
