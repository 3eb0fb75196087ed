//! What is to answer on a walk: what was named, or every door that has told whether it is open. Pure.

use ach_actors_model::{Name, TagId};
use ach_clients_rust::{UnregisteredTag, WireDoor};

use crate::exit::Failure;

/// By what it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChosenBy {
    /// Somebody named it.
    Name,
    /// Nothing was named: it is every door that has told whether it is open.
    Told,
}

impl ChosenBy {
    /// As the protocol says it.
    pub(super) fn word(self) -> &'static str {
        match self {
            ChosenBy::Name => "named",
            ChosenBy::Told => "doors_that_told",
        }
    }
}

/// What is to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) by: ChosenBy,
    pub(super) doors: Vec<Name>,
    pub(super) zones: Vec<Name>,
    /// Doors of the site with a feed that need not answer.
    pub(super) doors_left_out: Vec<Name>,
}

impl Choice {
    /// Chooses among the doors of the site that have a feed.
    ///
    /// # Errors
    ///
    /// A door is named that is not among them, or nothing is named and none has told whether it is open.
    pub(super) fn of(
        named_doors: &[Name],
        zones: &[Name],
        of_site: &[WireDoor],
    ) -> Result<Choice, Failure> {
        let is_named = !named_doors.is_empty() || !zones.is_empty();
        let is_chosen = |it: &&WireDoor| {
            if is_named { named_doors.contains(&it.door) } else { it.is_open.is_some() }
        };
        let (chosen, left_out): (Vec<&WireDoor>, Vec<&WireDoor>) =
            of_site.iter().partition(is_chosen);
        let unknown: Vec<&str> = named_doors
            .iter()
            .filter(|door| !chosen.iter().any(|it| it.door == **door))
            .map(Name::as_str)
            .collect();
        if !unknown.is_empty() {
            return Err(Failure::new(format!(
                "the site in force has no door with a feed that is called {}; look for it in floors/*.geojson",
                unknown.join(", ")
            )));
        }
        if !is_named && chosen.is_empty() {
            return Err(Failure::new(
                "no door has ever told the node that it is open or closed; name doors or zones with --doors and --zones",
            ));
        }
        let ids = |doors: &[&WireDoor]| doors.iter().map(|it| it.door.clone()).collect();
        Ok(Choice {
            by: if is_named { ChosenBy::Name } else { ChosenBy::Told },
            doors: ids(&chosen),
            zones: zones.to_vec(),
            doors_left_out: ids(&left_out),
        })
    }
}

/// Whether the site has the tag, as far as the node says: it tells of those that it heard and the site has not.
///
/// # Errors
///
/// It has been heard, and nobody knows whom it is on.
pub(super) fn look_for(tag: TagId, unregistered: &[UnregisteredTag]) -> Result<(), Failure> {
    let Some(heard) = unregistered.iter().find(|it| it.tag == tag) else { return Ok(()) };
    Err(Failure::new(format!(
        "feed {} tells of tag {tag}, and the site does not have it: nothing would answer; register it with `ach tag register`",
        heard.feed
    )))
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{DoorAnswer, Timestamp};

    use super::*;

    fn names(ids: &str) -> Vec<Name> {
        ids.split_whitespace().map(|id| Name::new(id).unwrap()).collect()
    }

    /// The doors of a site; those with a mark have never told whether they are open.
    fn site(doors: &str) -> Vec<WireDoor> {
        let door = |id: &str| WireDoor {
            door: Name::new(id.trim_end_matches('?')).unwrap(),
            is_open: (!id.ends_with('?')).then_some(false),
            is_locked: None,
            order: None,
            answer: DoorAnswer::NoOrders,
            is_connected: true,
            is_fire_told: false,
        };
        doors.split_whitespace().map(door).collect()
    }

    /// Doors and zones that are named, the site's doors, and what follows: by what, which doors, which not.
    #[track_caller]
    fn check(named: (&str, &str), doors: &str, expected: Result<(&str, &str, &str), &str>) {
        let found = Choice::of(&names(named.0), &names(named.1), &site(doors));
        match (found, expected) {
            (Ok(found), Ok((by, chosen, left_out))) => {
                assert_eq!(found.by.word(), by, "{named:?}");
                assert_eq!(found.doors, names(chosen), "{named:?}");
                assert_eq!(found.doors_left_out, names(left_out), "{named:?}");
            }
            (Err(found), Err(part)) => assert!(found.to_string().contains(part), "{found}"),
            (found, expected) => panic!("{named:?}: expected {expected:?}, found {found:?}"),
        }
    }

    #[test]
    fn doors_are_those_named_or_those_that_told_and_the_others_are_said() {
        check(("", ""), "a b? c", Ok(("doors_that_told", "a c", "b")));
        check(("b", ""), "a b? c", Ok(("named", "b", "a c")));
        check(("b b", ""), "a b?", Ok(("named", "b", "a")));
        check(("", "ward"), "a b?", Ok(("named", "", "a b")));
        check(("", ""), "a? b?", Err("no door has ever told the node"));
        check(("a d e", ""), "a b", Err("no door with a feed that is called d, e"));
    }

    #[test]
    fn a_tag_that_is_heard_and_nobodys_is_said_before_anybody_walks() {
        let feed = Name::new("rtls").unwrap();
        let (first_at, last_at) = (Timestamp(1), Timestamp(2));
        let heard = [UnregisteredTag { feed, tag: TagId(7), first_at, last_at, count: 3 }];
        assert!(look_for(TagId(8), &heard).is_ok());
        let said = look_for(TagId(7), &heard).expect_err("nobody's").to_string();
        assert!(said.contains("feed rtls tells of tag 0000000000000007"), "{said}");
    }
}
