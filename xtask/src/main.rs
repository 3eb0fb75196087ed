//! Repository chores, and the checks of the repository itself.
//!
//! The checks are ordinary tests, so `cargo test` is all a developer has to remember.

fn main() {
    println!("nothing to do yet: the checks run with `cargo test`");
}

