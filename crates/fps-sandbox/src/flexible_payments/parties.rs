//! Who takes part in a transaction: accounts that may, and tokens that allow it.

use fps_model::flexible_payments::{Dialect, ErrorCode, FpsOperation, TokenId};
use refund_rules::{Money, Role};

use super::{Context, stop};
use crate::idempotency::Stop;
use crate::merchants;
use crate::tokens::{self, StoredToken};

/// Tokens whose accounts can take no part, whoever asks: unverified, suspended and closed. Source: the
/// sandbox page of the FPS 2007-01-08 developer guide.
const BAD_SENDERS: [&str; 3] = [
    "E3FR7BARJV3PB631PMKV74PGKCJLBHI1Q1KMQN7BJ2JJICPDKN3N1CJIKFZ8D7NN",
    "H216UECZ8ZM1G8G4QA3V7RKF8JDFZ9SI3SJAFSGUKBBNDHX1NVM8GUQRZNRNAHER",
    "Z1LGRXR4HMDZBSFKXELA32KZASGWD8IHMHZCK4DETR784LDLD1GMFW4P3WT8VTGX",
];
pub(super) const BAD_RECIPIENTS: [&str; 3] = [
    "C4LGSEMXN11FTUXZ2X2C7QVFHN5DVBGQJNF17AIQXXXQSX4DRG4KJFCN2KRFUUZI",
    "R3VK49XVGCAZTJSXKN7ZSBHPMFGKM5VEEQTXGMVE8CFUZ2G5RLLMAB4J6TQRL6BU",
    "P1LL7A1LHK935DBGI5NAYCXOCLVEBHBNIU7PBXBAMRKKNLDEPI8M3MUSLZT2VANZ",
];

/// The codes of one party, and how messages call it.
struct Codes {
    name: &'static str,
    invalid: ErrorCode,
    not_active: ErrorCode,
    /// Of an account that can take no part; revision 2007-01-08 has its own.
    account: ErrorCode,
    account_in_2007: ErrorCode,
}

const fn codes(role: Role) -> Codes {
    match role {
        Role::Caller => Codes {
            name: "Caller",
            invalid: ErrorCode::InvalidTokenIdCaller,
            not_active: ErrorCode::TokenNotActiveCaller,
            account: ErrorCode::InvalidAccountStateCaller,
            account_in_2007: ErrorCode::InactiveAccountCaller,
        },
        Role::Sender => Codes {
            name: "Sender",
            invalid: ErrorCode::InvalidTokenIdSender,
            not_active: ErrorCode::TokenNotActiveSender,
            account: ErrorCode::InvalidAccountStateSender,
            account_in_2007: ErrorCode::InactiveAccountSender,
        },
        Role::Recipient => Codes {
            name: "Recipient",
            invalid: ErrorCode::InvalidTokenIdRecipient,
            not_active: ErrorCode::TokenNotActiveRecipient,
            account: ErrorCode::InvalidAccountStateRecipient,
            account_in_2007: ErrorCode::InactiveAccountRecipient,
        },
    }
}

/// Makes sure that an account can take part.
pub(super) fn account(context: &Context<'_>, merchant: i64, role: Role) -> Result<(), Stop> {
    if merchants::is_active(context.connection, merchant)? {
        return Ok(());
    }
    let codes = codes(role);
    let code = match context.dialect {
        Dialect::V2007_01_08 => codes.account_in_2007,
        _ => codes.account,
    };
    Err(stop(code, format!("The account of the {} is suspended or closed.", codes.name)))
}

/// Makes sure that the caller can take part, and that its token, which only revision 2007-01-08 has, is
/// one.
pub(super) fn caller(context: &Context<'_>, token: Option<&TokenId>) -> Result<(), Stop> {
    account(context, context.merchant, Role::Caller)?;
    if let Some(token) = token {
        self::token(context, token, Role::Caller)?;
    }
    Ok(())
}

/// The sender's token, if it may be charged for an operation.
pub(super) fn sender(
    context: &Context<'_>,
    id: &TokenId,
    operation: &FpsOperation,
) -> Result<StoredToken, Stop> {
    let token = token(context, id, Role::Sender)?;
    match &token.terms.operation {
        Some(only) if only != operation => {
            Err(incompatible(&format!("The sender token is for {only} only.")))
        }
        _ => Ok(token),
    }
}

/// Somebody's token in this role, with an account that can take part.
pub(super) fn token(context: &Context<'_>, id: &TokenId, role: Role) -> Result<StoredToken, Stop> {
    let codes = codes(role);
    let bad = match role {
        Role::Sender => &BAD_SENDERS[..],
        Role::Recipient => &BAD_RECIPIENTS[..],
        Role::Caller => &[],
    };
    if bad.contains(&id.as_str()) {
        return Err(stop(codes.account, format!("The account of the {} is bad.", codes.name)));
    }
    let found = tokens::load(context.connection, id.as_str())?;
    let Some(token) = found.filter(|token| token.merchant == context.merchant) else {
        return Err(stop(codes.invalid, format!("{} token is not valid.", codes.name)));
    };
    if token.role != role {
        return Err(incompatible(&format!("The token is not one of a {}.", codes.name)));
    }
    if token.is_spent(context.connection)? {
        let message = "The token was for a single use, and that has been made.";
        return Err(stop(ErrorCode::SameTokenIdUsedMultipleTimes, message));
    }
    if !token.is_alive(context.now) {
        return Err(stop(codes.not_active, format!("{} token not active.", codes.name)));
    }
    if let Some(owner) = token.owner {
        account(context, owner, role)?;
    }
    Ok(token)
}

/// Makes sure that one more payment keeps to the terms of the sender.
pub(super) fn keep_to_terms(
    context: &Context<'_>,
    token: &StoredToken,
    amount: Money,
    recipient_token: Option<&TokenId>,
) -> Result<(), Stop> {
    let terms = &token.terms;
    let allowed = |known: &String| recipient_token.is_some_and(|token| token.as_str() == known);
    if !terms.recipients.is_empty() && !terms.recipients.iter().any(allowed) {
        return Err(incompatible("The sender does not pay this recipient."));
    }
    let minor = amount.minor();
    let begun = terms.valid_from.is_none_or(|valid_from| context.now >= valid_from);
    let amount_fits = terms.amount.as_ref().is_none_or(|term| term.allows(minor));
    let limits = tokens::limits(context.connection, token, context.now)?;
    if begun && amount_fits && limits.iter().all(|limit| limit.has_room(minor)) {
        return Ok(());
    }
    Err(usage_error(token))
}

/// A payment that the terms of a token do not allow. The sentence is that of a recorded answer.
pub(super) fn usage_error(token: &StoredToken) -> Stop {
    let message = format!("The token \"{}\" has violated its usage policy.", token.id);
    stop(ErrorCode::TokenUsageError, message)
}

/// Tokens that contradict each other, or the operation.
pub(super) fn incompatible(message: &str) -> Stop {
    stop(ErrorCode::IncompatibleTokens, message)
}
