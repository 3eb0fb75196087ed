//! What the actors decide, told as stories of a small hospital.

mod doors;
mod exits;
mod hospital;
mod places;
mod random;
mod silence;
mod sites;
mod tags;
mod telling;
mod world;
