//! The simulation itself, tried: it does the same twice, says how to repeat a failure, and finds bugs
//! that are planted.

mod again;
mod planted;
