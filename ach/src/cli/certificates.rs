//! What is typed to give, renew and take certificates.

use std::path::PathBuf;

use clap::Subcommand;

/// `ach vendor`, `ach receiver`, `ach operator`.
#[derive(Debug, Subcommand)]
pub(crate) enum Enrolment {
    /// Write a directory with certificate, key and the authority's certificate
    #[command(after_help = "\
Examples:
  ach vendor enrol acme --data my-data --out acme-credentials
  ach receiver enrol board --data my-data --out board-credentials
  ach operator enrol desk --data my-data --out desk-credentials

A vendor's name is the id of its feed in site.toml. Carry the directory to the other machine by a \
way you trust: who has the key is the vendor, the receiver or the operator.")]
    Enrol {
        /// Its name
        name: String,
        /// The node's data directory, which holds the certificate authority
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where to write; must not exist yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write another certificate, with a key of its own, for somebody who has one
    #[command(after_help = "\
Example:
  ach vendor renew acme --data my-data --out acme-credentials-2

The earlier certificate stays good until its end, so that there is time to carry the new one over; \
`revoke` ends it at once. After a revocation this lets its owner in again.")]
    Renew {
        /// Its name
        name: String,
        /// The node's data directory, which holds the certificate authority
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where to write; must not exist yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make all its certificates void that were made until now
    #[command(after_help = "\
Example:
  ach vendor revoke acme --data my-data

A node that runs on this data closes its connections within seconds, with code 41, and lets it in no \
more; one that is started later does so from its start.")]
    Revoke {
        /// Its name
        name: String,
        /// The node's data directory, which holds the certificate authority
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Tell who has a certificate, until when, and who is revoked
    #[command(after_help = "Example:\n  ach vendor list --data my-data")]
    List {
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
}
