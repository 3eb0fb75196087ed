//! Reads a site directory, telling every mistake.

mod answer_fields;
mod badge_fields;
mod control_tables;
mod features;
mod floor_file;
mod gates_table;
mod meeting_fields;
mod response_tables;
mod rule_file;
mod site_file;
mod subject_file;

pub(crate) use answer_fields::{ESCALATIONS_MAX, STAYS_UNTIL};
pub(crate) use badge_fields::BADGE_WITHIN_M_MAX;
pub(crate) use control_tables::{DRILLS, LOCKDOWNS, RESTS, WAYS_OUT};
pub(crate) use features::{KINDS, Kind};
pub(crate) use gates_table::MARGIN_M_MAX;
pub(crate) use meeting_fields::{APART_M_MAX, WITHIN_M_MAX, WITHIN_M_MIN};
pub(crate) use response_tables::LOCKS;
#[cfg(test)]
pub(crate) use rule_file::keys_read;
pub(crate) use rule_file::{
    ALARMS, CONDITIONS, DAYS, PRIORITIES, RULES_MAX, RuleFile, WINDOWS_MAX,
};
pub(crate) use subject_file::CLASSES;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ach_actors_model::Name;

use crate::check::{Item, Origins, check_into};
use crate::finding::{Finding, FindingKind, Findings};
use crate::text::{Origin, Report, nearest, parse_toml, read_text};
use crate::{FloorPlan, Georeference, SiteDirectory};

/// Most floor files: a campus of twenty buildings with ten storeys.
pub(crate) const FLOORS_MAX: usize = 200;

/// A directory that can be used, and what should be mended in it all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteReading {
    /// The site.
    pub directory: SiteDirectory,
    /// Warnings.
    pub warnings: Findings,
}

/// Reads and checks.
pub(crate) fn read(root: &Path) -> Result<SiteReading, Findings> {
    let report = Report::default();
    let mut origins = Origins::default();
    let directory = read_all(root, &report, &mut origins);
    if let Some(directory) = &directory {
        check_into(directory, &origins, &report);
    }
    let findings: Vec<Finding> = report.into_findings();
    let findings = Findings::new(findings);
    match directory {
        Some(directory) if !findings.has_errors() => {
            Ok(SiteReading { directory, warnings: findings })
        }
        _ => Err(findings),
    }
}

/// The files of a site directory, beside those in `floors`.
const FILES: [&str; 6] =
    ["site.toml", "people.toml", "people.csv", "equipment.toml", "equipment.csv", "rules.toml"];

/// A file whose name is nearly right is not read, and its rules raise no alarm: that is told. Other
/// files (notes, drawings) are nobody's business.
fn tell_unknown_files(root: &Path, report: &Report) {
    // What hinders this hinders the reading of the files too, and is told there.
    let Ok(entries) = std::fs::read_dir(root) else { return };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names {
        let is_ours = FILES.contains(&name.as_str());
        let is_like_ours = [".toml", ".csv", ".geojson"].iter().any(|end| name.ends_with(end));
        if is_ours || !is_like_ours || name.starts_with('.') {
            continue;
        }
        let origin = Origin::new(&Arc::from(name.as_str()), None, "");
        let remedy = match nearest(&name, FILES.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "remove it; floors go into the folder `floors`".to_owned(),
        };
        report.warning(FindingKind::UnknownFile, &origin, "the file is not read", &remedy);
    }
}

/// The rules and responses of one file, and where each was said.
pub(crate) fn read_rules(root: &Path, name: &str, report: &Report) -> RuleFile {
    let Some(text) = read_text(root, name, report) else { return RuleFile::default() };
    let Some(node) = parse_toml(&text, report) else { return RuleFile::default() };
    rule_file::read(&node, &text.file, report)
}

fn read_all(root: &Path, report: &Report, origins: &mut Origins) -> Option<SiteDirectory> {
    tell_unknown_files(root, report);
    let site = read_text(root, "site.toml", report)
        .and_then(|text| Some((parse_toml(&text, report)?, text.file)))
        .and_then(|(node, file)| site_file::read(&node, &file, report, origins));
    let floors = read_floors(root, site.as_ref().map(|site| &site.georeference), report);
    // Without site.toml the other files are read for their own mistakes alone.
    let mut directory = site?;
    for (number, (plan, floor_origins)) in floors.into_iter().enumerate() {
        origins.add_floor(number, floor_origins);
        directory.floors.push(plan);
    }
    let feeds: Vec<Name> = directory.feeds.iter().map(|feed| feed.id.clone()).collect();
    let people = subject_file::read_people(root, &feeds, report);
    for (number, (plan, origin)) in people.into_iter().enumerate() {
        origins.add(Item::Person(number), origin);
        directory.people.push(plan);
    }
    let equipment = subject_file::read_equipment(root, &feeds, report);
    for (number, (plan, origin)) in equipment.into_iter().enumerate() {
        origins.add(Item::Equipment(number), origin);
        directory.equipment.push(plan);
    }
    if root.join("rules.toml").exists() {
        let RuleFile { rules, responses } = read_rules(root, "rules.toml", report);
        for (number, (plan, origin)) in rules.into_iter().enumerate() {
            origins.add(Item::Rule(number), origin);
            directory.rules.push(plan);
        }
        for (number, (plan, origin)) in responses.into_iter().enumerate() {
            origins.add(Item::Response(number), origin);
            directory.responses.push(plan);
        }
    }
    Some(directory)
}

/// Where each thing of a floor was said.
pub(crate) type FloorOrigins = BTreeMap<Item, Origin>;

/// All floors, lowest first.
fn read_floors(
    root: &Path,
    georeference: Option<&Georeference>,
    report: &Report,
) -> Vec<(FloorPlan, FloorOrigins)> {
    let folder: Arc<str> = Arc::from("floors");
    let origin = Origin::new(&folder, None, "");
    let entries = match std::fs::read_dir(root.join("floors")) {
        Ok(entries) => entries,
        Err(error) => {
            let problem = format!("cannot read the folder: {error}");
            let remedy = "make a folder `floors` with one GeoJSON file a floor";
            report.error(FindingKind::Unreadable, &origin, &problem, remedy);
            return Vec::new();
        }
    };
    let mut stems: Vec<String> = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let problem = format!("cannot list the folder: {error}");
                report.error(FindingKind::Unreadable, &origin, &problem, "check the disk");
                break;
            }
        };
        // Editors leave hidden files beside the ones they edit.
        let file_name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stem) = file_name.strip_suffix(".geojson")
            && !stem.starts_with('.')
        {
            if stems.len() == FLOORS_MAX {
                let problem = format!("there are more than {FLOORS_MAX} floors");
                report.error(FindingKind::TooLarge, &origin, &problem, "split the site");
                break;
            }
            stems.push(stem.to_owned());
        } else if !file_name.starts_with('.') && file_name.to_lowercase().contains("json") {
            let file: Arc<str> = Arc::from(format!("floors/{file_name}"));
            let remedy = "let its name end in .geojson, or remove it";
            let origin = Origin::new(&file, None, "");
            report.warning(FindingKind::UnknownFile, &origin, "the file is not read", remedy);
        }
    }
    if stems.is_empty() {
        let remedy = "add one file a floor, for example floors/ground.geojson";
        report.warning(FindingKind::Unreadable, &origin, "there is no .geojson file", remedy);
    }
    stems.sort();
    let frame = floor_file::Frame::new(georeference);
    let mut floors: Vec<(FloorPlan, FloorOrigins)> =
        stems.iter().filter_map(|stem| floor_file::read(root, stem, &frame, report)).collect();
    floors.sort_by(|(a, _), (b, _)| (a.floor, &a.id).cmp(&(b.floor, &b.id)));
    floors
}
