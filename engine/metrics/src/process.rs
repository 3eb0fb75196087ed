//! The process as the system sees it, under the names every Prometheus client uses.

use std::fs;

use crate::{Amount, Exposition};

/// What the system says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessCounts {
    /// CPU time it has had.
    pub cpu_ns: u64,
    /// Memory it has in RAM.
    pub resident_bytes: u64,
    /// Files and sockets it has open.
    pub open_fds: u64,
    /// Files and sockets it may have open.
    pub max_fds: u64,
}

/// What the system says of this process; what cannot be read is 0.
pub fn own_process() -> ProcessCounts {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let open_fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    ProcessCounts {
        cpu_ns: cpu_ns(),
        resident_bytes: resident_bytes(&status).unwrap_or(0),
        // One of them is the directory that is being read.
        open_fds: u64::try_from(open_fds).unwrap_or(0).saturating_sub(1),
        max_fds: files.current.unwrap_or(u64::MAX),
    }
}

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let s = u64::try_from(time.tv_sec).unwrap_or(0);
    let ns = u64::try_from(time.tv_nsec).unwrap_or(0);
    s.saturating_mul(1_000_000_000).saturating_add(ns)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

impl ProcessCounts {
    /// Writes them.
    pub fn write(&self, page: &mut Exposition) {
        page.counter(
            "process_cpu_seconds_total",
            "User and system CPU time of the process.",
            Amount::Ns(self.cpu_ns),
        );
        page.gauge(
            "process_resident_memory_bytes",
            "Memory of the process in RAM.",
            Amount::Count(self.resident_bytes),
        );
        page.gauge("process_open_fds", "Open files and sockets.", Amount::Count(self.open_fds));
        page.gauge(
            "process_max_fds",
            "Files and sockets the process may have open.",
            Amount::Count(self.max_fds),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_understood() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    12 kB\n"), Some(12_288));
        assert_eq!(resident_bytes("VmRSS: x"), None);
    }

    #[test]
    fn this_process_has_memory_and_files_and_has_worked() {
        let counts = own_process();
        assert!(counts.cpu_ns > 0, "{counts:?}");
        assert!(counts.resident_bytes > 100_000 && counts.open_fds > 2, "{counts:?}");
        assert!(counts.max_fds > counts.open_fds, "{counts:?}");
    }
}
