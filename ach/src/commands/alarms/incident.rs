//! Alarms that were, by incident: those of one cause under the first of them.

use std::collections::BTreeMap;

use ach_actors_model::AlarmId;
use ach_engine_review::Episode;
use serde_json::json;

use super::{Past, alarm_line, alarm_object};
use crate::exit::Failure;
use crate::moment::local;
use crate::notes::snake;

/// Lists them, each incident where the first of its alarms stands.
pub(super) fn list(past: &Past, listed: Vec<&Episode>, is_json: bool) -> Result<(), Failure> {
    let mut order: Vec<AlarmId> = Vec::new();
    let mut incidents: BTreeMap<AlarmId, Vec<&Episode>> = BTreeMap::new();
    for episode in listed {
        let id = episode.incident_id();
        let alarms = incidents.entry(id).or_default();
        if alarms.is_empty() {
            order.push(id);
        }
        alarms.push(episode);
    }
    for id in &order {
        let Some(alarms) = incidents.get_mut(id) else { continue };
        alarms.sort_by_key(|episode| episode.incident.map(|mark| mark.place));
        if is_json {
            print_objects(past, *id, alarms)?;
        } else {
            print(past, *id, alarms)?;
        }
    }
    Ok(())
}

fn print(past: &Past, id: AlarmId, alarms: &[&Episode]) -> Result<(), Failure> {
    if let [alone] = alarms
        && alone.incident_id() == alone.id
    {
        say!("{}", alarm_line(past, alone)?);
        return Ok(());
    }
    let first_at = alarms.iter().map(|episode| episode.raised_at).min().unwrap_or_default();
    let priority = alarms.iter().map(|episode| episode.priority).max();
    let priority = priority.map(snake).unwrap_or_default();
    say!("{}  incident of {} alarms ({priority})  {id}", local(first_at), alarms.len());
    for episode in alarms {
        let raises = episode.incident.is_some_and(|mark| mark.is_raising);
        say!("  {} {}", if raises { "!" } else { "-" }, alarm_line(past, episode)?);
    }
    Ok(())
}

/// An incident, then its alarms.
fn print_objects(past: &Past, id: AlarmId, alarms: &[&Episode]) -> Result<(), Failure> {
    let priority = alarms.iter().map(|episode| episode.priority).max().map(snake);
    let (event, id) = ("incident", id.to_string());
    say!("{}", json!({ "event": event, "id": id, "alarms": alarms.len(), "priority": priority }));
    for episode in alarms {
        say!("{}", alarm_object(past, episode, "alarm")?);
    }
    Ok(())
}
