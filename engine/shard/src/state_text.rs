//! Everything a shard remembers, as text, so that two shards can be compared.

use std::fmt::{Debug, Write};

use ach_actors_runtime::{Cell, Slab};

use crate::Shard;

impl Shard {
    /// The state without anything that replicas may differ in: how cells are kept, and counters
    /// of what was swept.
    pub(crate) fn state_text(&self) -> String {
        let mut text = String::new();
        let actors = &self.stage.actors;
        cells(&mut text, "tag", &actors.tags);
        cells(&mut text, "subject", &actors.subjects);
        cells(&mut text, "zone", &actors.zones);
        cells(&mut text, "door", &actors.doors);
        cells(&mut text, "source", &actors.sources);
        cells(&mut text, "anchor", &actors.anchors);
        let deadlines = self.stage.deadlines.to_sorted();
        let rest = (&self.stage.health, deadlines, &self.lanes, &self.quarantine);
        let open: Vec<_> = self.board.open().collect();
        let quiet = self.board.quiets.head();
        let board = (open, quiet, self.board.raised_head(), &self.door_desk);
        write!(text, "{rest:#?} {board:#?} {:?}", self.totals).expect("text has room");
        text
    }
}

fn cells<C: Cell + Debug>(text: &mut String, kind: &str, slab: &Slab<C>) {
    for id in 0..u32::try_from(slab.seat_count()).expect("few") {
        if let Some(cell) = slab.get(id) {
            let state = without_moves(&without_caches(&format!("{:?}", cell.state())));
            writeln!(text, "{kind} {id}: {state}").expect("text has room");
        }
    }
}

/// What the last input did to a zone is kept to undo it, and over with it.
fn without_moves(text: &str) -> String {
    let name = "moves: [";
    let Some((before, after)) = text.split_once(name) else { return text.to_owned() };
    let (_, after) = after.split_once(']').expect("a list ends");
    format!("{before}{name}]{after}")
}

/// Safe boxes, and where the last position lay for each watch, are caches: compaction loses them,
/// and the next position finds them anew.
fn without_caches(text: &str) -> String {
    let mut parts = without_box(text);
    for standing in ["Inside", "Blurred", "Tolerated", "Beyond"] {
        parts = parts.replace(&format!("standing: {standing}, "), "");
    }
    parts
}

fn without_box(text: &str) -> String {
    let (name, next) = ("safe_box: ", ", heard: ");
    match (text.find(name), text.find(next)) {
        (Some(from), Some(until)) if from < until => format!("{}{}", &text[..from], &text[until..]),
        _ => text.to_owned(),
    }
}
