//! Tokens: what their terms allow, how they are installed, told and cancelled.

use std::time::Duration;

use fps_http::testing::Inbox;
use fps_model::Timestamp;
use fps_model::flexible_payments::{
    AmountType, CancelToken, Dialect, GetPaymentInstruction, GetRecipientVerificationStatus,
    GetTokenByCaller, GetTokenUsage, GetTokens, GetTransaction, InstallPaymentInstruction, Pay,
    Refund, TokenId, TokenStatus, TokenType,
};
use fps_sandbox::{MerchantSpec, TokenSpec};
use refund_rules::Method;

use crate::fps_world::{fresh, outcome, pay};
use crate::world::{World, code, transaction_id, usd};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn spec() -> TokenSpec {
    TokenSpec::sender(Method::Balance)
}

const OK: &str = "Success";
const OVER: &str = "TokenUsageError";

/// Amounts that are paid one after the other with a token, and what comes of each. A number of days in
/// between is a step of the clock.
type Steps = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn payments_keep_to_the_terms_of_their_token() {
    let rows: [(TokenSpec, Steps); 13] = [
        (spec(), &[("10000.00", OK), ("0.01", OK)]),
        (
            spec().amount(AmountType::Exact, usd("5")),
            &[("4.99", OVER), ("5.00", OK), ("5.01", OVER)],
        ),
        (spec().amount(AmountType::Maximum, usd("5")), &[("5.01", OVER), ("5.00", OK), ("1", OK)]),
        (spec().amount(AmountType::Minimum, usd("5")), &[("4.99", OVER), ("5.00", OK), ("9", OK)]),
        (spec().total(usd("10")), &[("6.00", OK), ("5.00", OVER), ("4.00", OK), ("0.01", OVER)]),
        // What was declined is not counted.
        (spec().total(usd("10")), &[("8.60", "Failure"), ("10.00", OK)]),
        (
            spec().of_type(TokenType::SingleUse),
            &[("1.60", "Failure"), ("1.00", OK), ("1.00", "SameTokenIdUsedMultipleTimes")],
        ),
        (spec().of_type(TokenType::SingleUse), &[("1 day", ""), ("1", "TokenNotActive_Sender")]),
        (
            spec().of_type(TokenType::MultiUse),
            &[("364 days", ""), ("1", OK), ("1 day", ""), ("1", "TokenNotActive_Sender")],
        ),
        (
            spec().count_each(2, "1 Month").unwrap(),
            &[
                ("1", OK),
                ("1", OK),
                ("1", OVER),
                ("31 days", ""),
                ("1", OK),
                ("1", OK),
                ("1", OVER),
            ],
        ),
        (
            spec().amount_each(usd("10"), "2 Days").unwrap().total(usd("15")),
            &[
                ("10", OK),
                ("1", OVER),
                ("1 day", ""),
                ("1", OVER),
                ("1 day", ""),
                ("6", OVER),
                ("5", OK),
            ],
        ),
        (spec().starts_after(DAY), &[("1", OVER), ("1 day", ""), ("1", OK)]),
        (spec().life(DAY), &[("1", OK), ("1 day", ""), ("1", "TokenNotActive_Sender")]),
    ];
    let world = World::start().await;
    for (number, (spec, steps)) in rows.into_iter().enumerate() {
        let token = world.token(spec).await;
        for (step, expected) in steps {
            match step.split_once(" day") {
                Some((days, _)) => {
                    world.sandbox.advance_clock(DAY * days.parse().unwrap()).await.unwrap();
                }
                None => {
                    let seen = world.fps(&pay(&token, step)).await;
                    assert_eq!(outcome(&seen), *expected, "row {number}: {step} {}", seen.1);
                }
            }
        }
    }
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn tokens_of_the_sandbox_page_have_bad_accounts() {
    let world = World::start().await;
    let good = world.sandbox.install_token(&world.merchant, Method::Balance).await.unwrap();
    for sender in [
        "E3FR7BARJV3PB631PMKV74PGKCJLBHI1Q1KMQN7BJ2JJICPDKN3N1CJIKFZ8D7NN",
        "H216UECZ8ZM1G8G4QA3V7RKF8JDFZ9SI3SJAFSGUKBBNDHX1NVM8GUQRZNRNAHER",
        "Z1LGRXR4HMDZBSFKXELA32KZASGWD8IHMHZCK4DETR784LDLD1GMFW4P3WT8VTGX",
    ] {
        let seen = world.fps(&pay(&TokenId::new(sender), "1")).await;
        assert_eq!(code(&seen), (400, "InvalidAccountState_Sender"));
    }
    for recipient in [
        "C4LGSEMXN11FTUXZ2X2C7QVFHN5DVBGQJNF17AIQXXXQSX4DRG4KJFCN2KRFUUZI",
        "R3VK49XVGCAZTJSXKN7ZSBHPMFGKM5VEEQTXGMVE8CFUZ2G5RLLMAB4J6TQRL6BU",
        "P1LL7A1LHK935DBGI5NAYCXOCLVEBHBNIU7PBXBAMRKKNLDEPI8M3MUSLZT2VANZ",
    ] {
        let seen = world.fps(&pay(&good, "1").recipient_token_id(recipient)).await;
        assert_eq!(code(&seen), (400, "InvalidAccountState_Recipient"));
        let seen = world.fps(&GetRecipientVerificationStatus::new(recipient)).await;
        assert!(seen.1.contains(">PendingUserAction<"), "{}", seen.1);
    }
}

pub(crate) fn install(text: &str) -> InstallPaymentInstruction {
    InstallPaymentInstruction::new(fresh(), text, TokenType::Unrestricted)
}

#[tokio::test]
async fn instructions_are_installed_as_far_as_they_are_understood() {
    let world = World::start().await;
    for (text, message) in [
        ("invalid instruction", "Parse errors: line 1:9: unexpected token: instruction"),
        ("MyRole == 'Caller", "expecting &apos;&apos;&apos;, found"),
        ("OperationType == 'Pay';", "no statement fixes MyRole"),
        ("MyRole == 'Buyer';", "MyRole has a value that is not known"),
        ("MyRole == 'Caller'; MyRole == 'Sender';", "contradict"),
        ("MyRole == 'Sender'; Weekday == 'Monday';", "condition on Weekday is not understood"),
        ("MyRole == 'Sender'; TransactionAmount < 'USD 1';", "compared by"),
        ("MyRole == 'Sender'; TransactionAmount <= 'ten';", "not an amount"),
        ("TransactionAmount <= 'USD 1';", "no statement fixes MyRole"),
    ] {
        let seen = world.fps(&install(text)).await;
        assert_eq!(code(&seen), (400, "BadRule"), "{text}");
        assert!(seen.1.contains(message), "{text}: {}", seen.1);
    }
    for (text, amount, expected) in [
        ("MyRole == 'Caller';", "1", "IncompatibleTokens"),
        ("MyRole=='Recipient' orSay 'Role does not match';", "1", "IncompatibleTokens"),
        ("MyRole == 'Sender'; OperationType = 'Refund';", "1", "IncompatibleTokens"),
        // The merchant would pay itself.
        ("MyRole == 'Sender';\nOperationType == 'Pay';", "1", "SameSenderAndRecipient"),
    ] {
        let token = world.ask(&install(text)).await.token_id;
        let told = world.ask(&GetPaymentInstruction::new(token.as_str())).await;
        assert_eq!(told.payment_instruction, text, "word for word");
        assert_eq!(told.token.token_status, TokenStatus::Active);
        assert_eq!(outcome(&world.fps(&pay(&token, amount)).await), expected, "{text}");
    }
    let page = world.token(TokenSpec::refund(&world.merchant)).await;
    let told = world.ask(&GetPaymentInstruction::new(page.as_str())).await;
    assert_eq!(told.payment_instruction, "MyRole == 'Sender'; OperationType == 'Refund';");
}

#[tokio::test]
async fn tokens_are_found_by_id_reference_type_and_state() {
    let world = World::start().await;
    let multi =
        world.token(spec().of_type(TokenType::MultiUse).reference("m").total(usd("9"))).await;
    let single = world.token(spec().of_type(TokenType::SingleUse).reference("s")).await;
    let named =
        world.ask(&install("MyRole == 'Caller';").token_friendly_name("Mine")).await.token_id;
    let ids = async |request: GetTokens| -> Vec<TokenId> {
        world.ask(&request).await.token.into_iter().map(|token| token.token_id).collect()
    };
    let all = GetTokens::new;
    assert_eq!(ids(all()).await, [multi.clone(), single.clone(), named.clone()]);
    let only = std::slice::from_ref;
    assert_eq!(ids(all().token_type(TokenType::MultiUse)).await, only(&multi));
    assert_eq!(ids(all().caller_reference("s")).await, only(&single));
    assert_eq!(ids(all().token_friendly_name("Mine")).await, only(&named));
    assert_eq!(ids(all().token_status(TokenStatus::Inactive)).await, []);
    assert_eq!(outcome(&world.fps(&pay(&single, "1")).await), "Success");
    assert_eq!(world.fps(&CancelToken::new(named.as_str())).await.0, 200);
    assert_eq!(ids(all().token_status(TokenStatus::Inactive)).await, [single.clone(), named]);
    assert_eq!(ids(all()).await, only(&multi));

    let by = GetTokenByCaller::new;
    let found = world.ask(&by().caller_reference("m")).await.token.unwrap();
    assert_eq!((found.token_id, found.token_type), (multi.clone(), TokenType::MultiUse));
    assert_eq!(
        world.ask(&by().token_id(multi.as_str())).await.token.unwrap().caller_reference,
        "m"
    );
    for (request, expected) in [
        (by().token_id(multi.as_str()).caller_reference("m"), "InvalidParams"),
        (by().caller_reference("nobody's"), "InvalidCallerReference"),
        (by().token_id("X"), "InvalidParams"),
        (by().token_id("X".repeat(64)), "InvalidTokenId"),
    ] {
        assert_eq!(code(&world.fps(&request).await), (400, expected));
    }
}

#[tokio::test]
async fn usage_is_told_by_limit_and_starts_anew_with_its_period() {
    let world = World::start().await;
    let spec = spec().of_type(TokenType::MultiUse).total(usd("99"));
    let spec = spec.count_each(3, "1 Day").unwrap().amount_each(usd("50"), "1 Week").unwrap();
    let token = world.token(spec).await;
    let usage = async || -> Vec<_> {
        let limits = world.ask(&GetTokenUsage::new(token.as_str())).await.token_usage_limits;
        limits.into_iter().map(|it| (it.last_reset_count, it.last_reset_amount)).collect()
    };
    assert_eq!(outcome(&world.fps(&pay(&token, "20")).await), "Success");
    assert_eq!(usage().await, [(Some(1), None), (None, Some(usd("20"))), (None, Some(usd("20")))]);
    world.sandbox.advance_clock(DAY).await.unwrap();
    assert_eq!(usage().await[0], (Some(0), None));
    world.sandbox.advance_clock(DAY * 6).await.unwrap();
    assert_eq!(usage().await, [(Some(0), None), (None, Some(usd("0"))), (None, Some(usd("20")))]);

    let unlimited = world.token(TokenSpec::sender(Method::Card)).await;
    assert_eq!(world.ask(&GetTokenUsage::new(unlimited.as_str())).await.token_usage_limits, []);
    let single = world.token(TokenSpec::sender(Method::Card).of_type(TokenType::SingleUse)).await;
    let seen = world.fps(&GetTokenUsage::new(single.as_str())).await;
    assert_eq!(code(&seen), (400, "InvalidTokenType"));
    assert!(seen.1.contains("Type of token") && seen.1.contains("{0}"), "{}", seen.1);
}

#[tokio::test]
async fn a_cancelled_token_is_told_of_and_charged_no_more() {
    let inbox = Inbox::bind().await;
    let url = inbox.url("/ipn");
    let notified = MerchantSpec::new("Notified").notification_url(url.as_str());
    let mut world = World::with(notified, crate::world::LONG).await;
    let seller = world.sandbox.create_merchant(MerchantSpec::new("Seller")).await.unwrap();
    let token = world.token(spec().reference("order-7")).await;
    let cancel = CancelToken::new(token.as_str());
    assert_eq!(code(&world.fps_as(&seller, &cancel).await), (400, "InvalidTokenId"));
    assert_eq!(world.fps(&cancel).await.0, 200);
    let told = inbox.answer(200, "").await.body;
    for part in ["notificationType=TokenCancellation", "callerReference=order-7", token.as_str()] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(code(&world.fps(&cancel).await), (400, "TokenNotActive"));
    assert_eq!(code(&world.fps(&pay(&token, "1")).await), (400, "TokenNotActive_Sender"));
    let usage = GetTokenUsage::new(token.as_str());
    assert_eq!(code(&world.fps(&usage).await), (400, "TokenNotActive"));
    // Whose account it is may take its leave back.
    let given = world.token(TokenSpec::refund(&seller)).await;
    assert_eq!(world.fps_as(&seller, &CancelToken::new(given.as_str())).await.0, 200);
}

#[tokio::test]
async fn the_first_revision_names_three_tokens() {
    let world = World::start().await;
    let old = Dialect::V2007_01_08;
    let again = install("MyRole == 'Caller';");
    assert_eq!(world.fps_in(old, &again).await.0, 200);
    assert_eq!(outcome(&world.fps_in(old, &again).await), "DuplicateRequest");
    let caller = world.ask(&install("MyRole == 'Caller';")).await.token_id;
    let recipient = world.ask(&install("MyRole == 'Recipient';")).await.token_id;
    let refunds =
        world.ask(&install("MyRole == 'Sender'; OperationType = 'Refund';")).await.token_id;
    let sender = world.token(spec().total(usd("20000"))).await;
    let pay = |caller: &TokenId, recipient: &TokenId, amount: &str| {
        Pay::new(fresh(), sender.as_str(), usd(amount))
            .caller_token_id(caller.as_str())
            .recipient_token_id(recipient.as_str())
            .charge_fee_to(fps_model::flexible_payments::ChargeFeeTo::Recipient)
    };
    let seen = world.fps_in(old, &pay(&caller, &recipient, "100")).await;
    assert_eq!(outcome(&seen), "Success");
    assert!(seen.1.contains("NewSenderTokenUsage"), "{}", seen.1);
    let payment = transaction_id(&seen).to_owned();
    for (request, expected) in [
        (pay(&recipient, &recipient, "1"), "IncompatibleTokens"),
        (pay(&caller, &caller, "1"), "IncompatibleTokens"),
        (pay(&TokenId::new("X"), &recipient, "1"), "InvalidTokenId_Caller"),
        (pay(&caller, &TokenId::new("X"), "1"), "InvalidTokenId_Recipient"),
        (pay(&caller, &recipient, "10000.01"), "AmountOutOfRange"),
        (pay(&caller, &recipient, "100.60"), "TemporaryDecline"),
    ] {
        assert_eq!(outcome(&world.fps_in(old, &request).await), expected);
    }
    let refund = |token: &TokenId| {
        Refund::new(fresh(), payment.as_str())
            .caller_token_id(caller.as_str())
            .refund_sender_token_id(token.as_str())
            .refund_amount(usd("1"))
    };
    for (token, expected) in [
        (&refunds, "Success"),
        (&recipient, "IncompatibleTokens"),
        (&sender, "SenderNotOriginalRecipient"),
        (&TokenId::new("X"), "InvalidTokenId_Sender"),
    ] {
        assert_eq!(outcome(&world.fps_in(old, &refund(token)).await), expected);
    }
    let noted = refund(&refunds)
        .meta_data("Basket 7")
        .refund_sender_reference("their books")
        .transaction_date(Timestamp::parse("2007-05-14T10:00:00Z").unwrap());
    let seen = world.fps_in(old, &noted).await;
    let look = GetTransaction::new(transaction_id(&seen));
    let told = world.fps_in(old, &look).await.1;
    for part in ["Basket 7", "their books", "<CallerTransactionDate>2007-05-14T"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(world.fps(&CancelToken::new(caller.as_str())).await.0, 200);
    let seen = world.fps_in(old, &pay(&caller, &recipient, "1")).await;
    assert_eq!(outcome(&seen), "TokenNotActive_Caller");
    world.sandbox.verify_books().await.unwrap();
}
