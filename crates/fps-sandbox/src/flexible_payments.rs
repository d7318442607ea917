//! Flexible Payments Service at `/`: what its actions have in common. Who asks is proved in `query` and
//! `soap`; which action it is, and the shape of its answer, is for `dispatch`.

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

mod dispatch;
mod query;
mod soap;
mod verify_signature;
mod wsdl;

use fps_model::ServiceError;
use fps_model::flexible_payments::{Dialect, ErrorCode, PaymentMethod};
use refund_rules::{Currency, Method, Money};
use rusqlite::Connection;

pub(crate) use self::dispatch::same_request;
pub(crate) use self::query::{QueryRequest, answer};
pub(crate) use self::soap::{SoapRequest, answer as answer_soap, internal_error as soap_error};
pub(crate) use self::status::{describe_payment, describe_refund};
pub(crate) use self::wsdl::{WSDL_PATH, wsdl};
use crate::books::Service;
use crate::clock::Millis;
use crate::fees::Fees;
use crate::idempotency::{Reply, Stop};
use crate::payments::Owner;
use crate::{ids, merchants};

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
