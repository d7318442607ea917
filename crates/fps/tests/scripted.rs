//! The paved path where a service says what no sandbox says: over a scripted transport.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::time::Duration;

use fps::amazon_pay::{ChargeId, CreateRefund, RefundId};
use fps::flexible_payments::{
    Dialect, FpsOperation, GetTransaction, GetTransactionResult, PaymentMethod, Refund,
    RelatedTransaction, RelationType, TransactionDetail, TransactionId, TransactionStatus,
    TransactionalRole,
};
use fps::{
    AmazonPay, AmazonPayConfig, Answer, Asker, CallerReference, Client, Credentials, Currency,
    Decision, ErrorKind, FlexiblePayments, FlexiblePaymentsConfig, Followed, Grant, Grants,
    IdempotencyKey, Method, Money, Party, Patience, Payment, PaymentError, PaymentKind,
    PaymentState, Policy, RefundError, RefundState, Region, RequestSigner, RetryPolicy, Rule,
    Scope, Secret, Settings, SnapshotError, Timestamp, Wish,
};
use fps_http::TransportErrorKind;
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_model::{Params, Serve};
use fps_sign::SignError;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn date() -> Timestamp {
    Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap()
}

/// Nobody checks what it signs.
struct NoSigner;

impl RequestSigner for NoSigner {
    fn sign_pss_sha256(&self, _message: &[u8], _salt_len: usize) -> Result<Vec<u8>, SignError> {
        Ok(Vec::new())
    }
}

/// Both clients over one script. Every call is tried once.
struct World {
    script: ScriptedTransport,
    clock: ManualClock,
    pay: AmazonPay,
    fps: FlexiblePayments,
}

impl World {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let script = ScriptedTransport::new(steps);
        let clock = ManualClock::new(date());
        let settings = Settings::default().with_retry(RetryPolicy::once()).without_pacing();
        let config = AmazonPayConfig::new("SANDBOX-KEY", NoSigner, Region::NorthAmerica).unwrap();
        let (transport, time) = (script.clone(), clock.clone());
        let pay = Client::with_transport(config, settings.clone(), transport, time);
        let credentials = Credentials::new("AKEXAMPLE", Secret::new("canary-secret"));
        let config = FlexiblePaymentsConfig::new("https://localhost:8443/", credentials).unwrap();
        let fps = Client::with_transport(config, settings, script.clone(), clock.clone());
        let (pay, fps) = (AmazonPay::over(pay), FlexiblePayments::over(fps));
        Self { script, clock, pay, fps }
    }

    /// The transactions that were asked for, in order.
    fn asked_for(&self) -> Vec<String> {
        let sent = self.script.sent();
        let id = |body: &str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            params.get("TransactionId").unwrap().to_owned()
        };
        sent.iter().map(|request| id(&request.body)).collect()
    }
}

fn answer(status: u16, body: &str) -> Step {
    Step::Answer(status, body.to_owned())
}

fn fail(kind: TransportErrorKind) -> Step {
    Step::Fail(kind)
}

const CHARGE: &str = "S01-5105180-3221187-C056351";

fn charge(state: &str, captured: &str) -> Step {
    let price = r#"{"amount":"100.00","currencyCode":"USD"}"#;
    let body = format!(
        r#"{{"chargeId":"{CHARGE}","chargeAmount":{price},"captureAmount":{captured},
            "refundedAmount":null,"statusDetails":{{"state":"{state}"}}}}"#
    );
    answer(200, &body)
}

fn refund(charge: &str, amount: &str, currency: &str, state: &str) -> Step {
    let body = format!(
        r#"{{"refundId":"S01-5105180-3221187-R022311","chargeId":"{charge}",
            "refundAmount":{{"amount":"{amount}","currencyCode":"{currency}"}},
            "creationTimestamp":"20261121T092408Z","statusDetails":{{"state":"{state}"}}}}"#
    );
    answer(201, &body)
}

fn refund_in_state(state: &str) -> Step {
    refund(CHARGE, "14.00", "USD", state)
}

const REFUSED: &str = r#"{"reasonCode":"TransactionAmountExceeded","message":"Too much."}"#;

fn detail(amount: &str, operation: FpsOperation, status: &str) -> TransactionDetail {
    let (card, status) = (PaymentMethod::CreditCard, TransactionStatus::from(status));
    TransactionDetail::new("T", date(), usd(amount), operation, card, status)
}

fn told(detail: TransactionDetail) -> Step {
    let result = GetTransactionResult::new().transaction(detail);
    let body = GetTransaction::write_answer(&Answer::new(result, None), Dialect::default());
    answer(200, std::str::from_utf8(&body).unwrap())
}

/// The same about the transaction of this id.
fn told_of(id: &str, mut detail: TransactionDetail) -> Step {
    detail.transaction_id = TransactionId::new(id);
    told(detail)
}

fn related(id: &str, relation: &str) -> RelatedTransaction {
    RelatedTransaction::new(id).relation_type(RelationType::from(relation))
}

#[tokio::test]
async fn a_charge_is_read_by_its_state() {
    let hundred = r#"{"amount":"100.00","currencyCode":"USD"}"#;
    let seventy = r#"{"amount":"70.00","currencyCode":"USD"}"#;
    for (state, captured, expected) in [
        ("AuthorizationInitiated", "null", Ok((PaymentState::Pending, "100.00"))),
        ("Authorized", "null", Ok((PaymentState::Reserved, "100.00"))),
        ("CaptureInitiated", seventy, Ok((PaymentState::Pending, "70.00"))),
        ("Captured", hundred, Ok((PaymentState::Completed, "100.00"))),
        ("Captured", seventy, Ok((PaymentState::Completed, "70.00"))),
        ("Canceled", "null", Ok((PaymentState::Cancelled, "100.00"))),
        ("Declined", "null", Ok((PaymentState::Failed, "100.00"))),
        ("Captured", "null", Err("the service reports an unknown captured amount")),
        ("Settled", hundred, Err("the service reports an unknown charge state")),
    ] {
        let world = World::new([charge(state, captured)]);
        let seen = match world.pay.payment(&ChargeId::new(CHARGE)).await {
            Ok(payment) => Ok((payment.state(), payment.captured())),
            Err(error @ SnapshotError::Unclear(_)) => Err(error.to_string()),
            Err(error) => panic!("{state}: {error:?}"),
        };
        let expected = expected.map(|(state, captured)| (state, usd(captured)));
        assert_eq!(seen, expected.map_err(str::to_owned), "{state} {captured}");
    }
}

#[tokio::test]
async fn a_transaction_is_read_with_every_refund_that_holds_a_part_of_it() {
    let fees = |fee: &str| Money::parse(fee, Currency::USD).unwrap().checked_neg().unwrap();
    let refund = |amount, status| detail(amount, FpsOperation::Refund, status);
    let payment = detail("100.00", FpsOperation::Pay, "Success")
        .fps_fees(usd("3.00"))
        .related_transaction(related("parent", "Parent"))
        .related_transaction(related("fee", "MarketplaceFee"))
        .related_transaction(related("reversal", "RefundReversal"))
        .related_transaction(related("done", "Refund"))
        .related_transaction(related("pending", "Refund"))
        .related_transaction(related("new-status", "Refund"))
        .related_transaction(related("failed", "Refund"))
        .related_transaction(related("cancelled", "Refund"))
        .related_transaction(RelatedTransaction::new("unsaid-refund"))
        .related_transaction(RelatedTransaction::new("unsaid-payment"))
        .related_transaction(related("new-relation", "PartialRefund"));
    let world = World::new([
        told(payment),
        told_of("done", refund("1.00", "Success").fps_fees(fees("0.03"))),
        told_of("pending", refund("2.00", "Pending").fps_fees(fees("0.06"))),
        told_of("new-status", refund("4.00", "OnItsWay").fps_fees(fees("0.12"))),
        told_of("failed", refund("8.00", "Failure")),
        told_of("cancelled", refund("16.00", "Cancelled")),
        told_of("unsaid-refund", refund("32.00", "Success").fps_fees(fees("0.96"))),
        told_of("unsaid-payment", detail("7.00", FpsOperation::Pay, "Success")),
        told_of("new-relation", refund("5.00", "Success").fps_fees(fees("0.14"))),
    ]);
    let payment = world.fps.payment(&TransactionId::new("T")).await.unwrap();
    assert_eq!(payment.refunded(), usd("38.00"));
    assert_eq!(payment.held(), usd("44.00"), "what is pending counts");
    assert_eq!(payment.refunds(), 5);
    assert_eq!(payment.fee_returned().unwrap(), usd("1.31"), "as told, not as calculated");
    assert_eq!(
        world.asked_for(),
        [
            "T",
            "done",
            "pending",
            "new-status",
            "failed",
            "cancelled",
            "unsaid-refund",
            "unsaid-payment",
            "new-relation",
        ],
        "what is no refund is not asked for"
    );
}

#[tokio::test]
async fn a_marketplace_needs_a_grant_and_says_what_goes_back() {
    let payment = detail("100.00", FpsOperation::Pay, "Success")
        .fps_fees(usd("3.00"))
        .fps_fees_paid_by(TransactionalRole::Caller)
        .marketplace_fees(usd("10.00"));
    let refunded = "<RefundResponse><RefundResult><TransactionId>R</TransactionId>\
        <TransactionStatus>Pending</TransactionStatus></RefundResult></RefundResponse>";
    let world = World::new([told(payment), answer(200, refunded)]);
    let id = TransactionId::new("T");
    let payment = world.fps.payment(&id).await.unwrap();
    let wish = Wish::amount(usd("50.00")).with_scope(Scope::PaymentAndMarketplaceFee);
    // How much of it went back before, only the marketplace knows.
    assert_eq!(payment.marketplace_fee_held(), None);
    let payment = payment.with_marketplace_fee_held(usd("0.00")).unwrap();
    let Decision::Refuse(refusal) = world.fps.plan(&payment, &wish) else {
        panic!("nobody granted it");
    };
    assert_eq!(refusal.rule(), Rule::Grant);

    let wish = wish.with_asker(Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND)));
    let key = CallerReference::new("part-1").unwrap();
    let (plan, _) = world.fps.refund(key, &id, &payment, &wish).await.unwrap();
    let legs: Vec<_> =
        plan.legs().map(|leg| (leg.from(), leg.to(), leg.amount().minor())).collect();
    assert_eq!(
        legs,
        [
            (Party::Recipient, Party::Sender, 4_500),
            (Party::Caller, Party::Sender, 500),
            (Party::Amazon, Party::Caller, 150),
        ]
    );
    let sent = world.script.sent();
    let params = Params::parse(sent[1].body.as_bytes()).unwrap();
    assert_eq!(params.get("MarketplaceRefundPolicy"), Some("MasterAndMarketplaceTxn"));
}

#[tokio::test]
async fn a_returned_fee_that_is_not_told_is_calculated() {
    let payment = detail("100.00", FpsOperation::Pay, "Success").fps_fees(usd("3.00"));
    let refund = || detail("50.00", FpsOperation::Refund, "Pending");
    // Not told, or told as if it had been taken once more.
    for refund in [refund(), refund().fps_fees(usd("1.50"))] {
        let payment = payment.clone().related_transaction(related("R", "Refund"));
        let world = World::new([told(payment), told_of("R", refund)]);
        let payment = world.fps.payment(&TransactionId::new("T")).await.unwrap();
        assert_eq!(payment.fee_returned().unwrap(), usd("1.50"));
    }
}

#[tokio::test]
async fn a_transaction_is_read_by_its_status_operation_and_method() {
    let pay = |status| detail("1.00", FpsOperation::Pay, status);
    let by = |method: &str| {
        let (method, done) = (PaymentMethod::from(method), TransactionStatus::Success);
        TransactionDetail::new("T", date(), usd("1.00"), FpsOperation::Pay, method, done)
    };
    let of = |operation: &str| detail("1.00", FpsOperation::from(operation), "Success");
    let good = (PaymentState::Completed, PaymentKind::Pay, Method::Card);
    for (detail, expected) in [
        (pay("Success"), Ok(good)),
        (pay("Pending"), Ok((PaymentState::Pending, good.1, good.2))),
        (pay("Reserved"), Ok((PaymentState::Reserved, good.1, good.2))),
        (pay("Failure"), Ok((PaymentState::Failed, good.1, good.2))),
        (pay("Cancelled"), Ok((PaymentState::Cancelled, good.1, good.2))),
        (pay("Lost"), Err("transaction status")),
        (of("Reserve"), Ok((good.0, PaymentKind::SettledReserve, good.2))),
        (of("Settle"), Ok((good.0, PaymentKind::SettledReserve, good.2))),
        (of("FundPrepaid"), Ok((good.0, PaymentKind::FundPrepaid, good.2))),
        (of("SettleDebt"), Ok((good.0, PaymentKind::SettleDebt, good.2))),
        (of("WriteOffDebt"), Ok((good.0, PaymentKind::SettleDebt, good.2))),
        (of("Refund"), Ok((good.0, PaymentKind::Refund, good.2))),
        (of("Gift"), Err("operation")),
        (by("CC"), Ok(good)),
        (by("ACH"), Ok((good.0, good.1, Method::Bank))),
        (by("ABT"), Ok((good.0, good.1, Method::Balance))),
        (by("Prepaid"), Ok((good.0, good.1, Method::Prepaid))),
        (by("Debt"), Ok((good.0, good.1, Method::Postpaid))),
        (by("Gold"), Err("payment method")),
    ] {
        let case = format!("{detail:?}");
        let world = World::new([told(detail)]);
        let seen = match world.fps.payment(&TransactionId::new("T")).await {
            Ok(payment) => Ok((payment.state(), payment.kind(), payment.method())),
            Err(SnapshotError::Unclear(what)) => Err(what),
            Err(error) => panic!("{case}: {error:?}"),
        };
        assert_eq!(seen, expected, "{case}");
    }
}

#[tokio::test]
async fn what_a_snapshot_cannot_be_read_from_is_said() {
    let nothing = GetTransaction::write_answer(
        &Answer::new(GetTransactionResult::new(), None),
        Dialect::default(),
    );
    let world = World::new([
        answer(200, std::str::from_utf8(&nothing).unwrap()),
        told(detail("0.00", FpsOperation::Pay, "Success")),
        fail(TransportErrorKind::Connect),
    ]);
    let look = async || world.fps.payment(&TransactionId::new("T")).await.unwrap_err();
    let error = look().await;
    assert!(matches!(error, SnapshotError::NotFound), "{error:?}");
    let error = look().await;
    assert!(matches!(error, SnapshotError::Impossible(PaymentError::NothingCaptured)), "{error:?}");
    let error = look().await;
    let SnapshotError::Call(error) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn a_policy_of_the_merchants_own_decides_and_nothing_is_sent() {
    let World { script, pay, fps, .. } = World::new([]);
    let payment = Payment::completed(usd("100.00"), Method::Card).unwrap();
    let wish = Wish::amount(usd("100.01"));
    assert!(matches!(pay.plan(&payment, &wish), Decision::Allow(_)));
    let pay = pay.with_policy(Policy::amazon_pay(Currency::USD).without_overage());
    let Decision::Refuse(refusal) = pay.plan(&payment, &wish) else { panic!("above captured") };
    assert_eq!(refusal.rule(), Rule::Remaining);
    let key = IdempotencyKey::new("key").unwrap();
    let error = pay.refund(key, &ChargeId::new(CHARGE), &payment, &wish).await.unwrap_err();
    assert!(matches!(error, RefundError::Refused(seen) if seen == refusal), "{error:?}");

    let wish = Wish::amount(usd("50.00"));
    assert!(matches!(fps.plan(&payment, &wish), Decision::Allow(_)));
    let policy = Policy::flexible_payments().with_single_max(usd("49.99")).unwrap();
    let fps = fps.with_policy(policy);
    let Decision::Refuse(refusal) = fps.plan(&payment, &wish) else { panic!("above the maximum") };
    assert_eq!(refusal.rule(), Rule::SingleMaximum);
    let key = CallerReference::new("key").unwrap();
    let error = fps.refund(key, &TransactionId::new("T"), &payment, &wish).await.unwrap_err();
    assert!(matches!(error, RefundError::Refused(seen) if seen == refusal), "{error:?}");
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn what_a_refund_ends_with_says_whether_money_may_have_moved() {
    let other = "S01-5105180-3221187-C056352";
    let payment = Payment::completed(usd("100.00"), Method::Card).unwrap();
    let mismatch = |field| {
        let text = "the service answered with refund S01-5105180-3221187-R022311, of another ";
        format!("{text}{field}")
    };
    let not_sent = "the refund breaks a rule and was not sent".to_owned();
    let not_made = "the refund was not made".to_owned();
    let unknown = "the refund was sent, and its outcome is unknown".to_owned();
    for (amount, step, may_have_moved, sentence) in [
        ("115.01", None, false, not_sent),
        ("14.00", Some(answer(400, REFUSED)), false, not_made.clone()),
        ("14.00", Some(answer(403, "")), false, not_made.clone()),
        ("14.00", Some(Step::RetryAfter(429, 1)), false, not_made.clone()),
        ("14.00", Some(fail(TransportErrorKind::Connect)), false, not_made),
        ("14.00", Some(fail(TransportErrorKind::Timeout)), true, unknown.clone()),
        ("14.00", Some(fail(TransportErrorKind::Interrupted)), true, unknown.clone()),
        ("14.00", Some(fail(TransportErrorKind::TooLarge)), true, unknown.clone()),
        ("14.00", Some(answer(500, "")), true, unknown.clone()),
        ("14.00", Some(answer(201, "{}")), true, unknown),
        ("14.00", Some(refund(other, "14.00", "USD", "Refunded")), true, mismatch("charge")),
        ("14.00", Some(refund(CHARGE, "14.01", "USD", "Refunded")), true, mismatch("amount")),
        ("14.00", Some(refund(CHARGE, "14.00", "EUR", "Refunded")), true, mismatch("amount")),
    ] {
        let case = format!("{amount} {step:?}");
        let sent = usize::from(step.is_some());
        let world = World::new(step);
        let (key, wish) = (IdempotencyKey::new("key").unwrap(), Wish::amount(usd(amount)));
        let refund = world.pay.refund(key, &ChargeId::new(CHARGE), &payment, &wish).await;
        let error = refund.expect_err(&case);
        assert_eq!(error.is_unknown(), may_have_moved, "{case}");
        assert_eq!(error.to_string(), sentence, "{case}");
        assert_eq!(world.script.sent().len(), sent, "{case}");
    }
}

#[tokio::test]
async fn the_state_of_a_refund_that_was_taken_is_told() {
    let payment = Payment::completed(usd("100.00"), Method::Card).unwrap();
    for (state, expected) in [
        ("RefundInitiated", RefundState::Pending),
        ("Refunded", RefundState::Refunded),
        ("Declined", RefundState::Declined),
        ("OnItsWay", RefundState::Pending),
    ] {
        let world = World::new([refund_in_state(state)]);
        let (key, wish) = (IdempotencyKey::new("key").unwrap(), Wish::amount(usd("14.00")));
        let refund = world.pay.refund(key, &ChargeId::new(CHARGE), &payment, &wish).await;
        let (plan, refund) = refund.unwrap();
        assert_eq!(refund.state, expected, "{state}");
        assert_eq!(plan.amount(), usd("14.00"));
    }
}

/// Asks after waits of 1, 2, 4, 5 and 5 seconds, and then no more.
fn patience() -> Patience {
    let mut patience = Patience::default();
    patience.longest = Duration::from_secs(5);
    patience.deadline = Duration::from_secs(21);
    patience
}

/// How following ended, if it did: the end, or the sort of failure.
type End = Result<Followed, ErrorKind>;

#[tokio::test]
async fn a_refund_is_followed_until_the_service_says_that_it_ended() {
    let pending = || refund_in_state("RefundInitiated");
    let fault = || answer(500, "");
    let timeout = || fail(TransportErrorKind::Timeout);
    let cases: [(Vec<Step>, End, &[u64]); 11] = [
        (vec![refund_in_state("Refunded")], Ok(Followed::Settled(RefundState::Refunded)), &[]),
        (
            vec![pending(), refund_in_state("Declined")],
            Ok(Followed::Settled(RefundState::Declined)),
            &[1],
        ),
        (
            vec![timeout(), fault(), Step::RetryAfter(429, 9), refund_in_state("Refunded")],
            Ok(Followed::Settled(RefundState::Refunded)),
            &[1, 2, 4],
        ),
        // What is no passing failure is handed on at once.
        (vec![pending(), answer(404, "")], Err(ErrorKind::Refused), &[1]),
        (vec![answer(403, "")], Err(ErrorKind::Unauthorized), &[]),
        (vec![answer(200, "{}")], Err(ErrorKind::Decode), &[]),
        (vec![fail(TransportErrorKind::TooLarge)], Err(ErrorKind::TooLarge), &[]),
        // Patience ends.
        (
            vec![pending(), pending(), pending(), pending(), pending(), pending()],
            Ok(Followed::StillPending),
            &[1, 2, 4, 5, 5],
        ),
        (
            vec![fault(), pending(), fault(), fault(), fault(), timeout()],
            Ok(Followed::StillPending),
            &[1, 2, 4, 5, 5],
        ),
        // Nobody ever said that it is pending. Without a step left no connection is made.
        (vec![fault(), fault(), fault(), timeout()], Err(ErrorKind::Connect), &[1, 2, 4, 5, 5]),
        (
            vec![fault(), fault(), fault(), fault(), fault(), pending()],
            Ok(Followed::StillPending),
            &[1, 2, 4, 5, 5],
        ),
    ];
    for (steps, expected, sleeps) in cases {
        let case = format!("{steps:?}");
        let world = World::new(steps);
        let id = RefundId::new("S01-5105180-3221187-R022311");
        let seen = world.pay.wait_for_refund(&id, &patience()).await;
        assert_eq!(seen.map_err(|error| error.kind()), expected, "{case}");
        let slept: Vec<u64> = world.clock.sleeps().iter().map(Duration::as_secs).collect();
        assert_eq!(slept, sleeps, "{case}");
    }
}

#[tokio::test]
async fn a_transaction_is_followed_by_its_status() {
    let status = |status: &str| {
        let body = format!(
            "<GetTransactionStatusResponse><GetTransactionStatusResult>\
             <TransactionId>T</TransactionId><TransactionStatus>{status}</TransactionStatus>\
             </GetTransactionStatusResult></GetTransactionStatusResponse>"
        );
        answer(200, &body)
    };
    for (steps, expected) in [
        (vec![status("Success")], Ok(Followed::Settled(RefundState::Refunded))),
        (vec![status("Failure")], Ok(Followed::Settled(RefundState::Declined))),
        (vec![status("Cancelled")], Ok(Followed::Settled(RefundState::Declined))),
        (
            vec![status("Pending"), status("Reserved"), status("New"), status("Success")],
            Ok(Followed::Settled(RefundState::Refunded)),
        ),
        (vec![status("Pending"), answer(400, "")], Err(ErrorKind::Refused)),
    ] {
        let case = format!("{steps:?}");
        let world = World::new(steps);
        let seen = world.fps.wait_for_refund(&TransactionId::new("T"), &patience()).await;
        assert_eq!(seen.map_err(|error| error.kind()), expected, "{case}");
    }
}

#[tokio::test]
async fn no_patience_becomes_a_storm_of_questions() {
    let steps = (0..10).map(|_| refund_in_state("RefundInitiated"));
    let world = World::new(steps.chain([refund_in_state("Refunded")]));
    let mut patience = Patience::short(Duration::ZERO, Duration::from_secs(1));
    patience.longest = Duration::ZERO;
    let id = RefundId::new("S01-5105180-3221187-R022311");
    let end = world.pay.wait_for_refund(&id, &patience).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));
    assert_eq!(world.clock.sleeps(), [Duration::from_millis(1); 10]);
}

fn fps_answer(action: &str, fields: &str) -> Step {
    let body = format!(
        "<{action}Response><{action}Result>{fields}</{action}Result>\
         <ResponseMetadata><RequestId>r:0</RequestId></ResponseMetadata></{action}Response>"
    );
    answer(200, &body)
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_leaves_doubt() {
    let refused = r#"{"reasonCode":"DuplicateIdempotencyKey","message":""}"#;
    let request = CreateRefund::new(IdempotencyKey::new("k").unwrap(), CHARGE, usd("15.00"));
    let error = World::new([answer(400, refused)]).pay.submit(&request).await.unwrap_err();
    assert!(error.is_unknown());
    assert!(error.to_string().starts_with("the key was used for a request that differs"));

    let refused = "<Response><Errors><Error><Code>DuplicateRequest</Code><Message/></Error>\
        </Errors><RequestID>r</RequestID></Response>";
    let request = Refund::new(CallerReference::new("k").unwrap(), "T");
    let error = World::new([answer(400, refused)]).fps.submit(&request).await.unwrap_err();
    assert!(error.is_unknown());
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_about_this() {
    // The payment's own id would be followed to the end of the payment, which is long over.
    let fields = "<TransactionId>T</TransactionId><TransactionStatus>Success</TransactionStatus>";
    let request = Refund::new(CallerReference::new("k").unwrap(), "T");
    let world = World::new([fps_answer("Refund", fields)]);
    let error = world.fps.submit(&request).await.unwrap_err();
    assert!(matches!(error, RefundError::Mismatch { field: "transaction", .. }), "{error}");

    let other = TransactionId::new("another");
    let world = World::new([told(detail("900.00", FpsOperation::Pay, "Success"))]);
    let error = world.fps.payment(&other).await.unwrap_err();
    assert!(matches!(error, SnapshotError::Unclear("transaction id")), "{error}");
    let error = World::new([charge("Captured", r#"{"amount":"100.00","currencyCode":"USD"}"#)])
        .pay
        .payment(&ChargeId::new("another"))
        .await
        .unwrap_err();
    assert!(matches!(error, SnapshotError::Unclear("charge id")), "{error}");

    // Each question is answered about another refund, so nothing is learned of this one.
    let world = World::new((0..5).map(|_| refund_in_state("Refunded")));
    let end = world.pay.wait_for_refund(&RefundId::new("another"), &patience()).await;
    assert!(matches!(end, Ok(Followed::StillPending)), "{end:?}");
}

#[tokio::test]
async fn a_refund_of_an_operation_that_is_not_known_is_not_overlooked() {
    let payment =
        detail("100.00", FpsOperation::Pay, "Success").related_transaction(related("R", "Refund"));
    let newer = detail("60.00", FpsOperation::from("RefundV2"), "Success");
    let world = World::new([told(payment), told_of("R", newer)]);
    let error = world.fps.payment(&TransactionId::new("T")).await.unwrap_err();
    assert!(matches!(error, SnapshotError::Unclear("operation of a refund")), "{error}");
}
