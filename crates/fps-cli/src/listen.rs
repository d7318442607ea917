//! `fps listen`: an address for notifications of either service, which prints those that are proved and
//! answers 200 to them alone; nothing is done about what they say, but that it may be recorded.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use fps::refund_ledger::Ledger;
use fps::refund_runner::{Clock as _, SystemClock};
use fps::{Arrived, CertificateOrigin, Event, Noted, Notifications, Observation, Received, Topic};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::batch::{LEDGER_FAILED, to_go_on};
use crate::cli::{Lines, Listen};
use crate::config::Configuration;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::print_text;
use crate::progress::{step, tell};
use crate::runtime::block_on;
use crate::signals;

const PATH: &str = "/ipn";
/// How long connections may take to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until a signal ends it, which is how it is meant to end, or so many were proved.
pub(crate) fn run(arguments: &Listen) -> Result<(), Failure> {
    let configuration = Configuration::read(&arguments.connection)?;
    block_on(serve(arguments, &configuration))
}

async fn serve(arguments: &Listen, configuration: &Configuration) -> Result<(), Failure> {
    let ended = signals::ended()?;
    let ledger = match arguments.record {
        true => Some(to_go_on(configuration.ledger()).await?),
        false => None,
    };
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::new(Exit::Usage, format!("{address} cannot be listened on"))
            .because(error)
            .hint("choose another port, or 0 for a free one")
    })?;
    let address = listener.local_addr().or_fail("the address that is listened on is unknown")?;
    let url = arguments.url.clone().unwrap_or_else(|| format!("http://{address}{PATH}"));
    let (sender, mut proved) = mpsc::channel(1);
    let desk = Desk { notifications: notifications(arguments, configuration, &url)?, sender };
    let router = Router::new().fallback(any(receive)).with_state(Arc::new(desk));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        // Told so, or forgotten: it ends.
        drop(stopped.await);
    });
    let server = tokio::spawn(server.into_future());
    step(&format!(
        "listening at http://{address}; notifications are believed that were sent to {url}"
    ));
    let printed = async {
        let mut count = 0;
        while let Some((received, dealt_with)) = proved.recv().await {
            let told = match &ledger {
                None => Ok(Some(Told::new(&received))),
                Some(ledger) => record(ledger, &received).await,
            };
            let printed = told.and_then(|told| match told {
                Some(told) => print_text(&line(arguments.output, &told)?).map(|()| true),
                None => Ok(false),
            });
            // Only what was printed is dealt with; anything else comes again.
            let _whoever_asked_has_gone = dealt_with.send(matches!(printed, Ok(true)));
            count += u32::from(printed?);
            if Some(count) == arguments.count {
                break;
            }
        }
        Ok(())
    };
    let outcome = tokio::select! {
        outcome = printed => outcome,
        _ = ended => Ok(()),
    };
    // The last answer may still be under way; whoever does not read it is not waited for.
    drop(stop);
    drop(proved);
    drop(tokio::time::timeout(FAREWELL, server).await);
    if let Some(ledger) = ledger {
        ledger.close().await;
    }
    outcome
}

/// Records it; gives nothing when the ledger cannot take it now.
async fn record(ledger: &Ledger, received: &Received) -> Result<Option<Told>, Failure> {
    match received.record_in(ledger, SystemClock::default().now()).await {
        Ok(noted) => Ok(Some(Told { recorded: Recorded::new(noted), ..Told::new(received) })),
        Err(error) if error.is_transient() => {
            tell(&format!("not recorded, it must come again: {error}"));
            Ok(None)
        }
        Err(error) => Err(Failure::from_error(error, LEDGER_FAILED)),
    }
}

/// Whom to believe, as it is configured.
fn notifications(
    arguments: &Listen,
    configuration: &Configuration,
    url: &str,
) -> Result<Notifications, Failure> {
    let topics: Vec<_> = arguments
        .topic
        .iter()
        .map(|arn| {
            let topic = Topic::new(origin_of_topic(arn)?, arn.as_str());
            Ok(match &arguments.merchant {
                Some(merchant) => topic.with_merchant(merchant.as_str()),
                None => topic,
            })
        })
        .collect::<Result<_, Failure>>()?;
    let fetcher = || configuration.certificate_fetcher();
    match (configuration.certificate_origin()?, topics.is_empty()) {
        (Some(origin), true) => Ok(Notifications::new(url, origin, fetcher()?)),
        (Some(origin), false) => {
            Ok(Notifications::new(url, origin, fetcher()?).with_topics(topics, fetcher()?))
        }
        (None, false) => Ok(Notifications::of_topics(topics, fetcher()?)),
        (None, true) => Err(Failure::new(Exit::Usage, "nobody is configured to be believed")
            .hint("give --certificate-origin for FPS, or --topic for Amazon Pay")),
    }
}

/// A topic's name has its region: `arn:aws:sns:REGION:…`.
fn origin_of_topic(arn: &str) -> Result<CertificateOrigin, Failure> {
    let region = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    CertificateOrigin::sns_region(region.unwrap_or_default()).map_err(|error| {
        Failure::new(Exit::Usage, format!("--topic {arn} names no region"))
            .because(error)
            .hint("a topic is called arn:aws:sns:REGION:ACCOUNT:NAME")
    })
}

type Proved = (Received, oneshot::Sender<bool>);

struct Desk {
    notifications: Notifications,
    sender: mpsc::Sender<Proved>,
}

async fn receive(
    State(desk): State<Arc<Desk>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let arrived = Arrived::new(method.as_str(), &headers, &body);
    let received = match desk.notifications.receive(&arrived).await {
        Ok(received) => received,
        Err(error) => {
            tell(&format!("not believed: {error}"));
            return StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        }
    };
    let (sender, dealt_with) = oneshot::channel();
    let is_sent = desk.sender.send((received.clone(), sender)).await.is_ok();
    match is_sent && dealt_with.await.unwrap_or(false) {
        true => {
            desk.notifications.acknowledge(&received);
            StatusCode::OK
        }
        // It is true, and comes again.
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What a notification says, as far as it is anybody's business: no buyer, and no token of SNS.
#[derive(Serialize)]
struct Told {
    id: String,
    event: &'static str,
    object: Option<String>,
    /// As the service spells it.
    status: Option<String>,
    /// What it says about a refund.
    refund: Option<&'static str>,
    currency: Option<String>,
    amount: Option<String>,
    repeated: bool,
    /// Of a refund of the ledger.
    recorded: Option<Recorded>,
}

/// What the ledger learned.
#[derive(Serialize)]
struct Recorded {
    /// The refund's number there.
    number: i64,
    /// Its state now. None if the notification does not tell: the next run asks.
    state: Option<&'static str>,
    /// What contradicts the ledger.
    alarm: Option<String>,
}

impl Recorded {
    fn new(noted: Noted) -> Option<Self> {
        let (id, state, alarm) = match noted {
            Noted::State(id, state) => (id, Some(state.name()), None),
            Noted::Due(id) => (id, None, None),
            Noted::Alarm(id, alarm) => (id, None, Some(alarm)),
            _ => return None,
        };
        Some(Self { number: id.0, state, alarm })
    }
}

impl Told {
    fn new(received: &Received) -> Self {
        let event = received.event();
        let mut told = Self {
            id: received.id().to_owned(),
            event: name(event),
            object: None,
            status: None,
            refund: event.observation().map(|observation| match observation {
                Observation::Refunded => "refunded",
                Observation::Declined => "declined",
                _ => "pending",
            }),
            currency: None,
            amount: None,
            repeated: received.is_repeated(),
            recorded: None,
        };
        match event {
            Event::Transaction(it) => {
                told.object = Some(it.transaction_id.as_str().to_owned());
                told.status = Some(it.transaction_status.to_string());
                told.currency = Some(it.transaction_amount.currency().to_string());
                told.amount = Some(it.transaction_amount.to_string());
            }
            Event::Changed(it) => told.object = Some(it.object_id().as_str().to_owned()),
            Event::SubscriptionConfirmation(it) | Event::UnsubscribeConfirmation(it) => {
                told.object = Some(it.topic_arn().to_owned());
            }
            _ => {}
        }
        told
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Transaction(_) => "transaction",
        Event::EarlyTransaction(_) => "early-transaction",
        Event::SimplePay(_) => "simple-pay",
        Event::TokenCancelled(_) => "token-cancelled",
        Event::Changed(_) => "changed",
        Event::SubscriptionConfirmation(_) => "subscription-confirmation",
        Event::UnsubscribeConfirmation(_) => "unsubscribe-confirmation",
        _ => "unknown",
    }
}

fn line(format: Lines, told: &Told) -> Result<String, Failure> {
    match format {
        Lines::Ndjson => serde_json::to_string(told)
            .map(|line| line + "\n")
            .map_err(|error| Failure::new(Exit::Internal, "a line is no JSON").because(error)),
        Lines::Table => {
            let object = told.object.as_deref().unwrap_or("-");
            let mut line = format!("{} {object}", told.event);
            for part in [&told.status, &told.amount, &told.currency].into_iter().flatten() {
                line.push(' ');
                line.push_str(part);
            }
            if told.repeated {
                line.push_str(" (again)");
            }
            if let Some(Recorded { number, state, alarm }) = &told.recorded {
                let what = alarm.as_deref().or(*state).unwrap_or("to be asked for");
                line.push_str(&format!("; refund {number} of the ledger: {what}"));
            }
            line.push('\n');
            Ok(line)
        }
    }
}
