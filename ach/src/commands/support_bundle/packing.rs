//! Texts as a `tar.gz`.

use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folder the archive unpacks to.
const FOLDER: &str = "ach-support";

/// What goes into an archive.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    parts: Vec<(&'static str, String)>,
}

impl Packing {
    /// Adds a text.
    pub(crate) fn add(&mut self, name: &'static str, text: String) {
        self.parts.push((name, text));
    }

    /// The archive. Owner, times and the like are left at nothing: they would tell who made it.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, text) in &self.parts {
            let mut header = tar::Header::new_ustar();
            header.set_size(u64::try_from(text.len()).unwrap_or(u64::MAX));
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes())?;
        }
        archive.into_inner()?.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut packing = Packing::default();
        packing.add("a.txt", "one\n".to_owned());
        packing.add("b.txt", "x".repeat(2_000));
        let bytes = packing.bytes().unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, text.len()));
        }
        let expected =
            [("ach-support/a.txt".to_owned(), 4), ("ach-support/b.txt".to_owned(), 2_000)];
        assert_eq!(found, expected);
    }
}
