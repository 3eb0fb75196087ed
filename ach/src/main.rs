//! The HMS-ACH command line.

fn main() {}
