//! `fps listen`: an address for notifications of either service, which prints those that are proved and
//! answers 200 to them alone; nothing is done about what they say.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use fps::{Arrived, CertificateOrigin, Event, Notifications, Observation, Received, Topic};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

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
            let printed = print_text(&line(arguments.output, &Told::new(&received))?);
            // Only what was printed is dealt with; anything else comes again.
            let _whoever_asked_has_gone = dealt_with.send(printed.is_ok());
            printed?;
            count += 1;
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
    outcome
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
            line.push('\n');
            Ok(line)
        }
    }
}
