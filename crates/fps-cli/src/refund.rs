//! `fps refund`: one refund, decided by the rules, sent with a key that was said before, followed to its
//! end; the rules are not here, nor is a record of it.

mod order;

use std::time::Duration;

use fps::{Followed, Money, Patience, Plan, RefundError, RefundState, Wish};
use serde::Serialize;

use self::order::Order;
use crate::cli::Refund;
use crate::config::{Configuration, Connected};
use crate::consent::Asking;
use crate::decision::{amount, currency, refused, said, state, timing};
use crate::exit::{Exit, Failure};
use crate::output::{Report, print, quoted, table};
use crate::progress::step;
use crate::runtime::block_on_or_signal;

const NOT_MADE: &str = "the refund was not made";
const IN_DOUBT: &str = "whether the refund was made is unknown";

pub(crate) fn run(arguments: &Refund) -> Result<(), Failure> {
    let connected =
        Configuration::read(&arguments.connection)?.connect(Some(&arguments.payment))?;
    let order = Order::new(arguments, &connected)?;
    let asking = match arguments.dry_run {
        true => Asking::No,
        false => Asking::new(connected.is_live(), &arguments.consent)?,
    };
    let refunded = block_on_or_signal(refund(arguments, &connected, &order, asking))?;
    let printed = print(arguments.output, &refunded);
    // How it ended must be said even where the result cannot be.
    refunded.verdict()?;
    printed
}

async fn refund(
    arguments: &Refund,
    connected: &Connected,
    order: &Order<'_>,
    asking: Asking,
) -> Result<Refunded, Failure> {
    let (plan, sum) = match decided_before(arguments)? {
        Some(sum) => (None, sum),
        None => {
            let plan = decide(arguments, connected, order).await?;
            let sum = plan.amount();
            (Some(plan), sum)
        }
    };
    let mut refunded = Refunded::new(arguments, connected, order, plan.as_ref(), sum);
    if !arguments.dry_run {
        asking.ask(format!("refund {}", said(sum))).await?;
        send(arguments, connected, order, sum, &mut refunded).await?;
        if arguments.wait && refunded.state == state(RefundState::Pending) {
            follow(arguments, connected, order, &mut refunded).await?;
        }
    }
    Ok(refunded)
}

/// The amount of a refund that is sent again, which is not decided twice.
fn decided_before(arguments: &Refund) -> Result<Option<Money>, Failure> {
    match (arguments.again, &arguments.amount, &arguments.currency) {
        (true, Some(text), Some(code)) => amount(text, currency(code)?).map(Some),
        _ => Ok(None),
    }
}

async fn decide(
    arguments: &Refund,
    connected: &Connected,
    order: &Order<'_>,
) -> Result<Plan, Failure> {
    let read = |currency| arguments.amount.as_deref().map(|it| amount(it, currency)).transpose();
    let named = arguments.currency.as_deref().map(currency).transpose()?;
    // What is no amount is seen before anything is asked.
    named.map(read).transpose()?;
    let payment = order.payment().await;
    let payment =
        payment.map_err(|error| connected.failure(error, "the payment cannot be read"))?;
    let wish = match read(named.unwrap_or(payment.captured().currency()))? {
        Some(amount) => Wish::amount(amount),
        None => Wish::rest(),
    };
    order.plan(&payment, &wish).into_result().map_err(refused)
}

/// The call that sends the same request again, as it is typed into a shell.
fn again(arguments: &Refund, order: &Order<'_>, sum: Money) -> String {
    let mut call = format!(
        "fps refund {} {sum} --currency {} --key={} --again",
        quoted(&arguments.payment),
        sum.currency(),
        quoted(order.key())
    );
    let texts = [("note", &arguments.note), ("soft-descriptor", &arguments.soft_descriptor)];
    for (flag, text) in texts {
        if let Some(text) = text {
            call.push_str(&format!(" --{flag}={}", quoted(text)));
        }
    }
    call
}

async fn send(
    arguments: &Refund,
    connected: &Connected,
    order: &Order<'_>,
    sum: Money,
    refunded: &mut Refunded,
) -> Result<(), Failure> {
    let again = again(arguments, order, sum);
    // Said before anything is sent: whoever is cut off then can send the same again.
    step(&format!("sending it with the key {}", refunded.key));
    step(&format!("if it is cut off, send the same again and no other: {again}"));
    let taken = order.submit(sum).await.map_err(|error| {
        let (what, hint) = match &error {
            RefundError::Call(call) if call.is_unknown() => {
                (IN_DOUBT, format!("send the same again, and no other: {again}"))
            }
            // A key that was used for something else, or an answer about something else.
            _ if error.is_unknown() => {
                let id = &arguments.payment;
                (NOT_MADE, format!("`fps status {id}` says what has been refunded; another decision needs another key"))
            }
            _ => return connected.failure(error, NOT_MADE),
        };
        connected.failure(error, what).hint(hint)
    })?;
    refunded.refund = Some(taken.id);
    refunded.state = state(taken.state);
    refunded.request_id = taken.request_id;
    Ok(())
}

async fn follow(
    arguments: &Refund,
    connected: &Connected,
    order: &Order<'_>,
    refunded: &mut Refunded,
) -> Result<(), Failure> {
    let id = refunded.refund.as_deref().unwrap_or_default();
    step(&format!("refund {id} is accepted; asking until it has ended"));
    let deadline = Duration::from_secs(arguments.patience.into());
    let mut patience = match connected.is_live() {
        true => Patience::default(),
        false => Patience::short(Duration::from_millis(50), deadline),
    };
    patience.deadline = deadline;
    match order.follow(id, &patience).await {
        Ok(Followed::Settled(end)) => refunded.state = state(end),
        Ok(Followed::StillPending) => refunded.is_unfollowed = true,
        Err(error) => {
            let what = format!("refund {id} was accepted, and cannot be followed");
            let hint = format!("`fps status {id}` asks again");
            return Err(connected.failure(error, what).hint(hint));
        }
    }
    Ok(())
}

/// What became of it.
#[derive(Serialize)]
struct Refunded {
    service: String,
    environment: &'static str,
    payment: String,
    key: String,
    /// None before it is sent.
    refund: Option<String>,
    state: &'static str,
    currency: String,
    amount: String,
    /// Of the plan; none for what was decided before.
    fee_returned: Option<String>,
    remaining: Option<String>,
    timing: Option<&'static str>,
    request_id: Option<String>,
    /// Patience ended before it did.
    #[serde(skip)]
    is_unfollowed: bool,
}

impl Refunded {
    fn new(
        arguments: &Refund,
        connected: &Connected,
        order: &Order<'_>,
        plan: Option<&Plan>,
        sum: Money,
    ) -> Self {
        Self {
            service: connected.service_name(),
            environment: if connected.is_live() { "live" } else { "sandbox" },
            payment: arguments.payment.clone(),
            key: order.key().to_owned(),
            refund: None,
            state: "not-sent",
            currency: sum.currency().to_string(),
            amount: sum.to_string(),
            fee_returned: plan.map(|plan| plan.fee_returned().to_string()),
            remaining: plan.map(|plan| plan.remaining().to_string()),
            timing: plan.map(timing),
            request_id: None,
            is_unfollowed: false,
        }
    }

    /// A failure unless it is done, or on its way and nobody asked for more.
    fn verdict(&self) -> Result<(), Failure> {
        let id = self.refund.as_deref().unwrap_or_default();
        if self.state == state(RefundState::Declined) {
            return Err(Failure::new(Exit::Declined, format!("refund {id} was declined")).hint(
                "no money moved; the buyer may be refunded by another refund, with another key",
            ));
        }
        match self.is_unfollowed {
            true => Err(Failure::new(Exit::Unknown, format!("refund {id} has not ended in time"))
                .hint(format!("it is on its way: `fps status {id}` asks how it stands"))),
            false => Ok(()),
        }
    }
}

impl Report for Refunded {
    fn text(&self) -> String {
        let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let rows = [
            ("payment", self.payment.clone()),
            ("amount", self.amount.clone()),
            ("fee returned", some(&self.fee_returned)),
            ("remaining", some(&self.remaining)),
            ("key", self.key.clone()),
            ("refund", some(&self.refund)),
            ("state", self.state.to_owned()),
        ];
        let header = [self.environment, self.currency.as_str()];
        table(&header, rows.map(|(name, value)| vec![name.to_owned(), value]))
    }
}
