//! GetRecipientVerificationStatus: can the recipient of a token be paid?

use fps_model::flexible_payments::{
    ErrorCode, GetRecipientVerificationStatus, GetRecipientVerificationStatusResult,
    RecipientVerificationStatus,
};
use refund_rules::Role;

use super::parties::BAD_RECIPIENTS;
use super::{Context, stop};
use crate::idempotency::Stop;
use crate::{merchants, tokens};

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetRecipientVerificationStatus,
) -> Result<GetRecipientVerificationStatusResult, Stop> {
    let id = request.recipient_token_id.as_str();
    if BAD_RECIPIENTS.contains(&id) {
        let status = RecipientVerificationStatus::PendingUserAction;
        return Ok(GetRecipientVerificationStatusResult::new(status));
    }
    let found = tokens::load(context.connection, id)?;
    let mine =
        found.filter(|token| token.merchant == context.merchant && token.role == Role::Recipient);
    let Some(token) = mine else {
        let message = "Recipient token is not valid.";
        return Err(stop(ErrorCode::InvalidTokenIdRecipient, message));
    };
    let owner = token.owner.unwrap_or(context.merchant);
    let status = match merchants::is_active(context.connection, owner)? {
        true => RecipientVerificationStatus::VerificationComplete,
        false => RecipientVerificationStatus::Closed,
    };
    Ok(GetRecipientVerificationStatusResult::new(status))
}
