//! GetTokenUsage: the limits of a token, and what of them is used.

use fps_model::flexible_payments::{
    ErrorCode, GetTokenUsage, GetTokenUsageResult, TokenType, TokenUsageLimit, UsageLimitType,
};
use refund_rules::{Currency, Money};

use super::get_tokens::own_token;
use super::{Context, stop};
use crate::clock;
use crate::idempotency::Stop;
use crate::tokens::{self, StoredToken};

/// The most limits that an answer has room for. Source: FPS 2008-09-17 WSDL, TokenUsageLimits.
const LIMITS_MAX: usize = 3;

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTokenUsage,
) -> Result<GetTokenUsageResult, Stop> {
    let token = own_token(context, request.token_id.as_str())?;
    if !token.active {
        return Err(stop(ErrorCode::TokenNotActive, "The token was cancelled."));
    }
    if token.kind == TokenType::SingleUse {
        // The sentence is that of a recorded answer, to the letter.
        let message = "Type of token \"{0}\" is invalid for this operation.";
        return Err(stop(ErrorCode::InvalidTokenType, message));
    }
    let mut result = GetTokenUsageResult::new();
    result.token_usage_limits = limits(context, &token)?;
    Ok(result)
}

/// The limits of a token as they are told.
pub(super) fn limits(
    context: &Context<'_>,
    token: &StoredToken,
) -> Result<Vec<TokenUsageLimit>, Stop> {
    let limits = tokens::limits(context.connection, token, context.now)?;
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    let told = limits.into_iter().take(LIMITS_MAX).map(|limit| {
        let told = TokenUsageLimit::new().last_reset_timestamp(clock::timestamp(limit.since));
        match limit.of {
            UsageLimitType::Count => told.count(limit.most).last_reset_count(limit.used),
            _ => told.amount(usd(limit.most)).last_reset_amount(usd(limit.used)),
        }
    });
    Ok(told.collect())
}
