//! What has happened, counted: plain atomics, read by operators and tests.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tally::Tally;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident)*) => {
        /// Every counter of a node. Names end in what they count and are stable.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: Counter,)*
            /// What is told apart by lane, kind or length.
            pub(crate) tally: Tally,
        }

        impl Counters {
            /// Every counter with its name, in the order of their declaration.
            pub fn read(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get()),)*]
            }

            /// As [`Counters::read`], each with what it counts.
            pub(crate) fn described(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($name), concat!($($doc),+), self.$name.get()),)*]
            }
        }
    };
}

counters! {
    /// Connections that asked to come in.
    connections_offered
    /// Connections turned away because there were too many, or too many of one identity.
    connections_refused_limit
    /// Handshakes that failed: no certificate, a wrong one, an old one.
    handshakes_failed
    /// Sessions begun.
    sessions_begun
    /// Sessions ended, for whatever reason.
    sessions_ended
    /// Sessions ended because the peer broke the protocol.
    sessions_broken
    /// Sessions ended because the peer broke QUIC itself: frames that must not be, gaps without end.
    transport_broken
    /// Sessions whose own code failed. Each is a bug.
    sessions_panicked
    /// Sessions closed because the peer's certificate had ended.
    certificates_ended
    /// Sessions closed, or never begun, because the peer's certificate was revoked.
    certificates_revoked
    /// Times a peer was told that its certificate ends soon.
    certificate_ends_told
    /// Times the list of revoked certificates could not be read; what was known of it stays in force.
    revocations_unread
    /// Frames that were malformed: wrong length, unknown type, reserved bits.
    frames_malformed
    /// Frames longer than allowed.
    frames_too_long
    /// Frames begun and not finished in time.
    frames_unfinished
    /// Things asked for that the certificate's role does not allow.
    role_refused
    /// Sequence numbers that left out others or lay beyond the window.
    sequence_jumps
    /// Inputs of an epoch that is not in force.
    epochs_wrong
    /// Inputs more than granted.
    credit_exceeded
    /// Names or tags that the site does not know.
    handles_unknown
    /// Tags that vendors named or reported and the site does not have, each once as long as it is listed.
    tags_unregistered
    /// Changes of alarms that nobody had displayed in time: perhaps nobody looks.
    alarms_not_displayed
    /// Test alarms that came all the way.
    selftests_passed
    /// Test alarms that did not come all the way.
    selftests_failed
    /// Daily self-tests that were not begun in time.
    selftests_missed
    /// Names or tags that belong to another feed.
    handles_foreign
    /// Coordinates that are not numbers.
    positions_not_a_number
    /// Coordinates, floors or batteries out of range, or global ones without a georeference.
    positions_out_of_range
    /// Inputs observed over half a second later than they arrived; clamped, not refused.
    inputs_from_the_future
    /// Times a vendor was told that its clock and ours differ.
    clock_offsets_told
    /// Times our own clock was found far from shard time.
    clock_skews_seen
    /// Pings decided on.
    pings_accepted
    /// Pings that had been decided on before.
    pings_duplicate
    /// Pings older than what was known of their tag.
    pings_late
    /// Pings refused.
    pings_refused
    /// Pings that gave way to newer ones of their tag.
    pings_conflated
    /// Door, button, band and anchor reports decided on.
    reports_accepted
    /// Reports that had been decided on before.
    reports_duplicate
    /// Reports that were late.
    reports_late
    /// Reports refused.
    reports_refused
    /// Entries stepped.
    entries_stepped
    /// Alarms raised.
    alarms_raised
    /// Tentative alarms upheld.
    alarms_upheld
    /// Tentative alarms retracted.
    alarms_retracted
    /// Alarms cleared.
    alarms_cleared
    /// Alarms that somebody took notice of.
    alarms_acknowledged
    /// Alarms passed on because nobody took notice in time.
    alarms_escalated
    /// Alarms given up unanswered, to make room.
    alarms_dropped
    /// All else that was done with alarms.
    alarms_acted_on
    /// Events told.
    events_told
    /// Groups written to the journal.
    groups_committed
    /// Entries in them.
    entries_committed
    /// Bytes in them, before encryption.
    bytes_committed
    /// Groups that were flushed at once because something urgent was in them.
    groups_urgent
    /// Entries that were not stored because storing had stopped.
    entries_not_stored
    /// Checkpoints written whole.
    checkpoints_taken
    /// Checkpoints given up, because the disk was full or failed, or the site changed meanwhile.
    /// Another one is tried later.
    checkpoints_given_up
    /// Segments of the journal given up, because no start needs them any more.
    segments_given_up
    /// Entries that history took from the journal, not from the shard: after a start, when it could not
    /// keep up, when it is derived anew.
    history_entries_reread
    /// Entries for which history had no room when they were decided. It reads them from the journal.
    history_entries_left_out
    /// Times that history was found damaged and is derived anew.
    history_rebuilds
    /// Days of history that were over and are gone.
    history_days_dropped
    /// Archives that went before their time, because the disk had no room for those to come.
    archives_dropped_early
    /// Entries that were archived before the journal gave them up.
    history_entries_archived
    /// Segments given up whose files could not be removed; the next start tries again.
    segments_left
    /// Frames given to subscribers.
    frames_fanned_out
    /// Frames left out for a subscriber that was too slow.
    frames_shed
    /// Subscribers that were sent the open alarms again because they had fallen behind.
    subscribers_resynchronised
    /// Peers cut because they did not read.
    subscribers_cut
    /// Echo probes answered.
    echoes_answered
    /// Commands of operators taken.
    commands_taken
    /// Orders to doors written to vendors.
    door_orders_told
    /// Times the machine seemed to have been suspended.
    suspends_seen
    /// Records that are in the audit log, on disk.
    audit_records_written
    /// Acts that were recorded together with others alike.
    audit_acts_merged
    /// Records that are in no audit log, because it could not be written.
    audit_records_lost
    /// Heads of the audit log that were signed.
    audit_heads_signed
    /// Damages of the audit log that were found while the node ran.
    audit_damage_found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_read_by_its_name() {
        let counters = Counters::default();
        counters.pings_accepted.add(41);
        counters.pings_accepted.count();
        let read = counters.read();
        assert!(read.contains(&("pings_accepted", 42)));
        assert_eq!(read.iter().map(|&(_, n)| n).sum::<u64>(), 42);
    }
}
