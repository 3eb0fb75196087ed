//! A site on its way to a node: an operator offers it, sends it in parts, and is told what became of it.

use std::fmt;

use ach_actors_model::SiteConfig;
use ach_geo::SiteFrame;
use thiserror::Error;
use twox_hash::XxHash3_128;

use crate::limits::{INPUT_BYTES_MAX, SITE_PART_BYTES_MAX};
use crate::state::{decode_state, encode_state};
use crate::tlv::{Value, message};
use crate::{Code, Cursor, StateError, Text, WireError};

/// The format of a site's bytes that this build writes.
const SITE_FORMAT: u8 = 1;

/// What tells two sites apart: XXH3 of 128 bits over a site's bytes. It tells what was mistaken, not
/// who lied: who may offer a site follows from the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SiteDigest(pub u128);

impl SiteDigest {
    /// Of a site's bytes.
    pub fn of(bytes: &[u8]) -> SiteDigest {
        SiteDigest(XxHash3_128::oneshot(bytes))
    }

    /// Reads 32 hexadecimal digits; nothing for anything else.
    pub fn parse(text: &str) -> Option<SiteDigest> {
        let is_whole = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then(|| u128::from_str_radix(text, 16).ok().map(SiteDigest)).flatten()
    }
}

impl fmt::Display for SiteDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Value for SiteDigest {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.put(out)
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<SiteDigest, WireError> {
        u128::take(bytes, part).map(SiteDigest)
    }
}

/// Why a site cannot be carried, or its bytes are none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SiteBytesError {
    /// It is over the limit.
    #[error("the site is over {INPUT_BYTES_MAX} bytes, split it into sites of their own")]
    TooLarge,
    /// It was written by a later build.
    #[error("a site of format {format} needs a newer node, this one reads format {SITE_FORMAT}")]
    Format {
        /// Its format.
        format: u8,
    },
    /// The bytes do not follow the layout.
    #[error("the site's bytes do not follow their layout, offer it with a program of this version")]
    Malformed,
}

/// A site's bytes: `u8` format, then its configuration with version 0, as entries have it. The same
/// site has the same bytes, whatever its version.
///
/// # Errors
///
/// [`SiteBytesError::TooLarge`].
pub fn encode_site(config: &SiteConfig) -> Result<Vec<u8>, SiteBytesError> {
    let mut bytes = vec![SITE_FORMAT];
    let unversioned = SiteConfig { version: 0, ..config.clone() };
    encode_state(&unversioned, &mut bytes).map_err(|_| SiteBytesError::TooLarge)?;
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(SiteBytesError::TooLarge);
    }
    Ok(bytes)
}

/// Reads a site's bytes; its version is 0. Nothing in it is trusted until it is compiled.
///
/// # Errors
///
/// See [`SiteBytesError`].
pub fn decode_site(bytes: &[u8]) -> Result<SiteConfig, SiteBytesError> {
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(SiteBytesError::TooLarge);
    }
    match bytes.split_first() {
        Some((&SITE_FORMAT, rest)) => match decode_state::<SiteConfig>(rest, "site") {
            Ok(config) if config.version == 0 => Ok(config),
            Ok(_) | Err(StateError::Malformed { .. }) => Err(SiteBytesError::Malformed),
            Err(StateError::TooLarge) => Err(SiteBytesError::TooLarge),
        },
        Some((&format, _)) => Err(SiteBytesError::Format { format }),
        None => Err(SiteBytesError::Malformed),
    }
}

/// Some of a site's bytes, at most [`SITE_PART_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PartBytes(Vec<u8>);

impl PartBytes {
    /// Cuts a site's bytes into parts.
    pub fn cut(bytes: &[u8]) -> impl Iterator<Item = PartBytes> {
        bytes.chunks(SITE_PART_BYTES_MAX).map(|part| PartBytes(part.to_vec()))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Value for PartBytes {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(&self.0);
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<PartBytes, WireError> {
        if bytes.len() > SITE_PART_BYTES_MAX {
            return Err(WireError::Length { part, bytes: bytes.len() });
        }
        Ok(PartBytes(bytes.to_vec()))
    }
}

message! {
    /// An operator asks which version of the site is in force.
    pub struct SiteQuery {
        /// The operator's own number for it.
        1 => command: u64,
    }
}

message! {
    /// Where three places of the local plane lie on the globe, in 1e-9 degrees: the origin, and a
    /// kilometre along x and along y from it. Two sites with the same three have the same frame.
    pub struct FrameMarks {
        /// Longitude of the origin.
        1 => origin_lon: i64,
        /// Latitude of the origin.
        2 => origin_lat: i64,
        /// Longitude a kilometre along x.
        3 => x_lon: i64,
        /// Latitude a kilometre along x.
        4 => x_lat: i64,
        /// Longitude a kilometre along y.
        5 => y_lon: i64,
        /// Latitude a kilometre along y.
        6 => y_lat: i64,
    }
}

/// Two frames whose marks are this near are one: 2 mm, far above what two machines make of the same
/// control points and far below what matters.
const MARKS_APART_MAX_NANO_DEG: u64 = 20;

/// How far along an axis the marks lie.
const ARM_M: f64 = 1_000.0;

impl FrameMarks {
    /// The marks of a frame; nothing for one that does not reach so far.
    pub fn of(frame: &SiteFrame) -> Option<FrameMarks> {
        let (origin_lon, origin_lat) = mark(frame, 0.0, 0.0)?;
        let (x_lon, x_lat) = mark(frame, ARM_M, 0.0)?;
        let (y_lon, y_lat) = mark(frame, 0.0, ARM_M)?;
        Some(FrameMarks { origin_lon, origin_lat, x_lon, x_lat, y_lon, y_lat })
    }

    /// Whether both are of one frame.
    pub fn is_near(&self, other: &FrameMarks) -> bool {
        let numbers = |marks: &FrameMarks| {
            let FrameMarks { origin_lon, origin_lat, x_lon, x_lat, y_lon, y_lat } = *marks;
            [origin_lon, origin_lat, x_lon, x_lat, y_lon, y_lat]
        };
        let mut pairs = numbers(self).into_iter().zip(numbers(other));
        pairs.all(|(one, other)| one.abs_diff(other) <= MARKS_APART_MAX_NANO_DEG)
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "at most 180e9, far within i64; there is no `From`"
)]
fn mark(frame: &SiteFrame, x_m: f64, y_m: f64) -> Option<(i64, i64)> {
    let (lon_deg, lat_deg) = frame.to_wgs84_deg(x_m, y_m).ok()?;
    Some(((lon_deg * 1e9).round() as i64, (lat_deg * 1e9).round() as i64))
}

message! {
    /// An operator offers a version of the site; its bytes follow as [`SitePart`]s.
    pub struct SiteOffer {
        /// The operator's own number for it.
        1 => command: u64,
        /// The version it was made from.
        2 => base_version: u32,
        /// The digest of that version, if it is known.
        3 => base_digest: Option<SiteDigest>,
        /// How its frame lies on the globe, if the site says so.
        4 => frame: Option<FrameMarks>,
        /// How many bytes it has.
        5 => total_bytes: u32,
        /// Their digest.
        6 => digest: SiteDigest,
        /// Whether it is only to be judged.
        7 => is_dry_run: bool,
        /// Whether it may end open alarms and cut feeds that are connected.
        8 => may_strand: bool,
    }
}

message! {
    /// The next bytes of a site that was offered.
    pub struct SitePart {
        /// As in the offer.
        1 => command: u64,
        /// The bytes.
        2 => bytes: PartBytes,
    }
}

message! {
    /// What became of an offer, or which version is in force.
    pub struct SiteVerdict {
        /// As in the offer or question.
        1 => command: u64,
        /// [`Code::Done`], or why not.
        2 => code: Code,
        /// In words.
        3 => detail: Text,
        /// The version in force now.
        4 => version: u32,
        /// Its digest, if the node knows it.
        5 => digest: Option<SiteDigest>,
        /// What is wrong, or would be stranded; the first of them.
        6 => reasons: Vec<Text>,
        /// How many there are in all.
        7 => reason_count: u32,
        /// Where it stands in the order, if it is durable.
        8 => cursor: Option<Cursor>,
    }
}
