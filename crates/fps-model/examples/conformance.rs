//! Reads a folder of reference data, writes every message again, and says file by file whether it is the
//! same; no sample is in here, and none is asked for over a network.
//!
//! `cargo run -p fps-model --example conformance -- <folder of reference data>`
//!
//! The folder has the samples of both services below `fps` and `pay`, by the names in `FOLDERS`. Every
//! file there must be covered by a rule; every exception below must be met by a file. Exits with 1 when
//! anything differs, with 2 when there is nothing to compare.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, CreateCharge, CreateRefund, GetCharge, GetChargePermission,
    GetCheckoutSession, GetRefund, Notification, Route,
};
use fps_model::flexible_payments::{
    Cancel, CancelSubscriptionAndRefund, CancelToken, Dialect, ErrorDocument, FlexiblePaymentsApi,
    FundPrepaid, GetAccountActivity, GetAccountBalance, GetDebtBalance, GetOutstandingDebtBalance,
    GetPaymentInstruction, GetPrepaidBalance, GetRecipientVerificationStatus, GetTokenByCaller,
    GetTokenUsage, GetTokens, GetTotalPrepaidLiability, GetTransaction, GetTransactionStatus,
    InstallPaymentInstruction, Pay, Refund, Reserve, Settle, SettleDebt,
    TokenCancellationNotification, TransactionNotification, VerifySignature, WriteOffDebt,
};
use fps_model::{DecodeError, JsonRequest, Params, Problem, Serve, Service};
use serde_json::Value;

/// Reads one file of a folder, by its name.
type ReadFile = fn(&str, &[u8]) -> Result<Outcome, Failure>;

/// Every folder that is compared.
const FOLDERS: [(&str, ReadFile); 6] = [
    ("fps/doc-samples-2008-2010", documented),
    (MOCKS, documented),
    ("fps/recorded-2007-01-08", recorded),
    ("fps/notification-samples", notification),
    ("pay/json", pay_json),
    ("pay/ipn", pay_notification),
];

/// Reads an answer of FPS in a revision, and writes it again.
type Answered = fn(&[u8], Dialect) -> Result<(), Failure>;

/// The operations by the names of the files.
const ACTIONS: [(&str, Answered); 26] = [
    ("Cancel", answer::<Cancel>),
    ("CancelSubscriptionAndRefund", answer::<CancelSubscriptionAndRefund>),
    ("CancelToken", answer::<CancelToken>),
    ("FundPrepaid", answer::<FundPrepaid>),
    ("GetAccountActivity", answer::<GetAccountActivity>),
    ("GetAccountBalance", answer::<GetAccountBalance>),
    ("GetDebtBalance", answer::<GetDebtBalance>),
    ("GetOutstandingDebtBalance", answer::<GetOutstandingDebtBalance>),
    ("GetPaymentInstruction", answer::<GetPaymentInstruction>),
    ("GetPrepaidBalance", answer::<GetPrepaidBalance>),
    ("GetRecipientVerificationStatus", answer::<GetRecipientVerificationStatus>),
    ("GetTokenByCaller", answer::<GetTokenByCaller>),
    ("GetTokenUsage", answer::<GetTokenUsage>),
    ("GetTokens", answer::<GetTokens>),
    ("GetTotalPrepaidLiability", answer::<GetTotalPrepaidLiability>),
    ("GetTransaction", answer::<GetTransaction>),
    ("GetTransactionStatus", answer::<GetTransactionStatus>),
    ("InstallPaymentInstruction", answer::<InstallPaymentInstruction>),
    ("Pay", answer::<Pay>),
    ("Refund", answer::<Refund>),
    ("Reserve", answer::<Reserve>),
    ("Settle", answer::<Settle>),
    ("SettleDebt", answer::<SettleDebt>),
    ("VerifySignature", answer::<VerifySignature>),
    ("WriteOffDebt", answer::<WriteOffDebt>),
    // The last entry of this table is a document that every action may be answered with.
    ("Error", error_response),
];

/// Actions of 2007 that the crate leaves out: a caller asked for results with them before there were
/// notifications.
const NOT_MODELLED: [&str; 2] = ["DiscardResults", "GetResults"];

/// Reads a message of Amazon Pay, and writes it again.
type PayMessage = fn(&[u8]) -> Result<(), Failure>;

/// The messages of Amazon Pay by the beginnings of the files' names; the first that fits counts.
const PAY_MESSAGES: [(&str, PayMessage); 8] = [
    ("charge_create_request", pay_request::<CreateCharge>),
    ("charge_permission", pay_answer::<GetChargePermission>),
    ("charge", pay_answer::<GetCharge>),
    ("checkout_session", pay_answer::<GetCheckoutSession>),
    ("error", pay_refusal),
    ("refund_get", pay_answer::<GetRefund>),
    ("refund_request", pay_request::<CreateRefund>),
    ("refund", pay_answer::<CreateRefund>),
];

/// Where the answers are that Amazon's own library has for its tests: they say `string` where an
/// amount or an enumeration would stand, and their times lack an offset.
const MOCKS: &str = "fps/mock-responses-2008-09-17";

/// Those of them that cannot be read as they are, and what reading the result must say. With
/// [`FILLINGS`] they must be read like any other.
const PLACEHOLDERS: [(&str, &str); 11] = [
    ("GetAccountActivity", "Transaction/CallerTransactionDate: expected a point in time"),
    ("GetAccountBalance", "AccountBalance/TotalBalance: expected a currency code"),
    ("GetDebtBalance", "DebtBalance/AvailableBalance: expected a currency code"),
    ("GetOutstandingDebtBalance", "OutstandingDebt/OutstandingBalance: expected a currency code"),
    ("GetPaymentInstruction", "Token/DateInstalled: expected a point in time"),
    ("GetPrepaidBalance", "PrepaidBalance/AvailableBalance: expected a currency code"),
    ("GetTokenByCaller", "Token/DateInstalled: expected a point in time"),
    ("GetTokenUsage", "TokenUsageLimits/Amount: expected a currency code"),
    ("GetTokens", "Token/DateInstalled: expected a point in time"),
    (
        "GetTotalPrepaidLiability",
        "OutstandingPrepaidLiability/OutstandingBalance: expected a currency code",
    ),
    ("GetTransaction", "Transaction/DateReceived: expected a point in time"),
];

/// What to put where a sample only says what kind of thing would stand there.
const FILLINGS: [(&str, &str); 5] = [
    ("<CurrencyCode>string<", "<CurrencyCode>USD<"),
    ("<Value>string<", "<Value>1.000000<"),
    ("2008-09-28T18:49:45<", "2008-09-28T18:49:45Z<"),
    ("2009-05-16T05:42:28<", "2009-05-16T05:42:28Z<"),
    ("2014-09-18T16:18:33<", "2014-09-18T16:18:33Z<"),
];

/// What a sample says and the crate has no field for: a file, the beginning of the path, and why.
const LOSSES: [(&str, &str, &str); 1] = [(
    "pay/json/checkout_session_open_doc_2019.json",
    "/deliverySpecifications/addressRestrictions/restrictions/",
    "a map with the codes of countries as its names",
)];

/// What is printed before the name of a file that is not as it should be.
const FAILED: &str = "FAILED";

/// How the names of documented answers end.
const RESPONSE: &str = "Response.xml";

/// What came of a file that is as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Same,
    Refusal(String),
    Filled,
    Partly(&'static str),
    NotModelled,
}

impl Outcome {
    const fn word(&self) -> &'static str {
        match self {
            Self::Same => "ok",
            Self::Refusal(_) => "refusal",
            Self::Filled => "filled",
            Self::Partly(_) => "partly",
            Self::NotModelled => "skipped",
        }
    }
}

/// What follows the name of the file.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => Ok(()),
            Self::Refusal(code) => write!(f, ": {code}, as its name says"),
            Self::Filled => {
                f.write_str(": unreadable as expected, and read with its blanks filled in")
            }
            Self::Partly(why) => write!(f, ": all but {why}"),
            Self::NotModelled => f.write_str(": an action of 2007-01-08 that is left out"),
        }
    }
}

/// Why a file is not as it should be.
#[derive(Debug)]
enum Failure {
    Unreadable(DecodeError),
    Lost(Vec<String>),
    Other(String),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::Lost(names) => write!(f, "written again it lacks {}", names.join(", ")),
            Self::Other(text) => f.write_str(text),
        }
    }
}

fn other(text: impl Into<String>) -> Failure {
    Failure::Other(text.into())
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(root), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: conformance <folder of reference data>");
        return ExitCode::from(2);
    };
    match compare(Path::new(&root)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints a line for every file and one with the totals; returns how much has failed.
fn compare(root: &Path) -> io::Result<usize> {
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unmet: BTreeSet<&str> = NOT_MODELLED.into_iter().collect();
    unmet.extend(PLACEHOLDERS.iter().map(|(action, _)| *action));
    unmet.extend(LOSSES.iter().map(|(path, ..)| *path));
    for (folder, read) in FOLDERS {
        for name in files(&root.join(folder))? {
            let path = format!("{folder}/{name}");
            let bytes = fs::read(root.join(&path))?;
            let word = match compare_file(folder, &name, read, &bytes, &mut unmet) {
                Ok(outcome) => {
                    println!("{:<8}{path}{outcome}", outcome.word());
                    outcome.word()
                }
                Err(failure) => {
                    println!("{FAILED:<8}{path}: {failure}");
                    FAILED
                }
            };
            *totals.entry(word).or_default() += 1;
        }
    }
    for exception in unmet {
        println!("{FAILED:<8}{exception}: no file needs this exception");
        *totals.entry(FAILED).or_default() += 1;
    }
    let words: Vec<_> = totals.iter().map(|(word, count)| format!("{count} {word}")).collect();
    println!("{}", words.join(", "));
    Ok(totals.get(FAILED).copied().unwrap_or(0))
}

/// Reads one file with the exception that is made for it, and crosses the exception off.
fn compare_file(
    folder: &str,
    name: &str,
    read: ReadFile,
    bytes: &[u8],
    unmet: &mut BTreeSet<&str>,
) -> Result<Outcome, Failure> {
    if folder == MOCKS {
        let action = name.strip_suffix(RESPONSE).unwrap_or(name);
        if let Some((listed, expected)) = PLACEHOLDERS.iter().find(|(it, _)| *it == action) {
            unmet.remove(listed);
            let expected = format!("{listed}Response/{listed}Result/{expected}");
            return filled(read, name, bytes, &expected);
        }
    }
    match read(name, bytes) {
        Ok(Outcome::NotModelled) => {
            unmet.remove(named(name).0);
            Ok(Outcome::NotModelled)
        }
        Err(Failure::Lost(names)) => {
            let path = format!("{folder}/{name}");
            let listed = LOSSES.iter().find(|(listed, beginning, _)| {
                *listed == path && names.iter().all(|name| name.starts_with(beginning))
            });
            let (listed, _, why) = listed.ok_or(Failure::Lost(names))?;
            unmet.remove(listed);
            Ok(Outcome::Partly(why))
        }
        other => other,
    }
}

/// The names of the files of a folder, in their order.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let explain =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(explain)? {
        let name = entry.map_err(explain)?.file_name();
        let name = name.into_string().map_err(|_| explain(io::ErrorKind::InvalidData.into()))?;
        names.push(name);
    }
    if names.is_empty() {
        return Err(explain(io::ErrorKind::NotFound.into()));
    }
    names.sort();
    Ok(names)
}

/// Reads a sample with placeholders: it must be refused as expected, and read when they are filled.
fn filled(read: ReadFile, name: &str, bytes: &[u8], expected: &str) -> Result<Outcome, Failure> {
    match read(name, bytes) {
        Err(Failure::Unreadable(error)) if error.to_string() == expected => {}
        Err(failure) => return Err(other(format!("expected \"{expected}\", found \"{failure}\""))),
        Ok(_) => return Err(other(format!("expected \"{expected}\", but it was read"))),
    }
    let mut text = utf8(bytes)?.to_owned();
    for (placeholder, value) in FILLINGS {
        text = text.replace(placeholder, value);
    }
    read(name, text.as_bytes()).map(|_| Outcome::Filled)
}

/// `PayResponse.xml` and the like: as documented, or as Amazon's library has it for its tests.
fn documented(name: &str, bytes: &[u8]) -> Result<Outcome, Failure> {
    let action = name
        .strip_suffix(RESPONSE)
        .ok_or_else(|| other("its name does not end in Response.xml"))?;
    read_action(action)?(bytes, Dialect::V2008_09_17).map(|()| Outcome::Same)
}

/// `Pay-1.xml`, `remit-Pay-2-InvalidParams.xml`: an answer of 2007, a refusal if a code is named.
fn recorded(name: &str, bytes: &[u8]) -> Result<Outcome, Failure> {
    let (action, code) = named(name);
    if NOT_MODELLED.contains(&action) {
        return Ok(Outcome::NotModelled);
    }
    let read = read_action(action)?;
    let Some(code) = code else {
        return read(bytes, Dialect::V2007_01_08).map(|()| Outcome::Same);
    };
    match read(bytes, Dialect::V2007_01_08) {
        Err(Failure::Unreadable(error)) if *error.problem() == Problem::Refusal => {}
        Err(failure) => return Err(failure),
        Ok(()) => return Err(other("a refusal was read as an answer")),
    }
    let found = fps_refusal(bytes, ErrorDocument::Answer2007(action))?;
    match found == code {
        true => Ok(Outcome::Refusal(found)),
        false => Err(other(format!("expected {code}, found {found}"))),
    }
}

/// The action and the code in the name of a recorded file.
fn named(name: &str) -> (&str, Option<&str>) {
    let stem = name.strip_suffix(".xml").unwrap_or(name);
    let mut parts = stem.strip_prefix("remit-").unwrap_or(stem).split('-');
    (parts.next().unwrap_or(""), parts.nth(1))
}

fn read_action(action: &str) -> Result<Answered, Failure> {
    let found = ACTIONS.iter().find(|(listed, _)| *listed == action);
    found.map(|(_, read)| *read).ok_or_else(|| other("there is no rule for it"))
}

/// How often each name stands in a message, with a value.
type Names = BTreeMap<String, usize>;

/// Reading skips what it does not know: nothing of a sample may get lost that way.
fn kept(before: Names, after: &Names) -> Result<(), Failure> {
    let lost =
        before.into_iter().filter(|(name, count)| after.get(name).is_none_or(|it| it < count));
    let lost: Vec<_> = lost.map(|(name, _)| name).collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(Failure::Lost(lost)),
    }
}

/// The local names of all elements with a text of their own.
fn xml_names(bytes: &[u8]) -> Result<Names, Failure> {
    let mut names = Names::new();
    for piece in utf8(bytes)?.split('<') {
        let Some((tag, text)) = piece.split_once('>') else { continue };
        if text.trim().is_empty() || tag.starts_with(['/', '!', '?']) {
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or(tag);
        let name = name.rsplit(':').next().unwrap_or(name);
        *names.entry(name.to_owned()).or_default() += 1;
    }
    Ok(names)
}

/// The paths of all values that are neither null nor empty.
fn json_names(bytes: &[u8]) -> Result<Names, Failure> {
    let value = serde_json::from_slice(bytes).map_err(|error| other(error.to_string()))?;
    let mut names = Names::new();
    let mut left = vec![(String::new(), value)];
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Object(fields) => {
                left.extend(
                    fields.into_iter().map(|(name, field)| (format!("{path}/{name}"), field)),
                );
            }
            Value::Array(entries) => {
                left.extend(entries.into_iter().map(|entry| (format!("{path}/*"), entry)));
            }
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                *names.entry(path).or_default() += 1;
            }
        }
    }
    Ok(names)
}

/// The names of all parameters but the signature's.
fn param_names(params: &Params) -> Names {
    let signature = ["certificateUrl", "signature", "signatureMethod", "signatureVersion"];
    let names = params.iter().map(|(name, _)| name).filter(|name| !signature.contains(name));
    names.map(|name| (name.to_owned(), 1)).collect()
}

/// Two values of one message, of which the second went over the wire.
fn same<T: PartialEq>(before: &T, after: &T) -> Result<(), Failure> {
    match before == after {
        true => Ok(()),
        false => Err(other("written and read again it is another value")),
    }
}

fn answer<O: Serve<Service = FlexiblePaymentsApi>>(
    bytes: &[u8],
    dialect: Dialect,
) -> Result<(), Failure> {
    let answer = O::decode(bytes, dialect)?;
    let written = O::write_answer(&answer, dialect);
    same(&answer, &O::decode(&written, dialect)?)?;
    kept(xml_names(bytes)?, &xml_names(&written)?)
}

fn error_response(bytes: &[u8], dialect: Dialect) -> Result<(), Failure> {
    fps_refusal(bytes, ErrorDocument::Query)?;
    fps_refusal(bytes, ErrorDocument::ErrorResponse(dialect)).map(drop)
}

/// Reads a refusal and writes it in a shape; returns its code.
fn fps_refusal(bytes: &[u8], shape: ErrorDocument<'_>) -> Result<String, Failure> {
    let read = |bytes: &[u8]| {
        FlexiblePaymentsApi::read_refusal(bytes).ok_or_else(|| other("it is not a refusal"))
    };
    let refusal = read(bytes)?;
    same(&refusal, &read(&refusal.to_document(shape))?)?;
    Ok(refusal.code.to_string())
}

/// Forms as they are posted, and one list of fields.
fn notification(name: &str, bytes: &[u8]) -> Result<Outcome, Failure> {
    let (params, written) = match name.rsplit_once('.') {
        Some((_, "form")) => {
            let params = Params::parse(bytes)?;
            let read = TransactionNotification::from_params(&params)?;
            let written = read.to_params().map_err(|error| other(error.to_string()))?;
            same(&read, &TransactionNotification::from_params(&written)?)?;
            (params, written)
        }
        Some(("token-cancellation-fields", "json")) => {
            let fields: BTreeMap<String, String> =
                serde_json::from_slice(bytes).map_err(|error| other(error.to_string()))?;
            let params: Params = fields.into_iter().collect();
            let read = TokenCancellationNotification::from_params(&params)?;
            let written = read.to_params().map_err(|error| other(error.to_string()))?;
            same(&read, &TokenCancellationNotification::from_params(&written)?)?;
            (params, written)
        }
        _ => return Err(other("there is no rule for it")),
    };
    kept(param_names(&params), &param_names(&written)).map(|()| Outcome::Same)
}

fn pay_json(name: &str, bytes: &[u8]) -> Result<Outcome, Failure> {
    let found = PAY_MESSAGES.iter().find(|(beginning, _)| name.starts_with(beginning));
    let (_, read) = found.ok_or_else(|| other("there is no rule for it"))?;
    read(bytes).map(|()| Outcome::Same)
}

fn pay_answer<O: Serve<Service = AmazonPayApi>>(bytes: &[u8]) -> Result<(), Failure> {
    let answer = O::decode(bytes, ApiVersion::V2)?;
    let written = O::write_answer(&answer, ApiVersion::V2);
    same(&answer, &O::decode(&written, ApiVersion::V2)?)?;
    kept(json_names(bytes)?, &json_names(&written)?)
}

fn pay_request<O>(bytes: &[u8]) -> Result<(), Failure>
where
    O: PartialEq + Route + Serve<Service = AmazonPayApi>,
{
    let request =
        JsonRequest::new(O::METHOD, O::PATH).with_key("conformance").with_body(utf8(bytes)?);
    let read = O::read(&request, ApiVersion::V2)?;
    let written = read.encode(ApiVersion::V2).map_err(|error| other(error.to_string()))?;
    same(&read, &O::read(&written, ApiVersion::V2)?)?;
    let body = written.body.as_deref().unwrap_or("null");
    kept(json_names(bytes)?, &json_names(body.as_bytes())?)
}

fn pay_refusal(bytes: &[u8]) -> Result<(), Failure> {
    let read = |bytes: &[u8]| {
        AmazonPayApi::read_refusal(bytes).ok_or_else(|| other("it is not a refusal"))
    };
    let refusal = read(bytes)?;
    let written = refusal.to_json();
    same(&refusal, &read(&written)?)?;
    kept(json_names(bytes)?, &json_names(&written)?)
}

fn pay_notification(_: &str, bytes: &[u8]) -> Result<Outcome, Failure> {
    let read = Notification::from_json(bytes)?;
    let written = read.to_json();
    same(&read, &Notification::from_json(&written)?)?;
    kept(json_names(bytes)?, &json_names(&written)?).map(|()| Outcome::Same)
}

fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| other(error.to_string()))
}
