//! GetPaymentInstruction: what a token was installed with, word for word.

use fps_model::flexible_payments::{GetPaymentInstruction, GetPaymentInstructionResult};

use super::Context;
use super::get_tokens::{account_id, own_token, wire_token};
use crate::idempotency::Stop;

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetPaymentInstruction,
) -> Result<GetPaymentInstructionResult, Stop> {
    let token = own_token(context, request.token_id.as_str())?;
    let text = token.instruction.clone().unwrap_or_else(|| written(&token));
    let mut result = GetPaymentInstructionResult::new(wire_token(context, &token)?, text)
        .account_id(account_id(context.merchant));
    result.caller_reference.clone_from(&token.caller_reference);
    result.token_friendly_name = token.friendly_name.map(Into::into);
    Ok(result)
}

/// A token that a page installed has no text of its own: what of its terms GateKeeper can say.
fn written(token: &crate::tokens::StoredToken) -> String {
    use fps_model::gatekeeper::PaymentInstruction;
    let role = PaymentInstruction::for_role(token.role);
    match &token.terms.operation {
        Some(operation) => format!("{role} OperationType == '{operation}';"),
        None => role.to_string(),
    }
}
