//! CancelToken: a token can no longer be used. Its merchant may, and whose account it is.

use fps_model::flexible_payments::{CancelToken, CancelTokenResult, ErrorCode};

use super::{Context, notify_url, stop};
use crate::idempotency::Stop;
use crate::{notifications, tokens};

pub(super) fn perform(
    context: &Context<'_>,
    request: &CancelToken,
) -> Result<CancelTokenResult, Stop> {
    let notify_url = notify_url(request.override_ipn_url.as_ref())?;
    let found = tokens::load(context.connection, request.token_id.as_str())?;
    let mine = |merchant: i64| merchant == context.merchant;
    let Some(token) = found.filter(|token| mine(token.merchant) || token.owner.is_some_and(mine))
    else {
        return Err(no_such_token(request.token_id.as_str()));
    };
    if !token.active {
        return Err(stop(ErrorCode::TokenNotActive, "The token was cancelled before."));
    }
    tokens::cancel(context.connection, &token.id)?;
    notifications::token_cancelled(context.connection, &token, notify_url, context.now)?;
    Ok(CancelTokenResult::new())
}

/// The sentence is that of a recorded answer, which was about what no token can be called.
pub(super) fn no_such_token(id: &str) -> Stop {
    let well_formed = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = if well_formed { ErrorCode::InvalidTokenId } else { ErrorCode::InvalidParams };
    let message = format!("\"tokenId\" has to be a valid token ID. Specified value: {id}");
    stop(code, message)
}
