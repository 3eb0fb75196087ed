//! What an actor's state must be able to do to live in a slab.

/// The state of one actor.
///
/// A cell is saved before an input changes it, so that a panic can be undone, and frozen when it
/// has been idle for a while. Both must be lossless: whether a cell was put back or frozen in
/// between may not show in anything it later decides.
pub trait Cell: Clone {
    /// What puts a state back; the state itself where that is small.
    type Saved;
    /// The compact form of an idle cell.
    type Cold;

    /// Tells what [`restore`](Cell::restore) needs to undo all that comes after. Called before the
    /// first change of every input; what was saved before is not asked for any more.
    fn save(&mut self) -> Self::Saved;

    /// Puts the state back to what it was when it was last saved.
    fn restore(&mut self, saved: Self::Saved);

    /// The compact form, or `None` if this state has none just now.
    fn freeze(&self) -> Option<Self::Cold>;

    /// The state again.
    fn thaw(cold: &Self::Cold) -> Self;

    /// Appends the state as bytes, the smallest form, and returns true; false, whatever was
    /// appended, if this state has none just now. Asked before [`freeze`](Cell::freeze). Of what is
    /// packed [`unpack`](Cell::unpack) MUST make the same state again.
    ///
    /// The bytes tell their own form and length, so that zeros may follow them and older forms can
    /// still be read.
    fn pack(&self, record: &mut Vec<u8>) -> bool {
        let _ = record;
        false
    }

    /// As [`pack`](Cell::pack), for an image: a form that is quick to make rather than small, which
    /// more states may have. Of equal states it is equal, and [`unpack`](Cell::unpack) reads it too.
    fn flatten(&self, record: &mut Vec<u8>) -> bool {
        self.pack(record)
    }

    /// The state that was packed or flattened; `None` if the bytes are not such a state.
    fn unpack(record: &[u8]) -> Option<Self> {
        let _ = record;
        None
    }

    /// Reads one word of every cache line the next input will need, and returns something made of
    /// them. Called for a whole batch before its first input, so that the memory is fetched for
    /// all at once. Must be cheap and free of side effects.
    fn warm(&self) -> u64 {
        0
    }
}

/// A cell as it is kept.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a, C: Cell> {
    /// Ready for an input.
    Hot(&'a C),
    /// Compacted.
    Cold(&'a C::Cold),
    /// Compacted to bytes.
    Packed(&'a [u8]),
}

impl<C: Cell> Kept<'_, C> {
    /// A copy of the state, whichever way it is kept.
    pub fn state(&self) -> C {
        match self {
            Kept::Hot(cell) => (*cell).clone(),
            Kept::Cold(cold) => C::thaw(cold),
            Kept::Packed(record) => unpacked(record),
        }
    }
}

/// The state of a record that was packed here and looked at before it was kept.
///
/// # Panics
///
/// If it cannot be unpacked: a state that was lost must not be taken for a new one.
#[expect(clippy::expect_used, reason = "a state that was lost must not be taken for a new one")]
pub fn unpacked<C: Cell>(record: &[u8]) -> C {
    C::unpack(record).expect("only records that can be unpacked are kept")
}
