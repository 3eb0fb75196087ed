//! What is typed about persons.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `ach person`.
#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Keep what is known about persons, out of a CSV file: names, numbers in other systems
    #[command(after_help = "\
Examples:
  ach person import persons.csv --data my-data
  hospital-export | ach person import - --data my-data --json

The first line names the columns: `id` is the subject's id in the site, `name` what people call them; every \
other column is a system, and its cells are the persons' numbers there:
  id,name,hospital,insurer
  patient-17,A. Muster,MRN-4711,

What was known about somebody is replaced, unless a hold protects it. Each person is encrypted under a key \
of their own, which is destroyed when they are erased. Who was erased, is held, or has a key that is damaged \
or lost, is named and stays as before; the others are kept. The ids are in the audit log. Remove the file \
afterwards.

Exit code 3 when somebody stayed as before.")]
    Import {
        /// The file, or `-` for stdin
        file: PathBuf,
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Give whose key is damaged or lost a new one; what the old one protected is lost for ever. Nobody who
        /// was erased, or may have been, gets one
        #[arg(long)]
        replace_damaged: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the ids of persons who are known, and who were erased; no names
    #[command(after_help = "\
Example:
  ach person list --data my-data --json

Exit code 3 when a key is damaged, or has nothing under it: an import was cut short, do it again.")]
    List {
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print one JSON object a person
        #[arg(long)]
        json: bool,
    },
    /// Write what this node can tell of a person: name, numbers, holds, tags, visits, alarms, positions
    Export(Export),
    /// Erase a person for ever: destroy the key under which what is known about them is kept
    #[command(after_help = "\
Examples:
  ach person erase patient-17 --data my-data          says what would be erased
  ach person erase patient-17 --data my-data --yes
  ach person erase --from erased.jsonl --data my-data --yes

Name and numbers are gone then; where the subject was stays in history, under an id that nobody has a \
name for. The id stays known as erased and is never given a name again. Refused while a hold protects the \
person (`ach history holds`). It is in the audit log before it is done. What this does not reach: copies of \
DATA/people made before, which must expire, and the site directory, where names may be written too.

With --from everybody on a list: an id a line, or what `ach person list --json` said, of which those who were \
erased. For after a restore, which brings back who was erased since the backup; who is not known here is noted \
as erased, so that no import brings them back. Who is held is named, the others are erased.

Exit code 3 when nothing is kept about the person, or somebody on the list is held; 1 when a hold forbids it.")]
    Erase {
        #[command(flatten)]
        who: Erased,
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Do it; there is no way back
        #[arg(long)]
        yes: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Who is to be erased.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Erased {
    /// The subject's id
    pub(crate) id: Option<String>,
    /// Everybody on this list, or `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
}

/// `ach person export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach person export patient-17 --data my-data --out patient-17.jsonl
  ach person export patient-17 --data my-data | jq 'select(.event == \"visit\")'

One JSON object a line, its `event` saying what it is: person, hold, tag, visit, alarm (each change with its \
evidence, as `ach explain --json` tells it), position (what was measured while the person bore the tag). Not \
in it: archives older than the days of history, history.damaged, the records of the audit log that name the \
subject (`ach audit show`), and names in the site directory. That it is read is in the audit log first; \
without that nothing is told. Exit code 3 when nothing is kept.")]
pub(crate) struct Export {
    /// The subject's id
    pub(crate) id: String,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Write to this file, which must not exist yet; without it, to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
