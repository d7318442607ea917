//! Every route of the control API with what its document says of it: there is no other list.

use axum::routing::{MethodRouter, delete, get, post, put};

use super::{
    Control, answers, audit, books, clock, faults, health, instruments, list, merchants, movements,
    notifications, openapi, outcomes, payments, refunds, reset, seed, tokens,
};

/// A route.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Behind the prefix; a part in braces is the id of something.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// The names of its query.
    pub(super) query: &'static [&'static str],
    /// The schema of its body, if it has one.
    pub(super) takes: Option<&'static str>,
    /// The schema of its answer.
    pub(super) gives: &'static str,
    pub(super) status: u16,
    pub(super) handler: MethodRouter<Control>,
}

fn read(
    path: &'static str,
    gives: &'static str,
    summary: &'static str,
    handler: MethodRouter<Control>,
) -> Route {
    Route { method: "get", path, summary, query: &[], takes: None, gives, status: 200, handler }
}

fn list_of(
    path: &'static str,
    gives: &'static str,
    summary: &'static str,
    handler: MethodRouter<Control>,
) -> Route {
    Route { query: &list::QUERY, ..read(path, gives, summary, handler) }
}

fn create(
    path: &'static str,
    takes: &'static str,
    gives: &'static str,
    summary: &'static str,
    handler: MethodRouter<Control>,
) -> Route {
    let (method, status) = ("post", 201);
    Route { method, status, takes: Some(takes), ..read(path, gives, summary, handler) }
}

fn change(
    method: &'static str,
    path: &'static str,
    takes: Option<&'static str>,
    gives: &'static str,
    summary: &'static str,
    handler: MethodRouter<Control>,
) -> Route {
    Route { method, takes, ..read(path, gives, summary, handler) }
}

/// What goes wrong on purpose.
fn faults() -> Vec<Route> {
    vec![
        read("/faults", "Faults", "The fault rules, and what they have met.", get(faults::get)),
        change(
            "put",
            "/faults",
            Some("FaultPlan"),
            "Faults",
            "Replaces all fault rules, and their seed.",
            put(faults::set),
        ),
        create(
            "/faults",
            "FaultRule",
            "FaultState",
            "Adds a fault rule behind the others.",
            post(faults::add),
        ),
        change(
            "delete",
            "/faults/{id}",
            None,
            "Faults",
            "Takes a fault rule away.",
            delete(faults::remove),
        ),
    ]
}

pub(super) fn all() -> Vec<Route> {
    [itself(), objects(), books(), outcomes(), faults(), deliveries()]
        .into_iter()
        .flatten()
        .collect()
}

/// The sandbox as a whole.
fn itself() -> Vec<Route> {
    vec![
        read("/health", "Health", "Is it there, and what is it?", get(health::get)),
        read("/openapi.json", "Document", "This document.", get(openapi::get)),
        create(
            "/seed",
            "Seed",
            "Seeded",
            "Makes everything in a seed file, or nothing.",
            post(seed::seed),
        ),
        change(
            "post",
            "/reset",
            Some("Reset"),
            "Reset",
            "Empties the sandbox.",
            post(reset::reset),
        ),
        read("/clock", "Clock", "The time of the sandbox.", get(clock::get)),
        change(
            "post",
            "/clock",
            Some("ClockChange"),
            "Clock",
            "Moves the clock forward; what is due by then happens.",
            post(clock::change),
        ),
    ]
}

/// What is in the sandbox.
fn objects() -> Vec<Route> {
    vec![
        list_of("/merchants", "MerchantPage", "Merchants.", get(merchants::list)),
        create(
            "/merchants",
            "MerchantSpec",
            "MadeMerchant",
            "Makes a merchant; its keys are told only here.",
            post(merchants::create),
        ),
        list_of("/tokens", "TokenPage", "Tokens of FPS.", get(tokens::list)),
        create("/tokens", "TokenSpec", "Token", "Installs a token.", post(tokens::create)),
        list_of(
            "/instruments",
            "InstrumentPage",
            "Prepaid and postpaid credit.",
            get(instruments::list),
        ),
        create(
            "/instruments",
            "InstrumentSpec",
            "Instrument",
            "Opens prepaid or postpaid credit.",
            post(instruments::create),
        ),
        list_of("/payments", "PaymentPage", "Payments of both services.", get(payments::list)),
        create(
            "/payments",
            "PaymentSpec",
            "Payment",
            "Makes a payment in any state.",
            post(payments::create),
        ),
        read("/payments/{id}", "Payment", "One payment.", get(payments::get)),
        list_of(
            "/refunds",
            "RefundPage",
            "Refunds; the subject is a payment or a refund.",
            get(refunds::list),
        ),
    ]
}

/// What its books say.
fn books() -> Vec<Route> {
    vec![
        list_of(
            "/movements",
            "MovementPage",
            "Movements of the books; the state is the kind.",
            get(movements::list),
        ),
        list_of(
            "/answers",
            "AnswerPage",
            "What was answered to keys; the state is a status, the subject a key.",
            get(answers::list),
        ),
        read("/totals", "Totals", "What the books say about every merchant.", get(books::list)),
        read("/verify", "Verified", "Proves the books, or says what is wrong.", get(books::verify)),
    ]
}

/// What becomes of refunds.
fn outcomes() -> Vec<Route> {
    vec![
        change(
            "put",
            "/outcomes/payments/{id}",
            Some("Decline"),
            "Payment",
            "Declines the refunds of a payment when their time has come.",
            put(outcomes::decline_payment),
        ),
        change(
            "delete",
            "/outcomes/payments/{id}",
            None,
            "Payment",
            "Lets the refunds of a payment succeed again.",
            delete(outcomes::accept_payment),
        ),
        change(
            "put",
            "/outcomes/refunds/{id}",
            Some("Decline"),
            "Refund",
            "Declines one refund that is under way.",
            put(outcomes::decline_refund),
        ),
        change(
            "delete",
            "/outcomes/refunds/{id}",
            None,
            "Refund",
            "Lets one refund that is under way succeed again.",
            delete(outcomes::accept_refund),
        ),
        read(
            "/outcomes/next",
            "NextDeclines",
            "How many of the next refunds are declined.",
            get(outcomes::get_next),
        ),
        change(
            "put",
            "/outcomes/next",
            Some("NextDeclines"),
            "NextDeclines",
            "Declines the next refunds, whosever they are.",
            put(outcomes::decline_next),
        ),
        change(
            "delete",
            "/outcomes/next",
            None,
            "NextDeclines",
            "Lets the next refunds succeed again.",
            delete(outcomes::accept_next),
        ),
    ]
}

/// What merchants were told, and what they did wrong.
fn deliveries() -> Vec<Route> {
    vec![
        list_of(
            "/notifications",
            "NotificationPage",
            "The log of deliveries; the subject is an id that is told of.",
            get(notifications::list),
        ),
        change(
            "post",
            "/notifications/{id}/resend",
            None,
            "Notification",
            "Sends a notification once more.",
            post(notifications::resend),
        ),
        read(
            "/audit",
            "Report",
            "What the client did wrong, as far as it can be seen.",
            get(audit::get),
        ),
        change("delete", "/audit", None, "Report", "Forgets what was found.", delete(audit::reset)),
    ]
}
