//! What outlives days: the ids that numbers stand for, who bears which tag, what was dropped.
//!
//! Inside, things are numbers that are never given twice; people and vendors ask by id. Rows are
//! sealed with the checksum of key and value.

use std::collections::BTreeMap;

use ach_actors_entities::Site;
use ach_actors_model::{
    AnchorRef, DoorRef, LineRef, RuleRef, SourceRef, SubjectRef, TagId, TagRef, Timestamp, ZoneRef,
};
use serde::{Deserialize, Serialize};

use crate::Day;
use crate::coding::{opened, sealed};
use crate::errors::{Fault, QueryError};
use crate::rows::{Rows, write_rows};
use crate::tables::{Found, Keyspace};

/// The format of the whole store.
const STORE_FORMAT: u32 = 1;

const FORMAT_KEY: &[u8] = b"f";
const DROPPED: u8 = b'd';
const COUNTS_KEY: &[u8] = b"c";
const ID: u8 = b'i';
const REF: u8 = b'r';
const BEARER: u8 = b'b';

/// Since when who bore a tag; `None` is nobody.
pub type Borne = (Timestamp, Option<SubjectRef>);

/// A tag that was borne, from when on and until when.
pub type BorneTag = (TagRef, Timestamp, Option<Timestamp>);

/// What can have an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A tag; its id is an EUI-64.
    Tag,
    /// A subject.
    Subject,
    /// A zone.
    Zone,
    /// A door.
    Door,
    /// A perimeter line.
    Line,
    /// A rule.
    Rule,
    /// A feed.
    Source,
    /// An anchor.
    Anchor,
}

impl NameKind {
    const ALL: [NameKind; 8] = [
        NameKind::Tag,
        NameKind::Subject,
        NameKind::Zone,
        NameKind::Door,
        NameKind::Line,
        NameKind::Rule,
        NameKind::Source,
        NameKind::Anchor,
    ];

    fn code(self) -> u8 {
        match self {
            NameKind::Tag => 1,
            NameKind::Subject => 2,
            NameKind::Zone => 3,
            NameKind::Door => 4,
            NameKind::Line => 5,
            NameKind::Rule => 6,
            NameKind::Source => 7,
            NameKind::Anchor => 8,
        }
    }

    fn name(self, site: &Site, number: u32) -> Option<String> {
        let owned = str::to_owned;
        match self {
            NameKind::Tag => site.tag_id(TagRef(number)).map(|id| id.to_string()),
            NameKind::Subject => site.subject_name(SubjectRef(number)).map(owned),
            NameKind::Zone => site.zone_name(ZoneRef(number)).map(owned),
            NameKind::Door => site.door_name(DoorRef(number)).map(owned),
            NameKind::Line => site.line_name(LineRef(number)).map(owned),
            NameKind::Rule => site.rule_name(RuleRef(number)).map(owned),
            NameKind::Source => site.source_name(SourceRef(number)).map(owned),
            NameKind::Anchor => site.anchor_name(AnchorRef(number)).map(owned),
        }
    }
}

/// How many numbers of each kind have a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts(BTreeMap<u8, u32>);

/// What the last site that was taken left: who bears each tag now. Read from the rows once; there may be
/// millions.
#[derive(Debug, Default)]
pub(crate) struct LastBearers(Option<BTreeMap<u32, SubjectRef>>);

/// The keyspace of names.
#[derive(Clone)]
pub(crate) struct NameRows {
    keyspace: Keyspace,
}

impl NameRows {
    /// Checks what is there, and writes the format where nothing is.
    pub(crate) fn open(keyspace: Keyspace, has_days: bool) -> Result<NameRows, Fault> {
        let rows = NameRows { keyspace };
        match rows.number(FORMAT_KEY)? {
            Some(STORE_FORMAT) => {}
            Some(format) if format > STORE_FORMAT => return Err(Fault::Newer { format }),
            Some(format) => {
                return Err(Fault::damage(format!(
                    "format {format} is not one this program reads"
                )));
            }
            None if has_days => return Err(Fault::damage("its names are missing")),
            None => rows.put(FORMAT_KEY, &STORE_FORMAT.to_le_bytes())?,
        }
        Ok(rows)
    }

    /// The days that were dropped, each with the day that it followed.
    pub(crate) fn dropped(&self) -> Result<BTreeMap<Day, Option<Day>>, Fault> {
        let mut dropped = BTreeMap::new();
        for row in self.keyspace.prefix([DROPPED]) {
            let Some((key, value)) = read_row(Some(row))? else { continue };
            let day = crate::key::u32_at(&key, 1)
                .ok_or_else(|| Fault::damage("a dropped day without a date"))?;
            let follows = value.first_chunk().map(|bytes| Day(u32::from_le_bytes(*bytes)));
            dropped.insert(Day(day), follows);
        }
        Ok(dropped)
    }

    /// Notes that a day may be missing.
    pub(crate) fn note_dropped(&self, day: Day, follows: Option<Day>) -> Result<(), Fault> {
        let mut key = vec![DROPPED];
        key.extend_from_slice(&day.0.to_be_bytes());
        let value = follows.map(|day| day.0.to_le_bytes());
        self.put(&key, value.as_ref().map_or(&[][..], |bytes| &bytes[..]))
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.keyspace.disk_bytes()
    }

    /// The keyspace, to look at all of it.
    pub(crate) fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Takes over the names of a site, and who bears which tag from `at` on. `last` is what its one
    /// writer keeps from one site to the next.
    pub(crate) fn take(
        &self,
        site: &Site,
        at: Timestamp,
        last: &mut LastBearers,
    ) -> Result<(), Fault> {
        let mut rows = Rows::new();
        let mut counts = self.counts()?;
        for kind in NameKind::ALL {
            let known = counts.0.get(&kind.code()).copied().unwrap_or(0);
            let mut next = known;
            while let Some(id) = kind.name(site, next) {
                put_sealed(&mut rows, ref_key(kind, next), id.as_bytes());
                put_sealed(&mut rows, id_key(kind, &id), &next.to_le_bytes());
                next = next.saturating_add(1);
            }
            counts.0.insert(kind.code(), next);
        }
        // Taken out while it is changed: after a failure it is read again.
        let mut bearers = match last.0.take() {
            Some(bearers) => bearers,
            None => self.bearers()?,
        };
        for number in 0..u32::try_from(site.tag_ref_count()).unwrap_or(u32::MAX) {
            let bearer = site.tag_subject(TagRef(number));
            if bearers.get(&number).copied() != bearer {
                let value = bearer.map(|it| it.0.to_le_bytes());
                let value = value.as_ref().map_or(&[][..], |bytes| &bytes[..]);
                put_sealed(&mut rows, bearer_key(TagRef(number), at), value);
                match bearer {
                    Some(bearer) => bearers.insert(number, bearer),
                    None => bearers.remove(&number),
                };
            }
        }
        let text =
            serde_json::to_vec(&counts).map_err(|_| Fault::damage("counts cannot be told"))?;
        put_sealed(&mut rows, COUNTS_KEY.to_vec(), &text);
        write_rows(&self.keyspace, rows)?;
        last.0 = Some(bearers);
        Ok(())
    }

    /// The id a number stands for.
    pub(crate) fn id(&self, kind: NameKind, number: u32) -> Result<Option<String>, Fault> {
        let Some(bytes) = self.get(&ref_key(kind, number))? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| Fault::damage("an id is no text"))
    }

    /// The number an id stands for.
    pub(crate) fn number_of(&self, kind: NameKind, id: &str) -> Result<Option<u32>, Fault> {
        self.number(&id_key(kind, id))
    }

    /// Who bore a tag then.
    pub(crate) fn bearer(&self, tag: TagRef, at: Timestamp) -> Result<Option<SubjectRef>, Fault> {
        let first = bearer_key(tag, Timestamp(0));
        let row = self.keyspace.range(first..=bearer_key(tag, at)).next_back();
        let Some((_, value)) = read_row(row)? else { return Ok(None) };
        subject_in(&value)
    }

    /// Everybody who ever bore a tag, from when on; `None` while nobody did.
    pub(crate) fn bearers_of(&self, tag: TagRef) -> Result<Vec<Borne>, Fault> {
        let mut bearers = Vec::new();
        let first = bearer_key(tag, Timestamp(0));
        for row in self.keyspace.range(first..=bearer_key(tag, Timestamp(u64::MAX))) {
            let Some((key, value)) = read_row(Some(row))? else { continue };
            let since =
                crate::key::u64_at(&key, 5).ok_or_else(|| Fault::damage("a bearer since never"))?;
            bearers.push((Timestamp(since), subject_in(&value)?));
        }
        Ok(bearers)
    }

    /// Every tag a subject ever bore.
    fn tags_of(&self, subject: SubjectRef) -> Result<Vec<BorneTag>, Fault> {
        let mut borne: Vec<BorneTag> = Vec::new();
        let mut open = None;
        for row in self.keyspace.prefix([BEARER]) {
            let Some((key, value)) = read_row(Some(row))? else { continue };
            let number = crate::key::u32_at(&key, 1).zip(crate::key::u64_at(&key, 5));
            let (tag, at) = number.ok_or_else(|| Fault::damage("a bearer of no tag"))?;
            let (tag, at) = (TagRef(tag), Timestamp(at));
            // Rows lie by tag, then by time: the next of the same tag ends the one before.
            if let Some((of, since)) = open.take() {
                borne.push((of, since, (of == tag).then_some(at)));
            }
            open = subject_in(&value)?.filter(|it| *it == subject).map(|_| (tag, at));
        }
        borne.extend(open.map(|(of, since)| (of, since, None)));
        Ok(borne)
    }

    /// Who bears each tag that somebody bears, as the rows have it.
    fn bearers(&self) -> Result<BTreeMap<u32, SubjectRef>, Fault> {
        let mut bearers = BTreeMap::new();
        for row in self.keyspace.prefix([BEARER]) {
            let Some((key, value)) = read_row(Some(row))? else { continue };
            let tag =
                crate::key::u32_at(&key, 1).ok_or_else(|| Fault::damage("a bearer of no tag"))?;
            match subject_in(&value)? {
                Some(bearer) => bearers.insert(tag, bearer),
                None => bearers.remove(&tag),
            };
        }
        Ok(bearers)
    }

    fn counts(&self) -> Result<Counts, Fault> {
        let Some(text) = self.get(COUNTS_KEY)? else { return Ok(Counts::default()) };
        serde_json::from_slice(&text)
            .map_err(|_| Fault::damage("the counts of names are no counts"))
    }

    fn number(&self, key: &[u8]) -> Result<Option<u32>, Fault> {
        let Some(bytes) = self.get(key)? else { return Ok(None) };
        let bytes = bytes.first_chunk().ok_or_else(|| Fault::damage("a number is too short"))?;
        Ok(Some(u32::from_le_bytes(*bytes)))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let value = self.keyspace.get(key).map_err(Fault::of("read the names of"))?;
        let Some(value) = value else { return Ok(None) };
        let payload =
            opened(key, &value).ok_or_else(|| Fault::damage("a row of names is damaged"))?;
        Ok(Some(payload.to_vec()))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        let mut rows = Rows::new();
        put_sealed(&mut rows, key.to_vec(), value);
        write_rows(&self.keyspace, rows)
    }
}

impl crate::Store {
    /// The id a number stands for.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn id(&self, kind: NameKind, number: u32) -> Result<Option<String>, QueryError> {
        Ok(self.names().id(kind, number)?)
    }

    /// The number an id stands for, be the thing in force or removed since.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn number(&self, kind: NameKind, id: &str) -> Result<Option<u32>, QueryError> {
        Ok(self.names().number_of(kind, id)?)
    }

    /// The number of a tag.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn tag(&self, id: TagId) -> Result<Option<TagRef>, QueryError> {
        Ok(self.number(NameKind::Tag, &id.to_string())?.map(TagRef))
    }

    /// Everybody who ever bore a tag, by when they began to.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn bearers(&self, tag: TagRef) -> Result<Vec<Borne>, QueryError> {
        Ok(self.names().bearers_of(tag)?)
    }

    /// Who bore a tag then.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn bearer(&self, tag: TagRef, at: Timestamp) -> Result<Option<SubjectRef>, QueryError> {
        Ok(self.names().bearer(tag, at)?)
    }

    /// Every tag a subject ever bore, with each time from when on and until when; no end while it
    /// still bears it. Reads who ever bore any tag.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn tags_of(&self, subject: SubjectRef) -> Result<Vec<BorneTag>, QueryError> {
        Ok(self.names().tags_of(subject)?)
    }
}

fn put_sealed(rows: &mut Rows, key: Vec<u8>, payload: &[u8]) {
    let value = sealed(&key, payload);
    rows.insert(key, value);
}

/// A key and what was sealed under it.
type Unsealed = (Vec<u8>, Vec<u8>);

fn read_row(row: Option<fjall::Result<Found>>) -> Result<Option<Unsealed>, Fault> {
    let Some(row) = row else { return Ok(None) };
    let (key, value) = row.map_err(Fault::of("read the names of"))?;
    let payload = opened(&key, &value).ok_or_else(|| Fault::damage("a row of names is damaged"))?;
    Ok(Some((key.to_vec(), payload.to_vec())))
}

fn subject_in(value: &[u8]) -> Result<Option<SubjectRef>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    let bytes = value.first_chunk().ok_or_else(|| Fault::damage("a bearer is too short"))?;
    Ok(Some(SubjectRef(u32::from_le_bytes(*bytes))))
}

fn ref_key(kind: NameKind, number: u32) -> Vec<u8> {
    let mut key = vec![REF, kind.code()];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn id_key(kind: NameKind, id: &str) -> Vec<u8> {
    let mut key = vec![ID, kind.code()];
    key.extend_from_slice(id.as_bytes());
    key
}

fn bearer_key(tag: TagRef, at: Timestamp) -> Vec<u8> {
    let mut key = vec![BEARER];
    key.extend_from_slice(&tag.0.to_be_bytes());
    key.extend_from_slice(&at.0.to_be_bytes());
    key
}
