//! FPS Query at `/`: who signed it, which action it is, and what is answered.

mod balances;
mod cancel;
mod cancel_subscription_and_refund;
mod cancel_token;
mod fund_prepaid;
mod get_account_activity;
mod get_payment_instruction;
mod get_recipient_verification_status;
mod get_token_by_caller;
mod get_token_usage;
mod get_tokens;
mod get_transaction;
mod get_transaction_status;
mod install_payment_instruction;
mod pay;
mod refund;
mod reserve;
mod settle;
mod settle_debt;
mod subscription_queries;
mod write_off_debt;

mod charge;
mod credit;
mod details;
mod marketplace;
mod parties;
mod status;
mod view;

use std::sync::Arc;

use fps_model::flexible_payments::{Dialect, ErrorCode, FlexiblePaymentsApi, PaymentMethod};
use fps_model::{Answer, Operation, Params, Serve, ServiceError, Timestamp};
use fps_sign::query::Claim;
use fps_sign::{Error as SignatureError, Target, Verified};
use refund_rules::{Currency, Method, Money};
use rusqlite::Connection;

pub(crate) use self::status::{describe_payment, describe_refund};
use crate::books::Service;
use crate::clock::Millis;
use crate::error::Error;
use crate::fees::Fees;
use crate::idempotency::{Keyed, Reply, Stop, once};
use crate::payments::Owner;
use crate::sandbox::Shared;
use crate::{ids, merchants};

/// How far the date of a request may be off. The width is printed nowhere; this is what other
/// services of the time used.
const TIMESTAMP_WINDOW: Millis = 15 * 60 * 1_000;
/// How long a caller reference is remembered. Source: "Important Values to Store in Your Database",
/// FPS 2008-09-17 basic guide.
const REFERENCE_WINDOW: Millis = 7 * 24 * 60 * 60 * 1_000;

/// A Query request as it arrived.
pub(crate) struct QueryRequest {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    /// The query of a GET, the form of a POST.
    pub(crate) form: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: QueryRequest) -> Result<Reply, Error> {
    let params = match Params::parse(&request.form) {
        Ok(params) => params,
        Err(error) => return Ok(refuse(ErrorCode::InvalidParams, error.to_string())),
    };
    let version = params.get("Version").unwrap_or_default();
    let Some(dialect) = Dialect::from_version(version) else {
        return Ok(refuse(ErrorCode::InvalidParams, "version is not supported".to_owned()));
    };
    let action = params.get("Action").unwrap_or_default().to_owned();
    let (merchant, params) = match authenticate(shared, &request, params).await? {
        Ok(proved) => proved,
        Err(reply) => return Ok(reply),
    };
    let call = Call { shared: Arc::clone(shared), merchant, dialect, params };
    match action.as_str() {
        "Cancel" => call.perform(cancel::perform).await,
        "CancelSubscriptionAndRefund" => {
            call.perform(cancel_subscription_and_refund::perform).await
        }
        "CancelToken" => call.perform(cancel_token::perform).await,
        "FundPrepaid" => call.perform(fund_prepaid::perform).await,
        "GetAccountActivity" => call.perform(get_account_activity::perform).await,
        "GetAccountBalance" => call.perform(balances::account).await,
        "GetAllCreditInstruments" => call.perform(balances::credit_instruments).await,
        "GetAllPrepaidInstruments" => call.perform(balances::prepaid_instruments).await,
        "GetDebtBalance" => call.perform(balances::debt).await,
        "GetOutstandingDebtBalance" => call.perform(balances::outstanding_debt).await,
        "GetPaymentInstruction" => call.perform(get_payment_instruction::perform).await,
        "GetPrepaidBalance" => call.perform(balances::prepaid).await,
        "GetRecipientVerificationStatus" => {
            call.perform(get_recipient_verification_status::perform).await
        }
        "GetSubscriptionDetails" => call.perform(subscription_queries::details).await,
        "GetTokenByCaller" => call.perform(get_token_by_caller::perform).await,
        "GetTokenUsage" => call.perform(get_token_usage::perform).await,
        "GetTokens" => call.perform(get_tokens::perform).await,
        "GetTotalPrepaidLiability" => call.perform(balances::prepaid_liability).await,
        "GetTransaction" => call.perform(get_transaction::perform).await,
        "GetTransactionStatus" => call.perform(get_transaction_status::perform).await,
        "GetTransactionsForSubscription" => call.perform(subscription_queries::transactions).await,
        "InstallPaymentInstruction" => call.perform(install_payment_instruction::perform).await,
        "Pay" => call.perform(pay::perform).await,
        "Refund" => call.perform(refund::perform).await,
        "Reserve" => call.perform(reserve::perform).await,
        "Settle" => call.perform(settle::perform).await,
        "SettleDebt" => call.perform(settle_debt::perform).await,
        "WriteOffDebt" => call.perform(write_off_debt::perform).await,
        _ => Ok(refuse(ErrorCode::InvalidParams, "action is not supported".to_owned())),
    }
}

/// Whose request it is, proved; or the answer that says why not.
async fn authenticate(
    shared: &Shared,
    request: &QueryRequest,
    params: Params,
) -> Result<Result<(i64, Verified<Params>), Reply>, Error> {
    let target = Target::new(&request.method, &request.host, &request.path);
    let claim = match Claim::read(target, params) {
        Ok(claim) => claim,
        Err(error @ SignatureError::Unsupported { .. }) => {
            return Ok(Err(refuse(ErrorCode::InvalidSignature, error.to_string())));
        }
        Err(error) => return Ok(Err(refuse(ErrorCode::AuthFailure, error.to_string()))),
    };
    let access_key_id = claim.access_key_id().to_owned();
    let found = shared
        .store
        .run(move |connection| merchants::by_access_key(connection, &access_key_id))
        .await?;
    let Some((merchant, secret_key)) = found else {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        return Ok(Err(refuse(ErrorCode::InvalidClientTokenId, message.to_owned())));
    };
    let timestamp = claim.timestamp().to_owned();
    let Ok(params) = claim.verify(&secret_key) else {
        let message = "The request signature we calculated does not match the signature you \
                       provided. Check your AWS Secret Access Key and signing method.";
        return Ok(Err(refuse(ErrorCode::SignatureDoesNotMatch, message.to_owned())));
    };
    // The two sentences about the date are those that the service was recorded with.
    let Some(signed_at) = Timestamp::parse(&timestamp) else {
        let message = format!(
            "Value ({timestamp}) for parameter Timestamp is invalid. Must be in ISO8601 format."
        );
        return Ok(Err(refuse(ErrorCode::InvalidParameterValue, message)));
    };
    if shared.clock.distance(signed_at.unix_millis()) > TIMESTAMP_WINDOW {
        let message = format!("Request has expired. Timestamp date is {timestamp}");
        return Ok(Err(refuse(ErrorCode::RequestExpired, message)));
    }
    Ok(Ok((merchant, params)))
}

/// A proved request on its way to its action.
struct Call {
    shared: Arc<Shared>,
    merchant: i64,
    dialect: Dialect,
    params: Verified<Params>,
}

impl Context<'_> {
    /// Who asks, and so whose transactions may be seen.
    pub(crate) const fn owner(&self) -> Owner {
        Owner { merchant: self.merchant, service: Service::FlexiblePayments }
    }
}

/// What an action works with.
pub(crate) struct Context<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) merchant: i64,
    pub(crate) now: Millis,
    pub(crate) processing: Millis,
    pub(crate) dialect: Dialect,
    pub(crate) fees: Fees,
}

impl Call {
    async fn perform<O>(
        self,
        action: fn(&Context<'_>, &O) -> Result<O::Response, Stop>,
    ) -> Result<Reply, Error>
    where
        O: Serve<Service = FlexiblePaymentsApi> + 'static,
    {
        let Self { shared, merchant, dialect, params } = self;
        let operation = match O::read(params.get(), dialect) {
            Ok(operation) => operation,
            Err(error) => return Ok(refuse(ErrorCode::InvalidParams, in_lower_case(&error))),
        };
        let keyed = operation.key().map(|key| Keyed {
            merchant,
            scope: "flexible-payments",
            key: key.to_owned(),
            request: remembered::<O>(params.get(), dialect),
            window: Some(REFERENCE_WINDOW),
        });
        let (processing, fees) = (shared.processing, shared.fees);
        let now = shared.clock.now();
        let reply = shared
            .store
            .run(move |connection| {
                once(connection, keyed.as_ref(), now, duplicate, |connection| {
                    let context = Context { connection, merchant, dialect, now, processing, fees };
                    let answer = Answer::new(
                        action(&context, &operation)?,
                        Some(format!("{}:0", ids::request_id())),
                    );
                    Ok(Reply { status: 200, body: O::write_answer(&answer, dialect) })
                })
            })
            .await?;
        shared.wake();
        Ok(reply)
    }
}

fn duplicate() -> Reply {
    // The sentence is that of the service in a recorded answer.
    let message = "This request is a duplicate of a previous request and cannot be executed.";
    refuse(ErrorCode::DuplicateRequest, message.to_owned())
}

/// What a key stands for. Revision 2007-01-08 was recorded to refuse even the same instruction when it is
/// installed again.
fn remembered<O: Operation>(params: &Params, dialect: Dialect) -> String {
    match (O::ACTION, dialect) {
        ("InstallPaymentInstruction", Dialect::V2007_01_08) => ids::request_id(),
        _ => same_request(params),
    }
}

/// The business parameters of a request, sorted: equal requests are equal texts, whenever and however
/// they were signed.
pub(crate) fn same_request(params: &Params) -> String {
    const SIGNATURE: [&str; 5] =
        ["AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp"];
    let mut pairs: Vec<(&str, &str)> =
        params.iter().filter(|(name, _)| !SIGNATURE.contains(name)).collect();
    pairs.sort_unstable();
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.collect::<Params>().to_form()
}

/// Messages of the service spell a parameter with a small first letter.
fn in_lower_case(error: &fps_model::DecodeError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// A refusal with the status that belongs to its code. The documents have no table of statuses; these
/// are inferred from recorded answers and from what Amazon's own clients treat as errors.
pub(crate) fn refuse(code: ErrorCode, message: String) -> Reply {
    let status = match code {
        ErrorCode::AuthFailure => 401,
        ErrorCode::InvalidClientTokenId
        | ErrorCode::InvalidSignature
        | ErrorCode::RequestExpired
        | ErrorCode::SignatureDoesNotMatch => 403,
        ErrorCode::InternalError => 500,
        ErrorCode::ServiceUnavailable => 503,
        _ => 400,
    };
    let error = ServiceError::new(code, message).with_request_id(ids::request_id());
    Reply { status, body: error.to_xml() }
}

/// Stops an action with a refusal; one whose code says that it may pass is not remembered.
pub(crate) fn stop(code: ErrorCode, message: impl Into<String>) -> Stop {
    let retriable = code.is_retriable();
    let reply = refuse(code, message.into());
    if retriable { Stop::NotNow(reply) } else { Stop::Refused(reply) }
}

/// The transaction that a request names is none of this merchant's.
pub(crate) fn no_such_transaction(id: &str) -> Stop {
    let well_formed = id.len() == 35 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = if well_formed { ErrorCode::InvalidTransactionId } else { ErrorCode::InvalidParams };
    // The sentence is that of the documentation's sample.
    stop(code, format!("transactionId has to be a valid transaction ID. Specified value: {id}"))
}

/// A way to pay as the service spells it.
pub(crate) fn wire_method(method: Method) -> PaymentMethod {
    match method {
        Method::Card => PaymentMethod::CreditCard,
        Method::Bank => PaymentMethod::BankAccount,
        Method::Balance => PaymentMethod::AccountBalance,
        Method::Prepaid => PaymentMethod::Prepaid,
        Method::Postpaid => PaymentMethod::Debt,
    }
}

/// An amount, which has to be in dollars as all of the service is.
pub(crate) fn in_dollars(parameter: &str, amount: Money) -> Result<Money, Stop> {
    if amount.currency() == Currency::USD {
        return Ok(amount);
    }
    Err(stop(ErrorCode::InvalidParams, format!("{parameter} has to be in USD")))
}

/// Where notifications of a transaction go instead of to the address of the account: on this machine only,
/// as all that the sandbox posts.
pub(crate) fn notify_url(url: Option<&String>) -> Result<Option<String>, Stop> {
    let Some(url) = url else { return Ok(None) };
    let uri: Option<http::Uri> = url.parse().ok();
    let is_here = |uri: http::Uri| {
        uri.scheme_str() == Some("http") && uri.host().is_some_and(merchants::is_loopback)
    };
    if uri.is_some_and(is_here) {
        return Ok(Some(url.clone()));
    }
    let message = "overrideIPNURL: the sandbox posts notifications over http on this machine only";
    Err(stop(ErrorCode::InvalidParams, message))
}
