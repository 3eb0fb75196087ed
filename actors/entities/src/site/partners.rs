//! Whom the subjects of a rule set may not meet, where these are few.
//!
//! A rule that keeps apart names a handful on one side as a rule: the two who fight, the one who is not to see
//! somebody. Whoever moves on the other side looks at these, and not at all who stand about.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{RuleRef, SubjectRef};

use super::plans::SubjectPlan;
use super::rule_set::{Role, RuleSet};

/// Up to so many are looked at one by one: it takes no longer than to go through the squares round a place.
const FEW_MAX: usize = 256;

/// Those of all rule sets together, 4 bytes each. Sets beyond it do as if theirs were many.
const PARTNER_COUNT_MAX: usize = 1 << 20;

/// The sides of rules that have few, or nothing for a side that has more. One that has nobody is not here.
type Sides = BTreeMap<(RuleRef, Role), Option<Vec<SubjectRef>>>;

/// Tells each rule set whom its subjects may not meet.
pub(super) fn name_partners(sets: &mut [RuleSet], subjects: &[SubjectPlan]) {
    if !sets.iter().any(RuleSet::is_kept_apart) {
        return;
    }
    let mut sides = Sides::new();
    for (number, plan) in (0..).zip(subjects) {
        let set = usize::try_from(plan.rule_set).ok().and_then(|number| sets.get(number));
        let Some(set) = set.filter(|_| plan.class.is_some()) else { continue };
        for side in own_sides(set) {
            let few = sides.entry(side).or_insert_with(|| Some(Vec::new()));
            if let Some(those) = few {
                those.push(SubjectRef(number));
                if those.len() > FEW_MAX {
                    *few = None;
                }
            }
        }
    }
    let mut room = PARTNER_COUNT_MAX;
    for set in sets.iter_mut().filter(|set| set.is_kept_apart()) {
        let few = partners(set, &sides);
        if let Some(left) = room.checked_sub(few.as_ref().map_or(0, Vec::len)) {
            (set.partners, room) = (few, left);
        }
    }
    name_sought(sets);
}

/// Tells each rule set whether those who have many on the other side look for its subjects.
fn name_sought(sets: &mut [RuleSet]) {
    let searchers = sets.iter().filter(|set| set.is_kept_apart() && set.partners.is_none());
    let sought: BTreeSet<(RuleRef, Role)> = searchers.flat_map(other_sides).collect();
    for set in sets {
        let is_sought = own_sides(set).any(|side| sought.contains(&side));
        set.is_sought = is_sought;
    }
}

/// The sides of rules that the subjects of a set are on.
fn own_sides(set: &RuleSet) -> impl Iterator<Item = (RuleRef, Role)> {
    let abouts = set.meets.iter().map(|&rule| (rule, Role::About));
    abouts.chain(set.met_by.iter().map(|&rule| (rule, Role::Other)))
}

/// Those on which are whom they may not meet.
fn other_sides(set: &RuleSet) -> impl Iterator<Item = (RuleRef, Role)> {
    let others = set.meets.iter().map(|&rule| (rule, Role::Other));
    others.chain(set.met_by.iter().map(|&rule| (rule, Role::About)))
}

/// All on the other sides of a set's rules, in order; nothing if they are many.
fn partners(set: &RuleSet, sides: &Sides) -> Option<Vec<SubjectRef>> {
    let mut partners: Vec<SubjectRef> = Vec::new();
    for side in other_sides(set) {
        let Some(those) = sides.get(&side) else { continue };
        partners.extend(those.as_ref()?);
    }
    partners.sort_unstable();
    partners.dedup();
    (partners.len() <= FEW_MAX).then_some(partners)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ach_actors_model::SubjectClass;

    const RULE: RuleRef = RuleRef(0);
    const OTHER_RULE: RuleRef = RuleRef(1);

    fn about(meets: &[RuleRef], met_by: &[RuleRef]) -> RuleSet {
        RuleSet { meets: meets.to_vec(), met_by: met_by.to_vec(), ..RuleSet::default() }
    }

    /// Each row: how many are of each set, and whom those of the first set may not meet.
    #[test]
    fn few_partners_are_named_and_many_are_not() {
        let walkers = about(&[RULE], &[]);
        for (name, sets, counts, expected) in [
            ("nobody on the other side", vec![walkers.clone()], vec![3], Some(vec![])),
            (
                "two on the other side",
                vec![walkers.clone(), about(&[], &[RULE])],
                vec![3, 2],
                Some(vec![3, 4]),
            ),
            ("too many", vec![walkers, about(&[], &[RULE])], vec![3, 257], None),
            (
                "of both sides, so each other too",
                vec![about(&[RULE], &[RULE])],
                vec![3],
                Some(vec![0, 1, 2]),
            ),
            (
                "of two rules",
                vec![
                    about(&[RULE], &[OTHER_RULE]),
                    about(&[], &[RULE]),
                    about(&[OTHER_RULE], &[RULE]),
                ],
                vec![1, 1, 2],
                Some(vec![1, 2, 3]),
            ),
            (
                "few of one rule and many of another",
                vec![
                    about(&[RULE, OTHER_RULE], &[]),
                    about(&[], &[RULE]),
                    about(&[], &[OTHER_RULE]),
                ],
                vec![1, 1, 257],
                None,
            ),
            (
                "few of each, many together",
                vec![
                    about(&[RULE, OTHER_RULE], &[]),
                    about(&[], &[RULE]),
                    about(&[], &[OTHER_RULE]),
                ],
                vec![1, 129, 128],
                None,
            ),
        ] {
            let mut sets: Vec<RuleSet> = sets;
            let of_set = |(number, &count): (u32, &usize)| {
                let plan = SubjectPlan {
                    class: Some(SubjectClass::Patient),
                    rule_set: number,
                    tags_from: 0,
                };
                vec![plan; count]
            };
            let mut subjects: Vec<SubjectPlan> = (0..).zip(&counts).flat_map(of_set).collect();
            // One who is gone is nobody's partner.
            subjects.push(SubjectPlan { class: None, rule_set: 1, tags_from: 0 });
            name_partners(&mut sets, &subjects);
            let expected =
                expected.map(|those| those.into_iter().map(SubjectRef).collect::<Vec<_>>());
            assert_eq!(sets[0].partners, expected, "{name}");
        }
    }

    /// Each row: of how many walkers and of how many they may not meet each is sought by where it is.
    #[test]
    fn who_has_many_on_the_other_side_looks_for_them_by_where_they_are() {
        for (walkers, others, expected) in [
            (257, 2, [true, false]),
            (2, 257, [false, true]),
            (257, 257, [true, true]),
            (2, 2, [false; 2]),
        ] {
            let mut sets = vec![about(&[RULE], &[]), about(&[], &[RULE]), RuleSet::default()];
            let of_set = |(number, count): (u32, usize)| {
                let class = Some(SubjectClass::Patient);
                vec![SubjectPlan { class, rule_set: number, tags_from: 0 }; count]
            };
            let counts = [walkers, others, 5];
            let subjects: Vec<SubjectPlan> = (0..).zip(counts).flat_map(of_set).collect();
            name_partners(&mut sets, &subjects);
            let sought: Vec<bool> = sets.iter().map(|set| set.is_sought).collect();
            assert_eq!(sought, [expected[0], expected[1], false], "{walkers} and {others}");
        }
    }
}
