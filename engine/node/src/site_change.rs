//! Judges a version of the site that an operator offers, against what is in force. Pure: it may run on
//! any thread, for as long as a large site takes to compile.

use std::sync::Arc;

use ach_actors_entities::{Site, SiteError, Unfounding};
use ach_actors_model::{AlarmNotice, Name, SiteConfig, Timestamp};
use ach_engine_wire::limits::SITE_REASONS_MAX;
use ach_engine_wire::{
    AlarmNote, Code, FrameMarks, SiteDigest, SiteOffer, Text, Thing, decode_site,
};

/// What is in force, and who relies on it.
#[derive(Debug)]
pub(crate) struct InForce {
    pub site: Arc<Site>,
    pub digest: Option<SiteDigest>,
    pub frame: Option<FrameMarks>,
    /// The open alarms, each as it is told as well.
    pub open: Vec<(AlarmNotice, AlarmNote)>,
    /// Shard time.
    pub now: Timestamp,
    /// Feeds whose vendors are connected.
    pub feeds: Vec<Name>,
}

/// A version that may come into force.
#[derive(Debug)]
pub(crate) struct Fit {
    pub config: Box<SiteConfig>,
    /// The same, compiled.
    pub next: Box<Site>,
}

impl Fit {
    /// Judges once more whether it strands anything, by what is open and connected now.
    ///
    /// # Errors
    ///
    /// It does, or another version is in force by now.
    pub(crate) fn judge_again(&self, offer: &SiteOffer, in_force: &InForce) -> Result<(), Unfit> {
        must_be_latest(offer, in_force)?;
        must_strand_nothing(offer, &self.next, in_force)
    }
}

/// What became of an offer.
#[derive(Debug)]
pub(crate) enum Judged {
    /// It may come into force, as this.
    Fit(Fit),
    /// It is in force already.
    Same,
    /// It may not.
    Unfit(Unfit),
}

/// Why a version may not come into force.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub code: Code,
    pub detail: String,
    /// The first of them.
    pub reasons: Vec<Text>,
    pub reason_count: usize,
}

impl Unfit {
    /// With nothing more to say.
    pub(crate) fn plain(code: Code, detail: impl Into<String>) -> Unfit {
        Unfit { code, detail: detail.into(), reasons: Vec::new(), reason_count: 0 }
    }
}

/// Judges an offer.
pub(crate) fn judge(offer: &SiteOffer, bytes: &[u8], in_force: &InForce) -> Judged {
    match judged(offer, bytes, in_force) {
        Ok(Some(fit)) => Judged::Fit(fit),
        Ok(None) => Judged::Same,
        Err(unfit) => Judged::Unfit(unfit),
    }
}

fn judged(offer: &SiteOffer, bytes: &[u8], in_force: &InForce) -> Result<Option<Fit>, Unfit> {
    if SiteDigest::of(bytes) != offer.digest {
        let detail = "the bytes that came are not those that were offered";
        return Err(Unfit::plain(Code::SiteUnsound, detail));
    }
    let unsound =
        |error: ach_engine_wire::SiteBytesError| Unfit::plain(Code::SiteUnsound, error.to_string());
    let mut config = decode_site(bytes).map_err(unsound)?;
    let site = &in_force.site;
    if config.site != *site.id() {
        let detail = format!("this node serves site {}, not {}", site.id(), config.site);
        return Err(Unfit::plain(Code::WrongSite, detail));
    }
    must_share_frame(offer, in_force)?;
    // Who asks again for what he has got is not told that he came too late.
    if in_force.digest == Some(offer.digest) {
        return Ok(None);
    }
    must_be_latest(offer, in_force)?;
    config.version = site.version().saturating_add(1);
    let next = Site::compile(Some(site), &config).map_err(|error| does_not_compile(&error))?;
    must_strand_nothing(offer, &next, in_force)?;
    Ok(Some(Fit { config: Box::new(config), next: Box::new(next) }))
}

fn must_strand_nothing(offer: &SiteOffer, next: &Site, in_force: &InForce) -> Result<(), Unfit> {
    if offer.may_strand {
        return Ok(());
    }
    let stranded = stranded(next, in_force);
    if stranded.is_empty() {
        return Ok(());
    }
    let detail = format!("{} would end or be cut", counted(stranded.len()));
    Err(Unfit {
        code: Code::SiteStrands,
        detail,
        reason_count: stranded.len(),
        reasons: told(stranded.iter().map(String::as_str)),
    })
}

fn counted(count: usize) -> String {
    if count == 1 { "1 thing that is in use".to_owned() } else { format!("{count} things in use") }
}

fn must_be_latest(offer: &SiteOffer, in_force: &InForce) -> Result<(), Unfit> {
    let version = in_force.site.version();
    let is_other = match (offer.base_digest, in_force.digest) {
        (Some(base), Some(digest)) => base != digest,
        _ => false,
    };
    if offer.base_version == version && !is_other {
        return Ok(());
    }
    let another = if is_other && offer.base_version == version { "another " } else { "" };
    let detail =
        format!("made from {another}version {}, in force is {version}", offer.base_version);
    Err(Unfit::plain(Code::SiteStale, detail))
}

/// Positions on their way were turned into metres by the frame in force: another one would put them
/// elsewhere. It changes with a start.
fn must_share_frame(offer: &SiteOffer, in_force: &InForce) -> Result<(), Unfit> {
    let is_shared = match (&offer.frame, &in_force.frame) {
        (None, None) => true,
        (Some(offered), Some(marks)) => offered.is_near(marks),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if is_shared {
        return Ok(());
    }
    let detail = "its origin or control points are not those the node was started with";
    Err(Unfit::plain(Code::SiteFrameDiffers, detail))
}

fn does_not_compile(error: &SiteError) -> Unfit {
    let mistakes: Vec<String> = error.listed.iter().map(ToString::to_string).collect();
    let plural = if error.count == 1 { "" } else { "s" };
    Unfit {
        code: Code::SiteUnsound,
        detail: format!("it does not compile, {} mistake{plural}", error.count),
        reason_count: error.count,
        reasons: told(mistakes.iter().map(String::as_str)),
    }
}

fn told<'a>(reasons: impl Iterator<Item = &'a str>) -> Vec<Text> {
    reasons.take(SITE_REASONS_MAX).map(Text::new).collect()
}

/// What would come to an end that somebody relies on: open alarms, and feeds that are connected.
fn stranded(next: &Site, in_force: &InForce) -> Vec<String> {
    let kept = Kept(next);
    let feeds = in_force
        .feeds
        .iter()
        .filter(|feed| next.source(feed.as_str()).is_none())
        .map(|feed| format!("feed {feed}: its vendor is connected, and would be closed"));
    let alarms = in_force.open.iter().filter_map(|(notice, alarm)| {
        let gone = if notice.rule.is_some() {
            let why = next.unfounding(&in_force.site, notice, in_force.now)?;
            kept.said(why, alarm)
        } else {
            kept.gone(alarm)?
        };
        let subject = alarm.subject.as_ref().map_or_else(String::new, |who| format!(" of {who}"));
        Some(format!("open alarm {} ({:?}{subject}): {gone}", alarm.id, alarm.kind))
    });
    feeds.chain(alarms).collect()
}

/// What the next version has.
#[derive(Debug)]
struct Kept<'a>(&'a Site);

impl Kept<'_> {
    /// Why an alarm of a rule ends, for people.
    fn said(&self, why: Unfounding, alarm: &AlarmNote) -> String {
        let rule = alarm.rule.as_ref().map_or("", Name::as_str);
        let gone = match why {
            Unfounding::RuleGone => return format!("rule {rule} is gone"),
            Unfounding::RuleChanged => return format!("rule {rule} says something else"),
            Unfounding::OutOfHours => return format!("rule {rule} does not hold at this hour"),
            Unfounding::LongerSilence => {
                return format!("rule {rule} allows it for longer, which may not be over");
            }
            Unfounding::NotSelected => None,
            Unfounding::NotWatched => self.place_gone(&alarm.place),
            Unfounding::TagMoved => self.tag_gone(alarm),
            Unfounding::TagsGone => self.subject_gone(alarm),
        };
        gone.unwrap_or_else(|| match why {
            Unfounding::NotWatched => format!("rule {rule} watches its place no more"),
            Unfounding::TagMoved => "its tag is on somebody else, or on nobody".to_owned(),
            Unfounding::TagsGone => "its subject has too few tags left".to_owned(),
            _ => format!("rule {rule} is about its subject no more"),
        })
    }

    /// What an alarm of the system is about and the next version does not have, if anything.
    fn gone(&self, alarm: &AlarmNote) -> Option<String> {
        let subject = self.subject_gone(alarm);
        subject.or_else(|| self.tag_gone(alarm)).or_else(|| self.place_gone(&alarm.place))
    }

    fn subject_gone(&self, alarm: &AlarmNote) -> Option<String> {
        let gone = alarm.subject.as_ref().filter(|who| self.0.subject(who.as_str()).is_none())?;
        Some(format!("subject {gone} is gone"))
    }

    fn tag_gone(&self, alarm: &AlarmNote) -> Option<String> {
        let gone = alarm.tag.filter(|tag| self.0.tag(*tag).is_none())?;
        Some(format!("tag {gone} is gone"))
    }

    fn place_gone(&self, place: &Thing) -> Option<String> {
        let (is_there, kind, id) = match place {
            Thing::Site | Thing::Subject(_) => return None,
            Thing::Tag(tag) => {
                let is_there = self.0.tag(*tag).is_some();
                return (!is_there).then(|| format!("tag {tag} is gone"));
            }
            Thing::Zone(id) => (self.0.zone(id.as_str()).is_some(), "zone", id),
            Thing::Door(id) => (self.0.door(id.as_str()).is_some(), "door", id),
            Thing::Line(id) => (self.0.line(id.as_str()).is_some(), "line", id),
            Thing::Source(id) => (self.0.source(id.as_str()).is_some(), "feed", id),
            Thing::Anchor(id) => (self.0.anchor(id.as_str()).is_some(), "anchor", id),
        };
        (!is_there).then(|| format!("{kind} {id} is gone"))
    }
}

#[cfg(test)]
mod tests;
