//! Somebody changes what is stored.

use refund_ledger::{ErrorKind, Ledger, Outcome, Report, Wanted};
use refund_rules::Observation;
use tokio_postgres::{Client, NoTls};

use crate::server::Server;
use crate::{NOW, batch, import};

/// Payments of which some are refunded.
async fn filled(url: &str) -> Ledger {
    let ledger = Ledger::connect(url).await.unwrap();
    import(&ledger, 4, 10).await;
    batch(&ledger, 4).await;
    for claimed in ledger.claim(Wanted::new("w", 3, 1_000).batch("b"), NOW).await.unwrap() {
        let attempt = ledger.sending(&claimed.claim, NOW, 0).await.unwrap();
        let refund = format!("R{}", claimed.intent.id.0);
        let outcome = Outcome::accepted(refund, Some(Observation::Refunded));
        let report = Report::of_try(&attempt, outcome, NOW).request("request");
        assert!(ledger.record(vec![report]).await.unwrap()[0].is_ok());
    }
    ledger
}

/// What changes a value of a type, and what changes it back.
fn changes(ty: &str) -> Option<(&'static str, &'static str)> {
    match ty {
        "bigint" => Some(("$ + 1", "$ - 1")),
        "text" => Some(("$ || 'x'", "substr($, 1, length($) - 1)")),
        "bytea" => {
            Some(("set_byte($, 0, get_byte($, 0) # 1)", "set_byte($, 0, get_byte($, 0) # 1)"))
        }
        _ => None,
    }
}

async fn columns(client: &Client, schema: &str) -> Vec<[String; 3]> {
    let text = "SELECT table_name::text, column_name::text, data_type::text \
                FROM information_schema.columns WHERE table_schema = $1 \
                AND table_name IN ('chain', 'payment', 'intent', 'event', 'batch')";
    let rows = client.query(text, &[&schema]).await.unwrap();
    rows.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_was_changed_is_found() {
    let Some(server) = Server::shared() else { return };
    let url = server.url();
    let ledger = filled(&url).await;
    let (_, schema) = url.rsplit_once('=').unwrap();
    let (client, connection) = tokio_postgres::connect(&server.bare_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    // As an owner could: no constraint and no other table is asked.
    let text = format!("SET search_path TO {schema}; SET session_replication_role = replica");
    client.batch_execute(&text).await.unwrap();
    let mut found = 0;
    for [table, column, ty] in columns(&client, schema).await {
        // What says nothing of money is not sealed.
        if table == "intent" && matches!(&*column, "id" | "worker" | "fence" | "due_at") {
            continue;
        }
        let (change, back) = changes(&ty).unwrap();
        let set = |change: &str, place: &str| {
            let change = change.replace('$', &column);
            format!(
                "UPDATE {table} SET {column} = {change} WHERE ctid = {place} RETURNING ctid::text"
            )
        };
        let first = format!("(SELECT max(ctid) FROM {table} WHERE {column} IS NOT NULL)");
        // Nothing is changed where nothing is stored, and not what the table itself refuses.
        let Ok(Some(row)) = client.query_opt(&set(change, &first), &[]).await else { continue };
        let place: String = row.get(0);
        let verified = ledger.verify().await.map_err(|error| error.kind().clone());
        assert!(matches!(verified, Err(ErrorKind::Damaged(_))), "{table}.{column}: {verified:?}");
        found += 1;
        client.query_one(&set(back, &format!("'{place}'::tid")), &[]).await.unwrap();
        ledger.verify().await.unwrap();
    }
    assert!(found > 40, "only {found} cells could be changed");
}
