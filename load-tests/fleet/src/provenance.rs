//! On which machine and of which commit: a figure without them means nothing.

use std::fs;
use std::process::Command;
use std::time::UNIX_EPOCH;

use serde::Serialize;

/// Where and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Processor and number of cores.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory.
    pub memory_mib: u64,
    /// Kernel.
    pub kernel: String,
    /// The commit of the source tree.
    pub commit: String,
    /// Whether the tree has changes that are not in the commit.
    pub is_dirty: bool,
    /// Whether the program is older than the commit: then it may have been built from another.
    pub is_older: bool,
    /// The compiler.
    pub rustc: String,
    /// When, in UTC.
    pub measured_at: String,
    /// The command line.
    pub command: String,
}

impl Provenance {
    /// Asks the machine, git and the compiler, for the program of that name. What cannot be found
    /// out is said to be unknown.
    pub fn find(program: &str) -> Provenance {
        let tree = env!("CARGO_MANIFEST_DIR");
        // Results are what a measurement writes, not what it measures.
        let paths = [":/", ":(top,exclude)*/results/*"];
        let status = ["-C", tree, "status", "--porcelain", "--untracked-files=no", "--"];
        let changes = output("git", &[&status[..], &paths].concat());
        let committed_s = output("git", &["-C", tree, "show", "-s", "--format=%ct", "HEAD"])
            .and_then(|seconds| seconds.parse().ok());
        let memory = field("/proc/meminfo", "MemTotal");
        let memory_kib = memory.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok());
        let moment = jiff::Timestamp::now();
        let mut words: Vec<String> = std::env::args().skip(1).collect();
        words.insert(0, program.to_owned());
        Provenance {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: core_count(),
            memory_mib: memory_kib.unwrap_or(0) / 1_024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            commit: output("git", &["-C", tree, "rev-parse", "HEAD"])
                .unwrap_or_else(|| "unknown".to_owned()),
            is_dirty: changes.is_none_or(|changes| !changes.is_empty()),
            is_older: committed_s.is_some_and(|moment_s| built_s() < Some(moment_s)),
            rustc: output("rustc", &["--version"]).unwrap_or_else(|| "unknown".to_owned()),
            measured_at: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: words.join(" "),
        }
    }

    /// The lines a text result begins with.
    pub fn text(&self) -> String {
        let dirty = if self.is_dirty { ", with changes that are not in it" } else { "" };
        let older = if self.is_older { "; the program is older than it" } else { "" };
        format!(
            "command   {}\nmachine   {} cores, {}, {} MiB\nsystem    Linux {}, {}\n\
             commit    {}{dirty}{older}\nmeasured  {}\n",
            self.command,
            self.cores,
            self.cpu,
            self.memory_mib,
            self.kernel,
            self.rustc,
            self.commit,
            self.measured_at
        )
    }

    /// A folder's name: day, cores and processor.
    pub fn folder(&self) -> String {
        let day = self.measured_at.split('T').next().unwrap_or_default();
        let mut cpu = String::new();
        for letter in self.cpu.chars().map(|letter| letter.to_ascii_lowercase()) {
            match letter {
                'a'..='z' | '0'..='9' => cpu.push(letter),
                _ if cpu.ends_with('-') || cpu.is_empty() => {}
                _ => cpu.push('-'),
            }
        }
        format!("{day}-{}-core-{}", self.cores, cpu.trim_end_matches('-'))
    }
}

/// When this program was written to disk, in seconds since 1970.
fn built_s() -> Option<u64> {
    let file = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let since_1970 = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since_1970.as_secs())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// What a file of `name : value` lines says.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

/// The machine's cores, those also that the calling thread leaves to a node.
fn core_count() -> usize {
    let table = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    table.lines().filter(|line| line.starts_with("processor")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_names_its_folder_by_day_and_machine() {
        let provenance = Provenance {
            cpu: "Intel(R) Xeon(R) Processor @ 2.50GHz".to_owned(),
            cores: 2,
            measured_at: "2026-11-22T07:00:00Z".to_owned(),
            ..Provenance::find("fleet")
        };
        let expected = "2026-11-22-2-core-intel-r-xeon-r-processor-2-50ghz";
        assert_eq!(provenance.folder(), expected);
    }
}
