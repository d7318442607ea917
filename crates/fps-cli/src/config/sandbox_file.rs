//! What `fps sandbox --output json` printed, read as settings; the sandbox itself is not asked.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::layers::{Layer, Source};
use super::setting::Setting;
use crate::exit::{Exit, Failure};

#[derive(Deserialize)]
struct Told {
    url: String,
    authority: Option<PathBuf>,
    merchants: Vec<Merchant>,
}

#[derive(Deserialize)]
struct Merchant {
    access_key_id: String,
    secret_key: Option<String>,
    public_key_id: String,
    private_key_file: Option<PathBuf>,
}

/// The settings of its first merchant.
pub(super) fn read(file: &Path) -> Result<Layer, Failure> {
    let wrong = |what: &str| {
        let message = format!("the sandbox file {} {what}", file.display());
        Failure::new(Exit::Usage, message)
            .hint("it holds what `fps sandbox --output json` prints when it has started")
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| wrong("cannot be read").because(error))?;
    // Without what serde says, which may quote a key.
    let told: Told = serde_json::from_str(&text)
        .map_err(|error| wrong(&format!("cannot be understood from line {} on", error.line())))?;
    let merchant = told.merchants.into_iter().next().ok_or_else(|| wrong("names no merchant"))?;
    let path = |path: PathBuf| {
        path.into_os_string().into_string().map_err(|_| wrong("names a file that is not UTF-8"))
    };
    let mut layer = Layer::new(Source::SandboxFile(file.to_owned()));
    layer.set(Setting::Environment, Some("sandbox"));
    // Without TLS there are no certificates to be fetched.
    let origin = told.url.starts_with("https://").then(|| format!("{}/", told.url));
    layer.set(Setting::CertificateOrigin, origin);
    layer.set(Setting::Endpoint, Some(told.url));
    layer.set(Setting::Ca, told.authority.map(path).transpose()?);
    layer.set(Setting::PublicKeyId, Some(merchant.public_key_id));
    layer.set(Setting::PrivateKeyFile, merchant.private_key_file.map(path).transpose()?);
    layer.set(Setting::AccessKeyId, Some(merchant.access_key_id));
    layer.set(Setting::SecretKey, merchant.secret_key);
    Ok(layer)
}
