//! Notifications, redirects and buttons as they were seen on the wire: what is read of each, and that it is
//! written again as the same pairs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "an unreadable sample is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fps_model::flexible_payments::{
    EarlyNotifiedStatus, EarlyTransactionNotification, PaymentMethod, PipelineReturn,
    PipelineStatus, SimplePayButton, SimplePayNotification, SimplePayReturn, SimplePayStatus,
    SingleUsePipeline, TokenCancellationNotification, TokenType, TransactionNotification,
};
use fps_model::{Params, Problem};
use refund_rules::{Currency, Money};

/// What a signature adds to a message.
const OF_SIGNATURES: [&str; 4] =
    ["signature", "signatureVersion", "signatureMethod", "certificateUrl"];

fn sample(name: &str) -> Params {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Params::parse(bytes.trim_ascii_end()).unwrap()
}

/// The pairs of a message, without its signature.
fn pairs(params: &Params) -> BTreeSet<(&str, &str)> {
    params.iter().filter(|(name, _)| !OF_SIGNATURES.contains(name)).collect()
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

#[test]
fn a_notification_of_2008_says_how_it_ended_in_one_word() {
    let params = sample("early-pay-success.form");
    let notified = EarlyTransactionNotification::from_params(&params).unwrap();
    assert_eq!(notified.status, EarlyNotifiedStatus::Success);
    assert_eq!(notified.transaction_amount, usd("3.50"));
    assert_eq!(pairs(&notified.to_params().unwrap()), pairs(&params));
    // The later form is another message, and neither is read as the other.
    let error = TransactionNotification::from_params(&params).unwrap_err();
    assert_eq!(error.problem(), &Problem::Missing);
    let later = sample("ipn-refund-success.form");
    assert!(EarlyTransactionNotification::from_params(&later).is_err());
}

#[test]
fn a_token_is_cancelled_and_its_owner_is_not_printed() {
    let params = sample("token-cancellation.form");
    let cancelled = TokenCancellationNotification::from_params(&params).unwrap();
    assert_eq!(cancelled.token_id.as_str(), "EXAMPLETOKENID");
    assert_eq!(cancelled.token_type, Some(TokenType::SingleUse));
    assert!(!format!("{cancelled:?}").contains("buyer@example.com"));
    assert_eq!(pairs(&cancelled.to_params().unwrap()), pairs(&params));
    assert!(TransactionNotification::from_params(&params).is_err());
}

#[test]
fn simple_pay_says_the_amount_with_six_decimals_or_as_it_was_entered() {
    let notified = SimplePayNotification::from_params(&sample("simple-pay-ipn.form")).unwrap();
    assert_eq!(notified.status, SimplePayStatus::from("PS"));
    assert_eq!(notified.transaction_amount, Some(usd("1.20")));
    assert_eq!(notified.payment_method, Some(PaymentMethod::CreditCard));

    let returned = SimplePayReturn::from_params(&sample("simple-pay-return.form")).unwrap();
    assert_eq!(returned.transaction_amount, Some(usd("1.10")));
    let again = SimplePayReturn::from_params(&returned.to_params().unwrap());
    assert_eq!(again, Ok(returned));

    let subscribed =
        SimplePayNotification::from_params(&sample("simple-pay-ipn-subscription.form")).unwrap();
    assert_eq!(subscribed.status, SimplePayStatus::from("SubscriptionSuccessful"));
    assert!(SimplePayStatus::listed().contains(&subscribed.status));
    assert_eq!(subscribed.transaction_id, None);
    assert_eq!(subscribed.transaction_amount, Some(usd("5.00")));
}

#[test]
fn a_buyer_comes_back_with_tokens() {
    let multi_use = sample("pipeline-return-multi-use.form");
    let returned = PipelineReturn::from_params(&multi_use).unwrap();
    assert_eq!(returned.status, PipelineStatus::from("SC"));
    assert_eq!(returned.expiry.as_ref().unwrap().expose(), "08/2015");
    assert_eq!(pairs(&returned.to_params().unwrap()), pairs(&multi_use));

    let recipient = sample("pipeline-return-recipient.form");
    let returned = PipelineReturn::from_params(&recipient).unwrap();
    assert_eq!(returned.status, PipelineStatus::from("SR"));
    let token = returned.refund_token_id.clone().unwrap();
    assert_eq!(Some(token.as_str()), recipient.get("refundTokenID"));
    assert!(!format!("{returned:?}").contains(token.as_str()), "tokens are not printed");
    assert_eq!(pairs(&returned.to_params().unwrap()), pairs(&recipient));
}

#[test]
fn a_redirect_and_a_button_are_read_as_what_they_ask() {
    let asked = SingleUsePipeline::from_params(&sample("pipeline-single-use.form")).unwrap();
    assert_eq!(asked.transaction_amount, usd("1000.00"));
    assert_eq!(asked.caller_reference.as_str(), "a_caller_reference");
    let written = asked.to_params().unwrap();
    assert_eq!(written.get("pipelineName"), Some("SingleUse"));
    assert_eq!(written.get("transactionAmount"), Some("1000"));
    assert_eq!(SingleUsePipeline::from_params(&written), Ok(asked));

    let button = SimplePayButton::from_params(&sample("simple-pay-button.form")).unwrap();
    assert_eq!(button.amount, usd("10.00"));
    assert_eq!(SimplePayButton::from_params(&button.to_params().unwrap()), Ok(button));
}
