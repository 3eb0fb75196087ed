//! Goes on to the next segment, prepared ahead of need so that no group waits for it.

use std::io;

use crate::data_key::Tag;
use crate::disk::{Disk, DiskFile, PAGE_BYTES};
use crate::journal::{Active, Journal};
use crate::segment::{Birth, GROUPS_AT, SegmentHeader, file_name};
use crate::walk::{SPARE_NAME, SPARE_NEW_NAME};
use crate::{CommitError, Kek, PrepareError, SegmentSpan};

/// How much is zeroed and synced at a time: little enough that a group's own sync, on the same disk,
/// waits milliseconds for it.
const SLICE_BYTES: u64 = 1 << 20;

/// A zeroed file under the name of the spare.
#[derive(Debug)]
pub(crate) struct Spare<F> {
    pub(crate) file: F,
    pub(crate) len_bytes: u64,
}

/// Tells the current preparation from those that were given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// A segment that is being zeroed. It may be sent to another thread, so that the owner of the
/// journal waits for nothing.
#[derive(Debug)]
pub struct Preparation<F> {
    file: F,
    len_bytes: u64,
    zeroed_bytes: u64,
    ticket: Ticket,
}

impl<F: DiskFile> Preparation<F> {
    /// Zeroes and syncs the next MiB, and says whether that was the last.
    ///
    /// # Errors
    /// See [`PrepareError`]; drop the preparation then.
    pub fn step(&mut self) -> Result<bool, PrepareError> {
        let end = self.zeroed_bytes.saturating_add(SLICE_BYTES).min(self.len_bytes);
        let failed = |verb| move |source| PrepareError::Disk { verb, source };
        write_zeros(&self.file, self.zeroed_bytes, end).map_err(failed("zero"))?;
        self.file.sync().map_err(failed("sync"))?;
        self.zeroed_bytes = end;
        Ok(self.zeroed_bytes >= self.len_bytes)
    }

    /// Zeroes all of it.
    ///
    /// # Errors
    /// See [`PrepareError`]; drop the preparation then.
    pub fn run(mut self) -> Result<Preparation<F>, PrepareError> {
        while !self.step()? {}
        Ok(self)
    }
}

impl<D: Disk> Journal<D> {
    /// Begins the preparation of the next segment, if none is ready. Run it, here or on another
    /// thread, and give it back to [`Journal::adopt`]. Beginning another gives up the one before.
    ///
    /// # Errors
    /// See [`PrepareError`]; the journal goes on and may be asked again.
    pub fn preparation(&mut self) -> Result<Option<Preparation<D::File>>, PrepareError> {
        if self.spare.is_some() || self.dead.is_some() {
            return Ok(None);
        }
        let len_bytes = self.config.segment_bytes;
        let needed_bytes = len_bytes.saturating_add(self.config.reserve_bytes);
        let failed = |verb| move |source| PrepareError::Disk { verb, source };
        match self.disk.remove(SPARE_NEW_NAME) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(PrepareError::Disk { verb: "remove", source });
            }
            Ok(()) | Err(_) => {}
        }
        let free_bytes = self.disk.free_bytes().map_err(failed("ask for room for"))?;
        let full = PrepareError::Full { needed_bytes, free_bytes };
        if free_bytes < needed_bytes {
            return Err(full);
        }
        let file = match self.disk.create(SPARE_NEW_NAME, len_bytes) {
            Err(source) if is_full(&source) => return Err(full),
            other => other.map_err(failed("create"))?,
        };
        self.ticket = Ticket(self.ticket.0.saturating_add(1));
        Ok(Some(Preparation { file, len_bytes, zeroed_bytes: 0, ticket: self.ticket }))
    }

    /// Takes a finished preparation, so that the next roll is quick. Says whether it was of use: one
    /// that is unfinished or was given up is not.
    ///
    /// # Errors
    /// See [`PrepareError`]; the journal goes on, unless the folder could not be synced: then it is
    /// dead, as after any failed sync, for a later sync would say yes and mean nothing.
    pub fn adopt(&mut self, prepared: Preparation<D::File>) -> Result<bool, PrepareError> {
        let Preparation { file, len_bytes, zeroed_bytes, ticket } = prepared;
        if ticket != self.ticket || self.spare.is_some() || zeroed_bytes < len_bytes {
            return Ok(false);
        }
        let failed = |verb| move |source| PrepareError::Disk { verb, source };
        self.disk.rename(SPARE_NEW_NAME, SPARE_NAME).map_err(failed("rename"))?;
        self.disk.sync_dir().map_err(|source| {
            self.dead = Some("sync the folder of");
            failed("sync the folder of")(source)
        })?;
        self.spare = Some(Spare { file, len_bytes });
        Ok(true)
    }

    /// Goes on in a new segment with room for a group of `group_bytes`.
    pub(crate) fn roll(&mut self, group_bytes: u64) -> Result<(), CommitError> {
        let Active { home, first_lsn, at, .. } = self.active;
        let birth = Birth {
            segment: home.segment.saturating_add(1),
            first_lsn: self.durable.plus(1),
            previous_end: at,
            chain: self.chain,
        };
        let needed_bytes = segment_for(group_bytes, self.config.segment_bytes);
        let spare = self.spare.take_if(|spare| spare.len_bytes >= needed_bytes);
        let is_prepared = spare.is_some();
        let born = bear(&self.disk, &self.kek, birth, spare, needed_bytes);
        let (active, tag) = match born {
            Ok(born) => born,
            Err(BirthError::Full { free_bytes }) => {
                return Err(CommitError::Full { needed_bytes, free_bytes });
            }
            Err(BirthError::Cipher) => {
                self.dead = Some("make a key");
                return Err(CommitError::Cipher);
            }
            Err(BirthError::Disk { verb, source }) => {
                self.dead = Some(verb);
                return Err(CommitError::Disk { verb, file: file_name(birth.segment), source });
            }
        };
        let last_lsn = self.durable;
        self.closed.push_back(SegmentSpan {
            segment: home.segment,
            first_lsn,
            last_lsn,
            used_bytes: at,
        });
        (self.active, self.chain) = (active, tag);
        let rolls = if is_prepared {
            &mut self.counters.rolls_prepared
        } else {
            &mut self.counters.rolls_unprepared
        };
        *rolls = rolls.saturating_add(1);
        Ok(())
    }
}

/// How long a segment must be to hold a group of that length.
fn segment_for(group_bytes: u64, segment_bytes: u64) -> u64 {
    let headers = u64::try_from(GROUPS_AT).unwrap_or(u64::MAX);
    let least = headers.saturating_add(group_bytes).checked_next_multiple_of(PAGE_BYTES);
    least.unwrap_or(u64::MAX).max(segment_bytes)
}

/// Why a segment was not begun.
#[derive(Debug)]
pub(crate) enum BirthError {
    /// There is no room; nothing was changed.
    Full {
        free_bytes: u64,
    },
    Cipher,
    Disk {
        verb: &'static str,
        source: io::Error,
    },
}

/// Begins a segment: its file, with its name synced, then its header, synced. Only after that may a
/// group be written, so a segment with a group always has a header.
pub(crate) fn bear<D: Disk>(
    disk: &D,
    kek: &Kek,
    birth: Birth,
    spare: Option<Spare<D::File>>,
    len_bytes: u64,
) -> Result<(Active<D::File>, Tag), BirthError> {
    let failed = |verb| move |source| BirthError::Disk { verb, source };
    let name = file_name(birth.segment);
    let (file, len_bytes) = match spare {
        Some(Spare { file, len_bytes }) => {
            disk.rename(SPARE_NAME, &name).map_err(failed("rename the spare to"))?;
            (file, len_bytes)
        }
        None => (zeroed(disk, &name, len_bytes)?, len_bytes),
    };
    disk.sync_dir().map_err(failed("sync the folder of"))?;
    let (header, key) = SegmentHeader::fresh(birth, kek).map_err(|_| BirthError::Cipher)?;
    file.write_at(0, &header.to_bytes()).map_err(failed("write the header of"))?;
    file.sync().map_err(failed("sync the header of"))?;
    let at = u64::try_from(GROUPS_AT).unwrap_or(u64::MAX);
    let (home, first_lsn) = (header.home(), birth.first_lsn);
    Ok((Active { file, home, key, first_lsn, len_bytes, at }, header.tag()))
}

/// A new file with its zeros really written, because the first write to a page that is merely
/// reserved makes every sync a change of the file's layout, several times slower.
fn zeroed<D: Disk>(disk: &D, name: &str, len_bytes: u64) -> Result<D::File, BirthError> {
    let free_bytes = disk.free_bytes().unwrap_or(0);
    let outcome = disk.create(name, len_bytes).and_then(|file| {
        write_zeros(&file, 0, len_bytes)?;
        file.sync()?;
        Ok(file)
    });
    outcome.map_err(|source| {
        // Whatever stands there holds nothing yet; should it stay, the next start removes it.
        drop(disk.remove(name));
        if is_full(&source) {
            BirthError::Full { free_bytes }
        } else {
            BirthError::Disk { verb: "create", source }
        }
    })
}

/// Writes zeros from one place of a file to another, a slice at a time.
fn write_zeros<F: DiskFile>(file: &F, from: u64, to: u64) -> io::Result<()> {
    let slice = to.saturating_sub(from).min(SLICE_BYTES);
    let zeros = vec![0; usize::try_from(slice).unwrap_or(0)];
    let mut at = from;
    while at < to {
        let left = usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX);
        file.write_at(at, zeros.get(..left).unwrap_or(&zeros))?;
        at = at.saturating_add(SLICE_BYTES);
    }
    Ok(())
}

/// Whether the disk says that there is no room.
pub(crate) fn is_full(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
