//! Reads what happens at once when a rule raises an alarm: the tables `[[response]]` of `rules.toml`.

use std::sync::Arc;

use ach_actors_model::{DoorMode, NS_PER_S, Name};

use crate::ResponsePlan;
use crate::finding::FindingKind;
use crate::response_plan::{LEASE_MAX_NS, RESPONSES_MAX, TOLD_MAX};
use crate::text::{Fields, Origin};

/// What doors may do that a response locks.
pub(crate) const LOCKS: &[(&str, DoorMode)] =
    &[("locked", DoorMode::Locked), ("blocked", DoorMode::Blocked)];

/// Reads all of them.
pub(super) fn read(file: &Fields<'_>, name: &Arc<str>) -> Vec<(ResponsePlan, Origin)> {
    let nodes = file.list("response");
    if nodes.len() > RESPONSES_MAX {
        let problem = format!("there are {} responses, at most {RESPONSES_MAX}", nodes.len());
        let remedy = "let rules share them: select doors by label";
        file.report.error(FindingKind::TooLarge, &file.origin, &problem, remedy);
        return Vec::new();
    }
    let mut responses = Vec::new();
    for (number, node) in (1..).zip(nodes) {
        let at = Origin::new(name, None, format!("response {number}"));
        let Some(fields) = Fields::new(node, &at, file.report) else { continue };
        let id = fields.id("id = \"hold-ward\"");
        let place = id.as_ref().map_or(at.place, |id| format!("response {id}"));
        let fields = fields.placed(place);
        let plan = read_response(&fields, id);
        fields.finish();
        responses.extend(plan.map(|plan| (plan, fields.origin)));
    }
    responses
}

/// A response; one without an id is read for its other mistakes and goes no further.
pub(super) fn read_response(fields: &Fields<'_>, id: Option<Name>) -> Option<ResponsePlan> {
    let is_known = id.is_some();
    let mut plan = ResponsePlan::new(id.or_else(Fields::nameless)?);
    if let Some(lock) = fields.table("lock") {
        (plan.doors, plan.doors_labelled) = read_lock(&lock);
        plan.mode = fields.word("as", LOCKS).unwrap_or(plan.mode);
        let _ = fields.need("for", "for = \"15 min\"");
        plan.for_ns = fields.span_in("for", NS_PER_S..=LEASE_MAX_NS).unwrap_or(NS_PER_S);
        plan.also_exits = fields.flag("also_exits");
    }
    plan.tell = fields.names("tell");
    if plan.tell.len() > TOLD_MAX {
        let problem = format!("tell names {}, at most {TOLD_MAX}", plan.tell.len());
        let remedy = "name a role, and let receivers know who has it";
        fields.report.error(FindingKind::BadValue, &fields.origin, &problem, remedy);
    }
    is_known.then_some(plan)
}

/// The doors of a response, by id and by label.
pub(super) fn read_lock(fields: &Fields<'_>) -> (Vec<Name>, Vec<Name>) {
    let doors = (fields.names("doors"), fields.names("doors_labelled"));
    fields.finish();
    doors
}
