//! What is typed about tags.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Connect;

/// `ach tag`.
#[derive(Debug, Subcommand)]
pub(crate) enum Tag {
    /// List tags that vendors report and the site does not have
    #[command(after_help = "\
Example:
  ach tag list --unregistered --credentials desk-credentials

The 1,000 last heard of each feed since the node began, with how often and when.")]
    List {
        /// Those that the site does not have
        #[arg(long, required = true)]
        unregistered: bool,
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
    /// Enter a tag in a site directory, and put that in force on the node
    Register(Register),
}

/// `ach tag register`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach tag register 0200AC00000000A7 --subject pump-9 --class asset --site my-site --credentials desk
  ach tag register 0200AC00000000A8 --subject patient-31 --class patient --name \"A. Muster\" \\
      --label dementia --site my-site --credentials desk

The subject is written into people.toml or equipment.toml, or the tag is added to the subject if it is \
there already. When the node refuses, the file is as it was. The name stays in the file.")]
pub(crate) struct Register {
    /// The tag (EUI-64)
    pub(crate) tag: String,
    /// Whom or what it is on, by id
    #[arg(long, value_name = "ID")]
    pub(crate) subject: String,
    /// What that is; not needed for a subject that the site has
    #[arg(long, value_enum)]
    pub(crate) class: Option<TagClass>,
    /// What people call it; for a new subject
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A word that rules select it by; for a new subject. May be repeated
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// The feed that reports the tag; not needed where the site has one feed
    #[arg(long, value_name = "ID")]
    pub(crate) feed: Option<String>,
    /// The site directory
    #[arg(long, value_name = "DIR")]
    pub(crate) site: PathBuf,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// The version the directory was made from, when it does not say so
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u32>,
}

/// What wears tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TagClass {
    /// A patient
    Patient,
    /// A member of staff
    Staff,
    /// A visitor or contractor
    Visitor,
    /// A thing
    Asset,
}
