//! The campus with doors that must not be forced and buttons for people in need: what must get through
//! however many pings there are.

use ach_actors_model::{AlarmKind, AlarmPriority, AnswerConfig, Name, SubjectClass, TagId};
use ach_engine_site::{DoorPlan, RulePlan, What, WherePlan, WhoPlan};

use crate::campus::{Campus, FEED, FLOOR_ROOMS, ROOM_MM, corner_mm, name};

/// So many doors report, and so many buttons.
pub(crate) const THINGS: u32 = 50;

/// A campus with doors and buttons.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) campus: Campus,
    /// Doors whose opening is an alarm: nobody ever asks for leave.
    pub(crate) doors: Vec<Name>,
    /// Tags of staff, whose button is an alarm.
    pub(crate) buttons: Vec<TagId>,
}

impl Watched {
    /// A campus of so many rooms and tags.
    pub(crate) fn new(zones: u32, tags: u32) -> Watched {
        let mut campus = Campus::new(zones, tags);
        let directory = &mut campus.directory;
        let mut doors = Vec::new();
        let rooms = (0..zones).step_by(usize::try_from((zones / THINGS).max(1)).unwrap_or(1));
        for room in rooms.take(usize::try_from(THINGS).unwrap_or(0)) {
            let floor = usize::try_from(room / FLOOR_ROOMS).unwrap_or(0);
            let Some(floor) = directory.floors.get_mut(floor) else { continue };
            let door = door(room);
            doors.push(door.id.clone());
            floor.doors.push(door);
        }
        directory.rules.extend(rules());
        let staff = directory.people.iter().filter(|person| person.class == SubjectClass::Staff);
        let buttons = staff.flat_map(|person| person.tags.iter().map(|tag| tag.id));
        let buttons = buttons.take(usize::try_from(THINGS).unwrap_or(0)).collect();
        Watched { campus, doors, buttons }
    }
}

/// A door in the back wall of a room, where nobody of the load walks.
fn door(room: u32) -> DoorPlan {
    let (x_mm, y_mm) = corner_mm(room);
    let middle_mm = x_mm + ROOM_MM.0 / 2;
    DoorPlan {
        id: name(&format!("door-{room}")),
        name: format!("Back door of room {room}"),
        labels: vec![name("guarded")],
        feed: Some(name(FEED)),
        control: None,
        sill_mm: ((middle_mm - 500, y_mm), (middle_mm + 500, y_mm)),
    }
}

fn rules() -> [RulePlan; 2] {
    let rule = |id: &str, who: WhoPlan, place: WherePlan, what: What, alarm: AlarmKind| RulePlan {
        id: name(id),
        name: id.to_owned(),
        who,
        place,
        when: Vec::new(),
        what,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
        others: None,
        responses: Vec::new(),
    };
    let staff = WhoPlan { classes: vec![SubjectClass::Staff], ..WhoPlan::default() };
    let guarded = WherePlan { doors_labelled: vec![name("guarded")], ..WherePlan::default() };
    let anywhere = WherePlan::default();
    [
        rule("duress", staff, anywhere, What::ButtonPressed, AlarmKind::Duress),
        rule("forced", WhoPlan::default(), guarded, What::DoorForced, AlarmKind::DoorForced),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_campus_with_doors_and_buttons_passes_the_check_that_a_user_would_run() {
        let watched = Watched::new(1_000, 2_000);
        let config = watched.campus.directory.config(1).expect("a site without mistakes");
        let things = usize::try_from(THINGS).expect("small");
        assert_eq!((watched.doors.len(), watched.buttons.len()), (things, things));
        assert_eq!(config.doors.len(), things);
    }
}
