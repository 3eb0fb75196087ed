//! `ach rules`: what rules say, and what they would have said.

mod rehearse;

use crate::cli::rules::Rules;
use crate::exit::{Failure, Outcome};

/// Does what was asked.
pub(crate) fn run(wish: &Rules) -> Result<Outcome, Failure> {
    match wish {
        Rules::Rehearse(wish) => rehearse::run(wish),
    }
}
