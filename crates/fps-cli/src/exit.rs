//! How the command ends: its exit codes, and what it says on the way out; what a failure means for
//! money was decided before.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use fps::refund_ledger::{Error as LedgerError, ErrorKind as LedgerErrorKind};
use fps::refund_runner::{PlanError, RunError};
use fps::{ErrorKind, NotificationError, RefundError, Refusal, SnapshotError};

use crate::output::written;

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something that should not happen.
    Internal = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// It was carried through, and a refund was declined.
    Declined = 3,
    /// A key or signature is not accepted.
    Unauthorized = 4,
    /// A key was used before for something else.
    KeyConflict = 5,
    /// A rule forbids it.
    Rule = 6,
    /// Whether money moved is unknown.
    Unknown = 7,
    /// The service cannot be reached or is overloaded.
    Unavailable = 8,
    /// What was recorded and what happened differ.
    Damaged = 9,
    /// The terminal went away.
    HungUp = 129,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
    /// Somebody told it to end.
    Terminated = 143,
}

/// The exit codes as `--help` tells them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  something that should not happen
  2  wrong call: an argument, a file or a port that cannot be used
  3  finished, and a refund was declined
  4  a key or signature is not accepted
  5  an idempotency key was used before for something else
  6  a rule forbids it, here or at the service
  7  whether money moved is unknown: look it up before anything is sent again
  8  the service or the ledger cannot be reached or is overloaded: try again, or resume
  9  the client and the books differ, or the books or the ledger are damaged
  129, 130, 143  ended by SIGHUP, Ctrl-C, SIGTERM";

impl Exit {
    /// The code for an error, by the first in its chain that says what it means.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let found = if let Some(error) = error.downcast_ref::<RefundError>() {
                match error {
                    // It has a code of its own.
                    RefundError::Call(_) => None,
                    _ => error.is_unknown().then_some(Self::Unknown),
                }
            } else if let Some(error) = error.downcast_ref::<fps::Error>() {
                Some(Self::of_call(error))
            } else if error.is::<Refusal>()
                || matches!(error.downcast_ref(), Some(SnapshotError::NotFound))
            {
                Some(Self::Rule)
            } else if let Some(
                NotificationError::Unproved(_)
                | NotificationError::Foreign(_)
                | NotificationError::ForeignTopic
                | NotificationError::ForeignMerchant
                | NotificationError::Denied,
            ) = error.downcast_ref()
            {
                Some(Self::Unauthorized)
            } else if let Some(error) = error.downcast_ref::<LedgerError>() {
                Some(Self::of_ledger(error))
            } else if let Some(error) = error.downcast_ref::<PlanError>() {
                Self::of_plan(error)
            } else if let Some(RunError::NoSuchBatch | RunError::OtherTarget { .. }) =
                error.downcast_ref()
            {
                Some(Self::Usage)
            } else {
                error.downcast_ref::<fps_sandbox::Error>().and_then(Self::of_sandbox)
            };
            if let Some(exit) = found {
                return exit;
            }
            cause = error.source();
        }
        Self::Internal
    }

    fn of_call(error: &fps::Error) -> Self {
        if error.is_unknown() {
            return Self::Unknown;
        }
        match (error.kind(), error.refusal()) {
            (ErrorKind::Unauthorized, _) => Self::Unauthorized,
            (
                ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Interrupted
                | ErrorKind::Throttled
                | ErrorKind::Paced
                | ErrorKind::Fault,
                _,
            ) => Self::Unavailable,
            (ErrorKind::Refused, Some(refusal)) if refusal.is_key_conflict() => Self::KeyConflict,
            (ErrorKind::Refused, _) => Self::Rule,
            _ => Self::Internal,
        }
    }

    fn of_ledger(error: &LedgerError) -> Self {
        use LedgerErrorKind as Kind;
        match error.kind() {
            Kind::Full | Kind::Storage | Kind::Unavailable | Kind::Contended | Kind::Closed => {
                Self::Unavailable
            }
            Kind::Damaged(_) => Self::Damaged,
            _ => Self::Usage,
        }
    }

    fn of_plan(error: &PlanError) -> Option<Self> {
        match error {
            PlanError::Unanswered { .. } => Some(Self::Unavailable),
            PlanError::Unauthorized { .. } => Some(Self::Unauthorized),
            PlanError::SameFile { .. } => Some(Self::KeyConflict),
            // It has a code of its own.
            PlanError::Ledger(_) => None,
            _ => Some(Self::Usage),
        }
    }

    fn of_sandbox(error: &fps_sandbox::Error) -> Option<Self> {
        use fps_sandbox::ErrorKind as Kind;
        match error.kind() {
            Kind::Listen
            | Kind::OpenDatabase
            | Kind::DatabaseInUse
            | Kind::ForeignDatabase
            | Kind::NewerDatabase => Some(Self::Usage),
            Kind::Unbalanced => Some(Self::Damaged),
            _ => None,
        }
    }
}

/// The end of a command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    source: Option<Box<dyn Error>>,
    detail: Option<String>,
    hint: Option<Cow<'static, str>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), source: None, detail: None, hint: None }
    }

    /// With what led to it, which also decides about the exit code.
    pub(crate) fn from_error(error: impl Into<Box<dyn Error>>, message: impl Into<String>) -> Self {
        let error = error.into();
        Self::new(Exit::of(&*error), message).because(error)
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With what there is to see, a line or several.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[cfg(test)]
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints the sentence, its causes, the detail and the hint.
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
        for line in self.detail.iter().flat_map(|detail| detail.lines()) {
            write!(f, "\n  | {line}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What stopped a command, said in the command's own words.
pub(crate) trait OrFail<T> {
    /// The value, or [`Failure::from_error`].
    fn or_fail(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error>>> OrFail<T> for Result<T, E> {
    fn or_fail(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::from_error(error, what))
    }
}

/// Ends a command that was called wrongly, or that was only asked how to be called.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match written(error.print()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    use fps::amazon_pay::{ChargeId, GetRefund};
    use fps::{
        AmazonPay, AmazonPayConfig, CallerReference, Client, Credentials, FlexiblePaymentsConfig,
        Payment, PrivateKey, Region, RetryPolicy, Secret, Settings,
    };
    use fps_http::TransportErrorKind as Transport;
    use fps_http::testing::{ManualClock, ScriptedTransport, Step};

    const KEY: &str = include_str!("../../fps-sign/tests/keys/rsa-2048.pkcs8.pem");

    fn over<W: fps_http::Wire>(config: W, step: Option<Step>) -> Client<W> {
        let settings = Settings::default().with_retry(RetryPolicy::once());
        let start = fps::Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        let transport = ScriptedTransport::new(step);
        Client::with_transport(config, settings, transport, ManualClock::new(start))
    }

    fn pay(step: Option<Step>) -> AmazonPay {
        let key = PrivateKey::from_pem(KEY).unwrap();
        let config = AmazonPayConfig::new("SANDBOX-KEY", key, Region::Europe).unwrap();
        AmazonPay::over(over(config, step))
    }

    fn payment() -> Payment {
        let usd = fps::Money::parse("1.00", fps::Currency::USD).unwrap();
        Payment::completed(usd, fps::Method::Card).unwrap()
    }

    /// What a refund through Amazon Pay ends with when the service answers so.
    async fn exit_after(step: Option<Step>) -> Exit {
        let key = fps::IdempotencyKey::new("k").unwrap();
        let refund =
            pay(step).refund(key, &ChargeId::new("C"), &payment(), &fps::Wish::rest()).await;
        refund.or_fail("no refund").unwrap_err().exit
    }

    /// What asking for a refund ends with.
    async fn exit_of_asking(step: Option<Step>) -> Exit {
        let asked = pay(step).client().send(&GetRefund::new("R")).await;
        asked.or_fail("no answer").unwrap_err().exit
    }

    /// What a refund through FPS ends with when the service answers with this status and code.
    async fn exit_after_fps(status: u16, code: &str) -> Exit {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
             <RequestID>id</RequestID></Response>"
        );
        let credentials = Credentials::new("AKEXAMPLE", Secret::new("s"));
        let config = FlexiblePaymentsConfig::new("https://localhost/", credentials).unwrap();
        let client = over(config, Some(Step::Answer(status, body)));
        let reference = CallerReference::new("k").unwrap();
        let refund = fps::flexible_payments::Refund::new(reference, "T");
        client.send(&refund).await.or_fail("no refund").unwrap_err().exit
    }

    fn answer(status: u16, reason: &str) -> Option<Step> {
        Some(Step::Answer(status, format!(r#"{{"reasonCode":"{reason}","message":"m"}}"#)))
    }

    #[tokio::test]
    async fn what_it_means_for_money_decides_the_exit_code() {
        let fail = |kind| Some(Step::Fail(kind));
        for (step, refund, asking) in [
            (None, Exit::Unavailable, Exit::Unavailable),
            (fail(Transport::Interrupted), Exit::Unknown, Exit::Unavailable),
            (fail(Transport::Timeout), Exit::Unknown, Exit::Unavailable),
            (fail(Transport::TooLarge), Exit::Unknown, Exit::Internal),
            (answer(200, "no refund at all"), Exit::Unknown, Exit::Internal),
            (answer(500, "InternalServerError"), Exit::Unknown, Exit::Unavailable),
            (answer(429, "TooManyRequests"), Exit::Unavailable, Exit::Unavailable),
            (answer(403, "InvalidRequestSignature"), Exit::Unauthorized, Exit::Unauthorized),
            (answer(400, "DuplicateIdempotencyKey"), Exit::KeyConflict, Exit::KeyConflict),
            (answer(400, "TransactionAmountExceeded"), Exit::Rule, Exit::Rule),
            (answer(404, ""), Exit::Rule, Exit::Rule),
        ] {
            let shown = format!("{step:?}");
            assert_eq!(exit_after(step.clone()).await, refund, "{shown}");
            assert_eq!(exit_of_asking(step).await, asking, "{shown}");
        }
        for (status, code, exit) in [
            (500, "InternalError", Exit::Unknown),
            (400, "ConcurrentModification", Exit::Unavailable),
            (403, "RequestExpired", Exit::Unauthorized),
            (400, "DuplicateRequest", Exit::KeyConflict),
            (400, "RefundAmountExceeded", Exit::Rule),
        ] {
            assert_eq!(exit_after_fps(status, code).await, exit, "{code}");
        }
    }

    #[tokio::test]
    async fn the_first_cause_that_says_what_it_means_decides() {
        let unreachable =
            || async { pay(None).client().send(&GetRefund::new("R")).await.unwrap_err() };
        let too_much = fps::Wish::amount(fps::Money::parse("900", fps::Currency::USD).unwrap());
        let refusal = || pay(None).plan(&payment(), &too_much).into_result().unwrap_err();
        let mismatch = RefundError::Mismatch { refund: "R".to_owned(), field: "amount" };
        let unproved = fps::fps_sign::Error::Mismatch;
        let unreadable = fps::fps_model::Params::parse(b"\xff").unwrap_err();
        let rows: [(Box<dyn Error>, Exit); 14] = [
            (Box::new(std::io::Error::other("full")), Exit::Internal),
            (Box::new(refusal()), Exit::Rule),
            (Box::new(RefundError::Refused(refusal())), Exit::Rule),
            (Box::new(mismatch), Exit::Unknown),
            (Box::new(RefundError::Call(unreachable().await)), Exit::Unavailable),
            (Box::new(NotificationError::Unproved(unproved)), Exit::Unauthorized),
            (Box::new(NotificationError::Foreign(fps::OriginError::Foreign)), Exit::Unauthorized),
            (Box::new(NotificationError::ForeignTopic), Exit::Unauthorized),
            (Box::new(NotificationError::ForeignMerchant), Exit::Unauthorized),
            (Box::new(NotificationError::Denied), Exit::Unauthorized),
            (Box::new(NotificationError::Unavailable(unreachable().await)), Exit::Unavailable),
            (Box::new(NotificationError::Certificate(unreachable().await)), Exit::Unavailable),
            (Box::new(NotificationError::Unreadable(unreadable)), Exit::Internal),
            (Box::new(NotificationError::BadAddress), Exit::Internal),
        ];
        for (error, exit) in rows {
            let shown = format!("{error:?}");
            assert_eq!(Failure::from_error(error, "it failed").exit, exit, "{shown}");
        }
    }

    #[test]
    fn a_failure_prints_its_causes_and_then_its_hint() {
        let failure = Failure::new(Exit::Internal, "it failed");
        assert_eq!(failure.to_string(), "error: it failed");
        let cause = NotificationError::Foreign(fps::OriginError::Foreign);
        let (first, second) = (cause.to_string(), fps::OriginError::Foreign.to_string());
        assert_eq!(
            failure.because(cause).hint("try again").to_string(),
            format!(
                "error: it failed\n  caused by: {first}\n  caused by: {second}\nhint: try again"
            )
        );
    }

    /// Scripts rely on the numbers.
    #[test]
    fn every_exit_code_keeps_its_number_and_is_in_the_help() {
        for (exit, number) in [
            (Exit::Internal, 1),
            (Exit::Usage, 2),
            (Exit::Declined, 3),
            (Exit::Unauthorized, 4),
            (Exit::KeyConflict, 5),
            (Exit::Rule, 6),
            (Exit::Unknown, 7),
            (Exit::Unavailable, 8),
            (Exit::Damaged, 9),
            (Exit::HungUp, 129),
            (Exit::Interrupted, 130),
            (Exit::Terminated, 143),
        ] {
            assert_eq!(exit as u8, number, "{exit:?}");
            let mut words = HELP.split(|c: char| !c.is_ascii_digit());
            assert!(words.any(|word| word == number.to_string()), "{exit:?}");
        }
    }
}
