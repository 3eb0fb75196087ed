//! What is promised of a disk as far as no power need be cut for it; both disks run it.

use std::io::ErrorKind;
use std::time::Duration;

use super::super::disk::Disk;

fn names(disk: &dyn Disk) -> Vec<String> {
    let mut names = Vec::new();
    disk.names(&mut |name| names.push(name.to_owned())).unwrap();
    names.retain(|name| name != "lock");
    names.sort();
    names
}

fn read(disk: &dyn Disk, name: &str) -> Option<Vec<u8>> {
    disk.read(name, 100).unwrap().map(|bytes| bytes.to_vec())
}

/// Runs it on a disk whose folder is not there yet.
#[track_caller]
pub(in super::super) fn check(disk: &dyn Disk) {
    assert_eq!(names(disk), [""; 0]);
    assert_eq!(read(disk, "a"), None);
    disk.make().unwrap();
    disk.make().unwrap();
    assert!(disk.is_there());
    let _lock = disk.lock(Duration::ZERO).unwrap();

    let file = disk.create("a").unwrap();
    assert_eq!(read(disk, "a"), Some(Vec::new()));
    file.write(b"longer").unwrap();
    disk.open("a").unwrap().write(b"shor").unwrap();
    assert_eq!(read(disk, "a"), Some(b"shorer".to_vec()), "what is behind stays");
    file.set_len(4).unwrap();
    file.set_len(5).unwrap();
    assert_eq!(read(disk, "a"), Some(b"shor\0".to_vec()));
    assert_eq!(file.len_bytes().unwrap(), 5);
    assert_eq!(disk.read("a", 2).unwrap().map(|bytes| bytes.to_vec()), Some(b"sh".to_vec()));
    file.sync().unwrap();
    let again = disk.create("a").map(|_| ()).map_err(|error| error.kind());
    assert_eq!(again, Err(ErrorKind::AlreadyExists));

    disk.create("b").unwrap().write(b"b").unwrap();
    disk.rename("b", "a").unwrap();
    assert_eq!(read(disk, "a"), Some(b"b".to_vec()), "it is in the place of the other");
    assert_eq!(names(disk), ["a"]);
    assert_eq!((disk.has("a").unwrap(), disk.has("b").unwrap()), (true, false));
    disk.sync_files().unwrap();
    disk.sync_names().unwrap();
    disk.remove("a").unwrap();
    let gone = Err(ErrorKind::NotFound);
    assert_eq!(disk.remove("a").map_err(|error| error.kind()), gone);
    assert_eq!(disk.rename("a", "b").map_err(|error| error.kind()), gone);
    assert_eq!(disk.open("a").map(|_| ()).map_err(|error| error.kind()), gone);
    assert_eq!(names(disk), [""; 0]);
}
