//! The historian where nothing may run beside the caller.

use ach_engine_journal::Disk;
use tokio::time::sleep;

use super::{Historian, HistorianParts, LOOK_EVERY};
use crate::committer::DiskPace;

/// The historian as a task: it does nothing else for as long as its disk says that it took.
pub(crate) fn start_here<D: Disk + Clone + 'static>(
    parts: HistorianParts<D>,
    pace: DiskPace,
) -> impl Future<Output = ()> + 'static {
    let running = parts.queue.begin_running();
    let mut historian = Historian::new(parts);
    async move {
        // The last thing to go.
        let _running = running;
        loop {
            let is_last = historian.parts.queue.is_closed();
            historian.turn(is_last);
            let took = pace();
            if !took.is_zero() {
                historian.parts.queue.set_stalled(true);
                sleep(took).await;
                historian.parts.queue.set_stalled(false);
            }
            if is_last {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
        // The store is closed before the node has ended.
        drop(historian);
    }
}
