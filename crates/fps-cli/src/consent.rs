//! Asking before real money moves: what will happen is typed, word for word, at a terminal. A sandbox
//! never asks.

use std::io::{BufRead, IsTerminal, Write};

use crate::cli::Consent;
use crate::exit::{Exit, Failure, OrFail};

const HINT: &str = "call it with --yes to go on without asking, or at a terminal";

/// Whether somebody must be asked, known before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    No,
    AtTerminal,
}

impl Asking {
    /// Refuses a live command that nobody can be asked about.
    pub(crate) fn new(is_live: bool, consent: &Consent) -> Result<Self, Failure> {
        Self::decide(is_live, consent.yes, std::io::stdin().is_terminal())
    }

    fn decide(is_live: bool, yes: bool, is_terminal: bool) -> Result<Self, Failure> {
        match (is_live && !yes, is_terminal) {
            (false, _) => Ok(Self::No),
            (true, true) => Ok(Self::AtTerminal),
            (true, false) => Err(Failure::new(
                Exit::Usage,
                "this would happen for real, and there is no terminal to ask at",
            )
            .hint(HINT)),
        }
    }

    /// Goes on if `words` are typed. Whoever waits for the answer can be interrupted.
    pub(crate) async fn ask(self, words: String) -> Result<(), Failure> {
        match self {
            Self::No => Ok(()),
            Self::AtTerminal => {
                // Standard error stays free for whoever must say something meanwhile.
                let asking =
                    move || asked(&words, &mut std::io::stderr(), &mut std::io::stdin().lock());
                let answer = tokio::task::spawn_blocking(asking).await;
                match answer.or_fail("the question cannot be asked")? {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(not_confirmed()),
                    Err(error) => Err(not_confirmed().because(error)),
                }
            }
        }
    }
}

fn not_confirmed() -> Failure {
    Failure::new(Exit::Usage, "it was not confirmed, and nothing was sent")
        .hint("what is in quotes must be typed word for word")
}

/// Asks, and says whether these words were the answer.
fn asked(words: &str, to: &mut impl Write, from: &mut impl BufRead) -> std::io::Result<bool> {
    let mut typed = String::new();
    write!(to, "This happens for real. Type \"{words}\" to go on: ")?;
    to.flush()?;
    from.read_line(&mut typed)?;
    Ok(typed.trim() == words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_live_without_consent_asks_and_only_at_a_terminal() {
        for (is_live, yes, is_terminal, expected) in [
            (false, false, false, Some(Asking::No)),
            (false, false, true, Some(Asking::No)),
            (true, true, false, Some(Asking::No)),
            (true, true, true, Some(Asking::No)),
            (true, false, true, Some(Asking::AtTerminal)),
            (true, false, false, None),
        ] {
            let asking = Asking::decide(is_live, yes, is_terminal);
            match (asking, expected) {
                (Ok(asking), Some(expected)) => assert_eq!(asking, expected),
                (Err(failure), None) => assert_eq!(failure.exit(), Exit::Usage),
                (asking, _) => panic!("{is_live} {yes} {is_terminal}: {asking:?}"),
            }
        }
    }

    #[test]
    fn nothing_but_the_very_words_is_consent() {
        for (typed, is_consent) in [
            ("refund 14.00 EUR\n", true),
            ("  refund 14.00 EUR  \r\n", true),
            ("refund 14.00 EUR", true),
            ("refund 14 EUR\n", false),
            ("REFUND 14.00 EUR\n", false),
            ("y\n", false),
            ("yes\n", false),
            ("\n", false),
            ("", false),
        ] {
            let mut told = Vec::new();
            let asked = asked("refund 14.00 EUR", &mut told, &mut typed.as_bytes());
            assert_eq!(asked.unwrap(), is_consent, "{typed:?}");
            assert!(String::from_utf8(told).unwrap().contains("\"refund 14.00 EUR\""));
        }
    }
}
