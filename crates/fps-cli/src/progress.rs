//! What is being done, on standard error, so that standard output holds results only; no results and no
//! failures.

use std::io::Write;

/// Says what is being done.
pub(crate) fn step(text: &str) {
    tell(&format!("· {text}"));
}

/// Says something of its own, such as what was seen on the way.
pub(crate) fn tell(text: &str) {
    // Progress that nobody can read is no reason to stop.
    drop(writeln!(std::io::stderr(), "{text}"));
}
