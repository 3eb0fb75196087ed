//! Packs pings as they come, so that a block needs no more memory than its bytes.

use ach_geo::Position;

use super::unit::Unit;
use super::{
    BLOCK_PINGS_MAX, BLOCK_VERSION, COLUMNS, CRC_AT, Columns, HEADER_BYTES, KeptPing, crc_of,
};
use crate::bits::BitWriter;

/// A block that is being written.
#[derive(Debug, Clone)]
pub(crate) struct BlockWriter {
    bits: BitWriter,
    columns: Columns,
    unit: Unit,
    count: u16,
    first_ns: u64,
    earliest_ns: u64,
    latest_ns: u64,
    last_index: u64,
    last: KeptPing,
    interval: i64,
    /// The last height that was told, 0 before the first.
    z_mm: i32,
}

impl BlockWriter {
    /// Begins with a ping of the entry `index`. Moments are counted in a unit no coarser than
    /// `coarsest`.
    pub(crate) fn begin(ping: KeptPing, index: u64, coarsest: Unit) -> BlockWriter {
        let ns = ping.observed_at.0;
        let mut writer = BlockWriter {
            bits: BitWriter::default(),
            columns: COLUMNS,
            unit: Unit::of(ns).min(coarsest),
            count: 1,
            first_ns: ns,
            earliest_ns: ns,
            latest_ns: ns,
            last_index: index,
            last: ping,
            interval: 0,
            z_mm: 0,
        };
        let Position { x_mm, y_mm, .. } = ping.position;
        writer.put_shape(&ping);
        writer.columns.lag.put(ping.lag_ms(), &mut writer.bits);
        for mm in [x_mm, y_mm, ping.accuracy_mm.cast_signed()] {
            writer.bits.put(u64::from(mm.cast_unsigned()), 32);
        }
        writer.put_z(&ping);
        writer
    }

    /// Pings in it.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// Adds a ping of the entry `index`; refuses it when the block is full or counts in a unit that
    /// is too coarse for it.
    pub(crate) fn push(&mut self, ping: KeptPing, index: u64) -> bool {
        let ns = ping.observed_at.0;
        if self.count() >= BLOCK_PINGS_MAX || !self.unit.fits(ns) {
            return false;
        }
        let (was, now) = (&self.last.position, &ping.position);
        let is_same_shape = was.z_mm.is_some() == now.z_mm.is_some()
            && was.floor == now.floor
            && self.last.battery_percent == ping.battery_percent;
        self.bits.put(u64::from(is_same_shape), 1);
        if !is_same_shape {
            self.put_shape(&ping);
        }
        let unit_ns = self.unit.ns();
        let interval = (ns / unit_ns).wrapping_sub(self.last.observed_at.0 / unit_ns).cast_signed();
        let apart = |now: i32, was: i32| i64::from(now) - i64::from(was);
        let (x, y) = (
            apart(ping.position.x_mm, self.last.position.x_mm),
            apart(ping.position.y_mm, self.last.position.y_mm),
        );
        let lag = ping.lag_ms().wrapping_sub(self.last.lag_ms()).cast_signed();
        let accuracy = i64::from(ping.accuracy_mm) - i64::from(self.last.accuracy_mm);
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        columns.interval.put_signed(interval.wrapping_sub(self.interval), bits);
        columns.lag.put_signed(lag, bits);
        columns.x.put_signed(x, bits);
        columns.y.put_signed(y, bits);
        columns.accuracy.put_signed(accuracy, bits);
        self.put_z(&ping);
        self.interval = interval;
        self.count += 1;
        self.earliest_ns = self.earliest_ns.min(ns);
        self.latest_ns = self.latest_ns.max(ns);
        (self.last_index, self.last) = (index, ping);
        true
    }

    /// What is the same for most pings.
    fn put_shape(&mut self, ping: &KeptPing) {
        self.bits.put(u64::from(ping.position.z_mm.is_some()), 1);
        let floor = ping.position.floor.map(|floor| u64::from(floor.0.cast_unsigned()));
        let battery = ping.battery_percent.map(u64::from);
        for (value, bits) in [(floor, 16), (battery, 8)] {
            self.bits.put(u64::from(value.is_some()), 1);
            if let Some(value) = value {
                self.bits.put(value, bits);
            }
        }
    }

    fn put_z(&mut self, ping: &KeptPing) {
        let Some(z_mm) = ping.position.z_mm else { return };
        self.columns.z.put_signed(i64::from(z_mm) - i64::from(self.z_mm), &mut self.bits);
        self.z_mm = z_mm;
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
        self.bits.append_to(&mut block);
        let crc = crc_of(&block).to_le_bytes();
        if let Some(place) = block.get_mut(CRC_AT) {
            place.copy_from_slice(&crc);
        }
        block
    }
}
