//! Cores, clocks, limits and buffers of the machine.

use std::fs;
use std::path::Path;

use super::finding::Finding;

/// From this many cores on a shard has one of its own.
const CORES_FOR_TWO_THREADS: usize = 4;
/// Files and sockets a node needs at most: journal, log, metrics, and room for what comes.
const FILES_MIN: u64 = 1_024;
/// What a node asks of the system for its UDP socket (`engine/net`).
const SOCKET_BYTES: u64 = 4 * 1024 * 1024;
/// Sources of time that cost tens of nanoseconds to read.
const QUICK_CLOCKS: &[&str] =
    &["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "xen", "arch_sys_counter"];
/// What leaves a trace when it keeps the clock.
const CLOCK_KEEPERS: &[&str] =
    &["/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid", "/run/ntp/ntpd.pid"];

/// Looks at the machine.
pub(crate) fn findings() -> Vec<Finding> {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let number = |path: &str| text(path).and_then(|text| text.parse().ok());
    vec![
        cores(std::thread::available_parallelism().map_or(1, usize::from)),
        clock_source(
            text("/sys/devices/system/clocksource/clocksource0/current_clocksource").as_deref(),
        ),
        clock_keeper(
            Path::new("/run/systemd/timesync/synchronized").exists(),
            CLOCK_KEEPERS.iter().any(|path| Path::new(path).exists()),
        ),
        open_files(files.current.unwrap_or(u64::MAX)),
        udp_buffers(number("/proc/sys/net/core/rmem_max"), number("/proc/sys/net/core/wmem_max")),
    ]
}

fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn cores(count: usize) -> Finding {
    match count {
        0 | 1 => Finding::warning(
            "cores",
            "1 core",
            "sockets, decisions and the journal share it: give the node two",
        ),
        2..CORES_FOR_TWO_THREADS => {
            Finding::ok("cores", format!("{count} cores: sockets and decisions share a thread"))
        }
        _ => Finding::ok("cores", format!("{count} cores: decisions have a thread of their own")),
    }
}

fn clock_source(source: Option<&str>) -> Finding {
    match source {
        None => Finding::warning(
            "clock source",
            "the system does not tell its source of time",
            "see that reading the clock is quick: the node reads it for every group of pings",
        ),
        Some(source) if QUICK_CLOCKS.contains(&source) => Finding::ok("clock source", source),
        Some(source) => Finding::warning(
            "clock source",
            source,
            "it takes microseconds to read, and is read for every group of pings: boot with a \
             steady tsc, or ask the host for its paravirtual clock",
        ),
    }
}

fn clock_keeper(is_synchronised: bool, has_keeper: bool) -> Finding {
    if is_synchronised {
        return Finding::ok("clock", "systemd-timesyncd says it is synchronised");
    }
    if has_keeper {
        return Finding::ok(
            "clock",
            "a time service runs; `chronyc tracking` tells how far off it is",
        );
    }
    Finding::warning(
        "clock",
        "nothing is seen that keeps UTC right",
        "run chrony or systemd-timesyncd, unless the host keeps the time: calendars of rules and \
         the times in alarms follow UTC",
    )
}

fn open_files(limit: u64) -> Finding {
    let seen = format!("{limit} open files allowed");
    if limit < FILES_MIN {
        let remedy = format!("`ulimit -n {FILES_MIN}`, or LimitNOFILE in the unit");
        return Finding::warning("open files", seen, remedy);
    }
    Finding::ok("open files", seen)
}

fn udp_buffers(receive: Option<u64>, send: Option<u64>) -> Finding {
    let (Some(receive), Some(send)) = (receive, send) else {
        return Finding::warning(
            "udp buffers",
            "the system does not tell them",
            format!("see that a socket may hold {SOCKET_BYTES} bytes each way"),
        );
    };
    let seen = format!("{} KiB in, {} KiB out", receive >> 10, send >> 10);
    if receive.min(send) < SOCKET_BYTES {
        return Finding::warning(
            "udp buffers",
            seen,
            format!(
                "bursts are lost and sent again, which costs latency: \
                 `sysctl net.core.rmem_max={SOCKET_BYTES} net.core.wmem_max={SOCKET_BYTES}`"
            ),
        );
    }
    Finding::ok("udp buffers", seen)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_small_machine_is_warned_of_and_a_good_one_is_not() {
        assert_eq!(cores(1).verdict, Verdict::Warning);
        assert_eq!(cores(2).verdict, Verdict::Ok);
        assert!(cores(4).seen.contains("of their own"));
        assert_eq!(clock_source(Some("tsc")).verdict, Verdict::Ok);
        assert_eq!(clock_source(Some("hpet")).verdict, Verdict::Warning);
        assert_eq!(clock_source(None).verdict, Verdict::Warning);
        assert_eq!(clock_keeper(true, false).verdict, Verdict::Ok);
        assert_eq!(clock_keeper(false, true).verdict, Verdict::Ok);
        assert_eq!(clock_keeper(false, false).verdict, Verdict::Warning);
        assert_eq!(open_files(256).verdict, Verdict::Warning);
        assert_eq!(open_files(1_048_576).verdict, Verdict::Ok);
        assert_eq!(udp_buffers(Some(212_992), Some(212_992)).verdict, Verdict::Warning);
        assert_eq!(udp_buffers(Some(8 << 20), Some(4 << 20)).verdict, Verdict::Ok);
        assert_eq!(udp_buffers(None, Some(1)).verdict, Verdict::Warning);
    }
}
