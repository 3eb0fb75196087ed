//! A file system that can really be full: a small tmpfs in a namespace of its own.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

use crate::skipped;

/// Names the folder on the small file system to the test that runs within the namespace.
const FOLDER_VARIABLE: &str = "ACH_TEST_SMALL_DISK";

/// Said by the test within, so that it cannot be taken for having run when it was filtered out.
const DONE: &str = "the test on a small file system ran";

/// The exit code of a test that failed.
const FAILED: i32 = 101;

/// Runs the rest of the test `name` on a file system of `size`, as `mount` has it, in the folder it is given. The
/// test is started once more for that, in a namespace where it may mount one; where there is no such
/// namespace it is [left out](skipped).
///
/// # Panics
///
/// When the test within fails, or is not found under that name.
pub fn on_small_disk(name: &str, size: &str, test: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        test(Path::new(&folder));
        println!("{DONE}");
        return;
    }
    let outcome = tempfile::tempdir().and_then(|folder| {
        let outcome = run_within(&["--mount"], folder.path(), (name, size))?;
        if outcome.status.code() == Some(FAILED) || outcome.status.success() {
            return Ok(outcome);
        }
        run_within(&["--user", "--map-root-user", "--mount"], folder.path(), (name, size))
    });
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return skipped(&format!("no namespace with a small tmpfs: {error}")),
    };
    let (out, err) =
        (String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    if outcome.status.success() {
        assert!(out.contains(DONE), "{name} did not run: {out}{err}");
    } else {
        assert!(outcome.status.code() != Some(FAILED), "{out}{err}");
        skipped(&format!("no namespace with a small tmpfs can be made here: {err}"));
    }
}

/// Runs the test again with a tmpfs over the folder.
fn run_within(
    namespaces: &[&str],
    folder: &Path,
    (name, size): (&str, &str),
) -> io::Result<Output> {
    let script = "mount -t tmpfs -o \"size=$1\" none \"$0\" || exit 77; shift; exec \"$@\"";
    Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script])
        .arg(folder)
        .arg(size)
        .arg(std::env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .output()
}

/// Gives the file system over `folder` another size, as somebody who fills or frees it would: no less than what lies
/// on it.
///
/// # Panics
///
/// When it cannot be done.
pub fn resize(folder: &Path, size: &str) {
    let options = format!("remount,size={size}");
    let mounted = Command::new("mount").args(["-o", &options]).arg(folder).output();
    let said = format!("{mounted:?}");
    assert!(mounted.is_ok_and(|output| output.status.success()), "{said}");
}
