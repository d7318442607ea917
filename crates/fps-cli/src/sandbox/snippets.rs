//! Requests to copy and paste, with the values of a sandbox in them.

use std::path::Path;

use super::keys::Keys;
use crate::output::quoted;

/// What a client needs to ask for a refund through FPS.
pub(super) struct Values<'a> {
    url: &'a str,
    authority: Option<&'a Path>,
    access_key_id: &'a str,
    secret_key: &'a str,
    transaction_id: &'a str,
}

impl<'a> Values<'a> {
    /// Those of the first merchant, if it has something to refund.
    pub(super) fn new(url: &'a str, authority: Option<&'a Path>, keys: &'a Keys) -> Option<Self> {
        let merchant = keys.merchants.first()?;
        Some(Self {
            url,
            authority,
            access_key_id: &merchant.access_key_id,
            secret_key: merchant.secret_key.as_deref()?,
            transaction_id: keys.transaction_id.as_deref()?,
        })
    }

    fn host(&self) -> &str {
        self.url.split_once("://").map_or(self.url, |(_, host)| host)
    }
}

/// A signed GET. The parameters stand in the order in which they are signed.
pub(super) fn curl(values: &Values<'_>) -> String {
    let trust = values.authority.map_or_else(String::new, |file| {
        format!("--cacert {} ", quoted(&file.display().to_string()))
    });
    format!(
        r#"query="AWSAccessKeyId={key}&Action=Refund&CallerReference=curl-$(date +%s)\
&RefundAmount.CurrencyCode=USD&RefundAmount.Value=1.00\
&SignatureMethod=HmacSHA256&SignatureVersion=2\
&Timestamp=$(date -u +%Y-%m-%dT%H%%3A%M%%3A%SZ)\
&TransactionId={transaction}&Version=2010-08-28"
signature=$(printf 'GET\n%s\n/\n%s' {host} "$query" \
  | openssl dgst -sha256 -hmac {secret} -binary | base64)
curl -sS {trust}-G --data-urlencode "Signature=$signature" "{url}/?$query"
"#,
        key = values.access_key_id,
        transaction = values.transaction_id,
        host = quoted(values.host()),
        secret = quoted(values.secret_key),
        url = values.url,
    )
}

/// The example of this crate, with its constants filled in.
pub(super) fn rust(values: &Values<'_>) -> String {
    const EXAMPLE: &str = include_str!("../../examples/sandbox_refund.rs");
    let authority = values.authority.map(|file| file.display().to_string()).unwrap_or_default();
    let constants = [
        ("URL", values.url),
        ("AUTHORITY", &authority),
        ("ACCESS_KEY_ID", values.access_key_id),
        ("SECRET_KEY", values.secret_key),
        ("TRANSACTION_ID", values.transaction_id),
    ];
    let mut snippet = String::new();
    // Why it stands in the crate is of no interest to its reader.
    for line in EXAMPLE.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#!")) {
        let constant =
            constants.iter().find(|(name, _)| line.starts_with(&format!("const {name}: &str")));
        match constant {
            Some((name, value)) => snippet.push_str(&format!("const {name}: &str = {value:?};\n")),
            None => {
                snippet.push_str(line.trim_start_matches("pub(crate) "));
                snippet.push('\n');
            }
        }
    }
    snippet.trim_start().to_owned()
}
