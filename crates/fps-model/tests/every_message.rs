//! Every message of the spec, with all of its fields and with none to spare, written and read back.

#![expect(clippy::unwrap_used, reason = "a message that cannot be read is a failed test")]

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use fps_model::amazon_pay::{
    self, AmazonPayApi, ApiVersion, Charge, ChargeState, ChargeStatusDetails, CreateRefund,
    GetCharge, GetRefund, ReasonCode, RefundState, RefundStatusDetails, ReleaseEnvironment, Route,
};
use fps_model::flexible_payments::{
    CancelToken, CancelTokenResult, ChargeFeeTo, Dialect, ErrorCode, FlexiblePaymentsApi,
    FpsOperation, GetTransaction, GetTransactionResult, GetTransactionStatus,
    GetTransactionStatusResult, MarketplaceRefundPolicy, NotifiedOperation, NotifiedStatus, Pay,
    PayResult, PaymentMethod, Refund, RefundResult, RelatedTransaction, RelationType,
    StatusHistory, TransactionDetail, TransactionNotification, TransactionStatus,
    TransactionalRole,
};
use fps_model::{
    Answer, CallerReference, IdempotencyKey, JsonRequest, Operation, Params, Serve, Service,
    ServiceError, Timestamp,
};
use refund_rules::{Currency, Money};

/// Text that every form of writing has to do something about.
const AWKWARD: &str = "a&b<c>\"d'e%2B+=;\\ \u{e9}\u{2615}";

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

fn reference() -> CallerReference {
    CallerReference::new(AWKWARD).unwrap()
}

/// A whole second, because notifications and Amazon Pay have no fractions.
fn time() -> Timestamp {
    Timestamp::from_unix_millis(1_254_808_324_000).unwrap()
}

/// Nothing is left out of a message that claims to have all of its fields.
fn is_full(message: &impl Debug) {
    let printed = format!("{message:?}");
    assert!(!printed.contains("None") && !printed.contains("[]"), "{printed}");
}

fn params_and_back<O>(operations: &[O], answers: &[O::Response])
where
    O: Serve + PartialEq,
    O::Service: Service<Request = Params, Version = Dialect>,
{
    is_full(&operations[0]);
    is_full(&answers[0]);
    for operation in operations {
        let form = operation.encode(Dialect::default()).unwrap().to_form();
        let params = Params::parse(form.as_bytes()).unwrap();
        assert_eq!(params.get("Action"), Some(O::ACTION));
        assert_eq!(params.get("CallerReference"), operation.key());
        assert_eq!(&O::read(&params, Dialect::default()).unwrap(), operation);
    }
    for result in answers {
        for request_id in [Some("r".to_owned()), None] {
            let answer = Answer::new(result.clone(), request_id);
            let body = O::write_answer(&answer, Dialect::default());
            assert_eq!(O::decode(&body).unwrap(), answer);
        }
    }
}

fn json_and_back<O>(operations: &[O], answers: &[O::Response])
where
    O: Serve + Route + PartialEq,
    O::Service: Service<Request = JsonRequest, Version = ApiVersion>,
{
    is_full(&operations[0]);
    is_full(&answers[0]);
    for operation in operations {
        let request = operation.encode(ApiVersion::V2).unwrap();
        assert_eq!(request.method, O::METHOD);
        assert_eq!(request.key.as_deref(), operation.key());
        assert_eq!(request.body.is_some(), O::METHOD == "POST");
        assert_eq!(&O::read(&request, ApiVersion::V2).unwrap(), operation);
    }
    for result in answers {
        let answer = Answer::new(result.clone(), None);
        let body = O::write_answer(&answer, ApiVersion::V2);
        assert_eq!(O::decode(&body).unwrap(), answer);
    }
}

#[test]
fn refund() {
    params_and_back(
        &[
            Refund::new(reference(), AWKWARD)
                .refund_amount(usd(1))
                .caller_description(AWKWARD)
                .marketplace_refund_policy(MarketplaceRefundPolicy::MarketplaceTxnOnly),
            Refund::new(reference(), "t"),
        ],
        &[RefundResult::new(AWKWARD, TransactionStatus::Pending)],
    );
}

#[test]
fn pay() {
    params_and_back(
        &[
            Pay::new(reference(), AWKWARD, usd(110))
                .recipient_token_id("r")
                .charge_fee_to(ChargeFeeTo::Caller)
                .caller_description(AWKWARD)
                .sender_description("s"),
            Pay::new(reference(), "t", Money::from_minor(500, Currency::JPY)),
        ],
        &[PayResult::new(AWKWARD, TransactionStatus::Success)],
    );
}

#[test]
fn cancel_token() {
    params_and_back(
        &[CancelToken::new("t").reason_text(AWKWARD), CancelToken::new(AWKWARD)],
        &[CancelTokenResult::new()],
    );
}

#[test]
fn get_transaction() {
    let bare = || {
        TransactionDetail::new(
            AWKWARD,
            time(),
            usd(-10),
            FpsOperation::Refund,
            PaymentMethod::CreditCard,
            TransactionStatus::Failure,
        )
    };
    let step = || StatusHistory::new(time(), TransactionStatus::Pending);
    let full = bare()
        .caller_reference("1")
        .caller_description("2")
        .sender_description("3")
        .date_completed(time())
        .fps_fees(usd(4))
        .marketplace_fees(usd(5))
        .fps_fees_paid_by(TransactionalRole::Recipient)
        .sender_token_id("6")
        .recipient_token_id("7")
        .prepaid_instrument_id("8")
        .credit_instrument_id("9")
        .status_code("10")
        .status_message(AWKWARD)
        .sender_name("11")
        .sender_email("12")
        .caller_name("13")
        .recipient_name("14")
        .recipient_email("15");
    let related = RelatedTransaction::new("16").relation_type(RelationType::Refund);
    let listed = full
        .clone()
        .related_transaction(related.clone())
        .related_transaction(related)
        .status_history(step().status_code("17").amount(usd(18)));
    let bare_lists = full.related_transaction(RelatedTransaction::new("19")).status_history(step());
    params_and_back(
        &[GetTransaction::new(AWKWARD)],
        &[
            GetTransactionResult::new().transaction(listed),
            GetTransactionResult::new().transaction(bare_lists),
            GetTransactionResult::new().transaction(bare()),
            GetTransactionResult::new(),
        ],
    );
}

#[test]
fn get_transaction_status() {
    let bare = || GetTransactionStatusResult::new(AWKWARD, TransactionStatus::Cancelled);
    params_and_back(
        &[GetTransactionStatus::new(AWKWARD)],
        &[bare().caller_reference("1").status_code("2").status_message(AWKWARD), bare()],
    );
}

#[test]
fn transaction_notification() {
    let bare = || {
        let (status, operation) = (NotifiedStatus::Success, NotifiedOperation::Refund);
        TransactionNotification::new(AWKWARD, time(), status, operation, usd(1))
    };
    let full = bare()
        .parent_transaction_id("1")
        .status_code("2")
        .status_message(AWKWARD)
        .payment_method(PaymentMethod::CreditCard)
        .payment_reason("3")
        .caller_reference("4")
        .buyer_name("5")
        .buyer_email("6")
        .recipient_name("7")
        .recipient_email("8");
    is_full(&full);
    for notification in [full, bare()] {
        let form = notification.to_params().unwrap().to_form();
        let params = Params::parse(form.as_bytes()).unwrap();
        assert_eq!(TransactionNotification::from_params(&params).unwrap(), notification);
    }
}

fn refunds() -> [amazon_pay::Refund; 2] {
    let refund = |details| amazon_pay::Refund::new(AWKWARD, "c", usd(1), time(), details);
    let details = || RefundStatusDetails::new(RefundState::Declined);
    let full =
        details().reason_code("1").reason_description(AWKWARD).last_updated_timestamp(time());
    let environment = ReleaseEnvironment::Sandbox;
    [refund(full).soft_descriptor("2").release_environment(environment), refund(details())]
}

#[test]
fn create_refund() {
    let key = || IdempotencyKey::new("k").unwrap();
    json_and_back(
        &[
            CreateRefund::new(key(), "c", usd(1)).soft_descriptor("a&b<c>\"d'\\"),
            CreateRefund::new(key(), AWKWARD, Money::from_minor(500, Currency::JPY)),
        ],
        &refunds(),
    );
}

#[test]
fn get_refund() {
    json_and_back(&[GetRefund::new("S01-5105180-3221187-R022311")], &refunds());
}

#[test]
fn get_charge() {
    let details = || ChargeStatusDetails::new(ChargeState::Captured);
    let full = Charge::new(
        AWKWARD,
        usd(1),
        details().reason_code("1").reason_description(AWKWARD).last_updated_timestamp(time()),
    )
    .charge_permission_id("2")
    .capture_amount(usd(3))
    .refunded_amount(usd(0))
    .soft_descriptor("4")
    .creation_timestamp(time())
    .expiration_timestamp(time())
    .release_environment(ReleaseEnvironment::Live);
    let bare = Charge::new("c", Money::from_minor(500, Currency::JPY), details());
    json_and_back(&[GetCharge::new("S01-5105180-3221187-C056351")], &[full, bare]);
}

#[test]
fn no_operation_or_notification_of_the_spec_is_left_out_here() {
    let here = [
        CancelToken::ACTION,
        CreateRefund::ACTION,
        GetCharge::ACTION,
        GetRefund::ACTION,
        GetTransaction::ACTION,
        GetTransactionStatus::ACTION,
        Pay::ACTION,
        Refund::ACTION,
        "TransactionNotification",
    ];
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let mut messages = Vec::new();
    for service in ["amazon_pay", "flexible_payments"] {
        for entry in fs::read_dir(spec.join(service)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let value = |key: &str| {
                let line = text.lines().find(|line| line.starts_with(key)).unwrap();
                line.split('"').nth(1).unwrap().to_owned()
            };
            if ["operation", "notification"].contains(&value("kind").as_str()) {
                messages.push(value("name"));
            }
        }
    }
    messages.sort();
    assert_eq!(messages, here);
}

#[test]
fn refusals_of_every_reason() {
    for code in ErrorCode::listed() {
        let error: ServiceError<ErrorCode> = ServiceError::new(code.clone(), AWKWARD);
        for error in [error.clone(), error.with_request_id("r")] {
            assert_eq!(FlexiblePaymentsApi::read_refusal(&error.to_xml()), Some(error));
        }
    }
    for code in ReasonCode::listed() {
        let error: ServiceError<ReasonCode> = ServiceError::new(code.clone(), AWKWARD);
        assert_eq!(AmazonPayApi::read_refusal(&error.to_json()), Some(error));
    }
}

/// Listed values are read as themselves, others are kept, and no two are spelled alike.
macro_rules! enumerations {
    ($($name:path),+ $(,)?) => {$({
        type Enumeration = $name;
        let listed = Enumeration::listed();
        for value in listed {
            assert_eq!(&Enumeration::from(value.as_str()), value);
            assert_eq!(value.to_string(), value.as_str());
            for other in [value.as_str().to_lowercase() + "x", format!(" {value}")] {
                let unlisted = Enumeration::from(other.as_str());
                assert!(!listed.contains(&unlisted), "{other:?}");
                assert_eq!(unlisted.as_str(), other);
            }
        }
        let mut spelled: Vec<_> = listed.iter().map(Enumeration::as_str).collect();
        spelled.sort_unstable();
        spelled.dedup();
        assert_eq!(spelled.len(), listed.len());
    })+};
}

#[test]
fn values_of_every_enumeration() {
    enumerations!(
        ChargeFeeTo,
        ChargeState,
        ErrorCode,
        FpsOperation,
        MarketplaceRefundPolicy,
        NotifiedOperation,
        NotifiedStatus,
        PaymentMethod,
        ReasonCode,
        RefundState,
        RelationType,
        ReleaseEnvironment,
        TransactionStatus,
        TransactionalRole,
    );
}
