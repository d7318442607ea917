//! Which server, which database, which schema: what the address says.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use crate::error::{Error, ErrorKind};

/// Where the tables are, unless the address says otherwise.
const SCHEMA: &str = "refund_ledger";

/// How long a server may be silent before it counts as gone.
const SILENCE: Duration = Duration::from_secs(30);

/// Where a ledger is.
pub(super) struct Target {
    pub(super) config: Config,
    /// Of letters, digits and underscores, so that it needs no quotes.
    pub(super) schema: String,
}

impl Target {
    /// Reads `postgres://user@host/database?schema=refund_ledger`; everything but `schema` is as
    /// everywhere.
    pub(super) fn parse(url: &str, attributes: TargetSessionAttrs) -> Result<Self, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refused("the address must begin with postgres://"));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (own, others): (Vec<&str>, Vec<&str>) =
            query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| is_schema(pair));
        let schema = own.last().and_then(|pair| pair.split_once('=')).map_or(SCHEMA, |(_, it)| it);
        if !is_plain(schema) {
            return Err(refused("schema= takes small letters, digits and underscores, at most 63"));
        }
        let rest = format!("{place}?{}", others.join("&"));
        let mut config: Config =
            rest.parse().map_err(|error| Error::with(ErrorKind::Open, error))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(refused(
                "sslmode=require: TLS is not built in; use a unix socket or a local proxy",
            ));
        }
        fill_in(&mut config, query);
        // Of several hosts, one that will do.
        if !query.contains("target_session_attrs=") {
            config.target_session_attrs(attributes);
        }
        Ok(Self { config, schema: schema.to_owned() })
    }
}

/// Fills in what the address leaves open.
fn fill_in(config: &mut Config, query: &str) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if !query.contains("keepalives_idle=") {
        config.keepalives_idle(SILENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("refund-ledger");
    }
}

fn is_schema(pair: &str) -> bool {
    pair.starts_with("schema=")
}

fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    starts && bytes.all(is_known) && name.len() <= 63 && !name.starts_with("pg_")
}

fn refused(why: &'static str) -> Error {
    Error::with(ErrorKind::Open, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn parse(url: &str) -> Result<Target, String> {
        Target::parse(url, TargetSessionAttrs::Any).map_err(|error| {
            assert_eq!(*error.kind(), ErrorKind::Open);
            error.source().map(ToString::to_string).unwrap_or_default()
        })
    }

    #[test]
    fn an_address_names_its_schema() {
        let cases = [
            ("postgres://me@db.example/money", "refund_ledger"),
            ("postgresql://me@db.example/money?schema=shop_7", "shop_7"),
            ("postgres:///money?host=/tmp/socket&user=me&schema=a&port=7", "a"),
        ];
        for (url, schema) in cases {
            let target = parse(url).unwrap();
            assert_eq!(target.schema, schema, "{url}");
            assert_eq!(target.config.get_dbname(), Some("money"), "{url}");
            assert_eq!(target.config.get_user(), Some("me"), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        let cases = [
            ("/tmp/file.db", "begin with postgres://"),
            ("postgres://me@db/money?sslmode=require", "TLS is not built in"),
            ("postgres://me@db/money?schema=", "small letters"),
            ("postgres://me@db/money?schema=Money", "small letters"),
            ("postgres://me@db/money?schema=a;drop", "small letters"),
            ("postgres://me@db/money?schema=pg_x", "small letters"),
            ("postgres://me@db/money?sslrootcert=x", "invalid connection string"),
            ("postgres://me@db:x/money", "invalid connection string"),
        ];
        for (url, why) in cases {
            let said = parse(url).err().unwrap();
            assert!(said.contains(why), "{url}: {said}");
        }
    }
}
