//! GetTokens: the tokens that the caller installed; and how a token is told.

use fps_model::flexible_payments::{AccountId, GetTokens, GetTokensResult, Token, TokenStatus};

use super::Context;
use super::cancel_token::no_such_token;
use crate::clock;
use crate::idempotency::Stop;
use crate::tokens::{self, StoredToken};

pub(super) fn perform(context: &Context<'_>, request: &GetTokens) -> Result<GetTokensResult, Stop> {
    let wanted = request.token_status.clone().unwrap_or(TokenStatus::Active);
    let name = request.token_friendly_name.as_ref().map(|name| name.expose());
    let mut result = GetTokensResult::new();
    for token in tokens::of_merchant(context.connection, context.merchant)? {
        let kind_fits = request.token_type.as_ref().is_none_or(|kind| *kind == token.kind);
        let reference = request.caller_reference.as_ref();
        let reference_fits = reference.is_none_or(|it| token.caller_reference.as_ref() == Some(it));
        let name_fits = name.is_none_or(|name| token.friendly_name.as_deref() == Some(name));
        if !(kind_fits && reference_fits && name_fits) {
            continue;
        }
        let told = wire_token(context, &token)?;
        if told.token_status == wanted {
            result.token.push(told);
        }
    }
    Ok(result)
}

/// A token that the caller installed.
pub(super) fn own_token(context: &Context<'_>, id: &str) -> Result<StoredToken, Stop> {
    let found = tokens::load(context.connection, id)?;
    found.filter(|token| token.merchant == context.merchant).ok_or_else(|| no_such_token(id))
}

/// A token as it is told.
pub(super) fn wire_token(context: &Context<'_>, token: &StoredToken) -> Result<Token, Stop> {
    let status = match token.is_usable(context.connection, context.now)? {
        true => TokenStatus::Active,
        false => TokenStatus::Inactive,
    };
    // One that the owner of the sandbox installed may have no reference, and every message needs one.
    let reference = token.caller_reference.as_ref().unwrap_or(&token.id).clone();
    let installed_at = clock::timestamp(token.installed_at);
    let kind = token.kind.clone();
    let mut told = Token::new(token.id.as_str(), status, installed_at, reference, kind)
        .caller_installed(account_id(token.merchant))
        // Source: every sample, until a token is edited.
        .old_token_id(token.id.as_str());
    told.friendly_name = token.friendly_name.clone().map(Into::into);
    told.payment_reason = token.payment_reason.clone().map(Into::into);
    Ok(told)
}

/// The account of a merchant, in the shape of those in recorded answers: 38 capitals and digits.
pub(super) fn account_id(merchant: i64) -> AccountId {
    AccountId::new(format!("SANDBOX{merchant:031}"))
}
