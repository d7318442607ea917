//! What `fps sandbox` prints when it is ready.

use std::path::PathBuf;

use fps::Secret;
use fps_sandbox::Sandbox;
use serde::Serialize;

use super::keys::Keys;
use super::snippets;
use crate::output::Report;

/// A sandbox that serves.
#[derive(Serialize)]
pub(super) struct Started {
    url: String,
    /// The file of the authority to be trusted; none without TLS.
    authority: Option<PathBuf>,
    control: String,
    control_token: Option<String>,
    #[serde(flatten)]
    keys: Keys,
    curl: Option<String>,
    rust: Option<String>,
}

impl Started {
    pub(super) fn new(
        sandbox: &Sandbox,
        authority: Option<PathBuf>,
        token: Option<Secret>,
        keys: Keys,
    ) -> Self {
        let url = sandbox.url().to_owned();
        let values = snippets::Values::new(&url, authority.as_deref(), &keys);
        Self {
            curl: values.as_ref().map(snippets::curl),
            rust: values.as_ref().map(snippets::rust),
            control: format!("{url}/_sandbox"),
            control_token: token.map(|token| token.expose().to_owned()),
            url,
            authority,
            keys,
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("URL", self.url.clone())];
        if let Some(file) = &self.authority {
            rows.push(("authority", file.display().to_string()));
        }
        rows.push(("control API", self.control.clone()));
        if let Some(token) = &self.control_token {
            rows.push(("control token", token.clone()));
        }
        let not_kept = || "(told when it was made, and not kept)".to_owned();
        for merchant in &self.keys.merchants {
            rows.push(("merchant", merchant.name.clone()));
            rows.push(("  FPS key", merchant.access_key_id.clone()));
            rows.push(("  FPS secret", merchant.secret_key.clone().unwrap_or_else(not_kept)));
            rows.push(("  Pay key", merchant.public_key_id.clone()));
            let file = merchant.private_key_file.as_ref();
            let file = file.map_or_else(not_kept, |file| file.display().to_string());
            rows.push(("  Pay private key", file));
        }
        let payments =
            [("transaction", &self.keys.transaction_id), ("charge", &self.keys.charge_id)];
        for (name, id) in payments {
            rows.extend(id.clone().map(|id| (name, id)));
        }
        rows
    }
}

impl Report for Started {
    fn text(&self) -> String {
        let mut text = String::from(
            "The sandbox serves Amazon Pay and FPS. Its keys are throw-away keys: they open nothing else.\n\n",
        );
        for (name, value) in self.rows() {
            text.push_str(&format!("{name:18}{value}\n"));
        }
        if let Some(file) = &self.authority {
            text.push_str(&format!(
                "\nClients must trust the authority: `curl --cacert`, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, or \
                 your client's own\nsetting, with {}\n",
                file.display()
            ));
        }
        if let Some(curl) = &self.curl {
            text.push_str(&format!("\nA refund of 1.00 USD through FPS, for a shell:\n\n{curl}"));
        }
        if let Some(rust) = &self.rust {
            text.push_str(&format!("\nThe same in Rust:\n\n{rust}"));
        }
        text.push_str("\nCtrl-C ends it, and says what the client did wrong.");
        text
    }
}
