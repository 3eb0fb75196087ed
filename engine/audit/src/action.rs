//! What was done.

use crate::word::words;

words! {
    /// What was done, or was to be done.
    Action: u16 {
        /// The node began to work.
        NodeStarted = 1, "node_started";
        /// The node ended in good order. A start without it before it tells of a crash.
        NodeStopped = 2, "node_stopped";
        /// A version of the site came into force.
        SitePutInForce = 3, "site_put_in_force";
        /// The journal stores nothing any more.
        StoringStopped = 4, "storing_stopped";
        /// An earlier record or file of the audit log was found to be wrong.
        AuditFoundWrong = 5, "audit_found_wrong";
        /// Somebody connected, or wanted to.
        Connected = 16, "connected";
        /// A connection ended.
        Disconnected = 17, "disconnected";
        /// A certificate was made for somebody.
        Enrolled = 32, "enrolled";
        /// A certificate was made in the place of an earlier one.
        Renewed = 33, "renewed";
        /// All certificates of somebody were made void.
        Revoked = 34, "revoked";
        /// An actor was set aside: what it watched is not watched.
        ActorSetAside = 48, "actor_set_aside";
        /// An actor that was set aside was let work again.
        ActorReleased = 49, "actor_released";
        /// A version of the site was offered to be judged alone.
        SiteJudged = 50, "site_judged";
        /// A test alarm was sent on its way.
        SelfTested = 51, "self_tested";
        /// A vendor named a thing of another feed, or one the site does not have.
        ThingNamed = 64, "thing_named";
        /// A report or position was sent.
        InputSent = 65, "input_sent";
        /// Something was asked for on the control stream.
        RequestMade = 66, "request_made";
        /// Somebody began to read what is about people.
        ReadBegun = 80, "read_begun";
        /// Somebody no longer reads it.
        ReadEnded = 81, "read_ended";
        /// A legal hold was placed.
        HoldPlaced = 96, "hold_placed";
        /// A legal hold was lifted.
        HoldLifted = 97, "hold_lifted";
        /// What is known about persons was kept.
        PersonKept = 98, "person_kept";
        /// A person was erased: their key was destroyed.
        PersonErased = 99, "person_erased";
        /// Somebody took notice of an alarm.
        AlarmAcknowledged = 112, "alarm_acknowledged";
        /// Somebody confirmed that what an alarm asked for was done.
        AlarmConfirmed = 113, "alarm_confirmed";
        /// An alarm was given to somebody to see to.
        AlarmAssigned = 114, "alarm_assigned";
        /// Somebody said something about an alarm.
        AlarmCommented = 115, "alarm_commented";
        /// The condition of an alarm was put aside for a time.
        AlarmShelved = 116, "alarm_shelved";
        /// It is put aside no more.
        AlarmUnshelved = 117, "alarm_unshelved";
        /// A latched alarm was reset.
        AlarmReset = 118, "alarm_reset";
        /// Somebody said what an alarm was.
        AlarmClosed = 119, "alarm_closed";
        /// Alarms of a place or rule were muted for a time, or one of two persons wished it.
        AlarmsMuted = 120, "alarms_muted";
        /// They are muted no more.
        AlarmsUnmuted = 121, "alarms_unmuted";
        /// A place or rule was taken out of service.
        TakenOutOfService = 122, "taken_out_of_service";
        /// It is in service again.
        PutBackInService = 123, "put_back_in_service";
        /// A door was told what to do for a time.
        DoorMoved = 124, "door_moved";
        /// It is told that no more.
        DoorGivenBack = 125, "door_given_back";
        /// People are let out by a door.
        DoorReleased = 126, "door_released";
        /// That was taken back.
        DoorReleaseEnded = 127, "door_release_ended";
        /// A lockdown was declared.
        LockdownDeclared = 128, "lockdown_declared";
        /// It was ended.
        LockdownEnded = 129, "lockdown_ended";
        /// An evacuation was declared.
        EvacuationDeclared = 130, "evacuation_declared";
        /// It was ended.
        EvacuationEnded = 131, "evacuation_ended";
        /// A fire that is told at a door was said to be over.
        FireEnded = 132, "fire_ended";
        /// A subject was given leave.
        LeaveGiven = 140, "leave_given";
        /// Somebody ended a subject's leave.
        LeaveEnded = 141, "leave_ended";
        /// A band was taken off with somebody's knowledge.
        BandTakenOff = 142, "band_taken_off";
        /// Somebody said that a band is on.
        BandPutOn = 143, "band_put_on";
    }
}

/// What kind of act it is: create, read, update, delete or execute, as FHIR's `AuditEvent.action`
/// has it.
impl Action {
    /// The letter: C, R, U, D or E.
    pub const fn letter(self) -> char {
        match self {
            Action::Enrolled | Action::Renewed | Action::HoldPlaced => 'C',
            Action::Revoked | Action::HoldLifted | Action::PersonErased => 'D',
            Action::ReadBegun | Action::ReadEnded => 'R',
            Action::SitePutInForce
            | Action::ActorSetAside
            | Action::ActorReleased
            | Action::PersonKept
            | Action::AlarmAcknowledged
            | Action::AlarmConfirmed
            | Action::AlarmAssigned
            | Action::AlarmCommented
            | Action::AlarmShelved
            | Action::AlarmUnshelved
            | Action::AlarmReset
            | Action::AlarmClosed
            | Action::AlarmsMuted
            | Action::AlarmsUnmuted
            | Action::TakenOutOfService
            | Action::PutBackInService
            | Action::DoorMoved
            | Action::DoorGivenBack
            | Action::DoorReleased
            | Action::DoorReleaseEnded
            | Action::LockdownDeclared
            | Action::LockdownEnded
            | Action::EvacuationDeclared
            | Action::EvacuationEnded
            | Action::FireEnded
            | Action::LeaveGiven
            | Action::LeaveEnded
            | Action::BandTakenOff
            | Action::BandPutOn => 'U',
            Action::NodeStarted
            | Action::NodeStopped
            | Action::StoringStopped
            | Action::AuditFoundWrong
            | Action::Connected
            | Action::Disconnected
            | Action::SiteJudged
            | Action::SelfTested
            | Action::ThingNamed
            | Action::InputSent
            | Action::RequestMade => 'E',
        }
    }
}
