//! All of it: to see whether it is sound, and what it takes.

use super::malformed;
use crate::alarm_record::AlarmRecord;
use crate::block::decode_block;
use crate::coding::opened;
use crate::day_mark::DayMark;
use crate::errors::{Fault, QueryError};
use crate::tables::Keyspace;
use crate::{Day, Store, key};

/// What a reading of everything found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Days.
    pub days: u64,
    /// Blocks of pings.
    pub blocks: u64,
    /// Pings in them.
    pub pings: u64,
    /// Bytes of blocks.
    pub block_bytes: u64,
    /// Other rows.
    pub rows: u64,
    /// Bytes of keys and values of other rows, before compression.
    pub row_bytes: u64,
}

impl Store {
    /// Reads every row, unpacks every block, and compares the pings with what the marks tell.
    ///
    /// # Errors
    ///
    /// At the first row that is damaged, or a day that has not all of its pings.
    pub fn verify(&self) -> Result<StoreReport, QueryError> {
        let mut report = StoreReport::default();
        for guard in self.names().keyspace().iter() {
            let (key, value) = super::row(guard)?;
            opened(&key, &value).ok_or_else(|| Fault::damage("a row of names is damaged"))?;
            add(&mut report.rows, 1);
            add(&mut report.row_bytes, key.len() + value.len());
        }
        for day in self.days() {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            if keyspace.is_empty() {
                continue;
            }
            Store::verify_day(day, &keyspace, &mut report)?;
        }
        Ok(report)
    }

    /// Mark and rows come out of one reading, so that it does not matter whether the day is written
    /// meanwhile.
    fn verify_day(
        day: Day,
        keyspace: &Keyspace,
        report: &mut StoreReport,
    ) -> Result<(), QueryError> {
        let before = report.pings;
        let mut mark = None;
        for guard in keyspace.iter() {
            let (row, value) = super::row(guard)?;
            if row.first() == Some(&key::BLOCK) {
                let pings =
                    decode_block(&value).map_err(|source| QueryError::Block { day, source })?;
                add(&mut report.blocks, 1);
                add(&mut report.pings, pings.len());
                add(&mut report.block_bytes, row.len() + value.len());
                continue;
            }
            add(&mut report.rows, 1);
            add(&mut report.row_bytes, row.len() + value.len());
            let is_sound = match row.first() {
                Some(&key::MARK) => {
                    mark = Some(DayMark::of_row(day, &value)?);
                    true
                }
                Some(&key::ALARM) => AlarmRecord::read(&row, &value).is_ok(),
                Some(&(key::ZONE_VISIT | key::SUBJECT_VISIT | key::ALARM_AT)) => true,
                _ => opened(&row, &value).is_some(),
            };
            if !is_sound {
                return Err(malformed("a row", day).into());
            }
        }
        let mark = mark.ok_or_else(|| malformed("the mark", day))?;
        add(&mut report.days, 1);
        let (found, marked) = (report.pings - before, mark.ping_count);
        if found != marked {
            let detail = format!("{day} has {found} pings, and its mark says {marked}");
            return Err(Fault::damage(detail).into());
        }
        Ok(())
    }
}

fn add(count: &mut u64, more: usize) {
    *count = count.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
}
