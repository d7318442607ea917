//! What FPS told a merchant, by notifications and return URLs, in either version of its signature.

use fps::fps_sign::outbound::{Claim, ForgeableClaim};
use fps::fps_sign::{Target, parse_form};
use fps::{PublicKey, Secret, Timestamp};

use super::SHA_1;
use super::checked::{Checked, Unproved};
use super::keys::{Public, Source, secret_key};
use crate::cli::VerifyIpn;
use crate::exit::Failure;
use crate::message::Message;

/// What those who wrote down a notification of version 1 could do.
const FORGEABLE: &str =
    "version 1: whoever sees a message can make others of it that have the same signature";
const FORGEABLE_RETURN: &str =
    "version 1: it does not say whether it is a return or a start, nor to which host";

/// The method in whose signed text a notification stands.
const POST: &str = "POST";

pub(super) struct Keys<'a> {
    url: Option<&'a str>,
    source: Source,
    secret: Option<Secret>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(arguments: &'a VerifyIpn) -> Result<Self, Failure> {
        Ok(Self {
            url: arguments.url.as_deref(),
            source: Source::of_ipn(&arguments.certificates)?,
            secret: secret_key(&arguments.secret)?,
        })
    }

    pub(super) fn check(&self, message: Message, checked: &mut Checked) -> Result<(), Unproved> {
        let message = message.sent_to(self.url)?;
        let is_return = message.method.as_deref() == Some("GET");
        checked.kind = Some(if is_return { "return URL" } else { "notification" });
        let params = parse_form(if is_return { &message.query } else { message.text()? })?;
        let version = params.iter().find(|(name, _)| name == "signatureVersion");
        // Version 1 named no version.
        if version.is_none_or(|(_, version)| version == "1") {
            self.check_version_1(&message, is_return, params, checked)
        } else {
            self.check_version_2(&message, &params, checked)
        }
    }

    fn check_version_2(
        &self,
        message: &Message,
        params: &[(String, String)],
        checked: &mut Checked,
    ) -> Result<(), Unproved> {
        let of = |wanted| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        checked.certificate_url = of("certificateUrl").cloned();
        let time = of("transactionDate").and_then(|text| text.parse::<i64>().ok());
        let time = time.and_then(|seconds| seconds.checked_mul(1000));
        let time = time.and_then(Timestamp::from_unix_millis);
        checked.time = time.map(Timestamp::to_extended);
        checked.address = message.address(POST);
        let claim = Claim::read(message.target(POST)?, params)?;
        checked.scheme = Some("RSA-SHA1, signature version 2".to_owned());
        checked.weaknesses.push(SHA_1);
        let public = self.source.public(|origin| claim.certificate_url(origin))?;
        note(&public, time, checked);
        let proved = claim.verify(&public.key).map_err(|error| {
            let unproved = Unproved::from(error);
            match signed_for(message, params, &public.key) {
                Some(address) => unproved.hint(format!(
                    "it is signed for {address}: is that the address that Amazon was given?"
                )),
                None => unproved,
            }
        })?;
        if self.url.is_none() {
            checked.advise("it is signed for this address: is it yours? Name yours with --url");
        }
        checked.prove(without(proved.get(), "signature"));
        Ok(())
    }

    fn check_version_1(
        &self,
        message: &Message,
        is_return: bool,
        params: Vec<(String, String)>,
        checked: &mut Checked,
    ) -> Result<(), Unproved> {
        let (claim, name, not_covered) = if is_return {
            checked.weaknesses.push(FORGEABLE_RETURN);
            let path = message.path.clone();
            let claim = ForgeableClaim::read_return_url_forgeable_version_1(path, params)?;
            (claim, "awsSignature", "method and host")
        } else {
            checked.weaknesses.push(FORGEABLE);
            let claim = ForgeableClaim::read_forgeable_version_1(params)?;
            (claim, "signature", "the address")
        };
        checked.scheme = Some("HMAC-SHA1, signature version 1".to_owned());
        let secret = self.secret.as_ref().ok_or_else(|| {
            Unproved::new("signature version 1 is proved by the secret key of the account")
                .hint("name its file with --secret-file")
        })?;
        checked.key = Some("the secret key that was given".to_owned());
        let proved = claim.verify(secret)?;
        checked.not_covered.push(not_covered.to_owned());
        checked.prove(without(proved.get(), name));
        Ok(())
    }
}

/// An address like this one for which the parameters are signed: what proxies and books are known to
/// change is tried. It is a hint for whoever keeps the books, and no proof.
fn signed_for(message: &Message, params: &[(String, String)], key: &PublicKey) -> Option<String> {
    let host = message.host.as_deref()?;
    let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
    let path = message.path.as_str();
    let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    let addresses = ["POST", "GET"].into_iter().flat_map(|method| {
        let hosts = [host, bare].into_iter();
        hosts.flat_map(move |host| [(method, host, false), (method, host, true)])
    });
    let found = addresses.map(|(method, host, is_other)| {
        (method, host, if is_other { other.as_str() } else { path })
    });
    let mut signed = found.filter(|(method, host, path)| {
        let claim = Claim::read(Target::new(method, host, path), params);
        claim.is_ok_and(|claim| claim.verify(key).is_ok())
    });
    signed.next().map(|(method, host, path)| format!("{method} {host}{path}"))
}

/// Notes which key it is.
pub(super) fn note(public: &Public, time: Option<Timestamp>, checked: &mut Checked) {
    checked.key = Some(public.name());
    checked.weaknesses.extend(public.weakness());
    checked.certificate_in_force = public.in_force_at(time);
}

fn without<'a>(
    params: &'a [(String, String)],
    signature: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let kept = params.iter().filter(move |(name, _)| name != signature);
    kept.map(|(name, value)| (name.as_str(), value.as_str()))
}
