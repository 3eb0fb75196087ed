//! What happens in the ward, and which episodes it must make.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ach_actors_model::{NS_PER_MS, Timestamp};
use ach_clients_rust::{Ping, Publisher, Report, ReportWord, now};

use crate::ward::{
    DURESS, FLOOR, NO_ENTRY, NURSES, VAULT_WEST_MM, WALKERS, nurse, nurse_tag, walker, walker_tag,
};
use crate::{Episode, PATIENCE};

/// Everybody is located once a step: a thousand pings a second.
const STEP_MS: u64 = 40;
/// Steps from the corridor's west end into the vault and back.
const WALK_STEPS: u64 = 60;
/// Steps from one press of a button to the next; in the middle it is reset.
const BUTTON_STEPS: u64 = 30;
/// Where a walk begins; with whole metres a step nobody ever stands on the line.
const WALK_WEST_MM: i32 = 1_500;

/// Where everybody is, and what they have done.
#[derive(Debug)]
pub(crate) struct Load {
    is_inside: Vec<bool>,
    is_pressed: Vec<bool>,
    entries: Vec<u32>,
    presses: Vec<u32>,
}

impl Default for Load {
    fn default() -> Load {
        let (walkers, nurses) =
            (usize::try_from(WALKERS).unwrap(), usize::try_from(NURSES).unwrap());
        Load {
            is_inside: vec![false; walkers],
            is_pressed: vec![false; nurses],
            entries: vec![0; walkers],
            presses: vec![0; nurses],
        }
    }
}

impl Load {
    /// Publishes until it is told to stop, then sends everybody out and resets every button. Gives
    /// the episodes that this must have made.
    pub(crate) async fn run(
        mut self,
        vendor: Publisher,
        is_over: Arc<AtomicBool>,
    ) -> BTreeSet<Episode> {
        let start_at = now();
        let mut step = 0;
        let at = loop {
            let at = start_at.plus_ns(step * STEP_MS * NS_PER_MS);
            // Never ahead of the clock; after a pause it catches up.
            tokio::time::sleep(Duration::from_nanos(at.since_ns(now()))).await;
            if is_over.load(Ordering::Relaxed) {
                break at;
            }
            self.walk(step, at, &vendor).await;
            self.press(step, at, &vendor).await;
            step += 1;
        };
        // So far at once is a jump, which is believed when a second position bears it out.
        self.go_home(at, &vendor).await;
        let at = at.plus_ns(STEP_MS * NS_PER_MS);
        tokio::time::sleep(Duration::from_nanos(at.since_ns(now()))).await;
        self.go_home(at, &vendor).await;
        self.episodes()
    }

    async fn walk(&mut self, step: u64, at: Timestamp, vendor: &Publisher) {
        let mut pings = Vec::new();
        for number in 0..WALKERS {
            let phase = (step + 7 * u64::from(number)) % WALK_STEPS;
            let metres = i32::try_from(phase.min(WALK_STEPS - phase)).unwrap();
            pings.push(self.locate(number, at, WALK_WEST_MM + 1_000 * metres));
        }
        send(vendor, &pings).await;
    }

    fn locate(&mut self, number: u32, at: Timestamp, x_mm: i32) -> Ping {
        let row = usize::try_from(number).unwrap();
        let is_inside = x_mm > VAULT_WEST_MM;
        if is_inside && !self.is_inside[row] {
            self.entries[row] += 1;
        }
        self.is_inside[row] = is_inside;
        let y_mm = 1_000 + 1_000 * i32::try_from(number).unwrap();
        Ping::local(walker_tag(number), at, x_mm, y_mm).on_floor(FLOOR).within_mm(100)
    }

    async fn press(&mut self, step: u64, at: Timestamp, vendor: &Publisher) {
        for number in 0..NURSES {
            let row = usize::try_from(number).unwrap();
            match (step + 5 * u64::from(number)) % BUTTON_STEPS {
                0 => {
                    self.is_pressed[row] = true;
                    self.presses[row] += 1;
                    report(vendor, number, at, ReportWord::ButtonPressed).await;
                }
                phase if phase == BUTTON_STEPS / 2 => {
                    self.is_pressed[row] = false;
                    report(vendor, number, at, ReportWord::ButtonReset).await;
                }
                _ => {}
            }
        }
    }

    async fn go_home(&mut self, at: Timestamp, vendor: &Publisher) {
        let home: Vec<Ping> =
            (0..WALKERS).map(|number| self.locate(number, at, WALK_WEST_MM)).collect();
        send(vendor, &home).await;
        for number in 0..NURSES {
            let is_pressed = &mut self.is_pressed[usize::try_from(number).unwrap()];
            if std::mem::take(is_pressed) {
                report(vendor, number, at, ReportWord::ButtonReset).await;
            }
        }
    }

    fn episodes(&self) -> BTreeSet<Episode> {
        let mut episodes = BTreeSet::new();
        for (number, count) in (0..).zip(&self.entries) {
            episodes.extend((1..=*count).map(|at| (NO_ENTRY.to_owned(), walker(number), at)));
        }
        for (number, count) in (0..).zip(&self.presses) {
            episodes.extend((1..=*count).map(|at| (DURESS.to_owned(), nurse(number), at)));
        }
        episodes
    }
}

async fn send(vendor: &Publisher, pings: &[Ping]) {
    let sending = tokio::time::timeout(PATIENCE, vendor.publish_all(pings)).await;
    sending.expect("no room for pings in time").expect("the publisher closed");
}

async fn report(vendor: &Publisher, number: u32, at: Timestamp, word: ReportWord) {
    let report = Report::tag(nurse_tag(number), at, word);
    let sending = tokio::time::timeout(PATIENCE, vendor.report(report)).await;
    sending.expect("no room for reports in time").expect("the publisher closed");
}
