//! What one half writes, the other reads as the same value.

use fps_model::amazon_pay::{ApiVersion, CreateRefund};
use fps_model::flexible_payments::{
    Dialect, FpsOperation, GetTransaction, GetTransactionResult, MarketplaceRefundPolicy, Pay,
    PaymentMethod, Refund, RefundResult, RelatedTransaction, RelationType, TransactionDetail,
    TransactionStatus,
};
use fps_model::{Answer, CallerReference, IdempotencyKey, Operation, Params, Serve, Timestamp};
use proptest::prelude::*;
use refund_rules::{Currency, Money};

fn money() -> impl Strategy<Value = Money> {
    let currencies = [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD];
    (any::<i64>(), prop::sample::select(currencies.to_vec()))
        .prop_map(|(minor, currency)| Money::from_minor(minor, currency))
}

/// What a refund may be of.
fn positive() -> impl Strategy<Value = Money> {
    money().prop_filter("an amount", |money| money.minor() > 0)
}

/// Text without control characters and without blanks at its ends, as a person would type it.
fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>().prop_filter("control", |c| !c.is_control()), 1..most)
        .prop_map(|letters| letters.into_iter().collect::<String>())
        .prop_filter("blank ends", |text| text.trim() == text && !text.is_empty())
}

proptest! {
    #[test]
    fn a_query_refund(
        reference in text(128),
        transaction in "[A-Z0-9]{35}",
        amount in prop::option::of(positive()),
        description in prop::option::of(text(160)),
        policy in prop::option::of(prop::sample::select(MarketplaceRefundPolicy::listed().to_vec())),
    ) {
        let mut refund = Refund::new(CallerReference::new(reference).unwrap(), transaction);
        refund.refund_amount = amount;
        refund.caller_description = description.map(Into::into);
        refund.marketplace_refund_policy = policy;
        let params = refund.encode(Dialect::default()).unwrap();
        let wire = Params::parse(params.to_form().as_bytes()).unwrap();
        prop_assert_eq!(Refund::read(&wire, Dialect::default()).unwrap(), refund);
    }

    #[test]
    fn a_query_payment(
        token in "[A-Z0-9]{64}",
        amount in positive(),
        reference in text(128),
    ) {
        let reference = CallerReference::new(reference).unwrap();
        let pay = Pay::new(reference, token, amount);
        let params = pay.encode(Dialect::default()).unwrap();
        let wire = Params::parse(params.to_form().as_bytes()).unwrap();
        prop_assert_eq!(Pay::read(&wire, Dialect::default()).unwrap(), pay);
    }

    #[test]
    fn a_json_refund(
        key in "[A-Za-z0-9_-]{1,32}",
        charge in "S01-[0-9]{7}-[0-9]{7}-C[0-9]{6}",
        amount in positive(),
        descriptor in prop::option::of("[ -~]{1,16}"),
    ) {
        let mut refund = CreateRefund::new(IdempotencyKey::new(key).unwrap(), charge, amount);
        refund.soft_descriptor = descriptor;
        let request = refund.encode(ApiVersion::V2).unwrap();
        prop_assert_eq!(CreateRefund::read(&request, ApiVersion::V2).unwrap(), refund);
    }

    #[test]
    fn an_xml_answer(transaction in text(35), status in text(20), request_id in "[a-f0-9-]{36}:0") {
        let result = RefundResult::new(transaction, TransactionStatus::from(&*status));
        let answer = Answer::new(result, Some(request_id));
        let body = Refund::write_answer(&answer, Dialect::default());
        prop_assert_eq!(Refund::decode(&body).unwrap(), answer);
    }

    #[test]
    fn an_xml_answer_with_parts(
        amount in money(),
        fee in prop::option::of(money()),
        millis in 0_i64..4_000_000_000_000,
        refunds in prop::collection::vec("[A-Z0-9]{35}", 0..4),
        note in prop::option::of(text(100)),
    ) {
        let received = Timestamp::from_unix_millis(millis).unwrap();
        let mut detail = TransactionDetail::new(
            "T",
            received,
            amount,
            FpsOperation::Pay,
            PaymentMethod::CreditCard,
            TransactionStatus::Success,
        );
        detail.fps_fees = fee;
        detail.caller_description = note.map(Into::into);
        for refund in refunds {
            let related = RelatedTransaction::new(refund).relation_type(RelationType::Refund);
            detail = detail.related_transaction(related);
        }
        let answer = Answer::new(GetTransactionResult::new().transaction(detail), None);
        let body = GetTransaction::write_answer(&answer, Dialect::default());
        prop_assert_eq!(GetTransaction::decode(&body).unwrap(), answer);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Refund::decode(&bytes);
        let _ = GetTransaction::decode(&bytes);
        let _ = CreateRefund::decode(&bytes);
        let _ = Params::parse(&bytes);
    }
}
