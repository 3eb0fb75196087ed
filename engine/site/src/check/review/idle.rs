//! Rules that never raise anything: never in force, or about nobody who can be heard.

use ach_actors_model::Window;

use super::Review;
use crate::finding::FindingKind;
use crate::{What, WhoPlan};

pub(super) fn review(review: &Review<'_>) {
    let has_holidays = !review.check.directory.holidays.is_empty();
    for rule in &review.rules {
        if !has_holidays && rule.plan.when.iter().any(names_holidays) {
            let problem = "`when` names holidays, and the site has none";
            let remedy = "add `holidays` to site.toml, or take the word out of `days`";
            review.warn(rule, FindingKind::NoHolidays, problem, remedy);
        } else if rule.hours.is_never() {
            let problem = "its hours never come: `when` names no day";
            review.warn(rule, FindingKind::DeadRule, problem, "name days, or leave `when` out");
        }
        let who = &rule.plan.who;
        let is_for_all =
            *who == WhoPlan { not_labels: who.not_labels.clone(), ..WhoPlan::default() };
        // Spare tags are under rules for all; their silence is meant.
        let is_for_spare = is_for_all && !matches!(rule.plan.what, What::TagSilent { .. });
        if rule.plan.what.is_about_nobody() || (is_for_spare && review.census.has_spare_tags()) {
            continue;
        }
        let count = review.census.count(who);
        if count.all > 0 && count.tagged == 0 {
            let problem = match count.all {
                1 => "the only one it is about carries no tag".to_owned(),
                all => format!("none of the {all} it is about carries a tag"),
            };
            let remedy = "give them tags: whoever carries none is never heard";
            review.warn(rule, FindingKind::DeadRule, &problem, remedy);
        }
    }
}

/// Whether the window asks for holidays. One of every day has them without asking.
fn names_holidays(window: &Window) -> bool {
    window.weekdays & Window::HOLIDAYS != 0 && window.weekdays != Window::EVERY_DAY
}
