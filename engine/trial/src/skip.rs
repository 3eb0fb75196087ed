//! A test that is left out.

use std::io::Write as _;

/// Set where no test may be left out.
const NO_SKIPS_VARIABLE: &str = "ACH_NO_SKIPS";

/// Says that a test, or a part of one, is left out on this machine, where everybody sees it.
///
/// # Panics
///
/// When the variable `ACH_NO_SKIPS` is set: there no test may be left out.
pub fn skipped(why: &str) {
    assert!(std::env::var_os(NO_SKIPS_VARIABLE).is_none(), "no test may be left out: {why}");
    // Written past the harness, which keeps what a test that passes prints. There is nobody to tell of a failure.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const NAME: &str = "skip::tests::what_is_left_out_is_said_or_fails";

    /// Says to the test that runs within itself that it is the one within.
    const WITHIN_VARIABLE: &str = "ACH_TEST_SKIPPING";

    #[test]
    fn what_is_left_out_is_said_or_fails() {
        if std::env::var_os(WITHIN_VARIABLE).is_some() {
            return skipped("the moon is not full");
        }
        let this = std::env::current_exe().unwrap();
        for (is_forbidden, is_good) in [(false, true), (true, false)] {
            let mut command = Command::new(&this);
            command.args(["--exact", NAME]).env(WITHIN_VARIABLE, "1").env_remove(NO_SKIPS_VARIABLE);
            if is_forbidden {
                command.env(NO_SKIPS_VARIABLE, "1");
            }
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), is_good, "{said}");
            let is_said = said.contains("SKIPPED: the moon is not full");
            assert_eq!(is_said, is_good, "it is seen though the test passes: {said}");
        }
    }
}
