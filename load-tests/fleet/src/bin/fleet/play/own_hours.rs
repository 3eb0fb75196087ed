//! What doors are told that nobody has to expect: how they rest, when the play begins, and what their own hours say, when
//! those begin or end. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{DoorSlot, Name, SiteConfig, Timestamp};
use ach_clients_rust::WireDoorOrder;

use super::hours::Hours;

/// The doors' own hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnHours {
    begin: Timestamp,
    /// Of each door that has hours, the seconds of the day at which they begin or end.
    edges: BTreeMap<Name, BTreeSet<u32>>,
}

impl OwnHours {
    /// Those of a site, in a play that begins at `begin`.
    pub(crate) fn of(config: &SiteConfig, begin: Timestamp) -> OwnHours {
        let hours = config.doors.iter().filter_map(|door| {
            let windows = &door.control.as_ref()?.unlocked_when;
            let edges = windows.iter().flat_map(|window| [window.from_s, window.until_s]);
            Some((door.id.clone(), edges.collect()))
        });
        OwnHours { begin, edges: hours.collect() }
    }

    /// Whether a door may be told this although nobody expects it. Given back at another time it was not by its hours.
    pub(crate) fn may_tell(&self, order: &WireDoorOrder, hours: &Hours) -> bool {
        let has_edge = || {
            let second = hours.second_of_day(order.given_at);
            let edges = self.edges.get(&order.door);
            second.zip(edges).is_some_and(|(second, edges)| edges.contains(&second))
        };
        match order.slot {
            None | Some(DoorSlot::Schedule) => order.given_at == self.begin || has_edge(),
            Some(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::DoorMode;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// A play from 18:55; the entrance is unlocked from 6 to 19, the ward has no hours.
    #[track_caller]
    fn check(door: &str, time: &str, slot: Option<DoorSlot>, may: bool) {
        let hours = Hours::from("2026-11-24 18:55:00", "Europe/Berlin").unwrap();
        let begin = hours.begin().unwrap();
        let edges = BTreeMap::from([
            (name("entrance"), BTreeSet::from([6 * 3_600, 19 * 3_600])),
            (name("ward"), BTreeSet::new()),
        ]);
        let order = WireDoorOrder {
            door: name(door),
            number: 1,
            mode: DoorMode::Locked,
            slot,
            given_at: hours.at(time.to_owned().try_into().unwrap()).unwrap(),
            until: None,
            is_drill: false,
            fencing_epoch: 1,
        };
        assert_eq!(
            OwnHours { begin, edges }.may_tell(&order, &hours),
            may,
            "{door} {time} {slot:?}"
        );
    }

    #[test]
    fn doors_may_be_told_how_they_rest_in_the_beginning_and_at_the_edges_of_their_hours() {
        let schedule = Some(DoorSlot::Schedule);
        check("ward", "18:55:00", None, true);
        check("ward", "18:55:01", None, false);
        check("ward", "19:00:00", None, false);
        check("entrance", "18:55:00", schedule, true);
        check("entrance", "19:00:00", None, true);
        check("entrance", "19:00:01", None, false);
        check("entrance", "22:00:00", None, false);
        check("entrance", "06:00:00", schedule, true);
        check("entrance", "07:00:00", schedule, false);
        check("entrance", "19:00:00", Some(DoorSlot::Lockdown), false);
        check("ward", "18:55:00", Some(DoorSlot::Operator), false);
    }
}
