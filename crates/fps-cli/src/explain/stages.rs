//! The stages of each scheme; how they are worked out is known to `fps-sign` alone.

use fps::RequestSigner;
use fps::fps_sign::amazon_pay::{self, Algorithm, Claim, Request, ToSign};
use fps::fps_sign::query::{self, SignatureMethod};
use fps::fps_sign::{Error, forgeable_string_to_sign, parse_form, soap, string_to_sign};

use super::Keys;
use super::report::{Explanation, Stage};
use crate::exit::{Exit, Failure};
use crate::message::Message;
use crate::verify::{borrowed, to_amazon_pay};

pub(super) const CANONICAL: &str = "canonical request";
pub(super) const TO_SIGN: &str = "string to sign";
const MADE: &str = "signature by this key";
const SENT: &str = "signature that was sent";

fn unexplained(error: impl Into<Box<dyn std::error::Error>>) -> Failure {
    Failure::new(Exit::Unauthorized, "what is signed cannot be worked out").because(error)
}

/// Query requests of FPS, in the version that they name, or the second.
pub(super) fn query(message: &Message, method: &str, keys: &Keys) -> Result<Explanation, Failure> {
    let params = message.params().map_err(unexplained)?;
    let of = |wanted| params.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
    let unsigned = params.iter().filter(|(name, _)| name != "Signature");
    let unsigned = unsigned.map(|(name, value)| (name.as_str(), value.as_str()));
    let (scheme, text, hmac) = match (of("SignatureVersion"), of("SignatureMethod")) {
        (Some("1"), _) => {
            let scheme = "FPS Query, signature version 1, which can be forged";
            (scheme, forgeable_string_to_sign(unsigned), SignatureMethod::HmacSha1)
        }
        (Some("2") | None, named) => {
            let hmac = match named {
                Some("HmacSHA1") => SignatureMethod::HmacSha1,
                Some("HmacSHA256") | None => SignatureMethod::HmacSha256,
                Some(_) => return Err(unsupported("SignatureMethod", "HmacSHA256 or HmacSHA1")),
            };
            let target = message.target(method).map_err(unexplained)?;
            ("FPS Query, signature version 2", string_to_sign(&target, unsigned), hmac)
        }
        (Some(_), _) => return Err(unsupported("SignatureVersion", "1 or 2")),
    };
    let made = keys.secret.as_ref().map(|secret| query::signature(&text, secret, hmac));
    let sent = of("Signature").map(str::to_owned);
    let is_right = made.as_ref().zip(sent.as_ref()).map(|(made, sent)| made == sent);
    let stages = [Some(Stage::new(TO_SIGN, text))]
        .into_iter()
        .chain([made.map(|text| Stage::new(MADE, text)), sent.map(|text| Stage::new(SENT, text))]);
    Ok(Explanation::new(scheme, stages.flatten(), is_right))
}

fn unsupported(part: &'static str, accepted: &'static str) -> Failure {
    unexplained(Error::Unsupported { part, accepted })
}

/// Requests to Amazon Pay; one that is not signed yet is signed with all of its headers.
pub(super) fn amazon_pay(message: &Message, keys: &Keys) -> Result<Explanation, Failure> {
    let is_signed =
        message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let explain = if is_signed { signed } else { unsigned };
    with_request(message, |request| explain(request, keys)).map_err(unexplained)?
}

fn signed(request: &Request<'_>, keys: &Keys) -> Result<Result<Explanation, Failure>, Error> {
    let claim = Claim::read(*request)?;
    let canonical = amazon_pay::canonical_request(request, claim.signed_headers())?;
    let scheme = format!("Amazon Pay, {}", claim.algorithm().as_str());
    let stages =
        [Stage::new(TO_SIGN, claim.string_to_sign()?), Stage::new(SENT, claim.signature())];
    let stages = [Stage::new(CANONICAL, canonical)].into_iter().chain(stages);
    let is_right = keys.public.as_ref().map(|key| claim.verify(key).is_ok());
    Ok(Ok(Explanation::new(scheme, stages, is_right)))
}

fn unsigned(request: &Request<'_>, keys: &Keys) -> Result<Result<Explanation, Failure>, Error> {
    let algorithm = Algorithm::default();
    let to_sign = ToSign::new(request, algorithm)?;
    let mut names: Vec<_> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let canonical = amazon_pay::canonical_request(request, &names.join(";"))?;
    let text = amazon_pay::string_to_sign(algorithm, &canonical);
    let mut stages = vec![Stage::new(CANONICAL, canonical), Stage::new(TO_SIGN, text)];
    if let Some(key) = &keys.private {
        match key.sign_pss_sha256(to_sign.message(), to_sign.salt_len()) {
            Ok(signature) => {
                let header = to_sign.authorization("YOUR-PUBLIC-KEY-ID", &signature);
                stages.push(Stage::new("Authorization header, another each time", header));
            }
            Err(error) => return Ok(Err(unexplained(error))),
        }
    }
    Ok(Ok(Explanation::new(format!("Amazon Pay, {}", algorithm.as_str()), stages, None)))
}

/// SOAP envelopes: what is hashed of each signed element, and what is signed of the hashes.
pub(super) fn soap(message: &Message) -> Result<Explanation, Failure> {
    let claim = soap::Claim::read(&message.body).map_err(unexplained)?;
    let mut stages = Vec::new();
    for reference in claim.references() {
        let name = reference.name();
        stages.push(Stage::new(format!("canonical {name}"), reference.canonical()));
        stages.push(Stage::new(format!("hash of {name}"), reference.digest_computed()));
        stages.push(Stage::new(format!("hash that was sent of {name}"), reference.digest_given()));
    }
    stages.push(Stage::new(TO_SIGN, claim.canonical_signed_info()));
    let is_right = claim.references().iter().all(soap::Reference::matches);
    // That the hashes agree does not make the signature right, but without it is wrong.
    Ok(Explanation::new("FPS SOAP, RSA-SHA1", stages, (!is_right).then_some(false)))
}

/// Hands on a request to Amazon Pay as its signature knows it.
pub(super) fn with_request<T>(
    message: &Message,
    explain: impl FnOnce(&Request<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let query = parse_form(&message.query)?;
    let (query, headers) = (borrowed(&query), borrowed(&message.headers));
    explain(&to_amazon_pay(message, &query, &headers))
}
