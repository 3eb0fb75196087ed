//! What a node remembers of its watch over people, in a small file beside the journal: when a receiver
//! first displayed alarms, how the last self-test went, which receivers displayed test alarms, and that
//! certificates were revoked.
//!
//! Nothing in it decides about an alarm: without it, or when it is damaged, the node knows less of its
//! past. A thread of its own writes it, because a disk may stall and the rim may not.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::Duration;

use ach_actors_model::{Name, Timestamp};
use ach_engine_wire::limits::LIST_ITEMS_MAX;

/// The file: a line each, a word and a time in nanoseconds since 1970, or a word and a receiver's name.
const FILE: &str = "remembered";

/// The word before the name of a receiver that displayed a test alarm.
const SCREEN: &str = "screen";

/// Receivers whose being away is noticed: as many as the report of a test can list.
pub(crate) const SCREENS_MAX: usize = LIST_ITEMS_MAX;

/// Memos that wait for a disk that stalls: a self-test lasts up to 12 s, so they are two minutes of
/// them. What comes then is not written, and said to be.
const WAITING_MAX: usize = 10;

/// How long a node that ends waits for the last memo.
const END_WITHIN: Duration = Duration::from_secs(1);

/// What is remembered; time 0 is never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Memo {
    /// When a receiver first said that it displays alarms.
    pub displayed_at: Timestamp,
    /// When the last self-test ended.
    pub tested_at: Timestamp,
    /// When the last one ended that went well.
    pub test_good_at: Timestamp,
    /// When there first was a list of revoked certificates.
    pub revoked_at: Timestamp,
    /// Receivers that have displayed a test alarm: each is to display every one, until an operator says
    /// that it is gone for good.
    pub screens: BTreeSet<Name>,
}

impl Memo {
    fn fields(&mut self) -> [(&'static str, &mut Timestamp); 4] {
        [
            ("displayed_at", &mut self.displayed_at),
            ("tested_at", &mut self.tested_at),
            ("test_good_at", &mut self.test_good_at),
            ("revoked_at", &mut self.revoked_at),
        ]
    }

    /// Nobody knows: then people are expected to look.
    fn lost() -> Memo {
        Memo { displayed_at: Timestamp(1), ..Memo::default() }
    }

    /// A receiver displayed a test alarm. Returns false when there is no room for it.
    pub(crate) fn add_screen(&mut self, name: &Name) -> bool {
        if self.screens.len() >= SCREENS_MAX && !self.screens.contains(name) {
            return false;
        }
        self.screens.insert(name.clone());
        true
    }

    /// What cannot be read is not remembered; but that alarms were displayed, and certificates revoked, is
    /// not forgotten.
    fn parse(text: &str) -> Memo {
        let mut memo = Memo::default();
        for (word, at) in text.lines().filter_map(|line| line.split_once(' ')) {
            if word == SCREEN
                && let Ok(name) = Name::new(at.trim())
            {
                memo.add_screen(&name);
            }
            for (name, field) in memo.fields() {
                if name == word {
                    let lost = u64::from(matches!(name, "displayed_at" | "revoked_at"));
                    *field = Timestamp(at.trim().parse().unwrap_or(lost));
                }
            }
        }
        memo
    }

    fn text(mut self) -> String {
        let mut text = String::new();
        for (name, at) in self.fields() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name} {}", at.0);
        }
        for name in &self.screens {
            let _ = writeln!(text, "{SCREEN} {name}");
        }
        text
    }
}

/// Keeps a memo.
#[derive(Debug)]
pub(crate) struct MemoBook {
    memo: RefCell<Memo>,
    writer: RefCell<Option<Writer>>,
}

#[derive(Debug)]
struct Writer {
    memos: SyncSender<Memo>,
    over: Receiver<()>,
}

impl MemoBook {
    /// One that forgets with the process.
    pub(crate) fn fleeting() -> MemoBook {
        MemoBook { memo: RefCell::default(), writer: RefCell::new(None) }
    }

    /// One whose memo lies in the node's folder.
    ///
    /// # Errors
    ///
    /// There is no thread.
    pub(crate) fn open(folder: &Path) -> io::Result<MemoBook> {
        let text = match fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let file = folder.join(FILE);
                tracing::error!(%error, file = %file.display(), "what the node remembers cannot be read and stays as it is");
                return Ok(MemoBook {
                    memo: RefCell::new(Memo::lost()),
                    writer: RefCell::new(None),
                });
            }
        };
        let (memos, waiting) = sync_channel::<Memo>(WAITING_MAX);
        let (tell_over, over) = channel();
        let folder: PathBuf = folder.to_owned();
        std::thread::Builder::new().name("ach-memo".to_owned()).spawn(move || {
            for memo in &waiting {
                let newest = waiting.try_iter().last().unwrap_or(memo);
                if let Err(error) = write(&folder, newest) {
                    tracing::warn!(%error, "a self-test, or that alarms are displayed, is forgotten at the next start");
                }
            }
            // Nobody waits when the node has not ended in order.
            let _ = tell_over.send(());
        })?;
        let writer = RefCell::new(Some(Writer { memos, over }));
        Ok(MemoBook { memo: RefCell::new(Memo::parse(&text)), writer })
    }

    /// What is remembered.
    pub(crate) fn memo(&self) -> Memo {
        self.memo.borrow().clone()
    }

    /// Remembers something else from now on.
    pub(crate) fn keep(&self, memo: Memo) {
        *self.memo.borrow_mut() = memo.clone();
        if let Some(writer) = &*self.writer.borrow()
            && writer.memos.try_send(memo).is_err()
        {
            tracing::warn!("the disk is too slow to remember a self-test");
        }
    }
}

impl MemoBook {
    /// Waits until the last memo is on disk, for a node that ends: whoever starts it again finds it. A
    /// disk that does not answer is not waited for. What comes afterwards is not kept.
    pub(crate) fn end(&self) {
        if let Some(Writer { memos, over }) = self.writer.take() {
            drop(memos);
            let _ = over.recv_timeout(END_WITHIN);
        }
    }
}

impl Drop for MemoBook {
    fn drop(&mut self) {
        self.end();
    }
}

/// Beside, synced, then renamed: the old memo or the new one, and no half of it.
fn write(folder: &Path, memo: Memo) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = folder.join("remembered.new");
    let mut file = fs::File::create(&new)?;
    file.write_all(memo.text().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE))?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_known_again_and_what_is_damaged_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let book = MemoBook::open(folder.path()).unwrap();
        assert_eq!(book.memo(), Memo::default());
        let memo = Memo {
            displayed_at: Timestamp(5),
            tested_at: Timestamp(8),
            test_good_at: Timestamp(7),
            revoked_at: Timestamp(3),
            screens: ["board", "ward-2.desk"].map(|name| Name::new(name).unwrap()).into(),
        };
        book.keep(Memo { tested_at: Timestamp(7), ..memo.clone() });
        book.keep(memo.clone());
        drop(book);
        let book = MemoBook::open(folder.path()).unwrap();
        assert_eq!(book.memo(), memo);
        drop(book);
        fs::write(
            folder.path().join(FILE),
            "tested_at soon\nnonsense\nscreen b\u{e4}r\ndisplayed_at 5\n",
        )
        .unwrap();
        let book = MemoBook::open(folder.path()).unwrap();
        assert_eq!(book.memo(), Memo { displayed_at: Timestamp(5), ..Memo::default() });
        assert_eq!(Memo::parse("displayed_at yesterday"), Memo::lost());
    }

    #[test]
    fn no_more_screens_are_remembered_than_a_report_lists() {
        let mut memo = Memo::default();
        let name = |number: usize| Name::new(&format!("board-{number}")).unwrap();
        assert!((0..SCREENS_MAX).all(|number| memo.add_screen(&name(number))));
        assert!(!memo.add_screen(&name(SCREENS_MAX)));
        assert!(memo.add_screen(&name(0)), "one that is known");
        let lines: Vec<_> =
            (0..2 * SCREENS_MAX).map(|it| format!("screen {}\n", name(it))).collect();
        assert_eq!(Memo::parse(&lines.concat()).screens.len(), SCREENS_MAX);
    }

    #[test]
    fn what_cannot_be_read_is_left_and_people_are_expected_to_look() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let book = MemoBook::open(folder.path()).unwrap();
        assert_eq!(book.memo(), Memo::lost());
        book.keep(Memo { tested_at: Timestamp(7), ..book.memo() });
        drop(book);
        assert!(folder.path().join(FILE).is_dir());
    }
}
