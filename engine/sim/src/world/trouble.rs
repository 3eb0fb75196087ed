//! What each fault does, and how people put it right.

use std::time::Duration;

use ach_engine_journal::SimFault;
use ach_engine_store::{SimRoom, SimTablesFault};

use super::{Event, NODE_MACHINE, Stage, VENDOR_MACHINE, Weather, machine};
use crate::fault::Fault;
use crate::journal_disk::JournalDisk;
use crate::past::Loss;

/// An hour, which clocks jump by.
const HOUR_NS: i64 = 3_600_000_000_000;

/// How long the machines sleep: longer than what the node takes for a pause.
const SUSPEND_NS: u64 = 30_000_000_000;

/// Longer than a connection lives on which nothing is heard.
const CUT_MS: u64 = 12_000;

impl Stage {
    /// Lets a fault come.
    pub(super) async fn strike(&mut self, fault: Fault) {
        let now_ms = self.now_ms();
        let fair = Weather::FAIR;
        match fault {
            Fault::LostPackets => self.storm(Weather { lost_permille: 250, ..fair }),
            Fault::BentPackets => self.storm(Weather { bent_permille: 200, ..fair }),
            Fault::SlowNetwork => self.storm(Weather { delay_ms: 200, ..fair }),
            Fault::ReorderedPackets => self.storm(Weather { jitter_ms: 60, ..fair }),
            Fault::Partition => self.cut(3_000, true),
            Fault::OneWayPartition => self.cut(4_000, false),
            Fault::ConnectionCut => self.cut(CUT_MS, true),
            Fault::SlowReceiver => {
                let how_long_ms = self.chance.between(1_000, 8_000);
                self.receiver.sleep_for(Duration::from_millis(how_long_ms));
            }
            Fault::NodeKilled if self.host.is_up() => {
                self.host.kill().await;
                self.start_soon(100, 4_000);
            }
            Fault::PowerLost if self.host.is_up() => {
                self.host.lose_power().await;
                self.start_soon(200, 6_000);
            }
            Fault::TornWrite => self.host.plan(SimFault::PowerCut),
            Fault::FlippedBit if self.host.is_up() => {
                self.host.kill().await;
                // One that is still to be put back is of the disk before it was damaged.
                if self.backup.is_none() {
                    self.backup = Some(self.host.backup());
                }
                if self.host.flip_bit() {
                    self.past.skips_to_at_most = u64::MAX;
                }
                if self.host.has_no_history() {
                    // What it would be made of may be harmed.
                    self.past.losses.push(Loss::Possible(self.host.latest_beginning()));
                }
                self.start_soon(100, 1_000);
            }
            Fault::DiskError if self.chance.happens(250) => {
                self.host.plan_for_audit(SimFault::Fail);
            }
            Fault::DiskError => self.host.plan(SimFault::Fail),
            Fault::DiskFull => {
                // History is the first to stop.
                self.host.run_low();
                let after_ms = self.history_chance.between(200, 2_000);
                self.put(now_ms.saturating_add(after_ms), Event::DiskFull);
            }
            Fault::DiskStall => self.host.plan(SimFault::Stall { stall_ns: 1_000_000_000 }),
            Fault::ClockJump => {
                let is_forward = self.chance.happens(500);
                self.host.clock.jump_ns(if is_forward { HOUR_NS } else { -HOUR_NS });
            }
            Fault::Suspend => self.time.skip_ns(SUSPEND_NS),
            Fault::VendorKilled => {
                self.vendor.kill(&mut self.past);
                let after_ms = self.chance.between(50, 3_000);
                self.put(now_ms.saturating_add(after_ms), Event::StartVendor);
            }
            Fault::DuplicateInputs => self.vendor.publish_again(&mut self.past),
            Fault::HistoryFails
            | Fault::HistoryFull
            | Fault::HistoryStall
            | Fault::HistoryCut
            | Fault::HistoryDamaged
            | Fault::HistoryLost
            | Fault::HistoryOff => self.strike_history(fault).await,
            // A node that is down already cannot go down.
            Fault::NodeKilled | Fault::PowerLost | Fault::FlippedBit => {}
        }
    }

    /// Lets a fault of history come.
    async fn strike_history(&mut self, fault: Fault) {
        match fault {
            Fault::HistoryFails => {
                let is_kept = self.history_chance.happens(300);
                self.host.plan_for_history(SimTablesFault::Fail { is_kept });
            }
            Fault::HistoryStall => {
                let stall_ns = self.history_chance.between(2, 8) * 1_000_000_000;
                self.host.plan_for_history(SimTablesFault::Stall { stall_ns });
            }
            Fault::HistoryCut => {
                let is_kept = self.history_chance.happens(500);
                self.host.plan_for_history(SimTablesFault::Die { is_kept });
            }
            Fault::HistoryFull => {
                let is_told = self.history_chance.happens(500);
                let room = if is_told { SimRoom::Low } else { SimRoom::Full };
                self.host.begin_shortage(room);
                let for_ms = self.history_chance.between(1_000, 9_000);
                let until_ms = self.now_ms().saturating_add(for_ms);
                self.put(until_ms, Event::HistoryRoom(room));
            }
            Fault::HistoryDamaged | Fault::HistoryLost if self.host.is_up() => {
                self.host.kill().await;
                self.past.losses.push(Loss::Certain(self.host.latest_beginning()));
                if fault == Fault::HistoryLost {
                    self.host.history.lose();
                } else {
                    self.host.history.damage();
                }
                self.start_soon(100, 1_000);
            }
            Fault::HistoryOff if self.host.is_up() => {
                self.host.kill().await;
                self.host.set_history_on(false);
                // Long enough for a checkpoint or two, before which the journal goes.
                let for_ms = self.history_chance.between(6_000, 20_000);
                self.put(self.now_ms().saturating_add(for_ms), Event::HistoryOn);
                self.start_soon(100, 1_000);
            }
            // A node that is down already cannot go down.
            _ => {}
        }
    }

    /// The next start writes history again, and that is soon.
    pub(super) async fn turn_history_on(&mut self) {
        if !self.host.is_history_off() {
            return;
        }
        if self.host.is_up() {
            self.host.kill().await;
            self.start_soon(100, 1_000);
        }
        self.host.set_history_on(true);
        let skips_to = self.host.history_goes_on_after();
        self.past.skips_to_at_most = self.past.skips_to_at_most.max(skips_to);
    }

    /// Puts a backup of the journal back: history may be ahead of it.
    pub(super) fn put_back(&mut self, backup: JournalDisk) {
        self.host.restore(backup);
        self.past.losses.push(Loss::Possible(self.host.latest_beginning()));
    }

    fn storm(&mut self, weather: Weather) {
        self.network.set_weather(weather);
        let until_ms = self.now_ms().saturating_add(self.chance.between(500, 5_000));
        self.put(until_ms, Event::Fair);
    }

    fn cut(&mut self, how_long_ms: u64, is_both_ways: bool) {
        let (node, vendor) = (machine(NODE_MACHINE), machine(VENDOR_MACHINE));
        self.network.set_cut(vendor, node, true);
        if is_both_ways {
            self.network.set_cut(node, vendor, true);
        }
        self.put(self.now_ms().saturating_add(how_long_ms), Event::Fair);
    }

    fn start_soon(&mut self, low_ms: u64, high_ms: u64) {
        let after_ms = self.chance.between(low_ms, high_ms);
        self.start_at_ms = Some(self.now_ms().saturating_add(after_ms));
        self.repair_at_ms = None;
    }

    /// Starts a node that is down, cuts the power that a torn write stands for, and repairs what does
    /// not store.
    pub(super) async fn look_after_node(&mut self) {
        let now_ms = self.now_ms();
        if self.host.has_lost_power() {
            self.host.lose_power().await;
            return self.start_soon(100, 2_000);
        }
        if self.host.history.is_dead() {
            if self.history_chance.happens(500) {
                self.host.lose_power().await;
            } else {
                self.host.kill().await;
            }
            return self.start_soon(100, 2_000);
        }
        if !self.host.is_up() {
            let start_at_ms = *self.start_at_ms.get_or_insert(now_ms);
            if start_at_ms <= now_ms {
                self.start_at_ms = None;
                self.host.start(&mut self.past).await;
            }
            return;
        }
        if self.host.stopped().is_none() {
            self.repair_at_ms = None;
            // A journal that opened needs no backup.
            self.backup = None;
            return;
        }
        let repair_at_ms = *self.repair_at_ms.get_or_insert(now_ms.saturating_add(2_500));
        if repair_at_ms <= now_ms {
            self.host.kill().await;
            self.host.set_full(false);
            if let Some(backup) = self.backup.take() {
                self.put_back(backup);
            }
            self.start_soon(100, 500);
        }
    }
}
