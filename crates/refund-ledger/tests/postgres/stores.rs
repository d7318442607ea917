//! What every store must do, on a server as it comes and on one that knows serializable transactions
//! only, as distributed engines do.

use refund_ledger::Ledger;

use crate::contract::{Store, cases};
use crate::server::Server;

/// Two handles with connections of their own, as in two processes.
async fn connect(url: &str) -> Option<Store> {
    let ledger = Ledger::connect(url).await.unwrap();
    let other = Ledger::connect(url).await.unwrap();
    Some(Store { ledger, other, keep: Box::new(()) })
}

mod as_it_comes {
    use super::*;

    async fn fresh() -> Option<Store> {
        connect(&Server::shared()?.url()).await
    }

    cases!(fresh);
}

mod serializable {
    use super::*;

    async fn fresh() -> Option<Store> {
        connect(&Server::shared()?.serializable_url()).await
    }

    cases!(fresh);
}
