//! What can be typed after `ach audit`.

use std::path::PathBuf;

use clap::Subcommand;

/// `ach audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check every record, link, hash and signature, and a head that was noted elsewhere
    #[command(after_help = "\
Examples:
  ach audit verify my-data
  ach audit verify my-data --head noted.txt --key kept-elsewhere.pub

Exit code 3 when a record was changed, cut off or left out; stdout says where. Who has the machine and \
its key can write a whole log anew: only a head and a public key kept elsewhere tell of that.")]
    Verify {
        /// The node's data directory
        dir: PathBuf,
        /// A head that `ach audit head` has printed some time ago
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
        /// The public key, instead of the one in the data directory
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print records
    #[command(after_help = "\
Examples:
  ach audit show my-data --last 10
  ach audit show my-data --from 1200 --count 5 --json")]
    Show {
        /// The node's data directory
        dir: PathBuf,
        /// First record; they are counted from 0
        #[arg(long, value_name = "NUMBER", conflicts_with = "last")]
        from: Option<u64>,
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        count: u64,
        /// The last so many
        #[arg(long, value_name = "NUMBER")]
        last: Option<u64>,
        /// Print one JSON object a record, with the bytes that are hashed
        #[arg(long)]
        json: bool,
    },
    /// Prove that a record is in the log, or that the log goes on from a head noted elsewhere
    #[command(after_help = "\
Examples:
  ach audit prove my-data 1200 --json
  ach audit prove my-data --since noted.txt

Proofs are those of RFC 9162, under the last signed head.")]
    Prove {
        /// The node's data directory
        dir: PathBuf,
        /// The record
        #[arg(required_unless_present = "since")]
        record: Option<u64>,
        /// The earlier head
        #[arg(long, value_name = "FILE", conflicts_with = "record")]
        since: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the last signed head, to be kept elsewhere
    #[command(after_help = "Example:\n  ach audit head my-data > noted.txt")]
    Head {
        /// The node's data directory
        dir: PathBuf,
    },
}
