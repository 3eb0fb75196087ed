//! A reader that refuses lines without end.

use std::io::{self, Read};

use super::LINE_BYTES_MAX;

/// Hands on what it reads, until a record is longer than [`LINE_BYTES_MAX`]: a file without line
/// ends, or with a quotation mark that is never closed, must not fill the memory.
///
/// A line end within quotation marks is none, so these are counted; the pairs that stand for one in
/// a text cancel out.
#[derive(Debug)]
pub(super) struct ShortLines<R> {
    inner: R,
    record_bytes: usize,
    is_quoted: bool,
}

impl<R> ShortLines<R> {
    pub(super) fn new(inner: R) -> ShortLines<R> {
        ShortLines { inner, record_bytes: 0, is_quoted: false }
    }

    fn count(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.record_bytes += 1;
            match byte {
                b'"' => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => self.record_bytes = 0,
                _ => {}
            }
            if self.record_bytes > LINE_BYTES_MAX {
                let problem = format!(
                    "it has more than {LINE_BYTES_MAX} bytes, or a quotation mark before it is not closed"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: impl Read, is_read: bool) {
        let mut text = Vec::new();
        let read = ShortLines::new(input).take(1 << 20).read_to_end(&mut text);
        assert_eq!(read.is_ok(), is_read, "{read:?}");
    }

    #[test]
    fn lines_without_end_are_refused_and_long_files_are_not() {
        check("a,b\n".repeat(100_000).as_bytes(), true);
        check("\"a \"\"b\"\"\nc\",d\n".repeat(50_000).as_bytes(), true);
        check("a\"\nb\n".repeat(50_000).as_bytes(), true);
        check(format!("{}\n", "x".repeat(LINE_BYTES_MAX + 1)).as_bytes(), false);
        check(format!("\"{}", "x\n".repeat(LINE_BYTES_MAX)).as_bytes(), false);
        check(io::repeat(0), false);
    }
}
