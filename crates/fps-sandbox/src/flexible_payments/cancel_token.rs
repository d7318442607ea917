//! CancelToken: a token that its merchant installed can no longer be charged.

use fps_model::flexible_payments::{CancelToken, CancelTokenResult, ErrorCode};
use rusqlite::{OptionalExtension, params};

use super::{Context, stop};
use crate::idempotency::Stop;

pub(super) fn perform(
    context: &Context<'_>,
    request: &CancelToken,
) -> Result<CancelTokenResult, Stop> {
    let token = request.token_id.as_str();
    let active: Option<bool> = context
        .connection
        .prepare_cached("SELECT active FROM token WHERE id = ? AND merchant = ?")?
        .query_row(params![token, context.merchant], |row| row.get(0))
        .optional()?;
    match active {
        // The sentence is that of a recorded answer.
        None => Err(stop(
            ErrorCode::InvalidTokenId,
            "\"tokenId\" has to be a valid token ID.".to_owned(),
        )),
        Some(false) => Err(stop(ErrorCode::TokenNotActive, "The token was cancelled before.")),
        Some(true) => {
            context
                .connection
                .prepare_cached("UPDATE token SET active = 0 WHERE id = ?")?
                .execute([token])?;
            Ok(CancelTokenResult::new())
        }
    }
}
