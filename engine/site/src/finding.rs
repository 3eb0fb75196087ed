//! A mistake in a site directory: where it is, what it is, and what to do about it.

use std::fmt::{self, Write};

use serde::Serialize;

/// Most findings kept. Whoever has a thousand mistakes mends the first hundred and asks again.
pub const FINDINGS_MAX: usize = 1_000;

/// Whether a site with it can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but hardly as it was meant.
    Warning,
}

/// What is wrong. In JSON the code is the name in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A file or folder is missing or cannot be read.
    Unreadable,
    /// A file, or a count of things, is beyond its limit.
    TooLarge,
    /// A file is not TOML, JSON or CSV.
    Syntax,
    /// A field that must be there is not.
    MissingField,
    /// A field that means nothing here.
    UnknownField,
    /// A file that is not read.
    UnknownFile,
    /// A field is given twice.
    RepeatedField,
    /// A field holds another kind of value.
    WrongType,
    /// A value is outside what is allowed.
    BadValue,
    /// Two things of one kind have one id.
    DuplicateId,
    /// A tag is on two subjects, or on one and spare.
    DuplicateTag,
    /// A badge is two people's.
    DuplicateBadge,
    /// The time zone is none that is known.
    UnknownTimeZone,
    /// No such feed.
    UnknownFeed,
    /// No such way of moving doors.
    UnknownControl,
    /// No such zone.
    UnknownZone,
    /// No such door.
    UnknownDoor,
    /// No such perimeter line.
    UnknownLine,
    /// No such subject.
    UnknownSubject,
    /// A rule selects nothing, or nobody.
    EmptySelection,
    /// A rule has a field its condition does not use, or an alarm it cannot raise.
    UnfitRule,
    /// A capacity rule watches a zone without capacity.
    NoCapacity,
    /// A rule about leaving a building watches no perimeter line.
    NoPerimeter,
    /// A rule about forced doors watches a door no feed reports.
    UnwiredDoor,
    /// A rule about motion watches a zone in which no feed tells what moves.
    UnwiredZone,
    /// An outline, sill or line is not sound.
    BadOutline,
    /// A closed perimeter line has its inside on the outside.
    InsideOut,
    /// A thing lies outside its floor.
    OutsideFloor,
    /// A door lies in no zone's boundary.
    DoorAfar,
    /// Coordinates on the globe, but the site does not say where it lies.
    NoGeoreference,
    /// The georeference cannot be used.
    BadGeoreference,
    /// Two rules raise one alarm about one thing, with different priorities.
    ConflictingRules,
    /// A rule says word for word what another one says.
    RepeatedRule,
    /// A rule raises nothing that another one does not raise as well.
    CoveredRule,
    /// A rule that can never raise anything.
    DeadRule,
    /// A zone too narrow for anybody to be in it by the gates of a rule.
    NarrowZone,
    /// A high-risk zone that may be left without an alarm.
    UnguardedZone,
    /// Hours at which a high-risk zone may be left without an alarm.
    UnguardedHours,
    /// Patients who carry a label that rules protect, and whom none protects.
    UnguardedPeople,
    /// An exit that may be forced without an alarm.
    UnguardedDoor,
    /// Staff carry tags, and no rule is about their buttons.
    NoDuressRule,
    /// Protected patients carry tags, and no rule is about their bands.
    NoBandRule,
    /// Too many rules for all of them to be held against each other.
    RulesNotCompared,
    /// A rule names holidays, and the site has none.
    NoHolidays,
    /// An exit that fire does not unlock.
    LockedExit,
    /// Doors are moved, and no rule tells when one does not do as it is told.
    UnwatchedOrders,
    /// No such response.
    UnknownResponse,
    /// A response that no rule names.
    UnusedResponse,
    /// Alarms that lock doors at which alarms are raised that lock doors, and so on back to the first.
    ResponseCycle,
    /// A rule about people who leave has them gone for a while before it tells.
    LateAlarm,
}

/// A mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether the site can be used.
    pub severity: Severity,
    /// What is wrong, as a code.
    pub kind: FindingKind,
    /// The file, from the site directory on.
    pub file: String,
    /// The line, from 1, where the format has lines.
    pub line: Option<u32>,
    /// The place within the file, such as `feature 3 (icu)` or `rule pump-theft`; may be empty.
    pub place: String,
    /// What is wrong, in words.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Whether it is about rules, or about what they leave out.
    pub fn is_about_rules(&self) -> bool {
        use FindingKind::{UnguardedDoor, UnguardedHours, UnguardedZone};
        self.file == "rules.toml"
            || matches!(self.kind, UnguardedDoor | UnguardedHours | UnguardedZone)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write_plain(f, &self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {severity}: ")?;
        if !self.place.is_empty() {
            write_plain(f, &self.place)?;
            f.write_str(": ")?;
        }
        write_plain(f, &self.problem)?;
        f.write_str("\n  remedy: ")?;
        write_plain(f, &self.remedy)
    }
}

/// Escapes control characters: names of files may steer a terminal.
fn write_plain(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        if character.is_control() {
            write!(f, "{}", character.escape_default())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

/// All that was found, by file and line. Prints one finding after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Sorts what was found; what goes beyond [`FINDINGS_MAX`] is dropped, errors last.
    pub(crate) fn new(mut findings: Vec<Finding>) -> Findings {
        if findings.len() > FINDINGS_MAX {
            findings.sort_by_key(|finding| finding.severity);
            findings.truncate(FINDINGS_MAX);
        }
        let rank = |file: &str| match file {
            "site.toml" => 0,
            "rules.toml" => 2,
            _ => 1,
        };
        findings.sort_by(|a, b| {
            (rank(&a.file), &a.file, a.line).cmp(&(rank(&b.file), &b.file, b.line))
        });
        Findings(findings)
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the site can be used.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// How many of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}
