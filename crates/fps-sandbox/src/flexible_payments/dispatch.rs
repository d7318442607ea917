//! The table of actions, and the shape that an answer takes: bare, in the clothes of its revision, or
//! in an envelope. An action knows nothing of it, and what is remembered of a key is always bare.

use std::sync::Arc;

use fps_model::flexible_payments::{
    Action, Cancel, CancelSubscriptionAndRefund, CancelToken, Dialect, ErrorCode, ErrorDocument,
    FlexiblePaymentsApi, FundPrepaid, GetAccountActivity, GetAccountBalance,
    GetAllCreditInstruments, GetAllPrepaidInstruments, GetDebtBalance, GetOutstandingDebtBalance,
    GetPaymentInstruction, GetPrepaidBalance, GetRecipientVerificationStatus,
    GetSubscriptionDetails, GetTokenByCaller, GetTokenUsage, GetTokens, GetTotalPrepaidLiability,
    GetTransaction, GetTransactionStatus, GetTransactionsForSubscription,
    InstallPaymentInstruction, Pay, Refund, Reserve, Settle, SettleDebt, WriteOffDebt,
};
use fps_model::soap::{self, Addressing};
use fps_model::{Answer, Operation, Params, Serve, Service};
use fps_sign::Verified;

use super::{
    Context, balances, cancel, cancel_subscription_and_refund, cancel_token, fund_prepaid,
    get_account_activity, get_payment_instruction, get_recipient_verification_status,
    get_token_by_caller, get_token_usage, get_tokens, get_transaction, get_transaction_status,
    install_payment_instruction, pay, refund, refuse, reserve, settle, settle_debt,
    subscription_queries, verify_signature, write_off_debt,
};
use crate::clock::Millis;
use crate::error::Error;
use crate::idempotency::{Keyed, Reply, Stop, once};
use crate::ids;
use crate::sandbox::Shared;

/// How long a caller reference is remembered. Source: "Important Values to Store in Your Database",
/// FPS 2008-09-17 basic guide.
const REFERENCE_WINDOW: Millis = 7 * 24 * 60 * 60 * 1_000;

/// A proved request on its way to its action.
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) merchant: i64,
    pub(super) dialect: Dialect,
    pub(super) params: Verified<Params>,
    pub(super) form: Form,
}

/// One line for an action: what performs it. It is served over Query and SOAP, in every revision that
/// has it; elsewhere it is unknown.
macro_rules! table {
    ($call:ident: $($operation:ident => $perform:path,)*) => {
        match $call.params.get().get("Action").unwrap_or_default() {
            $(<$operation as Operation>::ACTION
                if <$operation as Action>::DIALECTS.contains(&$call.dialect) =>
            {
                $call.perform::<$operation>($perform).await
            })*
            _ => Ok($call.unknown()),
        }
    };
}

impl Call {
    /// Performs the action that is asked for.
    pub(super) async fn dispatch(self) -> Result<Reply, Error> {
        if verify_signature::is_meant(self.params.get()) {
            let params = self.params.get();
            return Ok(verify_signature::answer(&self.shared, params, self.dialect, &self.form));
        }
        table! { self:
            Cancel => cancel::perform,
            CancelSubscriptionAndRefund => cancel_subscription_and_refund::perform,
            CancelToken => cancel_token::perform,
            FundPrepaid => fund_prepaid::perform,
            GetAccountActivity => get_account_activity::perform,
            GetAccountBalance => balances::account,
            GetAllCreditInstruments => balances::credit_instruments,
            GetAllPrepaidInstruments => balances::prepaid_instruments,
            GetDebtBalance => balances::debt,
            GetOutstandingDebtBalance => balances::outstanding_debt,
            GetPaymentInstruction => get_payment_instruction::perform,
            GetPrepaidBalance => balances::prepaid,
            GetRecipientVerificationStatus => get_recipient_verification_status::perform,
            GetSubscriptionDetails => subscription_queries::details,
            GetTokenByCaller => get_token_by_caller::perform,
            GetTokenUsage => get_token_usage::perform,
            GetTokens => get_tokens::perform,
            GetTotalPrepaidLiability => balances::prepaid_liability,
            GetTransaction => get_transaction::perform,
            GetTransactionStatus => get_transaction_status::perform,
            GetTransactionsForSubscription => subscription_queries::transactions,
            InstallPaymentInstruction => install_payment_instruction::perform,
            Pay => pay::perform,
            Refund => refund::perform,
            Reserve => reserve::perform,
            Settle => settle::perform,
            SettleDebt => settle_debt::perform,
            WriteOffDebt => write_off_debt::perform,
        }
    }

    fn unknown(&self) -> Reply {
        let reply = match self.params.get().get("Action") {
            None => refuse(ErrorCode::InvalidParams, "action is missing".to_owned()),
            Some(_) => {
                let version = self.dialect.version();
                let message = format!("action is not supported in version {version}");
                refuse(ErrorCode::InvalidParams, message)
            }
        };
        self.form.refusal(reply)
    }

    async fn perform<O>(
        self,
        action: fn(&Context<'_>, &O) -> Result<O::Response, Stop>,
    ) -> Result<Reply, Error>
    where
        O: Serve<Service = FlexiblePaymentsApi> + 'static,
    {
        let Self { shared, merchant, dialect, params, form } = self;
        let operation = match O::read(params.get(), dialect) {
            Ok(operation) => operation,
            Err(error) => {
                let reply = refuse(ErrorCode::InvalidParams, in_lower_case(&error));
                return Ok(form.answer::<O>(reply, dialect));
            }
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
                    Ok(answered::<O>(action(&context, &operation)?, dialect))
                })
            })
            .await?;
        shared.wake();
        Ok(form.answer::<O>(reply, dialect))
    }
}

/// The bare answer of an action, with an id of its request.
pub(super) fn answered<O>(result: O::Response, dialect: Dialect) -> Reply
where
    O: Serve<Service = FlexiblePaymentsApi>,
{
    let answer = Answer::new(result, Some(format!("{}:0", ids::request_id())));
    Reply { status: 200, body: O::write_answer(&answer, dialect) }
}

/// How an answer leaves.
pub(super) enum Form {
    Query,
    /// With the addressing headers of the request.
    Soap(Addressing),
}

impl Form {
    /// The answer of an action, or its refusal, which looks like an answer in 2007. Source: recorded
    /// answers of 2007-01-08, where failures of the service itself look as they do elsewhere.
    pub(super) fn answer<O>(&self, reply: Reply, dialect: Dialect) -> Reply
    where
        O: Serve<Service = FlexiblePaymentsApi>,
    {
        if reply.status == 200 {
            let id = match self {
                Self::Query => None,
                Self::Soap(_) => O::decode(&reply.body, dialect).ok().and_then(|it| it.request_id),
            };
            return self.envelope(reply, O::ACTION, id);
        }
        let error = FlexiblePaymentsApi::read_refusal(&reply.body);
        match error {
            Some(error) if dialect == Dialect::V2007_01_08 && reply.status < 500 => {
                let body = error.to_document(ErrorDocument::Answer2007(O::ACTION));
                self.envelope(Reply { status: 200, body }, O::ACTION, error.request_id)
            }
            _ => self.refusal(reply),
        }
    }

    /// A refusal before there was an action.
    pub(super) fn refusal(&self, reply: Reply) -> Reply {
        let Self::Soap(addressing) = self else { return reply };
        let Some(error) = FlexiblePaymentsApi::read_refusal(&reply.body) else { return reply };
        let body = error.to_document(ErrorDocument::SoapFault);
        // A fault has this status whosever it is. Source: SOAP 1.1, section 6.2.
        let reply = Reply { status: 500, body };
        let id = error.request_id.unwrap_or_default();
        let mut headers = addressing.answer("", &id);
        // Of a fault the documents print no action.
        headers.action = None;
        wrapped(reply, &headers)
    }

    fn envelope(&self, reply: Reply, action: &str, request_id: Option<String>) -> Reply {
        match self {
            Self::Query => reply,
            Self::Soap(addressing) => {
                let id = request_id.unwrap_or_else(ids::request_id);
                wrapped(reply, &addressing.answer(action, &id))
            }
        }
    }
}

fn wrapped(reply: Reply, headers: &Addressing) -> Reply {
    // What an operation writes is text, and so can be wrapped.
    match soap::wrap_answer(&reply.body, headers) {
        Ok(body) => Reply { body, ..reply },
        Err(_) => reply,
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
/// they were signed, and whether they came in an envelope.
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
pub(super) fn in_lower_case(error: &fps_model::DecodeError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
