//! What a merchant asked of either service: Query requests of FPS in either version of their signature,
//! its SOAP envelopes, and requests to Amazon Pay.

use fps::fps_sign::amazon_pay::{self, Request};
use fps::fps_sign::{parse_form, query, soap};
use fps::{Secret, Timestamp};

use super::SHA_1;
use super::checked::{Checked, Unproved};
use super::ipn::note;
use super::keys::{Public, fingerprint, secret_key};
use crate::cli::VerifyRequest;
use crate::exit::Failure;
use crate::message::Message;

/// What those who saw a Query request of version 1 could do.
const FORGEABLE: &str =
    "version 1: whoever sees a request can make others of it that have the same signature";
const HMAC_SHA_1: &str =
    "HmacSHA1: nobody is known to forge it, and HmacSHA256 was there from the start";

pub(super) struct Keys<'a> {
    url: Option<&'a str>,
    method: &'a str,
    secret: Option<Secret>,
    public: Option<Public>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(arguments: &'a VerifyRequest) -> Result<Self, Failure> {
        let public = arguments.public_key.as_deref().map(Public::read).transpose()?;
        Ok(Self {
            url: arguments.target.url.as_deref(),
            method: &arguments.target.method,
            secret: secret_key(&arguments.secret)?,
            public,
        })
    }

    pub(super) fn check(&self, message: Message, checked: &mut Checked) -> Result<(), Unproved> {
        let message = message.sent_to(self.url)?;
        checked.address = message.address(self.method);
        match Form::of(&message) {
            Form::AmazonPay => self.check_amazon_pay(&message, checked),
            Form::Soap => self.check_soap(&message, checked),
            Form::Query => self.check_query(&message, checked),
        }
    }

    fn check_query(&self, message: &Message, checked: &mut Checked) -> Result<(), Unproved> {
        checked.kind = Some("Query request");
        let params = message.params()?;
        let of = |wanted| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let version_1 = of("SignatureVersion").is_some_and(|version| version == "1");
        checked.time = of("Timestamp").cloned();
        checked.key = of("AWSAccessKeyId").map(|id| format!("access key {id}"));
        let (hash, version) = if version_1 {
            checked.weaknesses.push(FORGEABLE);
            ("HMAC-SHA1", "1")
        } else if of("SignatureMethod").is_some_and(|method| method == "HmacSHA1") {
            checked.weaknesses.push(HMAC_SHA_1);
            ("HMAC-SHA1", "2")
        } else {
            ("HMAC-SHA256", "2")
        };
        let claim = if version_1 {
            query::Claim::read_forgeable_version_1(params)?
        } else {
            query::Claim::read(message.target(self.method)?, params)?
        };
        checked.scheme = Some(format!("{hash}, signature version {version}"));
        let secret = self.secret.as_ref().ok_or_else(|| {
            Unproved::new("there is no secret key to prove it by")
                .hint("name its file with --secret-file, or set FPS_SECRET_KEY")
        })?;
        let proved = claim.verify(secret).map_err(differs)?;
        if version_1 {
            checked.not_covered.push("the address".to_owned());
        }
        let signed = proved.get().iter().filter(|(name, _)| name != "Signature");
        checked.prove(signed.map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(())
    }

    fn check_amazon_pay(&self, message: &Message, checked: &mut Checked) -> Result<(), Unproved> {
        checked.kind = Some("Amazon Pay request");
        checked.time = message.header("x-amz-pay-date")?.map(str::to_owned);
        let query = parse_form(&message.query)?;
        let (query, headers) = (borrowed(&query), borrowed(&message.headers));
        let claim = amazon_pay::Claim::read(to_amazon_pay(message, &query, &headers))?;
        checked.key = Some(format!("public key id {}", claim.public_key_id()));
        checked.scheme = Some(format!("{}, RSA-PSS with SHA-256", claim.algorithm().as_str()));
        let listed = |name: &str| {
            claim.signed_headers().split(';').any(|signed| signed.eq_ignore_ascii_case(name))
        };
        let (signed, other): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| listed(name));
        let public = self.public()?;
        checked.weaknesses.extend(public.weakness());
        let proved = claim.verify(&public.key).map_err(differs)?;
        let body = std::str::from_utf8(proved.get().body()).unwrap_or("(no UTF-8)");
        checked.not_covered = other
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        let names: Vec<_> = signed.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let signed = names.iter().zip(&signed).map(|(name, (_, value))| (name.as_str(), *value));
        let whole =
            [("method", proved.get().method()), ("path", proved.get().path()), ("body", body)];
        checked.prove(whole.into_iter().chain(query.iter().copied()).chain(signed));
        Ok(())
    }

    fn check_soap(&self, message: &Message, checked: &mut Checked) -> Result<(), Unproved> {
        checked.kind = Some("SOAP request");
        let claim = soap::Claim::read(&message.body)?;
        checked.scheme = Some("RSA-SHA1, WS-Security 1.0 with X.509".to_owned());
        checked.weaknesses.push(SHA_1);
        checked.time = Some(claim.created().to_owned());
        let time = Timestamp::parse(claim.created());
        checked.key = Some(format!("certificate {}", fingerprint(claim.certificate())));
        let public = self.public()?;
        let certificate = public.certificate.as_ref().ok_or_else(|| {
            Unproved::new("an envelope is proved by the certificate that is registered, and --public-key holds only a key")
        })?;
        if certificate.der() != claim.certificate() {
            return Err(Unproved::new(
                "the envelope is signed by another certificate than that of --public-key",
            ));
        }
        note(public, time, checked);
        let proved = claim.verify(certificate)?;
        let envelope = proved.get();
        checked.not_covered.push("the address".to_owned());
        let fields = [
            ("Body", Some(envelope.body())),
            ("Created", Some(envelope.created())),
            ("Expires", envelope.expires()),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let headers = envelope.headers().iter().map(|it| (it.name(), it.canonical()));
        checked.prove(fields.chain(headers));
        Ok(())
    }

    fn public(&self) -> Result<&Public, Unproved> {
        self.public.as_ref().ok_or_else(|| {
            Unproved::new("there is no public key to prove it by")
                .hint("name its file with --public-key")
        })
    }
}

/// What can be said of a signature that is none.
fn differs(error: fps::fps_sign::Error) -> Unproved {
    let unproved = Unproved::from(error);
    unproved.hint("`fps explain signature` shows what is signed, stage by stage")
}

/// The forms that requests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    AmazonPay,
    Soap,
    Query,
}

impl Form {
    pub(crate) fn of(message: &Message) -> Self {
        let has = |wanted: &str| {
            message.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with(wanted))
        };
        if has("x-amz-pay-") || has("authorization") {
            Self::AmazonPay
        } else if message.body.trim_ascii_start().starts_with(b"<") {
            Self::Soap
        } else {
            Self::Query
        }
    }
}

/// A request to Amazon Pay as its signature knows it; its query and headers are those of the message,
/// decoded and borrowed.
pub(crate) fn to_amazon_pay<'a>(
    message: &'a Message,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
) -> Request<'a> {
    Request {
        method: message.method.as_deref().unwrap_or("GET"),
        path: &message.path,
        query,
        headers,
        body: &message.body,
    }
}

pub(crate) fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
