//! Things by the names their owner gave them, and where a subscriber has got to.

use ach_actors_model::{Lane, Name, TagId, Timestamp};

use crate::WireError;
use crate::tlv::{Value, message};

/// Something of a site: `u8 kind`, then nothing, the name, or the tag's eight bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// The site as a whole.
    Site,
    /// A zone.
    Zone(Name),
    /// A door.
    Door(Name),
    /// A perimeter line.
    Line(Name),
    /// A tag.
    Tag(TagId),
    /// A vendor's feed.
    Source(Name),
    /// An anchor.
    Anchor(Name),
    /// A subject.
    Subject(Name),
}

impl Value for Thing {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let (kind, name) = match self {
            Thing::Site => (0, None),
            Thing::Zone(name) => (1, Some(name)),
            Thing::Door(name) => (2, Some(name)),
            Thing::Line(name) => (3, Some(name)),
            Thing::Tag(_) => (4, None),
            Thing::Source(name) => (5, Some(name)),
            Thing::Anchor(name) => (6, Some(name)),
            Thing::Subject(name) => (7, Some(name)),
        };
        out.push(kind);
        if let Thing::Tag(id) = self {
            id.put(out)?;
        }
        name.map_or(Ok(()), |name| name.put(out))
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Thing, WireError> {
        let Some((&kind, rest)) = bytes.split_first() else {
            return Err(WireError::Length { part, bytes: 0 });
        };
        Ok(match kind {
            0 if rest.is_empty() => Thing::Site,
            1 => Thing::Zone(Name::take(rest, part)?),
            2 => Thing::Door(Name::take(rest, part)?),
            3 => Thing::Line(Name::take(rest, part)?),
            4 => Thing::Tag(TagId::take(rest, part)?),
            5 => Thing::Source(Name::take(rest, part)?),
            6 => Thing::Anchor(Name::take(rest, part)?),
            7 => Thing::Subject(Name::take(rest, part)?),
            _ => return Err(WireError::Value { part }),
        })
    }
}

/// A place in the order of what happened: `u32 shard, u32 ordinal, u64 index`, 16 bytes.
///
/// It survives a change of node: all replicas count alike. What comes after it is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    /// The shard.
    pub shard: u32,
    /// The entry.
    pub index: u64,
    /// The effect within the entry.
    pub ordinal: u32,
}

impl Value for Cursor {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.shard.put(out)?;
        self.ordinal.put(out)?;
        self.index.put(out)
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Cursor, WireError> {
        let &[s0, s1, s2, s3, o0, o1, o2, o3, ref index @ ..] = bytes else {
            return Err(WireError::Length { part, bytes: bytes.len() });
        };
        Ok(Cursor {
            shard: u32::from_le_bytes([s0, s1, s2, s3]),
            ordinal: u32::from_le_bytes([o0, o1, o2, o3]),
            index: u64::take(index, part)?,
        })
    }
}

message! {
    /// An input that opened an episode.
    pub struct InputCause {
        /// Whose.
        1 => source: Name,
        /// On which lane.
        2 => lane: Lane,
        /// In which epoch.
        3 => epoch: u32,
        /// Under which sequence number.
        4 => seq: u64,
    }
}

/// What opened an episode: `u8 kind`, then an [`InputCause`], the due time, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireCause {
    /// A ping or report.
    Input(InputCause),
    /// A deadline.
    Deadline {
        /// When it was due.
        due_at: Timestamp,
    },
    /// A change of the site, a command, or a feed's clock.
    SiteChange,
    /// The node itself: a self-test, or trouble of its own. The alarm's kind says which.
    Node,
}

impl Value for WireCause {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            WireCause::Input(input) => {
                out.push(1);
                input.put(out)
            }
            WireCause::Deadline { due_at } => {
                out.push(2);
                due_at.put(out)
            }
            WireCause::SiteChange => {
                out.push(3);
                Ok(())
            }
            WireCause::Node => {
                out.push(4);
                Ok(())
            }
        }
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<WireCause, WireError> {
        match bytes.split_first() {
            Some((1, rest)) => InputCause::take(rest, part).map(WireCause::Input),
            Some((2, rest)) => {
                Timestamp::take(rest, part).map(|due_at| WireCause::Deadline { due_at })
            }
            Some((3, [])) => Ok(WireCause::SiteChange),
            Some((4, [])) => Ok(WireCause::Node),
            _ => Err(WireError::Value { part }),
        }
    }
}
