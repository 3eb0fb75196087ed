//! The limits of the protocol, each with its reason. A peer may rely on them.

/// Bytes of a frame header.
pub const HEADER_BYTES: usize = 8;

/// Largest payload of one frame: 1,024 pings of 48 bytes and their header of 16 are 49,168 bytes;
/// the next power of two leaves room for longer records and fits a `u16` field length plus one.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// Most pings in one batch: beyond 256 a write gains nothing, four times that is ample.
pub const BATCH_PINGS_MAX: usize = 1_024;

/// Most reports in one frame: 1,024 of 32 bytes are half the largest payload.
pub const BATCH_REPORTS_MAX: usize = 1_024;

/// Most handles on one connection: a million tags on one vendor's feed is ten times the largest
/// site we know of; at some 32 bytes each the table of either side stays at 32 MiB.
pub const HANDLE_COUNT_MAX: u32 = 1 << 20;

/// Most things interned by one frame: 1,024 names of 64 bytes with 5 bytes each are 70,656, so
/// 512, which always fit.
pub const INTERN_ITEMS_MAX: usize = 512;

/// Most elements in a list of names, tags, floors, kinds or the like inside one frame: 256 names
/// of 64 bytes with 4 bytes each are 17,408, so three full lists still fit one frame.
pub const LIST_ITEMS_MAX: usize = 256;

/// Most counters in one status: 512 of at most 64 + 8 + 12 bytes are 43,008.
pub const COUNTERS_MAX: usize = 512;

/// Most subscriptions on one connection: alarms, events and positions with a few filters each.
pub const SUBSCRIPTIONS_MAX: usize = 16;

/// Longest free text, in bytes: one line of a terminal or two.
pub const TEXT_BYTES_MAX: usize = 256;

/// Largest padding an echo may ask for: the size of the largest alarm note, rounded up.
pub const ECHO_BYTES_MAX: u32 = 4_096;

/// Most bytes in one part of a site: three quarters of the largest payload, so that a part and its
/// header always fit.
pub const SITE_PART_BYTES_MAX: usize = 48 * 1024;

/// Reasons told in one verdict on a site: 200 of at most 256 + 4 bytes are 52,000.
pub const SITE_REASONS_MAX: usize = 200;

/// Largest encoded input of an entry. A site of a million tags, 10,000 zones of 100 points and
/// 10,000 rules is 40 MB.
pub const INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Largest encoded entry: one largest input and as much again for all the others.
pub const ENTRY_BYTES_MAX: usize = 2 * INPUT_BYTES_MAX;

/// Largest value of a checkpoint. Two million tags and subjects ever named, with names of the longest
/// kind, are a history of 170 MB; a configuration of a million of each in force is 62 MB with ordinary
/// names, and an entry of the journal has it, so never more than [`ENTRY_BYTES_MAX`].
pub const STATE_BYTES_MAX: usize = 256 * 1024 * 1024;

const _: () = assert!(16 + BATCH_PINGS_MAX * 48 <= PAYLOAD_BYTES_MAX);
const _: () = assert!(8 + BATCH_REPORTS_MAX * 32 <= PAYLOAD_BYTES_MAX);
