//! What the numbers in entries stand for.

use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{
    AnchorRef, DoorRef, EntityRef, Place, QuietScope, SourceRef, SubjectRef, TagRef, ZoneRef,
    snake_case,
};
use ach_engine_shard::{Entry, Input};
use serde_json::{Map, Value, json};

/// The site that the entries so far have put in force. A number is never given twice, so a later
/// site is as good; what it has no longer keeps its number.
#[derive(Debug, Default)]
pub(super) struct SiteNames {
    site: Option<Arc<Site>>,
}

impl SiteNames {
    /// Begins with the site of a checkpoint, should the journal not begin with the first entry.
    pub(super) fn of(site: Option<Arc<Site>>) -> SiteNames {
        SiteNames { site }
    }

    /// Takes the next entry. A change that the shard refused changes no name.
    pub(super) fn take(&mut self, entry: &Entry) {
        for input in &entry.inputs {
            if let Input::SiteChange(config) = input
                && let Ok(site) = Site::compile(self.site.as_deref(), config)
            {
                self.site = Some(Arc::new(site));
            }
        }
    }

    fn name<T>(&self, of: impl Fn(&Site) -> Option<T>) -> Option<T> {
        self.site.as_deref().and_then(of)
    }

    /// The feed's id.
    pub(super) fn feed(&self, source: SourceRef) -> String {
        self.name(|site| site.source_name(source).map(str::to_owned))
            .unwrap_or_else(|| format!("#{}", source.0))
    }

    /// The tag's factory number.
    pub(super) fn tag(&self, tag: TagRef) -> String {
        self.name(|site| site.tag_id(tag).map(|id| id.to_string()))
            .unwrap_or_else(|| format!("#{}", tag.0))
    }

    /// What it is, and its id.
    pub(super) fn thing(&self, thing: EntityRef) -> (&'static str, String) {
        let text = |name: Option<String>, number: u32| name.unwrap_or_else(|| format!("#{number}"));
        match thing {
            EntityRef::Tag(tag) => ("tag", self.tag(tag)),
            EntityRef::Source(source) => ("feed", self.feed(source)),
            EntityRef::Subject(it) => {
                ("subject", text(self.name(|site| site.subject_name(it).map(str::to_owned)), it.0))
            }
            EntityRef::Zone(it) => {
                ("zone", text(self.name(|site| site.zone_name(it).map(str::to_owned)), it.0))
            }
            EntityRef::Door(it) => {
                ("door", text(self.name(|site| site.door_name(it).map(str::to_owned)), it.0))
            }
            EntityRef::Anchor(it) => {
                ("anchor", text(self.name(|site| site.anchor_name(it).map(str::to_owned)), it.0))
            }
        }
    }

    /// What can be quiet: a place or a rule, and its id.
    pub(super) fn scope(&self, scope: QuietScope) -> (&'static str, String) {
        let text = |name: Option<String>, number: u32| name.unwrap_or_else(|| format!("#{number}"));
        let place = match scope {
            QuietScope::Place(place) => place,
            QuietScope::Rule(it) => {
                let name = self.name(|site| site.rule_name(it).map(str::to_owned));
                return ("rule", text(name, it.0));
            }
        };
        match place {
            Place::Site => ("site", String::new()),
            Place::Zone(it) => self.thing(EntityRef::Zone(it)),
            Place::Door(it) => self.thing(EntityRef::Door(it)),
            Place::Tag(it) => self.thing(EntityRef::Tag(it)),
            Place::Source(it) => self.thing(EntityRef::Source(it)),
            Place::Anchor(it) => self.thing(EntityRef::Anchor(it)),
            Place::Subject(it) => self.thing(EntityRef::Subject(it)),
            Place::Line(it) => {
                ("line", text(self.name(|site| site.line_name(it).map(str::to_owned)), it.0))
            }
        }
    }

    /// An enum of the model whose variants hold numbers (`{"DoorOpened": {"door": 7}}`) as a word and
    /// an object with names: `door_opened`, `{"door": "entrance"}`.
    pub(super) fn words_of(&self, kind: &Value) -> (String, Map<String, Value>) {
        let (word, fields) = match kind {
            Value::String(word) => (word.as_str(), None),
            Value::Object(object) => match object.iter().next() {
                Some((word, fields)) => (word.as_str(), fields.as_object()),
                None => ("", None),
            },
            _ => ("", None),
        };
        let mut named = Map::new();
        for (key, value) in fields.into_iter().flatten() {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let thing = number.and_then(|number| match key.as_str() {
                "tag" => Some(EntityRef::Tag(TagRef(number))),
                "door" => Some(EntityRef::Door(DoorRef(number))),
                "zone" => Some(EntityRef::Zone(ZoneRef(number))),
                "anchor" => Some(EntityRef::Anchor(AnchorRef(number))),
                "subject" => Some(EntityRef::Subject(SubjectRef(number))),
                _ => None,
            });
            named.insert(key.clone(), thing.map_or(value.clone(), |it| json!(self.thing(it).1)));
        }
        (snake_case(word), named)
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::ReportKind;

    use super::*;

    #[test]
    fn what_a_report_says_is_told_in_words() {
        let names = SiteNames::default();
        let kind = serde_json::to_value(ReportKind::DoorOpened { door: DoorRef(7) }).unwrap();
        let (word, things) = names.words_of(&kind);
        assert_eq!(
            (word.as_str(), Value::Object(things)),
            ("door_opened", json!({ "door": "#7" }))
        );
        assert_eq!(names.thing(EntityRef::Zone(ZoneRef(3))), ("zone", "#3".to_owned()));
        let scope = QuietScope::Place(Place::Zone(ZoneRef(3)));
        assert_eq!(names.scope(scope), ("zone", "#3".to_owned()));
    }
}
