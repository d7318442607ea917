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
use crate::tokens::{self, AmountTerm, NewToken, Terms, UsageTerm};

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

pub(crate) const METHODS: [(&str, Method); 3] =
    [("CC", Method::Card), ("ACH", Method::Bank), ("ABT", Method::Balance)];

pub(super) fn method_of(code: &str) -> Option<Method> {
    METHODS.into_iter().find(|(known, _)| *known == code).map(|(_, method)| method)
}

pub(crate) fn method_code(method: Method) -> &'static str {
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
        if asked.amounts().iter().any(|(_, amount)| amount.currency() != Currency::USD) {
            return Err("amounts have to be in USD".to_owned());
        }
        let (from, to) = asked.validity();
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err("validityExpiry has to be after validityStart".to_owned());
        }
        asked.terms()?;
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
            // Source: Co-Branded UI guide, SetupPrepaid.
            None if matches!(self, Self::Prepaid(_)) => vec![Method::Balance],
            None => METHODS.into_iter().map(|(_, method)| method).collect(),
            Some(codes) => codes.split(',').filter_map(|code| method_of(code.trim())).collect(),
        }
    }

    fn amounts(&self) -> Vec<(&'static str, Money)> {
        let amounts = match self {
            Self::SingleUse(it) => [Some(("One payment of", it.transaction_amount)), None],
            Self::MultiUse(it) => [
                Some(("All payments up to", it.global_amount_limit)),
                it.transaction_amount.map(|amount| ("Each payment", amount)),
            ],
            Self::Recurring(it) => [Some(("Each payment of", it.transaction_amount)), None],
            Self::Recipient(it) => {
                [it.max_fixed_fee.map(|fee| ("The marketplace takes up to", fee)), None]
            }
            Self::Prepaid(it) => [Some(("In advance", it.funding_amount)), None],
            Self::Postpaid(it) => [
                Some(("Credit up to", it.credit_limit)),
                it.global_amount_limit.map(|limit| ("All payments up to", limit)),
            ],
            Self::Edit(_) => [None, None],
        };
        amounts.into_iter().flatten().collect()
    }

    /// What the visitor is shown: all that is agreed to.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("Reference", self.reference().to_owned())];
        rows.extend(self.reason().map(|reason| ("For", reason.to_owned())));
        for (name, amount) in self.amounts() {
            rows.push((name, format!("{amount} {}", amount.currency().code())));
        }
        match self {
            Self::MultiUse(it) => {
                rows.extend(it.amount_type.as_ref().map(|is| ("Amounts are", is.to_string())));
                rows.extend(limit_row(
                    &it.usage_limit_type1,
                    &it.usage_limit_value1,
                    &it.usage_limit_period1,
                ));
                rows.extend(limit_row(
                    &it.usage_limit_type2,
                    &it.usage_limit_value2,
                    &it.usage_limit_period2,
                ));
            }
            Self::Postpaid(it) => {
                rows.extend(limit_row(
                    &it.usage_limit_type1,
                    &it.usage_limit_value1,
                    &it.usage_limit_period1,
                ));
                rows.extend(limit_row(
                    &it.usage_limit_type2,
                    &it.usage_limit_value2,
                    &it.usage_limit_period2,
                ));
            }
            Self::Recurring(it) => rows.push(("Every", it.recurring_period.clone())),
            Self::Recipient(it) => {
                rows.extend(
                    it.max_variable_fee
                        .as_ref()
                        .map(|fee| ("and in percent", fee.as_str().to_owned())),
                );
            }
            Self::SingleUse(_) | Self::Prepaid(_) | Self::Edit(_) => {}
        }
        let (from, to) = self.validity();
        rows.extend(from.map(|time| ("From", time.to_extended())));
        rows.extend(to.map(|time| ("Until", time.to_extended())));
        rows
    }

    fn reason(&self) -> Option<&str> {
        let reason = match self {
            Self::SingleUse(it) => &it.payment_reason,
            Self::MultiUse(it) => &it.payment_reason,
            Self::Recurring(it) => &it.payment_reason,
            Self::Prepaid(it) => &it.payment_reason,
            Self::Postpaid(it) => &it.payment_reason,
            Self::Recipient(_) | Self::Edit(_) => &None,
        };
        reason.as_ref().map(|reason| reason.expose())
    }

    /// The terms of the token that is asked for.
    fn terms(&self) -> Result<Terms, String> {
        let exactly = |amount: Money| AmountTerm { is: AmountType::Exact, minor: amount.minor() };
        let mut terms = Terms {
            valid_from: self.validity().0.map(|time| time.unix_millis()),
            ..Terms::default()
        };
        match self {
            Self::SingleUse(it) => {
                terms.amount = Some(exactly(it.transaction_amount));
                terms.recipients =
                    it.recipient_token.iter().map(|token| token.as_str().to_owned()).collect();
            }
            Self::MultiUse(it) => {
                terms.total = Some(it.global_amount_limit.minor());
                let is = it.amount_type.clone().unwrap_or(AmountType::Maximum);
                terms.amount =
                    it.transaction_amount.map(|amount| AmountTerm { is, minor: amount.minor() });
                terms.usage.extend(usage(
                    &it.usage_limit_type1,
                    &it.usage_limit_value1,
                    &it.usage_limit_period1,
                )?);
                terms.usage.extend(usage(
                    &it.usage_limit_type2,
                    &it.usage_limit_value2,
                    &it.usage_limit_period2,
                )?);
                let tokens = it.recipient_token_list.as_ref().map_or("", |list| list.expose());
                let tokens = tokens.split(',').map(str::trim).filter(|token| !token.is_empty());
                terms.recipients = tokens.map(str::to_owned).collect();
            }
            Self::Recurring(it) => {
                terms.amount = Some(exactly(it.transaction_amount));
                let each = Some(it.recurring_period.clone());
                terms.usage.extend(usage(
                    &Some(UsageLimitType::Count),
                    &Decimal::parse("1"),
                    &each,
                )?);
            }
            Self::Recipient(it) => {
                terms.recipient_pays_fee = Some(it.recipient_pays_fee == PipelineFlag::True);
                terms.max_fixed_fee = it.max_fixed_fee.map(Money::minor);
                terms.max_variable_fee.clone_from(&it.max_variable_fee);
            }
            Self::Postpaid(it) => {
                terms.total = it.global_amount_limit.map(Money::minor);
                terms.usage.extend(usage(
                    &it.usage_limit_type1,
                    &it.usage_limit_value1,
                    &it.usage_limit_period1,
                )?);
                terms.usage.extend(usage(
                    &it.usage_limit_type2,
                    &it.usage_limit_value2,
                    &it.usage_limit_period2,
                )?);
            }
            Self::Prepaid(_) | Self::Edit(_) => {}
        }
        Ok(terms)
    }

    /// Every reference that a token of it will have.
    fn references(&self) -> Vec<&str> {
        let other = match self {
            Self::Prepaid(it) => Some(it.caller_reference_funding.as_str()),
            Self::Postpaid(it) => Some(it.caller_reference_settlement.as_str()),
            Self::Recipient(it) => it.caller_reference_refund.as_ref().map(|key| key.as_str()),
            _ => None,
        };
        [Some(self.reference()), other].into_iter().flatten().collect()
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
        let Some(token) = token.filter(|token| token.is_alive(now)) else {
            return failed(PipelineStatus::InvalidToken, "There is no such token.");
        };
        if token.merchant != merchant {
            return failed(PipelineStatus::UnauthorisedToken, "The token is another merchant's.");
        }
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
    for reference in asked.references() {
        if tokens::by_reference(connection, merchant, reference)?.is_some() {
            let message = "A reference was used for another token.";
            return failed(PipelineStatus::CallerError, message);
        }
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
        terms: Terms::default(),
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
    new.payment_reason = asked.reason().map(str::to_owned);
    new.expires_at = asked.validity().1.map(|time| time.unix_millis());
    new.terms = asked.terms().map_err(Error::invalid)?;
    match asked {
        Asked::SingleUse(_) => new.kind = TokenType::SingleUse,
        Asked::MultiUse(_) => new.kind = TokenType::MultiUse,
        Asked::Recurring(_) => new.kind = TokenType::Recurring,
        Asked::Recipient(_) => {
            new.role = Role::Recipient;
            new.method = Method::Balance;
        }
        Asked::Prepaid(_) | Asked::Postpaid(_) | Asked::Edit(_) => {}
    }
    Ok(new)
}

/// A limit on how often or how much, if the parts of one are there.
fn usage(
    of: &Option<UsageLimitType>,
    value: &Option<Decimal>,
    period: &Option<String>,
) -> Result<Option<UsageTerm>, String> {
    let (Some(of), Some(value)) = (of, value) else { return Ok(None) };
    let most = match of {
        UsageLimitType::Amount => Money::parse(value.as_str(), Currency::USD)
            .map_err(|error| format!("usageLimitValue: {error}"))?
            .minor(),
        _ => value.as_str().parse().map_err(|_| "usageLimitValue is no count".to_owned())?,
    };
    let period = match period {
        None => None,
        Some(text) => {
            Some(Period::parse(text).ok_or_else(|| format!("`{text}` is no period of time"))?)
        }
    };
    Ok(Some(UsageTerm { of: of.clone(), most, period }))
}

/// The same as the visitor reads it.
fn limit_row(
    of: &Option<UsageLimitType>,
    value: &Option<Decimal>,
    period: &Option<String>,
) -> Option<(&'static str, String)> {
    let what = match of.as_ref()? {
        UsageLimitType::Amount => "USD at most",
        _ => "payments at most",
    };
    let each = period.as_ref().map_or(String::new(), |period| format!(" in {period}"));
    Some(("Limit", format!("{} {what}{each}", value.as_ref()?.as_str())))
}
