//! When to commit, and when to seal: a decision without a clock.

/// How long a record may wait for company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Not at all: doors, buttons, commands, votes.
    Urgent,
    /// Up to the gathering time: pings, whose ack is delayed by it and nothing else.
    Patient,
}

/// What the owner of a journal should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Commit now.
    Commit,
    /// Commit at this time, unless something urgent comes first.
    CommitAt {
        /// On the clock the owner gave.
        now_ns: u64,
    },
    /// Seal now.
    Seal,
    /// Seal at this time, unless something comes first.
    SealAt {
        /// On the clock the owner gave.
        now_ns: u64,
    },
    /// Wait for records.
    Wait,
}

/// Decides when a group has gathered enough. Every time is nanoseconds on one monotonic clock.
///
/// It never delays a commit because the disk is slow: the owner commits whenever it asks and the
/// answer is [`Flush::Commit`], and what comes meanwhile is the next group.
#[derive(Debug, Clone)]
pub struct GroupPolicy {
    gather_ns: u64,
    full_bytes: usize,
    seal_after_ns: u64,
    open_bytes: usize,
    is_urgent: bool,
    oldest_at_ns: Option<u64>,
    unsealed_since_ns: Option<u64>,
}

impl GroupPolicy {
    /// How long pings alone may gather: 1 ms. At a million pings a second that is a group of a
    /// thousand, from where on larger groups gain little.
    pub const GATHER_NS: u64 = 1_000_000;

    /// Bytes at which a group is not kept waiting: 64 KiB, about the thousand pings above.
    pub const FULL_BYTES: usize = 64 << 10;

    /// Idle time after which the durable mark is synced: 10 ms, long against a sync.
    pub const SEAL_AFTER_NS: u64 = 10_000_000;

    /// A policy of these figures.
    pub fn new(gather_ns: u64, full_bytes: usize, seal_after_ns: u64) -> GroupPolicy {
        GroupPolicy {
            gather_ns,
            full_bytes,
            seal_after_ns,
            open_bytes: 0,
            is_urgent: false,
            oldest_at_ns: None,
            unsealed_since_ns: None,
        }
    }

    /// A record was appended.
    pub fn appended(&mut self, urgency: Urgency, payload_bytes: usize, now_ns: u64) {
        self.open_bytes = self.open_bytes.saturating_add(payload_bytes);
        self.is_urgent |= urgency == Urgency::Urgent;
        self.oldest_at_ns.get_or_insert(now_ns);
    }

    /// A commit returned well.
    pub fn committed(&mut self, now_ns: u64) {
        self.open_bytes = 0;
        self.is_urgent = false;
        self.oldest_at_ns = None;
        self.unsealed_since_ns = Some(now_ns);
    }

    /// A seal returned well.
    pub fn sealed(&mut self) {
        self.unsealed_since_ns = None;
    }

    /// What to do at this time.
    pub fn flush(&self, now_ns: u64) -> Flush {
        if let Some(oldest_at_ns) = self.oldest_at_ns {
            let due_ns = oldest_at_ns.saturating_add(self.gather_ns);
            let is_full = self.open_bytes >= self.full_bytes;
            return if self.is_urgent || is_full || due_ns <= now_ns {
                Flush::Commit
            } else {
                Flush::CommitAt { now_ns: due_ns }
            };
        }
        match self.unsealed_since_ns.map(|since_ns| since_ns.saturating_add(self.seal_after_ns)) {
            Some(due_ns) if due_ns <= now_ns => Flush::Seal,
            Some(due_ns) => Flush::SealAt { now_ns: due_ns },
            None => Flush::Wait,
        }
    }
}

impl Default for GroupPolicy {
    fn default() -> GroupPolicy {
        GroupPolicy::new(Self::GATHER_NS, Self::FULL_BYTES, Self::SEAL_AFTER_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `story`, words of the form `what@microsecond`, on a policy of 1 ms, 100 bytes and 10 ms;
    /// the last word asks.
    #[track_caller]
    fn check(story: &str, expected: Flush) {
        let mut policy = GroupPolicy::new(1_000_000, 100, 10_000_000);
        for word in story.split_whitespace() {
            let (what, at) = word.split_once('@').unwrap();
            let now_ns = at.parse::<u64>().unwrap() * 1_000;
            match what {
                "ping" => policy.appended(Urgency::Patient, 48, now_ns),
                "door" => policy.appended(Urgency::Urgent, 20, now_ns),
                "committed" => policy.committed(now_ns),
                "sealed" => policy.sealed(),
                "ask" => assert_eq!(policy.flush(now_ns), expected, "{story}"),
                other => panic!("unknown word {other}"),
            }
        }
    }

    #[test]
    fn pings_alone_gather_for_a_millisecond() {
        check("ask@5", Flush::Wait);
        check("ping@5 ask@5", Flush::CommitAt { now_ns: 1_005_000 });
        check("ping@5 ping@900 ask@1004", Flush::CommitAt { now_ns: 1_005_000 });
        check("ping@5 ping@900 ask@1005", Flush::Commit);
    }

    #[test]
    fn a_door_waits_for_nothing_and_takes_the_pings_along() {
        check("door@5 ask@5", Flush::Commit);
        check("ping@5 door@6 ask@6", Flush::Commit);
        check("door@5 ping@6 ask@6", Flush::Commit);
    }

    #[test]
    fn a_full_group_does_not_wait() {
        check("ping@5 ping@5 ask@5", Flush::CommitAt { now_ns: 1_005_000 });
        check("ping@5 ping@5 ping@5 ask@5", Flush::Commit);
    }

    #[test]
    fn a_commit_begins_anew() {
        check("door@5 committed@50 ping@60 ask@60", Flush::CommitAt { now_ns: 1_060_000 });
        check(
            "ping@5 ping@5 ping@5 committed@9 ping@10 ask@10",
            Flush::CommitAt { now_ns: 1_010_000 },
        );
    }

    #[test]
    fn what_was_committed_is_sealed_once_it_is_quiet() {
        check("door@5 committed@50 ask@60", Flush::SealAt { now_ns: 10_050_000 });
        check("door@5 committed@50 ask@10050", Flush::Seal);
        check("door@5 committed@50 sealed@10060 ask@10070", Flush::Wait);
        check("door@5 committed@50 ping@10060 ask@10070", Flush::CommitAt { now_ns: 11_060_000 });
    }
}
