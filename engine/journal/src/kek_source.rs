//! Where the key-encryption key comes from: a file, the environment, or a command.
//!
//! In all three it is 64 hexadecimal digits, with white space around them allowed.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::data_key::KEY_BYTES;
use crate::disk::Disk;
use crate::{Kek, walk};

/// How much of a source is read: the digits and generous white space.
const TEXT_BYTES_MAX: u64 = 256;

/// How long a command may take. Asking a key service takes seconds at worst, and a start that waits
/// for ever tells nobody why.
const COMMAND_WAIT: Duration = Duration::from_secs(30);

/// How often a command that has printed its key is asked whether it has ended.
const END_PAUSE: Duration = Duration::from_millis(5);

/// Where the key-encryption key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KekSource {
    /// A file that nobody but its owner may read.
    File(PathBuf),
    /// An environment variable of this name.
    Environment(String),
    /// A program and its arguments, run without a shell, that prints the key.
    Command(Vec<String>),
}

impl fmt::Display for KekSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KekSource::File(path) => write!(formatter, "file `{}`", path.display()),
            KekSource::Environment(name) => write!(formatter, "environment variable `{name}`"),
            // Arguments may hold secrets.
            KekSource::Command(words) => {
                write!(formatter, "command `{}`", words.first().map_or("", String::as_str))
            }
        }
    }
}

/// Why there is no key. No variant holds any part of it.
#[derive(Debug, Error)]
pub enum KekError {
    /// The source is not there.
    #[error("there is no key-encryption key in {from}")]
    Missing {
        /// Where it was looked for.
        from: KekSource,
    },
    /// The source is not there, but the journal that was written with it is.
    #[error(
        "there is a journal, but its key-encryption key is gone from {from}; put the key back, or \
         move the journal away to begin a new one"
    )]
    Lost {
        /// Where it was looked for.
        from: KekSource,
    },
    /// What is there is not 64 hexadecimal digits.
    #[error("what is in {from} is not a key-encryption key: 64 hexadecimal digits are expected")]
    Malformed {
        /// Where it was found.
        from: KekSource,
    },
    /// Others may read the file.
    #[error("the key file `{}` may be read by others (mode {mode:o}); run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The command ended with an error.
    #[error("the {from} for the key-encryption key failed ({status})")]
    Failed {
        /// The command.
        from: KekSource,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command did not end in time and was stopped.
    #[error("the {from} for the key-encryption key took over {wait:?} and was stopped")]
    Slow {
        /// The command.
        from: KekSource,
        /// How long it was waited for.
        wait: Duration,
    },
    /// The system refused.
    #[error("could not {verb} the key-encryption key, {from}")]
    System {
        /// What was tried.
        verb: &'static str,
        /// On what.
        from: KekSource,
        /// What the system said.
        source: io::Error,
    },
    /// The library of cryptography refused.
    #[error("the library of cryptography refused to make a key-encryption key")]
    Cipher,
}

impl KekSource {
    /// The key, which must be there.
    ///
    /// # Errors
    /// See [`KekError`].
    pub fn load(&self) -> Result<Kek, KekError> {
        self.load_within(COMMAND_WAIT)
    }

    fn load_within(&self, wait: Duration) -> Result<Kek, KekError> {
        let text = match self {
            KekSource::File(path) => self.read_file(path)?,
            KekSource::Environment(name) => {
                let text = std::env::var(name).map(Zeroizing::new);
                text.map_err(|error| match error {
                    std::env::VarError::NotPresent => KekError::Missing { from: self.clone() },
                    std::env::VarError::NotUnicode(_) => KekError::Malformed { from: self.clone() },
                })?
            }
            KekSource::Command(words) => self.run(words, wait)?,
        };
        let malformed = || KekError::Malformed { from: self.clone() };
        let bytes = from_hex(text.trim()).ok_or_else(malformed)?;
        Kek::from_bytes(&bytes).map_err(|_| KekError::Cipher)
    }

    /// The key for the journal on `disk`. Where there is no journal yet, a key file that is not there
    /// is made, with a random key, for its owner alone. Where there is one, a lost key file is not
    /// replaced: a new key opens no old journal, and would hide that the old one must be found.
    ///
    /// # Errors
    /// See [`KekError`].
    pub fn load_for(&self, disk: &impl Disk) -> Result<Kek, KekError> {
        if let KekSource::File(path) = self
            && !path.exists()
        {
            let names = disk.list().map_err(self.system("look for the journal of"))?;
            if walk::is_journal(&names) {
                return Err(KekError::Lost { from: self.clone() });
            }
            self.create_file(path)?;
        }
        self.load()
    }

    fn system(&self, verb: &'static str) -> impl Fn(io::Error) -> KekError {
        let from = self.clone();
        move |source| KekError::System { verb, from: from.clone(), source }
    }

    fn read_file(&self, path: &Path) -> Result<Zeroizing<String>, KekError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => KekError::Missing { from: self.clone() },
            _ => self.system("open")(source),
        })?;
        let mode = file.metadata().map_err(self.system("read"))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KekError::Exposed { path: path.to_owned(), mode });
        }
        self.text_of(file)
    }

    fn text_of(&self, from: impl Read) -> Result<Zeroizing<String>, KekError> {
        // Never grown while it is read: what a growing buffer leaves behind is not wiped.
        let mut text = Zeroizing::new(String::with_capacity(512));
        match from.take(TEXT_BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(KekError::Malformed { from: self.clone() })
            }
            Err(error) => Err(self.system("read")(error)),
        }
    }

    /// The whole key or no file: it gets its name when it is complete, and never replaces another.
    fn create_file(&self, path: &Path) -> Result<(), KekError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| KekError::Cipher)?;
        let mut new_name = path.as_os_str().to_owned();
        new_name.push(format!(".{}.new", std::process::id()));
        let new_path = PathBuf::from(new_name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&new_path).map_err(self.system("create"))?;
        let text = to_hex(&key);
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(self.system("write"))?;
        // A link, unlike a rename, fails if another start was quicker; then that key is the key.
        let linked = fs::hard_link(&new_path, path);
        drop(fs::remove_file(&new_path));
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(self.system("create")(error));
            }
            Ok(()) | Err(_) => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(self.system("sync the folder of"))
    }

    fn run(&self, words: &[String], wait: Duration) -> Result<Zeroizing<String>, KekError> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(KekError::Missing { from: self.clone() });
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(self.system("run the command for"))?;
        let text = self.wait_for_text(&mut child, wait);
        if text.is_err() {
            // It may have ended by itself; either way it is gone after this.
            drop(child.kill());
        }
        let status = self.wait_for_end(&mut child, wait)?;
        let text = text?;
        if status.success() {
            Ok(text)
        } else {
            Err(KekError::Failed { from: self.clone(), status })
        }
    }

    /// A command that has printed its key has no reason to linger; one that does is stopped.
    fn wait_for_end(&self, child: &mut Child, wait: Duration) -> Result<ExitStatus, KekError> {
        let mut waited = Duration::ZERO;
        while waited < wait {
            let ended = child.try_wait().map_err(self.system("wait for the command for"))?;
            if let Some(status) = ended {
                return Ok(status);
            }
            std::thread::sleep(END_PAUSE);
            waited += END_PAUSE;
        }
        drop(child.kill());
        child.wait().map_err(self.system("wait for the command for"))?;
        Err(KekError::Slow { from: self.clone(), wait })
    }

    fn wait_for_text(
        &self,
        child: &mut Child,
        wait: Duration,
    ) -> Result<Zeroizing<String>, KekError> {
        let slow = || KekError::Slow { from: self.clone(), wait };
        let output = child.stdout.take().ok_or_else(slow)?;
        let (sender, receiver) = mpsc::sync_channel(1);
        let source = self.clone();
        std::thread::spawn(move || {
            // Nobody listens any more if it took too long.
            drop(sender.send(source.text_of(output)));
        });
        receiver.recv_timeout(wait).map_err(|_| slow())?
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    if text.len() != KEY_BYTES * 2 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn to_hex(bytes: &Zeroizing<[u8; KEY_BYTES]>) -> Zeroizing<String> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let mut text = Zeroizing::new(String::with_capacity(KEY_BYTES * 2 + 1));
    for byte in bytes.iter() {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimDisk;

    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    fn command(line: &str) -> KekSource {
        KekSource::Command(["sh", "-c", line].map(String::from).to_vec())
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let source = KekSource::File(folder.path().join("key"));
        assert!(matches!(source.load(), Err(KekError::Missing { .. })));
        let disk = SimDisk::new(1, 1 << 20);
        let first = source.load_for(&disk).unwrap().id();
        assert_eq!(source.load_for(&disk).unwrap().id(), first);
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing is left beside it");
        let mode = fs::metadata(folder.path().join("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_is_lost_beside_a_journal_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let source = KekSource::File(folder.path().join("key"));
        for name in ["mark", "0000000000000007.seg"] {
            let outcome = source.load_for(&SimDisk::holding(&[(name, b"")]));
            assert!(matches!(outcome, Err(KekError::Lost { .. })), "{name}: {outcome:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no key was made");
        source.load_for(&SimDisk::holding(&[("lock", b""), ("spare", b"")])).unwrap();
    }

    #[test]
    fn a_key_file_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, DIGITS).unwrap();
        for (mode, is_refused) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let outcome = KekSource::File(path.clone()).load();
            assert_eq!(matches!(outcome, Err(KekError::Exposed { .. })), is_refused, "{mode:o}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_malformed() {
        for text in ["", "00", "zz", &DIGITS[1..], &DIGITS.replace('0', "+"), &"0".repeat(65)] {
            let outcome = command(&format!("echo '{text}'")).load();
            assert!(matches!(outcome, Err(KekError::Malformed { .. })), "{text:?}");
        }
        let endless = command("cat /dev/zero").load();
        assert!(matches!(endless, Err(KekError::Malformed { .. } | KekError::Failed { .. })));
    }

    #[test]
    fn a_command_gives_the_key_or_a_reason() {
        let from_command = command(&format!("echo ' {DIGITS} '")).load().unwrap();
        let from_bytes =
            Kek::from_bytes(&std::array::from_fn(|place| u8::try_from(place).unwrap())).unwrap();
        assert_eq!(from_command.id(), from_bytes.id());
        assert!(matches!(command("exit 3").load(), Err(KekError::Failed { .. })));
        let missing = KekSource::Command(vec!["/no/such/program".to_owned()]);
        assert!(matches!(missing.load(), Err(KekError::System { .. })));
        assert!(matches!(KekSource::Command(vec![]).load(), Err(KekError::Missing { .. })));
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        for line in ["exec sleep 600", &format!("echo {DIGITS}; exec sleep 600 >&-")] {
            let outcome = command(line).load_within(Duration::from_millis(50));
            assert!(matches!(outcome, Err(KekError::Slow { .. })), "{line}: {outcome:?}");
        }
    }

    #[test]
    fn an_environment_variable_must_be_there() {
        let source = KekSource::Environment("ACH_NO_SUCH_KEY".to_owned());
        let text = source.load().unwrap_err().to_string();
        assert_eq!(
            text,
            "there is no key-encryption key in environment variable `ACH_NO_SUCH_KEY`"
        );
        // Every environment has this one, and it is no key.
        let path = KekSource::Environment("PATH".to_owned());
        assert!(matches!(path.load(), Err(KekError::Malformed { .. })));
    }

    #[test]
    fn no_message_shows_the_key_or_an_argument() {
        let error = command(&format!("echo {DIGITS}x")).load().unwrap_err();
        assert!(!format!("{error}").contains(DIGITS), "{error}");
    }
}
