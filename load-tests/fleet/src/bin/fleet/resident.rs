//! How much memory a process holds.

use std::fs;

/// Resident memory of a process now, in KiB.
pub(crate) fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_taken_is_seen() {
        let before = resident_kib(std::process::id()).expect("this process");
        let mut held = vec![0_u8; 64 << 20];
        for page in held.chunks_mut(4_096) {
            page[0] = 1;
        }
        let after = resident_kib(std::process::id()).expect("this process");
        assert!(after >= before + 60 * 1_024, "{before} KiB, then {after} KiB");
        assert_eq!(held[4_096], 1);
    }
}
