//! Alarms of a rehearsal in words.

use ach_actors_entities::Site;
use ach_actors_model::{NS_PER_S, Place, Timestamp};
use ach_engine_review::Episode;

use crate::notes::{PlaceId, episode_words, place_words};

/// What the node raises of itself is under no rule.
const NO_RULE: &str = "(no rule)";

/// Names of what alarms are about.
pub(super) struct Told<'a> {
    site: Option<&'a Site>,
}

impl<'a> Told<'a> {
    pub(super) fn new(site: Option<&'a Site>) -> Told<'a> {
        Told { site }
    }

    /// The rule's id.
    pub(super) fn rule(episode: &Episode) -> String {
        episode.rule.as_deref().unwrap_or(NO_RULE).to_owned()
    }

    /// The subject's id.
    pub(super) fn subject(&self, episode: &Episode) -> Option<String> {
        let subject = episode.subject?;
        let id = self.site.and_then(|site| site.subject_name(subject)).map(str::to_owned);
        Some(id.unwrap_or_else(|| format!("#{}", subject.0)))
    }

    /// What kind of place, and its id.
    pub(super) fn place(&self, episode: &Episode) -> PlaceId {
        let Some(site) = self.site else { return ("site", None) };
        let owned = |id: Option<&str>| id.map(str::to_owned);
        match episode.place {
            Place::Site => ("site", None),
            Place::Zone(zone) => ("zone", owned(site.zone_name(zone))),
            Place::Door(door) => ("door", owned(site.door_name(door))),
            Place::Line(line) => ("line", owned(site.line_name(line))),
            Place::Tag(tag) => ("tag", site.tag_id(tag).map(|id| id.to_string())),
            Place::Source(source) => ("feed", owned(site.source_name(source))),
            Place::Anchor(anchor) => ("anchor", owned(site.anchor_name(anchor))),
            Place::Subject(other) => ("subject", owned(site.subject_name(other))),
        }
    }

    /// The place in words.
    pub(super) fn place_words(&self, episode: &Episode) -> String {
        place_words(self.place(episode))
    }

    /// The hour of the day at the site in which it was raised.
    pub(super) fn hour(&self, episode: &Episode) -> i64 {
        let wall_s = self.site.map_or(0, |site| site.wall_s(episode.raised_at));
        wall_s.rem_euclid(86_400) / 3_600
    }

    /// The moment as the clocks at the site showed it.
    pub(super) fn wall(&self, at: Timestamp) -> String {
        let wall_s = self.site.map_or(0, |site| site.wall_s(at));
        let shown = jiff::Timestamp::from_second(wall_s).ok();
        let shown = shown.map(|shown| shown.strftime("%Y-%m-%d %H:%M:%S").to_string());
        shown.unwrap_or_else(|| at.0.to_string())
    }

    /// How far those clocks are ahead of UTC.
    pub(super) fn offset(&self, at: Timestamp) -> String {
        let at_s = i64::try_from(at.0 / NS_PER_S).unwrap_or_default();
        let offset_s = self.site.map_or(0, |site| site.wall_s(at) - at_s);
        let sign = if offset_s < 0 { '-' } else { '+' };
        let minutes = offset_s.abs() / 60;
        format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// An alarm in a line.
    pub(super) fn line(&self, episode: &Episode) -> String {
        let who = self.subject(episode).map(|who| format!("{who}  ")).unwrap_or_default();
        format!(
            "{}  {who}{}  {}",
            self.wall(episode.raised_at),
            self.place_words(episode),
            episode_words(episode)
        )
    }
}
