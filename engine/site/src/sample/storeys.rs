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
const UPPER_HALL: &[Row] = &[row(Public, "Waiting area", 3, 1), row(Staff, "Meeting room", 2, 1)];

const BASEMENT: Storey = Storey {
    level: -1,
    id: "basement",
    name: "Basement",
    hall: &[row(Staff, "Kitchen", 3, 1), row(Staff, "Changing room", 2, 1)],
    west: Wing {
        id: "logistics",
        name: "Logistics",
        labels: &["staff-only"],
        access: Access::Closed,
        left: &[
            known(Store, "equipment-store", "Equipment store", 4),
            row(Store, "Bed workshop", 3, 1),
            row(Store, "Linen store", 2, 2),
        ],
        right: &[
            row(Store, "Central sterile supply", 4, 1),
            row(Store, "Goods in", 3, 1),
            row(Staff, "Logistics office", 2, 1),
            row(Store, "Waste", 2, 1),
        ],
    },
    east: Wing {
        id: "pharmacy",
        name: "Pharmacy",
        labels: &["staff-only"],
        access: Access::Closed,
        left: &[
            row(Store, "Cold store", 2, 1),
            known(Store, "drug-store", "Drug store", 4),
            row(Staff, "Dispensary", 3, 1),
            row(Staff, "Pharmacy office", 2, 1),
        ],
        right: &[
            row(Store, "Infusion store", 3, 1),
            row(Staff, "Cytostatics laboratory", 3, 1),
            row(Staff, "Quality control", 3, 1),
            row(Staff, "Pharmacists' room", 2, 1),
        ],
    },
    north: Wing {
        id: "laboratory",
        name: "Laboratory and plant",
        labels: &["staff-only"],
        access: Access::Closed,
        left: &[
            row(Staff, "Plant room", 3, 1),
            row(Staff, "Server room", 2, 1),
            row(Staff, "Medical engineering", 3, 1),
        ],
        right: &[
            row(Staff, "Haematology", 2, 1),
            row(Staff, "Microbiology", 2, 1),
            row(Store, "Blood bank", 2, 1),
            row(Staff, "Sample reception", 2, 1),
        ],
    },
};

const GROUND: Storey = Storey {
    level: 0,
    id: "ground",
    name: "Ground floor",
    hall: &[known(Public, "lobby", "Lobby", 5)],
    west: Wing {
        id: "emergency-ward",
        name: "Emergency department",
        labels: &["care"],
        access: Access::Open,
        left: &[
            row(Store, "Emergency store", 1, 1),
            row(Bed, "Observation", 1, 4),
            row(Care, "Treatment room", 2, 2),
            row(Staff, "Triage", 2, 1),
        ],
        right: &[
            row(Store, "Decontamination", 1, 1),
            known(Care, "ambulance-hall", "Ambulance hall", 3),
            row(Care, "Resuscitation", 2, 2),
            row(Lounge, "Emergency waiting room", 3, 1),
        ],
    },
    east: Wing {
        id: "services",
        name: "Cafeteria and offices",
        labels: &["public"],
        access: Access::Open,
        left: &[
            row(Staff, "Office", 1, 7),
            row(Staff, "Admissions", 2, 1),
            row(Staff, "Security control room", 2, 1),
        ],
        right: &[
            row(Staff, "Cafeteria kitchen", 2, 1),
            known(Public, "cafeteria", "Cafeteria", 5),
            known(Public, "chapel", "Chapel", 2),
            known(Public, "shop", "Shop", 2),
        ],
    },
    north: Wing {
        id: "radiology",
        name: "Radiology",
        labels: &["care"],
        access: Access::Open,
        left: &[
            row(Store, "Contrast store", 1, 1),
            row(Care, "MRI", 3, 1),
            row(Care, "CT", 2, 1),
            row(Staff, "Reading room", 2, 1),
        ],
        right: &[
            row(Staff, "Radiology office", 2, 1),
            row(Care, "X-ray", 1, 2),
            row(Care, "Ultrasound", 1, 2),
            row(Lounge, "Radiology waiting room", 2, 1),
        ],
    },
};

const FIRST: Storey = Storey {
    level: 1,
    id: "first",
    name: "First floor",
    hall: UPPER_HALL,
    west: Wing {
        id: "surgery",
        name: "Operating theatres",
        labels: &["staff-only"],
        access: Access::Closed,
        left: &[
            row(Store, "Sterile store", 1, 1),
            row(Care, "Operating theatre", 2, 4),
            row(Staff, "Scrub room", 2, 1),
        ],
        right: &[
            row(Store, "Anaesthesia store", 2, 1),
            row(Care, "Induction room", 1, 4),
            row(Care, "Recovery room", 3, 1),
            row(Staff, "Surgeons' room", 2, 1),
        ],
    },
    east: Wing {
        id: "icu",
        name: "Intensive care",
        labels: &["care"],
        access: Access::Secured,
        left: &[
            row(Store, "ICU store", 1, 1),
            row(Bed, "ICU bay", 1, 8),
            row(Staff, "ICU nurses' station", 2, 1),
        ],
        right: &[
            row(Store, "Ventilator store", 1, 1),
            row(Bed, "ICU bay", 1, 6),
            row(Staff, "ICU laboratory", 2, 1),
            row(Staff, "ICU doctors' office", 2, 1),
        ],
    },
    north: Wing {
        id: "day-clinic",
        name: "Day clinic",
        labels: &["care", "general"],
        access: Access::Open,
        left: NORTH_BEDS_LEFT,
        right: NORTH_BEDS_RIGHT,
    },
};

const SECOND: Storey = Storey {
    level: 2,
    id: "second",
    name: "Second floor",
    hall: UPPER_HALL,
    west: Wing {
        id: "maternity-ward",
        name: "Maternity ward",
        labels: &["care", "secured"],
        access: Access::Secured,
        left: &[
            row(Store, "Maternity store", 1, 1),
            row(Care, "Delivery room", 2, 2),
            known(Bed, "nursery", "Nursery", 3),
            row(Staff, "Midwives' office", 1, 1),
            row(Staff, "Maternity nurses' station", 2, 1),
        ],
        right: BEDS_RIGHT,
    },
    east: Wing {
        id: "psychiatric-ward",
        name: "Psychiatric ward",
        labels: &["care", "secured", "no-visitors"],
        access: Access::Closed,
        left: BEDS_LEFT,
        right: &[
            row(Store, "Linen", 1, 1),
            row(Lounge, "Occupational therapy", 3, 1),
            row(Lounge, "Day room", 3, 1),
            row(Staff, "Therapists' office", 2, 2),
        ],
    },
    north: Wing {
        id: "paediatrics",
        name: "Paediatrics",
        labels: &["care", "general"],
        access: Access::Open,
        left: NORTH_BEDS_LEFT,
        right: NORTH_BEDS_RIGHT,
    },
};

const THIRD: Storey = Storey {
    level: 3,
    id: "third",
    name: "Third floor",
    hall: UPPER_HALL,
    west: Wing {
        id: "dementia-ward",
        name: "Dementia ward",
        labels: &["care", "secured"],
        access: Access::Secured,
        left: BEDS_LEFT,
        right: BEDS_RIGHT,
    },
    east: Wing {
        id: "internal-medicine",
        name: "Internal medicine",
        labels: &["care", "general"],
        access: Access::Open,
        left: BEDS_LEFT,
        right: BEDS_RIGHT,
    },
    north: Wing {
        id: "rehabilitation",
        name: "Rehabilitation",
        labels: &["care", "general"],
        access: Access::Open,
        left: NORTH_BEDS_LEFT,
        right: NORTH_BEDS_RIGHT,
    },
};

const FOURTH: Storey = Storey {
    level: 4,
    id: "fourth",
    name: "Fourth floor",
    hall: UPPER_HALL,
    west: Wing {
        id: "surgical-ward",
        name: "Surgical ward",
        labels: &["care", "general"],
        access: Access::Open,
        left: BEDS_LEFT,
        right: BEDS_RIGHT,
    },
    east: Wing {
        id: "orthopaedics",
        name: "Orthopaedics",
        labels: &["care", "general"],
        access: Access::Open,
        left: BEDS_LEFT,
        right: BEDS_RIGHT,
    },
    north: Wing {
        id: "cardiology",
        name: "Cardiology",
        labels: &["care", "general"],
        access: Access::Open,
        left: NORTH_BEDS_LEFT,
        right: NORTH_BEDS_RIGHT,
    },
};

/// All storeys, lowest first.
pub(super) const STOREYS: &[Storey] = &[BASEMENT, GROUND, FIRST, SECOND, THIRD, FOURTH];
