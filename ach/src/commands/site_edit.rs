//! A file of a site directory that a command has edited: put in force, or put back.

use std::path::Path;

use ach_clients_rust::Code;
use ach_engine_site::SiteEdit;

use super::connection::{OPERATORS, connect, runtime};
use super::site_apply::{How, Unanswered};
use super::{site, site_apply};
use crate::exit::{Failure, Outcome};

/// Writes the file, applies the directory, and puts the file back if the node refuses it. `what` says what a
/// refused site has in it.
pub(super) fn put_in_force(edit: &SiteEdit, how: &How<'_>, what: &str) -> Result<Outcome, Failure> {
    edit.write()?;
    let put_back = |why: Failure| -> Failure {
        match edit.undo() {
            Ok(()) => Failure::new(format!("{why}; {} is as it was", edit.path().display())),
            Err(error) => Failure::new(format!(
                "{why}; and {} could not be put back: {error}; put it right by hand",
                edit.path().display()
            )),
        }
    };
    // Nothing was sent yet: whatever fails here, the node does not have the change.
    let directory = site::read(how.dir).map_err(put_back)?;
    let runtime = runtime().map_err(put_back)?;
    let mut operator = runtime.block_on(connect(how.to, OPERATORS)).map_err(put_back)?.operator();
    // Whether an answer that did not come was a refusal is not known: then the file says what was
    // wished, and applying it again tells.
    let verdict = runtime.block_on(async {
        let verdict = site_apply::offer(&mut operator, &directory, how).await?;
        operator.close().await;
        Ok::<_, Unanswered>(verdict)
    });
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(Unanswered::Unsent(why)) => return Err(put_back(why)),
        Err(Unanswered::Unknown(why)) => return Err(kept(&why, edit.path(), (how, what))),
    };
    let outcome = site_apply::tell(&verdict, how);
    match verdict.code {
        Code::Done => Ok(outcome),
        // It may have come into force before the node came to its end.
        Code::ShuttingDown | Code::Internal => {
            let why = Failure::new("the node could not end the change");
            Err(kept(&why, edit.path(), (how, what)))
        }
        _ => Err(put_back(Failure::new(format!("the node refused the site with {what} in it")))),
    }
}

/// What became of the change is not known, so the file says what was wished.
fn kept(why: &Failure, file: &Path, (how, what): (&How<'_>, &str)) -> Failure {
    Failure::new(format!(
        "{why}; whether {what} is in force is not known, so {} keeps it: ask again with `ach site \
         apply {}`",
        file.display(),
        how.dir.display()
    ))
}
