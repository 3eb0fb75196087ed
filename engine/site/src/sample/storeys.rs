//! What the sample hospital has on each storey. Tables alone; `draft` turns them into geometry.
//!
//! A row of rooms begins at the far end of its wing and ends at the hall in the middle. Rooms at
//! both ends are for staff, so that patients and things in a ward stay metres away from its doors
//! and noise does not look like leaving.

use crate::RoomUse;

/// Rooms of one kind side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) room_use: RoomUse,
    pub(super) name: &'static str,
    /// Width in bays of four metres.
    pub(super) bays: i32,
    /// How many.
    pub(super) count: u32,
    /// A stable id for a room that rules name.
    pub(super) id: Option<&'static str>,
}

/// One wing on one storey.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wing {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    /// Which people the ward's door is for.
    pub(super) access: Access,
    pub(super) left: &'static [Row],
    pub(super) right: &'static [Row],
}

/// Whom a ward's door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Staff and visitors: patients do not leave by themselves.
    Secured,
    /// Staff.
    Closed,
}

/// One storey.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storey {
    /// Storeys above the ground.
    pub(super) level: i16,
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Rooms south of the hall, west to east, five bays.
    pub(super) hall: &'static [Row],
    pub(super) west: Wing,
    pub(super) east: Wing,
    pub(super) north: Wing,
}

const fn row(room_use: RoomUse, name: &'static str, bays: i32, count: u32) -> Row {
    Row { room_use, name, bays, count, id: None }
}

const fn known(room_use: RoomUse, id: &'static str, name: &'static str, bays: i32) -> Row {
    Row { room_use, name, bays, count: 1, id: Some(id) }
}

const fn wing(
    (id, name): (&'static str, &'static str),
    labels: &'static [&'static str],
    access: Access,
    left: &'static [Row],
    right: &'static [Row],
) -> Wing {
    Wing { id, name, labels, access, left, right }
}

const fn storey(
    level: i16,
    (id, name): (&'static str, &'static str),
    hall: &'static [Row],
    [west, east, north]: [Wing; 3],
) -> Storey {
    Storey { level, id, name, hall, west, east, north }
}

use Access::{Closed, Open, Secured};
use RoomUse::{Bed, Care, Lounge, Public, Staff, Store};

// West and east wings have eleven bays a side, the north wing eight.
const BEDS_LEFT: &[Row] = &[
    row(Store, "Clean utility", 1, 1),
    row(Bed, "Room", 1, 8),
    row(Staff, "Nurses' station", 2, 1),
];
const BEDS_RIGHT: &[Row] = &[
    row(Store, "Linen", 1, 1),
    row(Bed, "Room", 1, 6),
    row(Lounge, "Day room", 2, 1),
    row(Staff, "Staff room", 1, 1),
    row(Store, "Ward store", 1, 1),
];
const NORTH_BEDS_LEFT: &[Row] = &[
    row(Store, "Clean utility", 1, 1),
    row(Bed, "Room", 1, 5),
    row(Staff, "Nurses' station", 2, 1),
];
const NORTH_BEDS_RIGHT: &[Row] = &[
    row(Store, "Linen", 1, 1),
    row(Bed, "Room", 1, 3),
    row(Lounge, "Day room", 2, 1),
    row(Staff, "Doctors' office", 1, 1),
    row(Store, "Ward store", 1, 1),
];
/// A ward like any other, in the west or the east.
const fn general_ward(id: &'static str, name: &'static str) -> Wing {
    wing((id, name), &["care", "general"], Open, BEDS_LEFT, BEDS_RIGHT)
}

/// The same in the north.
const fn north_general_ward(id: &'static str, name: &'static str) -> Wing {
    wing((id, name), &["care", "general"], Open, NORTH_BEDS_LEFT, NORTH_BEDS_RIGHT)
}

const UPPER_HALL: &[Row] = &[row(Public, "Waiting area", 3, 1), row(Staff, "Meeting room", 2, 1)];

const BASEMENT: Storey = storey(
    -1,
    ("basement", "Basement"),
    &[row(Staff, "Kitchen", 3, 1), row(Staff, "Changing room", 2, 1)],
    [
        wing(
            ("logistics", "Logistics"),
            &["staff-only"],
            Closed,
            &[
                known(Store, "equipment-store", "Equipment store", 4),
                row(Store, "Bed workshop", 3, 1),
                row(Store, "Linen store", 2, 2),
            ],
            &[
                row(Store, "Central sterile supply", 4, 1),
                row(Store, "Goods in", 3, 1),
                row(Staff, "Logistics office", 2, 1),
                row(Store, "Waste", 2, 1),
            ],
        ),
        wing(
            ("pharmacy", "Pharmacy"),
            &["staff-only"],
            Closed,
            &[
                row(Store, "Cold store", 2, 1),
                known(Store, "drug-store", "Drug store", 4),
                row(Staff, "Dispensary", 3, 1),
                row(Staff, "Pharmacy office", 2, 1),
            ],
            &[
                row(Store, "Infusion store", 3, 1),
                row(Staff, "Cytostatics laboratory", 3, 1),
                row(Staff, "Quality control", 3, 1),
                row(Staff, "Pharmacists' room", 2, 1),
            ],
        ),
        wing(
            ("laboratory", "Laboratory and plant"),
            &["staff-only"],
            Closed,
            &[
                row(Staff, "Plant room", 3, 1),
                row(Staff, "Server room", 2, 1),
                row(Staff, "Medical engineering", 3, 1),
            ],
            &[
                row(Staff, "Haematology", 2, 1),
                row(Staff, "Microbiology", 2, 1),
                row(Store, "Blood bank", 2, 1),
                row(Staff, "Sample reception", 2, 1),
            ],
        ),
    ],
);

const GROUND: Storey = storey(
    0,
    ("ground", "Ground floor"),
    &[known(Public, "lobby", "Lobby", 5)],
    [
        wing(
            ("emergency-ward", "Emergency department"),
            &["care"],
            Open,
            &[
                row(Store, "Emergency store", 1, 1),
                row(Bed, "Observation", 1, 4),
                row(Care, "Treatment room", 2, 2),
                row(Staff, "Triage", 2, 1),
            ],
            &[
                row(Store, "Decontamination", 1, 1),
                known(Care, "ambulance-hall", "Ambulance hall", 3),
                row(Care, "Resuscitation", 2, 2),
                row(Lounge, "Emergency waiting room", 3, 1),
            ],
        ),
        wing(
            ("services", "Cafeteria and offices"),
            &["public"],
            Open,
            &[
                row(Staff, "Office", 1, 7),
                row(Staff, "Admissions", 2, 1),
                row(Staff, "Security control room", 2, 1),
            ],
            &[
                row(Staff, "Cafeteria kitchen", 2, 1),
                known(Public, "cafeteria", "Cafeteria", 5),
                known(Public, "chapel", "Chapel", 2),
                known(Public, "shop", "Shop", 2),
            ],
        ),
        wing(
            ("radiology", "Radiology"),
            &["care"],
            Open,
            &[
                row(Store, "Contrast store", 1, 1),
                row(Care, "MRI", 3, 1),
                row(Care, "CT", 2, 1),
                row(Staff, "Reading room", 2, 1),
            ],
            &[
                row(Staff, "Radiology office", 2, 1),
                row(Care, "X-ray", 1, 2),
                row(Care, "Ultrasound", 1, 2),
                row(Lounge, "Radiology waiting room", 2, 1),
            ],
        ),
    ],
);

const FIRST: Storey = storey(
    1,
    ("first", "First floor"),
    UPPER_HALL,
    [
        wing(
            ("surgery", "Operating theatres"),
            &["staff-only"],
            Closed,
            &[
                row(Store, "Sterile store", 1, 1),
                row(Care, "Operating theatre", 2, 4),
                row(Staff, "Scrub room", 2, 1),
            ],
            &[
                row(Store, "Anaesthesia store", 2, 1),
                row(Care, "Induction room", 1, 4),
                row(Care, "Recovery room", 3, 1),
                row(Staff, "Surgeons' room", 2, 1),
            ],
        ),
        wing(
            ("icu", "Intensive care"),
            &["care"],
            Secured,
            &[
                row(Store, "ICU store", 1, 1),
                row(Bed, "ICU bay", 1, 8),
                row(Staff, "ICU nurses' station", 2, 1),
            ],
            &[
                row(Store, "Ventilator store", 1, 1),
                row(Bed, "ICU bay", 1, 6),
                row(Staff, "ICU laboratory", 2, 1),
                row(Staff, "ICU doctors' office", 2, 1),
            ],
        ),
        north_general_ward("day-clinic", "Day clinic"),
    ],
);

const SECOND: Storey = storey(
    2,
    ("second", "Second floor"),
    UPPER_HALL,
    [
        wing(
            ("maternity-ward", "Maternity ward"),
            &["care", "secured", "high-risk"],
            Secured,
            &[
                row(Store, "Maternity store", 1, 1),
                row(Care, "Delivery room", 2, 2),
                known(Bed, "nursery", "Nursery", 3),
                row(Staff, "Midwives' office", 1, 1),
                row(Staff, "Maternity nurses' station", 2, 1),
            ],
            BEDS_RIGHT,
        ),
        wing(
            ("psychiatric-ward", "Psychiatric ward"),
            &["care", "secured", "high-risk", "no-visitors"],
            Closed,
            BEDS_LEFT,
            &[
                row(Store, "Linen", 1, 1),
                row(Lounge, "Occupational therapy", 3, 1),
                row(Lounge, "Day room", 3, 1),
                row(Staff, "Therapists' office", 2, 2),
            ],
        ),
        north_general_ward("paediatrics", "Paediatrics"),
    ],
);

const THIRD: Storey = storey(
    3,
    ("third", "Third floor"),
    UPPER_HALL,
    [
        wing(
            ("dementia-ward", "Dementia ward"),
            &["care", "secured", "high-risk"],
            Secured,
            BEDS_LEFT,
            BEDS_RIGHT,
        ),
        general_ward("internal-medicine", "Internal medicine"),
        north_general_ward("rehabilitation", "Rehabilitation"),
    ],
);

const FOURTH: Storey = storey(
    4,
    ("fourth", "Fourth floor"),
    UPPER_HALL,
    [
        general_ward("surgical-ward", "Surgical ward"),
        general_ward("orthopaedics", "Orthopaedics"),
        north_general_ward("cardiology", "Cardiology"),
    ],
);

/// All storeys, lowest first.
pub(super) const STOREYS: &[Storey] = &[BASEMENT, GROUND, FIRST, SECOND, THIRD, FOURTH];
