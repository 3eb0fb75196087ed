//! Alarms, events and positions as lines for people and as JSON for programs.

mod alarm_line;
mod alarm_object;
mod episode;
mod event_line;
mod words;

pub(crate) use alarm_line::alarm_line;
pub(crate) use alarm_object::{alarm_object, settled_object, thing_object};
pub(crate) use episode::{
    PlaceId, answer_words, episode_object, episode_words, incident_object, place_words,
};
pub(crate) use event_line::{event_line, event_object, position_line, position_object};
pub(crate) use words::{snake, spaced, thing_id};
