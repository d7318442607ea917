//! What a merchant asks its visitor for, and what is installed when the visitor agrees.

use fps_model::Params;
use fps_model::flexible_payments::{
    AmountType, EditTokenPipeline, FpsOperation, MultiUsePipeline, PipelineFlag, PipelineReturn,
    PipelineStatus, RecipientPipeline, RecurringPipeline, SetupPostpaidPipeline,
    SetupPrepaidPipeline, SingleUsePipeline, TokenType, UsageLimitType,
};
use fps_model::{Decimal, Timestamp};
use refund_rules::{Currency, Method, Money, Role};
use rusqlite::Connection;

use crate::clock::Millis;
use crate::error::Error;
use crate::ids;
use crate::instruments::{self, Kind, NewInstrument};
use crate::merchants;
use crate::periods::Period;
use crate::tokens::{self, AmountTerm, NewToken, UsageTerm};

/// What is asked for.
pub(super) enum Asked {
    SingleUse(Box<SingleUsePipeline>),
    MultiUse(Box<MultiUsePipeline>),
    Recurring(Box<RecurringPipeline>),
    Recipient(Box<RecipientPipeline>),
    Prepaid(Box<SetupPrepaidPipeline>),
    Postpaid(Box<SetupPostpaidPipeline>),
    Edit(Box<EditTokenPipeline>),
}

const METHODS: [(&str, Method); 3] =
    [("CC", Method::Card), ("ACH", Method::Bank), ("ABT", Method::Balance)];

pub(super) fn method_of(code: &str) -> Option<Method> {
    METHODS.into_iter().find(|(known, _)| *known == code).map(|(_, method)| method)
}

pub(super) fn method_code(method: Method) -> &'static str {
    METHODS.into_iter().find(|(_, known)| *known == method).map_or("ABT", |(code, _)| code)
}

impl Asked {
    /// Reads it, or says what the caller did wrong.
    pub(super) fn read(params: &Params) -> Result<Self, String> {
        let text = |error: fps_model::DecodeError| error.to_string();
        let asked = match params.get("pipelineName") {
            Some("SingleUse") => {
                SingleUsePipeline::from_params(params).map(|it| Self::SingleUse(Box::new(it)))
            }
            Some("MultiUse") => {
                MultiUsePipeline::from_params(params).map(|it| Self::MultiUse(Box::new(it)))
            }
            Some("Recurring") => {
                RecurringPipeline::from_params(params).map(|it| Self::Recurring(Box::new(it)))
            }
            Some("Recipient") => {
                RecipientPipeline::from_params(params).map(|it| Self::Recipient(Box::new(it)))
            }
            Some("SetupPrepaid") => {
                SetupPrepaidPipeline::from_params(params).map(|it| Self::Prepaid(Box::new(it)))
            }
            Some("SetupPostpaid") => {
                SetupPostpaidPipeline::from_params(params).map(|it| Self::Postpaid(Box::new(it)))
            }
            Some("EditToken") => {
                EditTokenPipeline::from_params(params).map(|it| Self::Edit(Box::new(it)))
            }
            _ => return Err("pipelineName is none of the seven".to_owned()),
        };
        let asked = asked.map_err(text)?;
        if asked.methods().is_empty() {
            return Err("paymentMethod names no way to pay".to_owned());
        }
        if asked.amounts().iter().any(|amount| amount.currency() != Currency::USD) {
            return Err("amounts have to be in USD".to_owned());
        }
        Ok(asked)
    }

    pub(super) const fn title(&self) -> &'static str {
        match self {
            Self::SingleUse(_) => "Approve one payment",
            Self::MultiUse(_) => "Approve several payments",
            Self::Recurring(_) => "Approve regular payments",
            Self::Recipient(_) => "Be paid through a marketplace",
            Self::Prepaid(_) => "Pay in advance",
            Self::Postpaid(_) => "Pay later",
            Self::Edit(_) => "Change how you pay",
        }
    }

    /// The merchant's own name for it.
    pub(super) fn reference(&self) -> &str {
        match self {
            Self::SingleUse(it) => it.caller_reference.as_str(),
            Self::MultiUse(it) => it.caller_reference.as_str(),
            Self::Recurring(it) => it.caller_reference.as_str(),
            Self::Recipient(it) => it.caller_reference.as_str(),
            Self::Prepaid(it) => it.caller_reference_sender.as_str(),
            Self::Postpaid(it) => it.caller_reference_sender.as_str(),
            Self::Edit(it) => it.caller_reference.as_str(),
        }
    }

    /// The ways to pay that the merchant takes, all without its saying so.
    pub(super) fn methods(&self) -> Vec<Method> {
        let named = match self {
            Self::SingleUse(it) => &it.payment_method,
            Self::MultiUse(it) => &it.payment_method,
            Self::Recurring(it) => &it.payment_method,
            Self::Recipient(it) => &it.payment_method,
            Self::Prepaid(it) => &it.payment_method,
            Self::Postpaid(it) => &it.payment_method,
            Self::Edit(it) => &it.payment_method,
        };
        match named {
            None => METHODS.into_iter().map(|(_, method)| method).collect(),
            Some(codes) => codes.split(',').filter_map(|code| method_of(code.trim())).collect(),
        }
    }

    fn amounts(&self) -> Vec<Money> {
        match self {
            Self::SingleUse(it) => vec![it.transaction_amount],
            Self::MultiUse(it) => [Some(it.global_amount_limit), it.transaction_amount]
                .into_iter()
                .flatten()
                .collect(),
            Self::Recurring(it) => vec![it.transaction_amount],
            Self::Recipient(it) => it.max_fixed_fee.into_iter().collect(),
            Self::Prepaid(it) => vec![it.funding_amount],
            Self::Postpaid(it) => {
                [Some(it.credit_limit), it.global_amount_limit].into_iter().flatten().collect()
            }
            Self::Edit(_) => Vec::new(),
        }
    }

    /// What the visitor is shown.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("Reference", self.reference().to_owned())];
        let reason = match self {
            Self::SingleUse(it) => &it.payment_reason,
            Self::MultiUse(it) => &it.payment_reason,
            Self::Recurring(it) => &it.payment_reason,
            Self::Prepaid(it) => &it.payment_reason,
            Self::Postpaid(it) => &it.payment_reason,
            Self::Recipient(_) | Self::Edit(_) => &None,
        };
        rows.extend(reason.as_ref().map(|reason| ("For", reason.expose().to_owned())));
        for amount in self.amounts() {
            rows.push(("Amount", format!("{amount} {}", amount.currency().code())));
        }
        rows
    }

    fn validity(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::MultiUse(it) => (it.validity_start, it.validity_expiry),
            Self::Recurring(it) => (it.validity_start, it.validity_expiry),
            Self::Recipient(it) => (it.validity_start, it.validity_expiry),
            Self::Prepaid(it) => (it.validity_start, it.validity_expiry),
            Self::Postpaid(it) => (it.validity_start, it.validity_expiry),
            Self::SingleUse(_) | Self::Edit(_) => (None, None),
        }
    }
}

/// Installs what the visitor agreed to, or says why not; both go back to the merchant.
pub(super) fn install(
    connection: &Connection,
    asked: &Asked,
    merchant: i64,
    method: Method,
    now: Millis,
) -> Result<PipelineReturn, Error> {
    let failed = |status, message: &str| {
        let back = PipelineReturn::new(status).error_message(message);
        Ok(back.caller_reference(asked.reference()))
    };
    if !asked.methods().contains(&method) {
        return failed(
            PipelineStatus::MethodMismatch,
            "The merchant does not take this way to pay.",
        );
    }
    let success = match method {
        Method::Card => PipelineStatus::SuccessCard,
        Method::Bank => PipelineStatus::SuccessBank,
        _ => PipelineStatus::SuccessBalance,
    };
    if let Asked::Edit(it) = asked {
        let token = tokens::load(connection, it.token_id.as_str())?;
        let Some(token) = token.filter(|token| token.merchant == merchant && token.is_alive(now))
        else {
            return failed(PipelineStatus::InvalidToken, "There is no such token of the merchant.");
        };
        if !matches!(token.kind, TokenType::MultiUse | TokenType::Recurring) {
            return failed(PipelineStatus::InvalidToken, "Tokens of this type cannot be edited.");
        }
        if token.method == method {
            let back = PipelineReturn::new(PipelineStatus::Unchanged).token_id(token.id);
            return Ok(back.caller_reference(asked.reference()));
        }
        tokens::set_method(connection, &token.id, method)?;
        let back = PipelineReturn::new(success).token_id(token.id);
        return Ok(back.caller_reference(asked.reference()));
    }
    if tokens::by_reference(connection, merchant, asked.reference())?.is_some() {
        return failed(PipelineStatus::CallerError, "callerReference was used for another token.");
    }
    let mut new = new_token(asked, merchant, method)?;
    if new.role == Role::Recipient {
        // Nobody signs in here: the visitor is the newest other merchant, or the caller itself.
        new.owner = Some(merchants::another(connection, merchant)?.unwrap_or(merchant));
    }
    let back = match asked {
        Asked::Prepaid(_) | Asked::Postpaid(_) => install_credit(connection, asked, &new, now)?,
        Asked::Recipient(it) => {
            tokens::insert(connection, &new, now)?;
            let mut refunds = NewToken::new(ids::token_id()?, merchant, Method::Balance);
            refunds.owner = new.owner;
            refunds.terms.operation = Some(FpsOperation::Refund);
            refunds.caller_reference =
                it.caller_reference_refund.as_ref().map(|key| key.as_str().to_owned());
            tokens::insert(connection, &refunds, now)?;
            let back = PipelineReturn::new(PipelineStatus::SuccessRecipient);
            return Ok(back
                .caller_reference(asked.reference())
                .token_id(new.id)
                .refund_token_id(refunds.id));
        }
        _ => {
            tokens::insert(connection, &new, now)?;
            PipelineReturn::new(success.clone()).token_id(new.id.as_str())
        }
    };
    let mut back = back.caller_reference(asked.reference());
    back.status = success;
    Ok(back)
}

/// The instrument, the token that pays from it, and the one that fills it or settles it.
fn install_credit(
    connection: &Connection,
    asked: &Asked,
    new: &NewToken,
    now: Millis,
) -> Result<PipelineReturn, Error> {
    let (kind, limit, other) = match asked {
        Asked::Prepaid(it) => (Kind::Prepaid, None, it.caller_reference_funding.as_str()),
        Asked::Postpaid(it) => {
            (Kind::Postpaid, Some(it.credit_limit), it.caller_reference_settlement.as_str())
        }
        _ => return Err(Error::invalid("a pipeline without credit")),
    };
    let (id, merchant) = (ids::token_id()?, new.merchant);
    let instrument =
        NewInstrument { id: id.clone(), merchant, kind, limit, expires_at: new.expires_at };
    instruments::insert(connection, &instrument, now)?;
    let pays = NewToken {
        method: if kind == Kind::Prepaid { Method::Prepaid } else { Method::Postpaid },
        instrument: Some(id.clone()),
        ..new.clone()
    };
    tokens::insert(connection, &pays, now)?;
    let fills = NewToken {
        id: ids::token_id()?,
        caller_reference: Some(other.to_owned()),
        terms: tokens::Terms::default(),
        ..new.clone()
    };
    tokens::insert(connection, &fills, now)?;
    let back = PipelineReturn::new(PipelineStatus::SuccessBalance);
    Ok(match kind {
        Kind::Prepaid => back
            .prepaid_instrument_id(id)
            .prepaid_sender_token_id(pays.id)
            .funding_token_id(fills.id),
        Kind::Postpaid => back
            .credit_instrument_id(id)
            .credit_sender_token_id(pays.id)
            .settlement_token_id(fills.id),
    })
}

/// The token with the terms that the visitor saw.
fn new_token(asked: &Asked, merchant: i64, method: Method) -> Result<NewToken, Error> {
    let mut new = NewToken::new(ids::token_id()?, merchant, method);
    new.caller_reference = Some(asked.reference().to_owned());
    let (from, to) = asked.validity();
    new.terms.valid_from = from.map(|time| time.unix_millis());
    new.expires_at = to.map(|time| time.unix_millis());
    let exactly = |amount: Money| AmountTerm { is: AmountType::Exact, minor: amount.minor() };
    match asked {
        Asked::SingleUse(it) => {
            new.kind = TokenType::SingleUse;
            new.terms.amount = Some(exactly(it.transaction_amount));
            new.terms.recipients =
                it.recipient_token.iter().map(|token| token.as_str().to_owned()).collect();
        }
        Asked::MultiUse(it) => {
            new.kind = TokenType::MultiUse;
            new.terms.total = Some(it.global_amount_limit.minor());
            let is = it.amount_type.clone().unwrap_or(AmountType::Maximum);
            new.terms.amount =
                it.transaction_amount.map(|amount| AmountTerm { is, minor: amount.minor() });
            new.terms.usage.extend(usage(
                it.usage_limit_type1.as_ref(),
                it.usage_limit_value1.as_ref(),
                it.usage_limit_period1.as_deref(),
            )?);
            new.terms.usage.extend(usage(
                it.usage_limit_type2.as_ref(),
                it.usage_limit_value2.as_ref(),
                it.usage_limit_period2.as_deref(),
            )?);
        }
        Asked::Recurring(it) => {
            new.kind = TokenType::Recurring;
            new.terms.amount = Some(exactly(it.transaction_amount));
            let one = Decimal::parse("1");
            let each = Some(it.recurring_period.as_str());
            new.terms.usage.extend(usage(Some(&UsageLimitType::Count), one.as_ref(), each)?);
        }
        Asked::Recipient(it) => {
            new.role = Role::Recipient;
            new.method = Method::Balance;
            new.terms.recipient_pays_fee = Some(it.recipient_pays_fee == PipelineFlag::True);
            new.terms.max_fixed_fee = it.max_fixed_fee.map(Money::minor);
            new.terms.max_variable_fee.clone_from(&it.max_variable_fee);
        }
        Asked::Postpaid(it) => {
            new.terms.total = it.global_amount_limit.map(Money::minor);
        }
        Asked::Prepaid(_) | Asked::Edit(_) => {}
    }
    Ok(new)
}

/// A limit on how often or how much, if the three parts of one are there.
fn usage(
    of: Option<&UsageLimitType>,
    value: Option<&Decimal>,
    period: Option<&str>,
) -> Result<Option<UsageTerm>, Error> {
    let (Some(of), Some(value)) = (of, value) else { return Ok(None) };
    let most = match of {
        UsageLimitType::Amount => {
            Money::parse(value.as_str(), Currency::USD).map_err(Error::invalid)?.minor()
        }
        _ => value.as_str().parse().map_err(Error::invalid)?,
    };
    let period = match period {
        None => None,
        Some(text) => {
            Some(Period::parse(text).ok_or_else(|| Error::invalid("a period that is none"))?)
        }
    };
    Ok(Some(UsageTerm { of: of.clone(), most, period }))
}
