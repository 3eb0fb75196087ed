//! Reads a vendor's reports of doors, buttons, bands, anchors and detectors. Never shed: when the shard's lane
//! is full, this waits, and the stream's flow control makes the vendor wait.

use std::rc::Rc;

use ach_actors_model::{Lane, Report, ReportKind, Timestamp};
use ach_engine_net::FrameSource;
use ach_engine_shard::Input;
use ach_engine_wire::{Code, Frame, ReportWord, WireReport};

use super::Session;
use super::fault::{Fault, counter};
use super::handles::Handle;
use super::vendor::Vendor;

/// Reads the lane until the vendor ends it.
///
/// # Errors
///
/// The vendor broke the protocol or is gone, or the node is ending.
pub(crate) async fn read_reports(
    session: Rc<Session>,
    vendor: Rc<Vendor>,
    lane: Lane,
    mut frames: FrameSource,
) -> Result<(), Fault> {
    let mut next_seq = vendor.start(lane);
    while let Some(frame) = frames.next().await? {
        let reports = match Frame::decode(frame)? {
            Some(Frame::Reports(reports)) => reports,
            Some(_) => {
                let detail = "a lane of reports carries reports alone";
                return Err(Fault::peer(Code::UnexpectedFrame, detail));
            }
            None => continue,
        };
        let received_at = session.rim.clock.now();
        session.rim.residence.begin(vendor.source, lane, next_seq);
        vendor.handles.borrow_mut().refresh(&session.rim.site(), vendor.source);
        vendor.clock.compare_with(session.rim.has_certain_clock());
        for report in reports {
            next_seq = session.begin_lane(&vendor, lane, next_seq, report.seq);
            if report.seq < next_seq {
                session.count_repeated(&vendor, lane, 1);
                continue;
            }
            if report.seq > next_seq {
                let detail = format!("expected number {next_seq}, got {}", report.seq);
                return Err(Fault::peer(Code::SequenceGap, detail));
            }
            if report.seq > vendor.credit(&session.rim, lane) {
                let detail = "more reports than the credit allows";
                return Err(Fault::peer(Code::BeyondCredit, detail));
            }
            next_seq = next_seq.saturating_add(1);
            take_report(&session, &vendor, lane, report, received_at).await?;
        }
    }
    Ok(())
}

async fn take_report(
    session: &Session,
    vendor: &Vendor,
    lane: Lane,
    report: WireReport,
    received_at: Timestamp,
) -> Result<(), Fault> {
    let kind = match meaning(&vendor.handles.borrow(), lane, report) {
        Ok(kind) => kind,
        Err(code) => {
            if let Some(counter) = counter(&session.rim.counters, code) {
                counter.count();
            }
            session.refuse(vendor, lane, report.seq, code, report.handle);
            session.refuse_report(vendor, lane, report.seq);
            return Ok(());
        }
    };
    session.notice_clock(vendor, report.observed_at, received_at)?;
    let seq = report.seq;
    let report = Report {
        source: vendor.source,
        lane,
        epoch: vendor.epoch,
        seq,
        observed_at: report.observed_at,
        received_at,
        kind,
    };
    session.rim.lanes.send(lane, Input::Report(report)).await?;
    session.rim.acks.borrow_mut().source(vendor.source).lane_mut(lane).sent_through = seq;
    // What was found of the clock goes by the door lane. No call may wait for that: not this one,
    // nor the next, which comes behind it. It is told with the next input that finds room.
    if lane == Lane::Duress && session.rim.lanes.is_door_lane_full() {
        return Ok(());
    }
    vendor.tell_clock(&session.rim).await
}

fn meaning(
    handles: &super::handles::Handles,
    lane: Lane,
    report: WireReport,
) -> Result<ReportKind, Code> {
    if report.word.lane() != lane {
        return Err(Code::WrongLane);
    }
    Ok(match (report.word, handles.get(report.handle)) {
        (_, Handle::Refused(code)) => return Err(code),
        (ReportWord::ButtonPressed, Handle::Tag(tag)) => ReportKind::ButtonPressed { tag },
        (ReportWord::ButtonReset, Handle::Tag(tag)) => ReportKind::ButtonReset { tag },
        (ReportWord::BandCut, Handle::Tag(tag)) => ReportKind::BandCut { tag },
        (ReportWord::BandWhole, Handle::Tag(tag)) => ReportKind::BandWhole { tag },
        (ReportWord::DoorOpened, Handle::Door(door)) => ReportKind::DoorOpened { door },
        (ReportWord::DoorClosed, Handle::Door(door)) => ReportKind::DoorClosed { door },
        (ReportWord::DoorLocked, Handle::Door(door)) => ReportKind::DoorLocked { door },
        (ReportWord::DoorUnlocked, Handle::Door(door)) => ReportKind::DoorUnlocked { door },
        (ReportWord::AccessGranted { valid_ms }, Handle::Door(door)) => {
            let badge = report.badge.map(|badge| handles.badge(badge)).transpose()?.flatten();
            ReportKind::AccessGranted { door, valid_ms, badge }
        }
        (ReportWord::ExitRequested { valid_ms }, Handle::Door(door)) => {
            ReportKind::ExitRequested { door, valid_ms }
        }
        (ReportWord::AnchorAlive, Handle::Anchor(anchor)) => ReportKind::AnchorAlive { anchor },
        (ReportWord::AnchorLost, Handle::Anchor(anchor)) => ReportKind::AnchorLost { anchor },
        (ReportWord::DoorTampered, Handle::Door(door)) => ReportKind::DoorTampered { door },
        (ReportWord::DoorUntampered, Handle::Door(door)) => ReportKind::DoorUntampered { door },
        (ReportWord::ReaderTampered, Handle::Door(door)) => ReportKind::ReaderTampered { door },
        (ReportWord::ReaderUntampered, Handle::Door(door)) => ReportKind::ReaderUntampered { door },
        (ReportWord::DoorAlive, Handle::Door(door)) => ReportKind::DoorAlive { door },
        (ReportWord::DoorLost, Handle::Door(door)) => ReportKind::DoorLost { door },
        (ReportWord::OrderDone { number }, Handle::Door(door)) => {
            ReportKind::OrderDone { door, number }
        }
        (ReportWord::OrderRefused { number }, Handle::Door(door)) => {
            ReportKind::OrderRefused { door, number }
        }
        (ReportWord::FireOn, Handle::Door(door)) => ReportKind::FireOn { door },
        (ReportWord::FireOver, Handle::Door(door)) => ReportKind::FireOver { door },
        (ReportWord::LocalOverride { mode }, Handle::Door(door)) => {
            ReportKind::LocalOverride { door, mode }
        }
        (ReportWord::DoorBattery { percent }, Handle::Door(door)) => {
            ReportKind::DoorBattery { door, percent }
        }
        (ReportWord::MotionSeen, Handle::Zone(zone)) => ReportKind::MotionSeen { zone },
        // A door cannot press a button.
        _ => return Err(Code::UnknownThing),
    })
}
