//! `cargo xtask counts`: instructions of the hot functions, held against the baseline in the repository.
//!
//! Counted by callgrind, on one thread, between two marks, so a count is the same at every hour. It may
//! change a little with the machine (a processor with wider vectors) and the compiler, hence the margin.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Outcome = Result<(), String>;

/// Where the baseline is.
const BASELINE: &str = "bench/baselines/instructions.txt";
/// A count may be so many percent above or below.
const CHANGE_PERCENT_MAX: f64 = 5.0;

/// Counts are of the product as it is built, whatever the environment says of profiles.
const LTO: &str = "profile.release.lto=\"off\"";

/// A workload's count.
#[derive(Debug, Clone, PartialEq)]
struct Count {
    name: String,
    pings: u64,
    instructions: u64,
}

impl Count {
    fn a_ping(&self) -> f64 {
        float(self.instructions) / float(self.pings.max(1))
    }

    fn line(&self) -> String {
        format!("{} {} {}", self.name, self.pings, self.instructions)
    }

    fn read(line: &str) -> Option<Count> {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let (pings, instructions) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Count { name, pings, instructions })
    }
}

/// Counts, and compares or records.
pub(crate) fn counts(is_recorded: bool) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder")?;
    let program = build(root)?;
    let names = said(Command::new(&program))?;
    let mut found = Vec::new();
    let names: Vec<&str> = names.lines().collect();
    // A count is of one thread, and the same beside another: a machine that checks changes has two cores.
    for both in names.chunks(2) {
        let counts: Vec<Result<Count, String>> = std::thread::scope(|scope| {
            let program = &program;
            let counting = both.iter().map(|&name| scope.spawn(move || count(program, name)));
            let threads: Vec<_> = counting.collect();
            let failed = |_| Err("a thread of the counting failed".to_owned());
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
        });
        for count in counts {
            let count = count?;
            println!("{:<16} {:>8.1} instructions a ping", count.name, count.a_ping());
            found.push(count);
        }
    }
    let path = root.join(BASELINE);
    let compiler = said(version())?;
    if is_recorded {
        let told = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().ok_or("no folder")?).map_err(told)?;
        fs::write(&path, text(&compiler, &found)).map_err(told)?;
        println!("recorded in {BASELINE}; say in the commit why it moved");
        return Ok(());
    }
    let baseline = fs::read_to_string(&path).map_err(|error| format!("{BASELINE}: {error}"))?;
    judge(&baseline, &compiler, &found)
}

/// Beside the product and its load, so that features of what all need are chosen as for those, and nothing is
/// compiled a second time where they are there.
const PACKAGES: [&str; 6] = ["-p", "ach", "-p", "ach-load-tests-fleet", "-p", "ach-bench"];

fn build(root: &Path) -> Result<PathBuf, String> {
    let whole = ["build", "--release", "--locked", "--bin", "counts", "--config", LTO];
    let arguments = [&whole[..], &PACKAGES].concat();
    println!("$ cargo {}", arguments.join(" "));
    let status = Command::new("cargo").args(arguments).status();
    let status = status.map_err(|error| format!("cargo does not start: {error}"))?;
    if !status.success() {
        return Err(format!("building what is counted ended with {status}"));
    }
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(built.join("release/counts"))
}

fn version() -> Command {
    let mut command = Command::new("rustc");
    command.arg("--version");
    command
}

fn said(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(text);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {error}", output.status))
}

/// Runs a workload under callgrind.
fn count(program: &Path, name: &str) -> Result<Count, String> {
    let out = program.with_file_name(format!("callgrind-{name}.out"));
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--toggle-collect=*counted_work*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(name);
    let text = said(command).map_err(|error| {
        format!("{error}\nis valgrind installed? On Debian: apt-get install valgrind")
    })?;
    let pings = text.split_whitespace().next().and_then(|word| word.parse().ok());
    let pings = pings.ok_or_else(|| format!("{name} said `{text}`"))?;
    let counted =
        fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    // What is counted is removed: it is large, and a figure is all that is wanted.
    let _ = fs::remove_file(&out);
    let instructions = total(&counted).filter(|&count| count > 0);
    let instructions = instructions.ok_or_else(|| format!("nothing of {name} was counted"))?;
    Ok(Count { name: name.to_owned(), pings, instructions })
}

/// All instructions of a callgrind file.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn text(compiler: &str, counts: &[Count]) -> String {
    let mut text = format!(
        "# Instructions of the hot functions: name, pings, instructions in all.\n\
         # Counted by `cargo xtask counts`; moved by `cargo xtask counts --record`, with the reason in the \
         commit.\n# {compiler}\n"
    );
    for count in counts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", count.line());
    }
    text
}

/// Holds counts against the baseline.
fn judge(baseline: &str, compiler: &str, found: &[Count]) -> Outcome {
    let lines = baseline.lines().filter(|line| !line.starts_with('#'));
    let expected: Vec<Count> = lines.filter_map(Count::read).collect();
    let mut wrong = Vec::new();
    for count in found {
        let Some(before) = expected.iter().find(|before| before.name == count.name) else {
            wrong.push(format!("{} is not in the baseline", count.name));
            continue;
        };
        let change = (count.a_ping() / before.a_ping() - 1.0) * 100.0;
        if change.abs() > CHANGE_PERCENT_MAX {
            let (now, then) = (count.a_ping(), before.a_ping());
            wrong
                .push(format!("{}: {now:.1} a ping, {then:.1} before: {change:+.1} %", count.name));
        }
    }
    let is_gone = |before: &&Count| found.iter().all(|count| count.name != before.name);
    wrong.extend(
        expected.iter().filter(is_gone).map(|it| format!("{} is counted no more", it.name)),
    );
    if wrong.is_empty() {
        return Ok(());
    }
    let other = if baseline.contains(compiler) {
        String::new()
    } else {
        format!(
            "\nthe baseline is of another compiler than this {compiler}, which may be all of it"
        )
    };
    Err(format!(
        "{}{other}\na change of more than {CHANGE_PERCENT_MAX} % is either a mistake or worth a word: \
         `cargo xtask counts --record` moves {BASELINE}, and the commit says why",
        wrong.join("\n")
    ))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts of a second are far below 2^53; there is no `From`"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: u64) -> Vec<Count> {
        vec![
            Count { name: "geofence".to_owned(), pings: 100, instructions },
            Count { name: "wire".to_owned(), pings: 10, instructions: 400 },
        ]
    }

    #[track_caller]
    fn check(found: &[Count], compiler: &str, expected: Result<(), &str>) {
        let baseline = text("rustc 1.95.0", &counts(10_000));
        match (judge(&baseline, compiler, found), expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_count_may_change_by_a_twentieth_and_not_more() {
        check(&counts(10_000), "rustc 1.95.0", Ok(()));
        check(&counts(10_499), "rustc 1.95.0", Ok(()));
        check(&counts(10_501), "rustc 1.95.0", Err("geofence: 105.0 a ping, 100.0 before: +5.0 %"));
        check(&counts(9_400), "rustc 1.95.0", Err("-6.0 %"));
        check(&counts(9_400), "rustc 1.96.0", Err("another compiler"));
        check(&counts(10_000)[..1], "rustc 1.95.0", Err("wire is counted no more"));
        let more = Count { name: "new".to_owned(), pings: 1, instructions: 1 };
        check(&[counts(10_000), vec![more]].concat(), "rustc 1.95.0", Err("new is not in"));
    }

    #[test]
    fn the_total_is_read_from_what_callgrind_writes() {
        let text = "# callgrind format\nevents: Ir\nfn=(1) x\n12 345\n\ntotals: 87654321\n";
        assert_eq!(total(text), Some(87_654_321));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn the_baseline_names_workloads_that_are_counted() {
        let root = crate::layers::root();
        let baseline = fs::read_to_string(root.join(BASELINE)).unwrap();
        let source = fs::read_to_string(root.join("bench/src/counted.rs")).unwrap();
        let names: Vec<String> = baseline
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| Count::read(line).unwrap().name)
            .collect();
        assert!(!names.is_empty(), "nothing is held against the baseline");
        for name in names {
            assert!(source.contains(&format!("\"{name}\"")), "{name} is counted no more");
        }
    }
}
