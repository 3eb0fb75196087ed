//! What the writer must know to go on after a restart: a row that is written with every mark.

use ach_actors_model::{TagRef, Timestamp};
use ach_geo::{Floor, Position};

use super::admission::Admission;
use super::{HistoryWriter, Today};
use crate::block::KeptPing;
use crate::coding::{opened, put_varint, sealed, take_u32, take_varint};
use crate::day_mark::DayMark;
use crate::errors::Fault;
use crate::key;
use crate::presence::Presence;
use crate::rice::{unzigzag, zigzag};

const KEY: &[u8] = &[key::STATE];

impl HistoryWriter {
    /// Goes on with the last day of the store.
    pub(super) fn recall(&mut self) -> Result<(), Fault> {
        let mut days = self.store.days();
        while let Some(day) = days.pop() {
            let Some(keyspace) = self.store.keyspace(day)? else { continue };
            // One that was begun and never written is written again.
            if keyspace.is_empty() {
                continue;
            }
            let mark = DayMark::read(day, &keyspace)?;
            let state = keyspace.get(KEY).map_err(Fault::of("read the state of"))?;
            let state = state.as_deref().and_then(|value| opened(KEY, value));
            let state = state.and_then(|mut bytes| self.take_state(&mut bytes));
            state.ok_or_else(|| Fault::damage(format!("the state of {day}")))?;
            (self.through, self.through_at) = (mark.through, mark.through_at);
            self.through_hash = mark.through_hash;
            self.written_at = mark.through_at;
            self.admission = Admission::from_marks(&mark.lanes);
            self.clock_offsets_ns = mark.clock_offsets_ns.iter().copied().collect();
            // The minute of the last entry was written with it.
            self.keyframes.minute(mark.through_at);
            self.today = Some(Today { keyspace, mark });
            // A gap behind which nothing was written is looked for again.
            return self.store.names().forget_gaps_beyond(self.through);
        }
        Ok(())
    }

    pub(super) fn state_row(&self) -> (Vec<u8>, Vec<u8>) {
        let mut bytes = Vec::new();
        self.presence.put_state(&mut bytes);
        for (tag, ping) in self.heads.last_pings() {
            put_varint(tag.0.into(), &mut bytes);
            put_varint(ping.observed_at.0, &mut bytes);
            put_varint(zigzag(ping.position.x_mm.into()), &mut bytes);
            put_varint(zigzag(ping.position.y_mm.into()), &mut bytes);
            // 0 is no floor; those there are begin at 1.
            let floor = ping.position.floor.map_or(0, |floor| zigzag(floor.0.into()) + 1);
            put_varint(floor, &mut bytes);
        }
        (KEY.to_vec(), sealed(KEY, &bytes))
    }

    fn take_state(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.presence = Presence::take_state(bytes)?;
        while !bytes.is_empty() {
            let (tag, observed_at) = (TagRef(take_u32(bytes)?), Timestamp(take_varint(bytes)?));
            let mut mm = || i32::try_from(unzigzag(take_varint(bytes)?)).ok();
            let (x_mm, y_mm) = (mm()?, mm()?);
            let floor = match take_varint(bytes)? {
                0 => None,
                floor => Some(Floor(i16::try_from(unzigzag(floor - 1)).ok()?)),
            };
            let position = Position { x_mm, y_mm, z_mm: None, floor };
            // Only what a keyframe shows is known again; no block goes on from it.
            let last = KeptPing {
                observed_at,
                received_at: observed_at,
                position,
                accuracy_mm: 0,
                battery_percent: None,
            };
            self.heads.recall(tag, last);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Store;

    /// Whatever is under a sound checksum: it is refused or taken, without a panic.
    #[test]
    fn any_bytes_are_a_state_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let writer = HistoryWriter::open(store).unwrap();
        let mut runner = proptest::test_runner::TestRunner::default();
        let writer = std::cell::RefCell::new(writer);
        let bytes = prop::collection::vec(any::<u8>(), 0..200);
        let taken = runner.run(&bytes, |bytes| {
            let _ = writer.borrow_mut().take_state(&mut bytes.as_slice());
            Ok(())
        });
        taken.unwrap();
    }

    #[test]
    fn a_state_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut writer = HistoryWriter::open(store.clone()).unwrap();
        let mut rows = crate::rows::Rows::new();
        let (subject, zone) = (ach_actors_model::SubjectRef(4), ach_actors_model::ZoneRef(9));
        writer.presence.entered(subject, zone, Timestamp(77), &mut rows);
        let position = Position { x_mm: -3, y_mm: 9, z_mm: None, floor: Some(Floor(-150)) };
        let at = Timestamp(5_000_000);
        let (accuracy_mm, battery_percent) = (0, None);
        let ping =
            KeptPing { observed_at: at, received_at: at, position, accuracy_mm, battery_percent };
        writer.heads.recall(TagRef(7), ping);
        let (key, value) = writer.state_row();
        let mut other = HistoryWriter::open(store).unwrap();
        other.take_state(&mut opened(&key, &value).unwrap()).expect("a state");
        assert_eq!(other.state_row(), (key, value));
    }
}
