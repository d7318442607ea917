//! The tables of `tests/tables`: one case a row, the last column is the verdict. Only the public
//! interface is asked; no case is written here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a row that cannot be read is a failed test"
)]

use std::collections::BTreeMap;
use std::fmt::Write;

use refund_rules::{
    Asker, Currency, Decision, Executor, Grant, Grants, Limit, Method, Money, Observation,
    Operation, Party, Payment, PaymentKind, PaymentState, Plan, Policy, RefundState, Role,
    Rounding, Scope, Wish, decide,
};

/// Asks every row of a table; blank lines and those that begin with `#` are none. A verdict names
/// what must be in the answer, word by word, in any order.
fn table(name: &str, text: &str, answer: fn(&[&str]) -> String) {
    let mut rows = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        rows += 1;
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (verdict, question) = cells.split_last().unwrap();
        let got = answer(question);
        let words: Vec<&str> = got.split_whitespace().collect();
        let missing: Vec<&str> =
            verdict.split_whitespace().filter(|word| !words.contains(word)).collect();
        assert!(
            missing.is_empty() && !verdict.is_empty(),
            "{name}.txt, line {}: {line}\n  answer: {got}\n  without: {missing:?}",
            number + 1
        );
    }
    assert!(rows > 0, "{name}.txt has no rows");
}

macro_rules! tables {
    ($($name:ident: $answer:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let text = include_str!(concat!("tables/", stringify!($name), ".txt"));
                table(stringify!($name), text, $answer);
            }
        )*
    };
}

tables! {
    amounts: |row| parse(row[0], row[1]);
    shares: share;
    allocations: |row| allocate(row[0], row[1]);
    flexible_payments: |row| decision(&format!("fps {}", row[0]), row[1], row[2]);
    amazon_pay: |row| decision(&format!("amazon-pay {}", row[0]), row[1], row[2]);
    marketplace: |row| decision(&format!("fps {}", row[0]), row[1], row[2]);
    authority: allows;
    snapshots: |row| snapshot(row[0]);
    states: |row| observe(row[0], row[1]);
    bug_reports: |row| match row[1..] {
        ["decide", policy, payment, wish] => decision(policy, payment, wish),
        ["parse", currency, text] => parse(currency, text),
        ["allocate", amount, weights] => allocate(amount, weights),
        ["observe", state, observation] => observe(state, observation),
        _ => panic!("{row:?} asks nothing"),
    };
}

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

/// `14.00 USD`, or in the other currency of the row, `14.00`.
fn money(text: &str, other: Currency) -> Money {
    match text.split_once(' ') {
        Some((amount, code)) => Money::parse_signed(amount, currency(code)).unwrap(),
        None => Money::parse_signed(text, other).unwrap(),
    }
}

fn parse(code: &str, text: &str) -> String {
    // A table cannot show blanks at the ends of a cell.
    let text = text.trim_matches('"');
    match Money::parse(text, currency(code)) {
        Ok(money) => format!("{} {money}", money.minor()),
        Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}

fn rounding(name: &str) -> Rounding {
    use Rounding as R;
    [R::HalfEven, R::HalfAwayFromZero, R::TowardZero, R::AwayFromZero, R::Floor, R::Ceiling]
        .into_iter()
        .find(|rounding| format!("{rounding:?}") == name)
        .unwrap_or_else(|| panic!("{name} is no rounding"))
}

fn share(row: &[&str]) -> String {
    let [whole, part, of, name] = row else { panic!("{row:?}") };
    let whole = money(whole, Currency::USD);
    let (part, of) = (money(part, whole.currency()), money(of, whole.currency()));
    match whole.share(part, of, rounding(name)) {
        Ok(share) => share.to_string(),
        Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}

fn allocate(amount: &str, weights: &str) -> String {
    let amount = money(amount, Currency::USD);
    let weights: Vec<u64> = weights.split_whitespace().map(|w| w.parse().unwrap()).collect();
    let mut parts = vec![amount; weights.len()];
    match amount.allocate_into(&weights, &mut parts) {
        Ok(()) => parts.iter().map(Money::to_string).collect::<Vec<_>>().join("+"),
        Err(error) => format!("{error:?}"),
    }
}

/// Reads `word` or `word=value` tokens.
fn words(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")))
}

fn policy(cell: &str) -> Policy {
    let (service, rest) = cell.split_once(' ').unwrap_or((cell, ""));
    let mut words = words(rest).peekable();
    let mut policy = match service {
        "fps" => Policy::flexible_payments(),
        "amazon-pay" => Policy::amazon_pay(currency(words.next().unwrap().0)),
        _ => panic!("{service} is no service"),
    };
    let own = policy.currency();
    for (word, value) in words {
        policy = match word {
            "single-max" => policy.with_single_max(money(value, own)).unwrap(),
            "minimum" => policy.with_minimum(money(value, own)).unwrap(),
            "refunds-max" => policy.with_refunds_max(value.parse().unwrap()),
            "no-overage" => policy.without_overage(),
            "grant-needed" => policy.with_grant_needed(),
            _ => panic!("{word} is nothing of a policy"),
        };
    }
    policy
}

fn payment(cell: &str) -> Result<Payment, refund_rules::PaymentError> {
    let mut words = words(cell);
    let (captured, _) = words.next().unwrap();
    let (code, _) = words.next().unwrap();
    let amount = |text: &str| Money::parse_signed(text, currency(code)).unwrap();
    let method = match words.next().unwrap().0 {
        "card" => Method::Card,
        "bank" => Method::Bank,
        "balance" => Method::Balance,
        "prepaid" => Method::Prepaid,
        "postpaid" => Method::Postpaid,
        other => panic!("{other} is no method"),
    };
    let mut payment = Payment::completed(amount(captured), method)?;
    for (word, value) in words {
        payment = match word {
            "fee" => payment.with_fee(amount(value))?,
            "fee-in-EUR" => payment.with_fee(money(value, Currency::EUR))?,
            "fee-payer" => payment.with_fee_payer(role(value))?,
            "fee-returned" => payment.with_fee_returned(amount(value))?,
            "marketplace" => payment.with_marketplace_fee(amount(value))?,
            "marketplace-held" => payment.with_marketplace_fee_held(amount(value))?,
            "refunded" => payment.with_refunded(amount(value))?,
            "pending" => payment.with_pending(amount(value))?,
            "unknown" => payment.with_unknown(amount(value))?,
            "refunds" => payment.with_refunds(value.parse().unwrap())?,
            "kind" => payment.with_kind(match value {
                "settled-reserve" => PaymentKind::SettledReserve,
                "fund-prepaid" => PaymentKind::FundPrepaid,
                "settle-debt" => PaymentKind::SettleDebt,
                "refund" => PaymentKind::Refund,
                _ => panic!("{value} is no kind"),
            }),
            "state" => payment.with_state(match value {
                "pending" => PaymentState::Pending,
                "reserved" => PaymentState::Reserved,
                "failed" => PaymentState::Failed,
                "cancelled" => PaymentState::Cancelled,
                _ => panic!("{value} is no state"),
            }),
            _ => panic!("{word} is nothing of a payment"),
        };
    }
    Ok(payment)
}

fn role(name: &str) -> Role {
    match name {
        "sender" => Role::Sender,
        "recipient" => Role::Recipient,
        "caller" => Role::Caller,
        _ => panic!("{name} is no role"),
    }
}

fn operation(name: &str) -> Operation {
    use Operation as O;
    let all =
        [O::Pay, O::Reserve, O::Settle, O::Refund, O::FundPrepaid, O::SettleDebt, O::WriteOffDebt];
    let found = all.into_iter().find(|operation| format!("{operation:?}") == name);
    found.unwrap_or_else(|| panic!("{name} is no operation"))
}

/// `sender:Refund`, `recipient:any`, or `-`.
fn grant(grants: Grants, text: &str) -> Grants {
    match text.split_once(':') {
        Some((name, "any")) => grants.with(Grant::any(role(name))),
        Some((name, what)) => grants.with(Grant::new(role(name), operation(what))),
        None => grants,
    }
}

fn allows(row: &[&str]) -> String {
    let [held, asked] = row else { panic!("{row:?}") };
    let grants = held.split_whitespace().fold(Grants::NONE, grant);
    let (name, what) = asked.split_once(':').unwrap();
    if grants.allow(role(name), operation(what)) { "yes" } else { "no" }.to_owned()
}

fn wish(cell: &str, other: Currency) -> Wish {
    let mut parts = cell.split_whitespace();
    let mut wish = match parts.next().unwrap() {
        "rest" => Wish::rest(),
        amount => Wish::amount(match amount.split_once(':') {
            Some((amount, code)) => Money::parse_signed(amount, currency(code)).unwrap(),
            None => Money::parse_signed(amount, other).unwrap(),
        }),
    };
    for word in parts {
        wish = match word {
            "marketplace-fee" => wish.with_scope(Scope::MarketplaceFee),
            "both" => wish.with_scope(Scope::PaymentAndMarketplaceFee),
            "stranger" => wish.with_asker(Asker::STRANGER.with_grants(wish.asker().grants())),
            grants => {
                let grants = grant(wish.asker().grants(), grants);
                wish.with_asker(wish.asker().with_grants(grants))
            }
        };
    }
    wish
}

fn decision(policy_cell: &str, payment_cell: &str, wish_cell: &str) -> String {
    let payment = payment(payment_cell).unwrap();
    let wish = wish(wish_cell, payment.captured().currency());
    match decide(&payment, &wish, &policy(policy_cell)) {
        Decision::Allow(plan) => {
            let marketplace = payment.executor() == Executor::Marketplace;
            let payer = match payment.fee_payer() {
                Role::Caller if marketplace => Party::Caller,
                _ => Party::Recipient,
            };
            allowed(&plan, wish.scope(), payer)
        }
        Decision::Refuse(refusal) => {
            assert_eq!(refusal.asked(), wish.asked());
            let limit = match refusal.limit() {
                Some(Limit::Amount(amount)) => amount.to_string(),
                Some(Limit::Refunds(count)) => count.to_string(),
                _ => "-".to_owned(),
            };
            let source = refusal.source().map(|source| format!("source={source:?}"));
            format!(
                "refuse rule={} limit={limit} {}",
                refusal.rule().name(),
                source.unwrap_or_default()
            )
        }
    }
}

fn allowed(plan: &Plan, scope: Scope, payer: Party) -> String {
    let mut text = format!(
        "allow {} fee={} marketplace-fee={} to={:?} {:?} left={} with-overage={}",
        plan.amount(),
        plan.fee_returned(),
        plan.marketplace_fee_returned(),
        plan.destination(),
        plan.timing(),
        plan.remaining(),
        plan.remaining_with_overage()
    );
    let mut net = BTreeMap::from(PARTIES.map(|party| (format!("{party:?}"), 0)));
    for leg in plan.legs() {
        assert!(leg.amount().minor() > 0, "{leg:?}");
        *net.get_mut(&format!("{:?}", leg.from())).unwrap() -= leg.amount().minor();
        *net.get_mut(&format!("{:?}", leg.to())).unwrap() += leg.amount().minor();
        write!(text, " {:?}>{:?}={}", leg.from(), leg.to(), leg.amount()).unwrap();
    }
    // What everybody has more afterwards, from the amounts alone.
    let (amount, fee) = (plan.amount().minor(), plan.fee_returned().minor());
    let shared = plan.marketplace_fee_returned().minor();
    for (party, more) in PARTIES.into_iter().zip(match scope {
        Scope::Payment => [amount, -amount, 0, -fee],
        Scope::MarketplaceFee => [0, amount, -amount, -fee],
        Scope::PaymentAndMarketplaceFee => [amount, shared - amount, -shared, -fee],
    }) {
        let more = if party == payer { more + fee } else { more };
        assert_eq!(net[&format!("{party:?}")], more, "{party:?}: {text}");
    }
    let legs = plan.legs().count();
    write!(text, " legs={legs}").unwrap();
    text
}

const PARTIES: [Party; 4] = [Party::Sender, Party::Recipient, Party::Caller, Party::Amazon];

fn snapshot(cell: &str) -> String {
    match payment(cell) {
        Ok(payment) => format!(
            "held={} refunds={} fee-due={}",
            payment.held(),
            payment.refunds(),
            payment.fee_due().unwrap()
        ),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned()
        }
    }
}

fn observe(state: &str, observation: &str) -> String {
    use {Observation as O, RefundState as S};
    let states =
        [S::Prepared, S::Sent, S::Unknown, S::Accepted, S::Pending, S::Refunded, S::Declined];
    let observations =
        [O::Sent, O::NotSent, O::AnswerLost, O::Accepted, O::Pending, O::Refunded, O::Declined];
    let state = states.into_iter().find(|s| format!("{s:?}") == state).unwrap();
    let observation = observations.into_iter().find(|o| format!("{o:?}") == observation).unwrap();
    match state.observe(observation) {
        Ok(state) => format!("{state:?}"),
        Err(contradiction) => {
            assert_eq!((contradiction.state(), contradiction.observation()), (state, observation));
            "contradiction".to_owned()
        }
    }
}
