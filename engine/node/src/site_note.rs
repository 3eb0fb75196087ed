//! Which site a start puts in force: the one it is given, or the one that was put in force meanwhile.
//!
//! The site a node is given at its start lies in a directory; another version may have come over a
//! connection since. A start must not put the older one back without a word. So each start notes which
//! site it was given and which version that made; a given site that is still the noted one gives way
//! to a later version of the journal's, and one that was edited while the journal's was changed as
//! well does so too, loudly, unless it says that it was made from just that version.
//!
//! A frame turns degrees into the millimetres a site is drawn in, so it goes with the site: it is noted
//! beside, and whatever stays in force keeps the frame it was put in force with.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ach_actors_model::SiteConfig;
use ach_engine_wire::{SiteDigest, encode_site};
use ach_geo::{ControlPoint, SiteFrame};

/// Where a start notes what it was given: a line with the digest and the version, then one with
/// [`FRAME`] and one a control point of the frame, if there is one.
const FILE: &str = "site.started";

/// The second line: what follows is the whole frame, also if nothing follows.
const FRAME: &str = "frame";

/// What a start is given.
#[derive(Debug)]
pub(crate) struct Given {
    pub site: SiteConfig,
    pub frame: Option<SiteFrame>,
    /// The version it was made from, and its digest, as far as is known.
    pub made_from: Option<(u32, SiteDigest)>,
}

/// What a start puts in force.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The next version, if another one than the journal's is to be in force.
    pub change: Option<SiteConfig>,
    /// The frame of what is in force then.
    pub frame: Option<SiteFrame>,
    /// Whether what is in force then is what was given.
    pub is_as_given: bool,
}

impl Chosen {
    /// The digest of what is in force then.
    pub(crate) fn digest(&self, recovered: Option<&SiteConfig>) -> Option<SiteDigest> {
        self.change.as_ref().or(recovered).and_then(digest)
    }
}

/// What an earlier start noted.
#[derive(Debug, PartialEq)]
struct Note {
    digest: SiteDigest,
    version: u32,
    /// Control points of the frame, none where there is no frame; not told by a damaged note.
    frame: Option<Vec<ControlPoint>>,
}

/// Chooses, and notes what was given. That it cannot be noted keeps no node from its work.
pub(crate) fn choose(folder: &Path, given: Given, in_force: Option<&SiteConfig>) -> Chosen {
    let noted = read(folder);
    let given_digest = digest(&given.site);
    let (chosen, version) = decide(given, in_force, noted.as_ref(), given_digest);
    if let (Some(digest), Some(version)) = (given_digest, version) {
        let note = Note { digest, version, frame: points(chosen.frame.as_ref()) };
        if noted.as_ref() != Some(&note)
            && let Err(error) = write(folder, &note)
        {
            tracing::warn!(
                %error,
                "could not note which site was given; the next start puts it back"
            );
        }
    }
    chosen
}

/// As [`choose`] for a node that has no folder, so that what it is given is what it gets.
pub(crate) fn choose_unnoted(given: Given, in_force: Option<&SiteConfig>) -> Chosen {
    let given_digest = digest(&given.site);
    decide(given, in_force, None, given_digest).0
}

/// What is in force after the start, and the version to be noted, if the given one is it.
fn decide(
    given: Given,
    in_force: Option<&SiteConfig>,
    noted: Option<&Note>,
    given_digest: Option<SiteDigest>,
) -> (Chosen, Option<u32>) {
    let Given { site, frame, made_from } = given;
    let Some(in_force) = in_force else {
        let change = Some(SiteConfig { version: 1, ..site });
        return (Chosen { change, frame, is_as_given: true }, Some(1));
    };
    let same = SiteConfig { version: in_force.version, ..site };
    if same == *in_force {
        return (Chosen { change: None, frame, is_as_given: true }, Some(in_force.version));
    }
    // The same that an offer would be asked: nobody changed the site since it was taken over.
    let is_made_from_it = made_from.is_some_and(|(version, base)| {
        version == in_force.version && digest(in_force) == Some(base)
    });
    if let Some(noted) = noted.filter(|it| in_force.version > it.version && !is_made_from_it) {
        let is_edited = given_digest != Some(noted.digest);
        let frame = frame_that_stays(noted, frame, in_force.version);
        tell_that_it_stays(in_force.version, is_edited);
        return (Chosen { change: None, frame, is_as_given: false }, None);
    }
    let version = in_force.version.saturating_add(1);
    let change = Some(SiteConfig { version, ..same });
    (Chosen { change, frame, is_as_given: true }, Some(version))
}

fn tell_that_it_stays(version: u32, is_edited: bool) {
    if is_edited {
        tracing::error!(
            version,
            "the given site was edited, and another version was put in force meanwhile: that one \
             stays; take it over and apply the given one"
        );
    } else {
        tracing::info!(
            version,
            "a later version of the site stays in force than the one that was given"
        );
    }
}

/// The frame a version was put in force with. No version with another one comes over a connection, so
/// it is the one of the last start whose site was as given.
fn frame_that_stays(noted: &Note, given: Option<SiteFrame>, version: u32) -> Option<SiteFrame> {
    let Some(kept) = &noted.frame else {
        tracing::warn!(
            version,
            "with which frame the site was drawn is not noted: taking the given"
        );
        return given;
    };
    if *kept == points(given.as_ref()).unwrap_or_default() {
        return given;
    }
    tracing::error!(
        version,
        "the given origin or control points are others than those the site in force was drawn by, \
         which stay with it"
    );
    if kept.is_empty() { None } else { SiteFrame::fit(kept).ok() }
}

fn digest(site: &SiteConfig) -> Option<SiteDigest> {
    encode_site(site).ok().map(|bytes| SiteDigest::of(&bytes))
}

/// The points a frame is kept by: none without a frame, nothing for one that cannot be kept.
fn points(frame: Option<&SiteFrame>) -> Option<Vec<ControlPoint>> {
    frame.map_or(Some(Vec::new()), |frame| frame.control_points().ok().map(Vec::from))
}

fn read(folder: &Path) -> Option<Note> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    let mut lines = text.lines();
    let (digest, version) = lines.next()?.split_once(' ')?;
    let (digest, version) = (SiteDigest::parse(digest)?, version.parse().ok()?);
    let has_frame = lines.next() == Some(FRAME);
    let frame: Option<Vec<ControlPoint>> =
        if has_frame { lines.map(read_point).collect() } else { None };
    // Points no frame can be fitted to are damaged.
    let is_sound = |points: &Vec<ControlPoint>| points.is_empty() || SiteFrame::fit(points).is_ok();
    Some(Note { digest, version, frame: frame.filter(is_sound) })
}

fn read_point(line: &str) -> Option<ControlPoint> {
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [lon_deg, lat_deg, x_m, y_m] = <[f64; 4]>::try_from(numbers).ok()?;
    Some(ControlPoint { lon_deg, lat_deg, x_m, y_m })
}

/// Beside, synced, then renamed: the old note or the new one, and no half of it.
fn write(folder: &Path, note: &Note) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = folder.join("site.started.new");
    let mut file = fs::File::create(&new)?;
    writeln!(file, "{} {}", note.digest, note.version)?;
    if let Some(points) = &note.frame {
        writeln!(file, "{FRAME}")?;
        for ControlPoint { lon_deg, lat_deg, x_m, y_m } in points {
            // As many digits as it takes to read the same number back.
            writeln!(file, "{lon_deg:?} {lat_deg:?} {x_m:?} {y_m:?}")?;
        }
    }
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE))?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::empty_site;

    fn site(version: u32, largest_gap_ns: u64) -> SiteConfig {
        SiteConfig { version, largest_gap_ns, ..empty_site("st-anna") }
    }

    /// A start that is given a site while another is in force: what comes of it, in words.
    fn start(folder: &Path, given_gap_ns: u64, in_force: Option<(u32, u64)>) -> String {
        let in_force = in_force.map(|(version, gap_ns)| site(version, gap_ns));
        let given = Given { site: site(0, given_gap_ns), frame: None, made_from: None };
        let chosen = choose(folder, given, in_force.as_ref());
        let change =
            chosen.change.map_or("stays".to_owned(), |it| format!("version {}", it.version));
        format!("{change}{}", if chosen.is_as_given { "" } else { ", not as given" })
    }

    #[test]
    fn a_given_site_comes_into_force_until_a_later_one_was_put_in_force_over_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 1, Some((1, 1))), "stays");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2", "the directory was edited");
        // Version 3 comes over a connection, and the directory is still the old one.
        assert_eq!(start(at, 2, Some((3, 9))), "stays, not as given");
        assert_eq!(start(at, 2, Some((3, 9))), "stays, not as given", "and at the next start");
        assert_eq!(start(at, 5, Some((3, 9))), "stays, not as given", "edited on both sides");
        assert_eq!(start(at, 9, Some((3, 9))), "stays", "the directory was taken over");
        assert_eq!(start(at, 5, Some((3, 9))), "version 4", "and edited from there");
    }

    /// What was noted and did not reach the disk is put in force again.
    #[test]
    fn a_start_that_was_killed_before_its_site_was_durable_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2");
    }

    #[test]
    fn a_note_that_is_not_there_or_damaged_leaves_the_word_to_the_given_site() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 2, Some((3, 9))), "version 4");
        fs::write(at.join(FILE), "nonsense").unwrap();
        assert_eq!(start(at, 2, Some((3, 9))), "version 4");
        assert_eq!(start(at, 2, Some((4, 2))), "stays");
    }

    /// A frame with its origin so many degrees north of one.
    fn frame(north_deg: f64) -> SiteFrame {
        let point = |lon_deg: f64, lat_deg: f64, x_m: f64, y_m: f64| {
            let lat_deg = lat_deg + north_deg;
            ControlPoint { lon_deg, lat_deg, x_m, y_m }
        };
        let corner = point(7.842, 47.995, 0.0, 0.0);
        SiteFrame::fit(&[corner, point(7.843, 47.995, 74.6, 0.1), point(7.842, 47.996, 0.2, 111.1)])
            .unwrap()
    }

    /// As `start`, with a frame: how far east and north the middle of the first frame lies then.
    fn start_in(
        folder: &Path,
        (gap_ns, frame): (u64, Option<SiteFrame>),
        made_from: Option<(u32, u64)>,
        in_force: Option<(u32, u64)>,
    ) -> (Option<u32>, Option<(i32, i32)>) {
        let in_force = in_force.map(|(version, gap_ns)| site(version, gap_ns));
        let made_from = made_from.map(|(version, gap)| (version, digest(&site(0, gap)).unwrap()));
        let given = Given { site: site(0, gap_ns), frame, made_from };
        let chosen = choose(folder, given, in_force.as_ref());
        let place = chosen.frame.map(|frame| frame.to_local_mm(7.8425, 47.9955).unwrap());
        (chosen.change.map(|it| it.version), place)
    }

    #[test]
    fn what_stays_in_force_keeps_the_frame_it_was_put_in_force_with() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (old, new) = (Some(frame(0.0)), Some(frame(0.01)));
        let place = |frame: Option<SiteFrame>| {
            frame.map(|frame| frame.to_local_mm(7.8425, 47.9955).unwrap())
        };
        assert!(place(old) != place(new));
        assert_eq!(start_in(at, (1, old), None, None), (Some(1), place(old)));
        // Version 2 was applied; the directory is of another version and lies elsewhere now.
        let stays = (None, place(old));
        assert_eq!(start_in(at, (5, new), None, Some((2, 9))), stays);
        assert_eq!(start_in(at, (5, None), None, Some((2, 9))), stays);
        assert_eq!(start_in(at, (5, new), Some((1, 1)), Some((2, 9))), stays, "made from another");
        assert_eq!(start_in(at, (5, new), Some((2, 1)), Some((2, 9))), stays, "made from another");
        // A local site that is the same and lies elsewhere is as given.
        assert_eq!(start_in(at, (9, new), None, Some((2, 9))), (None, place(new)));
        assert_eq!(start_in(at, (5, old), None, Some((3, 8))), (None, place(new)), "noted anew");
    }

    /// What a node says about a changed origin: put it where it is started from, and start it.
    #[test]
    fn a_directory_made_from_what_is_in_force_wins_with_its_frame() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (old, new) = (Some(frame(0.0)), Some(frame(0.01)));
        let (first, _) = start_in(at, (1, old), None, None);
        assert_eq!(first, Some(1));
        let (next, place) = start_in(at, (5, new), Some((2, 9)), Some((2, 9)));
        assert_eq!(next, Some(3));
        let moved = frame(0.01).to_local_mm(7.8425, 47.9955).unwrap();
        assert_eq!(place, Some(moved));
    }

    #[test]
    fn a_note_without_a_frame_or_with_a_damaged_one_leaves_the_word_to_the_given_frame() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (old, new) = (Some(frame(0.0)), Some(frame(0.01)));
        let _ = start_in(at, (1, old), None, None);
        let note = fs::read_to_string(at.join(FILE)).unwrap();
        let first = note.lines().next().unwrap().to_owned();
        let moved = frame(0.01).to_local_mm(7.8425, 47.9955).unwrap();
        for damaged in ["", "\n", "\nframe\n1 2 3", "\nframe\n1 2 3 4", "\nframe\n1 2 3 x"] {
            fs::write(at.join(FILE), format!("{first}{damaged}")).unwrap();
            let stays = start_in(at, (5, new), None, Some((2, 9)));
            assert_eq!(stays, (None, Some(moved)), "{damaged}");
        }
    }
}
