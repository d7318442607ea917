//! How the command ends: its exit codes, and what it says on the way out.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// The exit codes, which scripts rely on. 3, 5 and 8 are kept for batches of refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something that should not happen.
    Internal = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// A key or signature is not accepted.
    Unauthorized = 4,
    /// A rule forbids it.
    Rule = 6,
    /// Whether money moved is unknown.
    Unknown = 7,
    /// What was recorded and what happened differ.
    Damaged = 9,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
}

/// The end of a command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    source: Option<Box<dyn Error>>,
    hint: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), source: None, hint: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Prints the sentence, its causes and the hint, a line each.
    pub(crate) fn report(&self) -> ExitCode {
        say(&self.to_string());
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let mut cause = self.source.as_deref();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        match self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What stopped a command, said in the command's own words.
pub(crate) trait OrFail<T> {
    /// The value, or a failure that should not happen, with what led to it.
    fn or_fail(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error>>> OrFail<T> for Result<T, E> {
    fn or_fail(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(Exit::Internal, what).because(error))
    }
}

/// Ends a command that was called wrongly, or that was only asked how to be called.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that closed its end has read enough.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        drop(error.print());
        return ExitCode::from(Exit::Usage as u8);
    }
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line: Vec<&str> = first.split_whitespace().collect();
    say(&format!(
        "{}\nhint: `fps --help` and `fps VERB --help` list what there is",
        line.join(" ")
    ));
    ExitCode::from(Exit::Usage as u8)
}

fn say(text: &str) {
    // There is nobody to tell that nobody can be told.
    drop(writeln!(std::io::stderr(), "{text}"));
}
