//! Which holiday comes next, told of rules for which that matters.

use ach_actors_model::{NS_PER_S, Window};

use super::Explainer;
use super::clocks::{DAY_S, date_words};
use crate::RulePlan;

/// `The next holiday is 25 December 2026.` Nothing of rules that hold on holidays as on other days.
pub(super) fn sentence(explainer: &Explainer<'_>, rule: &RulePlan) -> Option<String> {
    let is_of_every_day = |window: &Window| window.weekdays == Window::EVERY_DAY;
    if explainer.holidays.is_empty() || rule.when.iter().all(is_of_every_day) {
        return None;
    }
    let today = explainer.today();
    let next = explainer.holidays.iter().map(|&day| i64::from(day)).find(|&day| day >= today);
    Some(match next {
        Some(day) => format!("The next holiday is {}.", date_words(day)?),
        None => "All holidays of the site are past.".to_owned(),
    })
}

impl Explainer<'_> {
    /// The local day.
    fn today(&self) -> i64 {
        let offset = self.offsets.iter().rfind(|offset| offset.from <= self.now);
        let now_s = i64::try_from(self.now.0 / NS_PER_S).unwrap_or(i64::MAX);
        now_s.saturating_add(offset.map_or(0, |offset| offset.offset_s.into())).div_euclid(DAY_S)
    }
}
