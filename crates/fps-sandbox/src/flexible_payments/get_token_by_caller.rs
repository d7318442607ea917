//! GetTokenByCaller: a token by its id, or by the reference that it was installed under.

use fps_model::flexible_payments::{ErrorCode, GetTokenByCaller, GetTokenByCallerResult};

use super::get_tokens::{own_token, wire_token};
use super::{Context, stop};
use crate::idempotency::Stop;
use crate::tokens;

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTokenByCaller,
) -> Result<GetTokenByCallerResult, Stop> {
    let token = match (&request.token_id, &request.caller_reference) {
        (Some(id), None) => own_token(context, id.as_str())?,
        (None, Some(reference)) => {
            let found = tokens::by_reference(context.connection, context.merchant, reference)?;
            found.ok_or_else(|| {
                let message = "No token was installed under this caller reference.";
                stop(ErrorCode::InvalidCallerReference, message)
            })?
        }
        _ => {
            let message = "either tokenId or callerReference has to be there";
            return Err(stop(ErrorCode::InvalidParams, message));
        }
    };
    Ok(GetTokenByCallerResult::new().token(wire_token(context, &token)?))
}
