//! Packs pings as they come, so that a block needs no more memory than its bytes.

use super::columns::{Codes, Columns};
use super::unit::Unit;
use super::{BLOCK_PINGS_MAX, BLOCK_VERSION, CRC_AT, HEADER_BYTES, KeptPing, crc_of};
use crate::bits::BitWriter;

/// A block that is being written.
#[derive(Debug, Clone)]
pub(crate) struct BlockWriter {
    bits: BitWriter,
    columns: Columns,
    begun_with: Codes,
    unit: Unit,
    count: u16,
    first_ns: u64,
    earliest_ns: u64,
    latest_ns: u64,
    last_index: u64,
    last: KeptPing,
}

impl BlockWriter {
    /// Begins with a ping of the entry `index`. Moments are counted in a unit no coarser than
    /// `coarsest`.
    pub(crate) fn begin(ping: KeptPing, index: u64, coarsest: Unit, codes: Codes) -> BlockWriter {
        let ns = ping.observed_at.0;
        let mut writer = BlockWriter {
            bits: BitWriter::default(),
            columns: Columns::beginning(codes),
            begun_with: codes,
            unit: Unit::of(ns).min(coarsest),
            count: 1,
            first_ns: ns,
            earliest_ns: ns,
            latest_ns: ns,
            last_index: index,
            last: ping,
        };
        let bits = &mut writer.bits;
        bits.put(u64::from(ping.position.x_mm.cast_unsigned()), 32);
        bits.put(u64::from(ping.position.y_mm.cast_unsigned()), 32);
        writer.put_rest(&ping);
        writer
    }

    /// Pings in it.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// The parameters with which the next block begins.
    pub(crate) fn codes(&self) -> Codes {
        self.columns.codes()
    }

    /// Adds a ping of the entry `index`; refuses it when the block is full or counts in a unit that
    /// is too coarse for it.
    pub(crate) fn push(&mut self, ping: KeptPing, index: u64) -> bool {
        let ns = ping.observed_at.0;
        if self.count() >= BLOCK_PINGS_MAX || !self.unit.fits(ns) {
            return false;
        }
        let unit_ns = self.unit.ns();
        let interval = (ns / unit_ns).wrapping_sub(self.last.observed_at.0 / unit_ns);
        let apart = |now: i32, was: i32| i64::from(now) - i64::from(was);
        let x = apart(ping.position.x_mm, self.last.position.x_mm);
        let y = apart(ping.position.y_mm, self.last.position.y_mm);
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        columns.interval.put(interval, bits);
        columns.x.put_signed(x, bits);
        columns.y.put_signed(y, bits);
        self.put_rest(&ping);
        self.count += 1;
        self.earliest_ns = self.earliest_ns.min(ns);
        self.latest_ns = self.latest_ns.max(ns);
        (self.last_index, self.last) = (index, ping);
        true
    }

    /// What every ping tells alike.
    fn put_rest(&mut self, ping: &KeptPing) {
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        let floor =
            ping.position.floor.map_or(0, |floor| (i64::from(floor.0) + 32_769).cast_unsigned());
        let battery = ping.battery_percent.map_or(0, |percent| u64::from(percent) + 1);
        let has_height = u64::from(ping.position.z_mm.is_some());
        let is_same_shape = floor == columns.floor.last()
            && battery == columns.battery.last()
            && has_height == columns.height.last();
        bits.put(u64::from(!is_same_shape), 1);
        if !is_same_shape {
            columns.floor.put(floor, bits);
            columns.battery.put(battery, bits);
            columns.height.put(has_height, bits);
        }
        columns.accuracy.put(ping.accuracy_mm.into(), bits);
        let lag = ping.lag_units().cast_signed();
        columns.lag.put_signed(lag.wrapping_sub(columns.lag_mean.now()), bits);
        columns.lag_mean.learn(lag);
        if let Some(z_mm) = ping.position.z_mm {
            let z = i64::from(z_mm);
            columns.z.put_signed(z - columns.z_mean.now(), bits);
            columns.z_mean.learn(z);
        }
    }

    /// The block as it stands; it may go on being written.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(HEADER_BYTES + self.bits.len());
        block.extend_from_slice(&[BLOCK_VERSION, self.unit.code()]);
        block.extend_from_slice(&self.count.to_le_bytes());
        block.extend_from_slice(&[0; 4]);
        for number in [self.first_ns, self.earliest_ns, self.latest_ns, self.last_index] {
            block.extend_from_slice(&number.to_le_bytes());
        }
        block.extend_from_slice(&self.begun_with.0);
        self.bits.append_to(&mut block);
        let crc = crc_of(&block).to_le_bytes();
        if let Some(place) = block.get_mut(CRC_AT) {
            place.copy_from_slice(&crc);
        }
        block
    }
}
