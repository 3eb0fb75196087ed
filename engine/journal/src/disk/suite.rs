//! What every disk must do, as tests that any implementation can run. What only shows when the power
//! goes or the room ends, the tests of each implementation show.
//!
//! `run` takes a maker of fresh, empty disks (with whatever must stay alive beside one) and panics
//! with a sentence at the first promise broken.

use std::io;

use super::{Disk, DiskFile};

/// Runs every check, each on a fresh disk.
///
/// # Errors
/// When the disk refuses something no check provokes.
///
/// # Panics
/// When the disk breaks a promise of [`Disk`] or [`DiskFile`].
pub fn run<D: Disk, K>(mut make: impl FnMut() -> (D, K)) -> io::Result<()> {
    for check in [
        a_new_file_reads_as_zeros::<D>,
        what_was_written_is_read,
        a_read_past_the_end_is_short,
        a_file_is_cut_and_lengthened_with_zeros,
        names_are_listed_in_order,
        a_name_is_made_once,
        a_rename_replaces,
        what_is_not_there_is_not_found,
        one_writer_holds_the_folder,
        two_handles_see_one_file,
        a_handle_for_reading_writes_nothing,
        free_space_is_told,
        a_whole_file_is_read_up_to_a_limit,
    ] {
        let (disk, _keep) = make();
        check(&disk)?;
    }
    Ok(())
}

fn a_new_file_reads_as_zeros<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create("a", 10_000)?;
    let mut buffer = vec![7; 10_000];
    assert_eq!(file.len_bytes()?, 10_000, "a new file must have the length asked for");
    assert_eq!(file.read_at(0, &mut buffer)?, 10_000, "a new file must be readable");
    assert!(buffer.iter().all(|byte| *byte == 0), "a new file must read as zeros");
    Ok(())
}

fn what_was_written_is_read<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create("a", 20_000)?;
    let text: Vec<u8> = (0..=255).cycle().take(9_000).collect();
    file.write_at(4_000, &text)?;
    file.sync()?;
    let mut buffer = vec![0; 9_000];
    file.read_at(4_000, &mut buffer)?;
    assert_eq!(buffer, text, "what was written must be read back, across pages");
    let mut before = [1; 1];
    file.read_at(3_999, &mut before)?;
    assert_eq!(before, [0], "a write must touch nothing before it");
    file.read_at(13_000, &mut before)?;
    assert_eq!(before, [0], "a write must touch nothing after it");
    Ok(())
}

fn a_read_past_the_end_is_short<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create("a", 100)?;
    let mut buffer = [0; 64];
    assert_eq!(file.read_at(90, &mut buffer)?, 10, "a read must stop at the end");
    assert_eq!(file.read_at(500, &mut buffer)?, 0, "a read past the end must be empty");
    Ok(())
}

fn a_file_is_cut_and_lengthened_with_zeros<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create("a", 200)?;
    file.write_at(0, &[9; 200])?;
    file.set_len(50)?;
    assert_eq!(file.len_bytes()?, 50, "a cut file must be shorter");
    file.set_len(200)?;
    let mut buffer = [1; 150];
    file.read_at(50, &mut buffer)?;
    assert_eq!(buffer, [0; 150], "what was cut must not come back");
    Ok(())
}

fn names_are_listed_in_order<D: Disk>(disk: &D) -> io::Result<()> {
    for name in ["c", "a", "b"] {
        disk.create(name, 1)?;
    }
    disk.remove("b")?;
    disk.sync_dir()?;
    assert_eq!(disk.list()?, ["a", "c"], "the list must be in order and current");
    Ok(())
}

fn a_name_is_made_once<D: Disk>(disk: &D) -> io::Result<()> {
    disk.create("a", 1)?;
    let kind = disk.create("a", 1).err().map(|error| error.kind());
    assert_eq!(kind, Some(io::ErrorKind::AlreadyExists), "create must not replace");
    Ok(())
}

fn a_rename_replaces<D: Disk>(disk: &D) -> io::Result<()> {
    disk.create("a", 3)?.write_at(0, b"new")?;
    disk.create("b", 3)?.write_at(0, b"old")?;
    disk.rename("a", "b")?;
    let mut buffer = [0; 3];
    disk.open("b")?.read_at(0, &mut buffer)?;
    assert_eq!(&buffer, b"new", "rename must replace");
    assert_eq!(disk.list()?, ["b"], "the old name must be gone");
    Ok(())
}

fn what_is_not_there_is_not_found<D: Disk>(disk: &D) -> io::Result<()> {
    let missing = Some(io::ErrorKind::NotFound);
    assert_eq!(disk.open("a").err().map(|error| error.kind()), missing, "open");
    assert_eq!(disk.open_reading("a").err().map(|error| error.kind()), missing, "open_reading");
    assert_eq!(disk.remove("a").err().map(|error| error.kind()), missing, "remove");
    assert_eq!(disk.rename("a", "b").err().map(|error| error.kind()), missing, "rename");
    disk.sync_dir()?;
    Ok(())
}

fn one_writer_holds_the_folder<D: Disk>(disk: &D) -> io::Result<()> {
    let lock = disk.lock()?;
    let second = disk.lock().err().map(|error| error.kind());
    assert_eq!(second, Some(io::ErrorKind::WouldBlock), "a second writer must be refused");
    drop(lock);
    assert!(disk.lock().is_ok(), "a released folder must be free");
    Ok(())
}

fn two_handles_see_one_file<D: Disk>(disk: &D) -> io::Result<()> {
    let writer = disk.create("a", 100)?;
    let reader = disk.open_reading("a")?;
    writer.write_at(10, b"here")?;
    let mut buffer = [0; 4];
    reader.read_at(10, &mut buffer)?;
    assert_eq!(&buffer, b"here", "a reader must see what is written, synced or not");
    Ok(())
}

fn a_handle_for_reading_writes_nothing<D: Disk>(disk: &D) -> io::Result<()> {
    disk.create("a", 100)?.write_at(0, b"kept")?;
    let reader = disk.open_reading("a")?;
    assert!(reader.write_at(0, b"lost").is_err(), "a write must be refused");
    assert!(reader.set_len(0).is_err(), "cutting the file must be refused");
    let mut buffer = [0; 4];
    reader.read_at(0, &mut buffer)?;
    assert_eq!(&buffer, b"kept", "what was refused must not have happened");
    Ok(())
}

fn free_space_is_told<D: Disk>(disk: &D) -> io::Result<()> {
    assert!(disk.free_bytes()? > 0, "a fresh disk must have room");
    Ok(())
}

fn a_whole_file_is_read_up_to_a_limit<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create("a", 5_000)?;
    file.write_at(4_999, &[3])?;
    let mut buffer = vec![1; 9_000];
    file.read_all(&mut buffer, 5_000)?;
    assert_eq!(buffer.len(), 5_000, "all of the file and no more");
    assert_eq!(buffer.last(), Some(&3), "the last byte must be there");
    let kind = file.read_all(&mut buffer, 4_999).err().map(|error| error.kind());
    assert_eq!(kind, Some(io::ErrorKind::FileTooLarge), "the limit must hold");
    Ok(())
}
