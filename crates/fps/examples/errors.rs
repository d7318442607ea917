//! Every kind of failure of a refund: how far the request came, whether money may have moved, and what to
//! do. Nothing is sent anywhere; the failures are made by a script.
//!
//! ```text
//! cargo run -p fps --example errors
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod failures;

use std::error::Error as StdError;

use fps::{Error, ErrorKind, Phase};

/// What a shop does after a refund failed. The first question is whether money may have moved, and the
/// kind does not answer it.
fn what_to_do(error: &Error) -> &'static str {
    if error.is_unknown() {
        return "send the same again, with the same key, or look it up";
    }
    match error.kind() {
        ErrorKind::Encode => "correct the request; it never left",
        ErrorKind::Sign => "mend the signer, then send the same",
        ErrorKind::Unauthorized => "mend the key or the clock, then send the same",
        // A timeout that is not unknown never left: the signer took the time.
        ErrorKind::Paced | ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Throttled => {
            "later, send the same"
        }
        ErrorKind::Refused => "read the reason; another request is another refund",
        // A kind that this code does not know.
        _ => "look it up",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    println!("{:<13}{:<11}{:<9}what to do", "kind", "phase", "unknown");
    let failures = failures::all().await?;
    for error in &failures {
        let (kind, phase) = (format!("{:?}", error.kind()), format!("{:?}", error.phase()));
        let unknown = if error.is_unknown() { "yes" } else { "no" };
        println!("{kind:<13}{phase:<11}{unknown:<9}{}", what_to_do(error));
        let as_it_must_be = match error.phase() {
            Phase::NotSent => !error.is_unknown(),
            Phase::MaybeSent => error.is_unknown(),
            // An answer ends the doubt only if it says what happened.
            Phase::Answered => {
                let clear = [ErrorKind::Unauthorized, ErrorKind::Throttled, ErrorKind::Refused];
                error.is_unknown() != clear.contains(&error.kind())
            }
        };
        if !as_it_must_be {
            return Err(format!("{kind} should be known, or should not: {error}").into());
        }
    }

    println!();
    println!("An error speaks of all tries of its call:");
    let error = failures::refused_after_a_lost_answer().await?;
    println!("  {error} ({} tries)", error.attempts());
    println!("  {}", what_to_do(&error));
    // That too much is asked for may be the doing of the try whose answer was lost.
    if error.kind() != ErrorKind::Refused || !error.is_unknown() {
        return Err("a refusal does not end the doubt that an earlier try has left".into());
    }

    println!();
    println!("The sentence says what went wrong here, the chain why, neither holds a secret:");
    for error in &failures {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain = format!("{chain}: {cause}");
            source = cause.source();
        }
        println!("  {chain}");
    }
    Ok(())
}
