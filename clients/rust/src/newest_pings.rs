//! Which ping of each tag was published last, so that it may give way to a newer one.
//!
//! One number a handle, and handles count up from 0: looking up and noting take the same time however many
//! pings wait. A number stays when its ping is sent; whoever asks sees whether it still waits.

/// The tickets of the latest pings by handle.
#[derive(Debug, Default)]
pub(crate) struct NewestPings {
    /// 0 for none.
    by_handle: Vec<u64>,
}

impl NewestPings {
    /// A tag's latest ping got this ticket.
    pub(crate) fn note(&mut self, handle: u32, number: u64) {
        let Ok(place) = usize::try_from(handle) else { return };
        if place >= self.by_handle.len() {
            self.by_handle.resize(place.saturating_add(1), 0);
        }
        if let Some(newest) = self.by_handle.get_mut(place) {
            *newest = number;
        }
    }

    /// The ticket of a tag's latest ping, if it had any.
    pub(crate) fn of(&self, handle: u32) -> Option<u64> {
        let number = self.by_handle.get(usize::try_from(handle).ok()?).copied()?;
        (number > 0).then_some(number)
    }
}
