//! InstallPaymentInstruction: a token for the caller's own account, with rules in the words of
//! GateKeeper.
//!
//! Amazon's grammar is lost, and with it the names of its limits; a text is taken as far as `gatekeeper`
//! reads it and understands it. A condition that is not understood cannot be kept to, and is refused
//! rather than overlooked: that is the sandbox's choice, as is `TransactionAmount`.

use fps_model::flexible_payments::{
    AmountType, ErrorCode, FpsOperation, InstallPaymentInstruction,
    InstallPaymentInstructionResult, TokenType,
};
use fps_model::gatekeeper::{Operator, PaymentInstruction, Statement};
use refund_rules::{Currency, Method, Money, Role};

use super::{Context, parties, stop};
use crate::idempotency::Stop;
use crate::ids;
use crate::tokens::{self, AmountTerm, NewToken, Terms};

pub(super) fn perform(
    context: &Context<'_>,
    request: &InstallPaymentInstruction,
) -> Result<InstallPaymentInstructionResult, Stop> {
    parties::account(context, context.merchant, Role::Caller)?;
    if !TokenType::listed().contains(&request.token_type) {
        return Err(stop(ErrorCode::InvalidParams, "tokenType is none that there is"));
    }
    let text = request.payment_instruction.as_str();
    let instruction = PaymentInstruction::parse(text)
        .map_err(|error| stop(ErrorCode::BadRule, error.to_string()))?;
    let (role, terms) = read(&instruction)?;
    let new = NewToken {
        owner: Some(context.merchant),
        role,
        kind: request.token_type.clone(),
        caller_reference: Some(request.caller_reference.as_str().to_owned()),
        friendly_name: request.token_friendly_name.as_ref().map(|it| it.expose().to_owned()),
        payment_reason: request.payment_reason.as_ref().map(|it| it.expose().to_owned()),
        instruction: Some(text.to_owned()),
        terms,
        ..NewToken::new(ids::token_id()?, context.merchant, Method::Balance)
    };
    tokens::insert(context.connection, &new, context.now)?;
    Ok(InstallPaymentInstructionResult::new(new.id))
}

/// What an instruction means: a role, an operation if it is for one only, and a limit of each payment.
fn read(instruction: &PaymentInstruction) -> Result<(Role, Terms), Stop> {
    let mut terms = Terms::default();
    let mut granted: Option<PaymentInstruction> = None;
    for statement in instruction.statements() {
        if statement.name() == "TransactionAmount" {
            let limit = amount(statement)?;
            if terms.amount.replace(limit).is_some() {
                return Err(bad_rule("TransactionAmount is limited twice"));
            }
        } else {
            let so_far = match granted.take() {
                None => Ok(PaymentInstruction::new(statement.clone())),
                Some(before) => before.with(statement.clone()),
            };
            granted = Some(so_far.map_err(|error| bad_rule(&error.to_string()))?);
        }
    }
    let granted = granted.ok_or_else(|| bad_rule("no statement fixes MyRole"))?;
    granted.grant().map_err(|error| bad_rule(&error.to_string()))?;
    for statement in granted.statements() {
        if statement.name() == "OperationType" {
            terms.operation = Some(FpsOperation::from(statement.value()));
        }
    }
    Ok((role(&granted)?, terms))
}

fn role(instruction: &PaymentInstruction) -> Result<Role, Stop> {
    let value = instruction.statements().iter().find(|it| it.name() == "MyRole");
    match value.map(Statement::value) {
        Some("Caller") => Ok(Role::Caller),
        Some("Recipient") => Ok(Role::Recipient),
        Some("Sender") => Ok(Role::Sender),
        _ => Err(bad_rule("no statement fixes MyRole")),
    }
}

/// `TransactionAmount <= 'USD 10.00'`, and the same with `>=` and `==`.
fn amount(statement: &Statement) -> Result<AmountTerm, Stop> {
    let is = match statement.operator() {
        Operator::Equal => AmountType::Exact,
        Operator::AtMost => AmountType::Maximum,
        Operator::AtLeast => AmountType::Minimum,
        _ => return Err(bad_rule("TransactionAmount is compared by ==, <= or >=")),
    };
    let amount = statement.value().trim_start_matches("USD").trim();
    let amount = Money::parse(amount, Currency::USD)
        .map_err(|_| bad_rule("TransactionAmount is not an amount such as 'USD 10.00'"))?;
    Ok(AmountTerm { is, minor: amount.minor() })
}

fn bad_rule(message: &str) -> Stop {
    stop(ErrorCode::BadRule, message)
}
