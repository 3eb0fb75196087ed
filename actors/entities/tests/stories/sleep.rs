//! Puts actors to rest and wakes them.

use ach_actors_runtime::Cell;

/// An actor after a rest, if it can rest; after a checkpoint, if it is flat in one.
pub(crate) fn sleep<A: Cell>(actor: &A, packed_count: &mut u32) -> Option<A>
where
    A::Cold: PartialEq + std::fmt::Debug,
{
    let mut flat = Vec::new();
    let restored = actor.flatten(&mut flat).then(|| {
        let restored = A::unpack(&flat).expect("what was flattened is unpacked");
        let mut again = Vec::new();
        assert!(restored.flatten(&mut again) && again == flat, "a state has one flat form");
        restored
    });
    let mut record = Vec::new();
    if actor.pack(&mut record) {
        let restored = restored.expect("who rests as bytes is flat");
        let mut of_restored = Vec::new();
        assert!(restored.pack(&mut of_restored) && of_restored == record, "as it was");
        *packed_count += 1;
        let woken = A::unpack(&record).expect("what was packed is unpacked");
        let mut again = Vec::new();
        assert!(woken.pack(&mut again), "what rested may rest");
        assert_eq!(again, record, "what rests again rests as it did");
        return Some(woken);
    }
    // Whatever is open in it.
    if restored.is_some() {
        return restored;
    }
    let cold = actor.freeze()?;
    let woken = A::thaw(&cold);
    assert_eq!(woken.freeze().as_ref(), Some(&cold), "what rests again rests as it did");
    Some(woken)
}
