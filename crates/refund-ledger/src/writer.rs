//! The way in for everything that writes: what waits together is done in one transaction, and nobody is
//! answered before it is durable. Which store it is, is not known here.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};

use crate::error::{Error, ErrorKind};
use crate::ops::{self, Answer, Op};
use crate::session::Session;
use crate::time::pause;

/// The most requests in one commit.
const TOGETHER_MAX: usize = 128;

/// How often a request is tried again when others were faster or the server went away. The pauses in
/// between double; together they are some seconds.
const TRIES_MAX: u32 = 12;

struct Request {
    op: Op,
    answer: oneshot::Sender<Result<Answer, Error>>,
}

enum Message {
    Do(Request),
    /// Finish what came before, and take nothing more.
    Close,
}

/// Where requests are handed in.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    queue: UnboundedSender<Message>,
    /// Closed once the last connection is.
    open: Arc<Mutex<UnboundedReceiver<()>>>,
}

/// What a connection takes its requests from; several may share one.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    messages: Arc<Mutex<UnboundedReceiver<Message>>>,
    /// Whose turn it is to try again: connections that lost to each other would do so once more.
    turn: Arc<Mutex<()>>,
    _open: UnboundedSender<()>,
}

impl Writer {
    pub(crate) fn new() -> (Self, Queue) {
        let (queue, messages) = unbounded_channel();
        let (held, open) = unbounded_channel();
        let messages = Arc::new(Mutex::new(messages));
        let queue_end = Queue { messages, turn: Arc::default(), _open: held };
        (Self { queue, open: Arc::new(Mutex::new(open)) }, queue_end)
    }

    pub(crate) async fn run(&self, op: Op) -> Result<Answer, Error> {
        let closed = || Error::new(ErrorKind::Closed);
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Do(Request { op, answer })).map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Finishes what was asked for before, and waits until every connection is closed.
    pub(crate) async fn close(&self) {
        // Nobody is there to close when the queue is gone already.
        drop(self.queue.send(Message::Close));
        while self.open.lock().await.recv().await.is_some() {}
    }
}

impl Queue {
    /// What waits, at least one request; nothing when there will be none.
    async fn next(&self) -> Option<Vec<Request>> {
        let mut messages = self.messages.lock().await;
        let mut requests = Vec::new();
        let mut message = messages.recv().await;
        loop {
            match message {
                Some(Message::Do(request)) => requests.push(request),
                Some(Message::Close) => messages.close(),
                None => break,
            }
            if requests.len() >= TOGETHER_MAX {
                break;
            }
            message = match requests.is_empty() {
                true => messages.recv().await,
                false => messages.try_recv().ok(),
            };
        }
        (!requests.is_empty()).then_some(requests)
    }
}

/// Serves until the ledger is closed or dropped.
pub(crate) async fn serve<S: Session>(session: &mut S, queue: &Queue) {
    while let Some(requests) = queue.next().await {
        let ops: Vec<&Op> = requests.iter().map(|request| &request.op).collect();
        match patiently(session, queue, &ops).await {
            Ok(answers) => {
                for (request, answer) in requests.into_iter().zip(answers) {
                    give(request.answer, Ok(answer));
                }
            }
            // There is no server for any of them.
            Err(error) if requests.len() == 1 || *error.kind() == ErrorKind::Unavailable => {
                for request in requests {
                    give(request.answer, Err(error.clone()));
                }
            }
            // One of them failed and took the others with it, or was refused by the store: each alone.
            Err(_) => {
                for request in requests {
                    let answer = patiently(session, queue, &[&request.op]).await;
                    let closed = || Error::new(ErrorKind::Closed);
                    give(request.answer, answer.and_then(|mut one| one.pop().ok_or_else(closed)));
                }
            }
        }
    }
}

/// Whoever asked may have gone; the work is done all the same.
fn give(answer: oneshot::Sender<Result<Answer, Error>>, what: Result<Answer, Error>) {
    drop(answer.send(what));
}

/// Tries again while others are faster or the server is away.
async fn patiently<S: Session>(
    session: &mut S,
    queue: &Queue,
    ops: &[&Op],
) -> Result<Vec<Answer>, Error> {
    let mut turn = None;
    let mut tries = 0;
    loop {
        match transact(session, ops).await {
            Err(error) if error.is_transient() && tries < TRIES_MAX => {
                if turn.is_none() && *error.kind() == ErrorKind::Contended {
                    turn = Some(queue.turn.lock().await);
                }
                pause(tries).await;
            }
            outcome => return outcome,
        }
        tries = tries.saturating_add(1);
    }
}

async fn transact<S: Session>(session: &mut S, ops: &[&Op]) -> Result<Vec<Answer>, Error> {
    session.begin().await?;
    let outcome = match ops::run(session, ops).await {
        Ok(answers) => session.commit().await.map(|()| answers),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // A connection that cannot take it back is replaced at the next beginning.
        drop(session.rollback().await);
    }
    outcome
}
