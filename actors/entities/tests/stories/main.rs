//! What the actors decide, told as stories of a small hospital.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests are tests: they stop at the first surprise"
)]

mod absences;
mod badges;
mod bands;
mod delays;
mod door_supervision;
mod doors;
mod exits;
mod feeds;
mod hospital;
mod identity;
mod loners;
mod meetings;
mod motion;
mod openings;
mod places;
mod random;
mod returns;
mod silence;
mod sites;
mod sleep;
mod tags;
mod tailgating;
mod telling;
mod world;
