//! Amazon Pay API v2 requests, RSASSA-PSS over the hash of a canonical request; no operation is known
//! here, and nothing is compared with a clock.
//!
//! Signing adds headers; verifying takes the client's own list of signed headers to the letter,
//! because the official SDKs differ in what they sign and how they spell it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{Error, SignError};
use crate::key::{PublicKey, RequestSigner};
use crate::percent::{encode_pairs, encode_values};
use crate::rsa::Scheme;
use crate::verified::Verified;

/// The two algorithms, which differ in the length of the salt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// `AMZN-PAY-RSASSA-PSS`, salt of 20 bytes: what the SDKs send unless told otherwise.
    V1,
    /// `AMZN-PAY-RSASSA-PSS-V2`, salt of 32 bytes: the documented default of today.
    #[default]
    V2,
}

impl Algorithm {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "AMZN-PAY-RSASSA-PSS",
            Self::V2 => "AMZN-PAY-RSASSA-PSS-V2",
        }
    }

    /// The length of the salt in bytes. A signature with another length is refused.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::V1 => 20,
            Self::V2 => 32,
        }
    }

    const fn scheme(self) -> Scheme {
        Scheme::PssSha256 { salt_len: self.salt_len() }
    }
}

/// A request as far as its signature knows it. Every part is as it is sent or was received.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the signed parts, complete by nature")]
pub struct Request<'a> {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: &'a str,
    /// From the first slash after the host to the question mark.
    pub path: &'a str,
    /// The decoded pairs of the query.
    pub query: &'a [(&'a str, &'a str)],
    /// Names in any case, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The exact bytes; empty for GET.
    pub body: &'a [u8],
}

/// Headers and bodies may name buyers and carry signatures.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}

/// The first stage: method, path, query, the listed headers, the list, and the hash of the body.
///
/// `signed_headers` is the list as it stands, or will stand, in the `Authorization` header: names
/// joined by `;`. It is used to the letter; only in the header lines are the names in lower case.
///
/// # Errors
/// [`Error::Missing`] when a listed header is not there.
pub fn canonical_request(request: &Request<'_>, signed_headers: &str) -> Result<String, Error> {
    canonical_with_hash(request, signed_headers, &hash(request.body))
}

/// The same for a body that was hashed before.
pub(crate) fn canonical_with_hash(
    request: &Request<'_>,
    signed_headers: &str,
    body_hash: &str,
) -> Result<String, Error> {
    let write = |query: &[(&str, &str)], text: &mut String| {
        encode_pairs(query.iter().copied(), text);
    };
    canonical(request, signed_headers, write, body_hash)
}

/// As the official Node SDK spells it: names are sorted and left as they are, and in values `!'()*`
/// are left too. `None` where that is the same text, and where a name could be taken for something
/// else.
fn canonical_request_of_node(request: &Request<'_>, signed_headers: &str) -> Option<String> {
    let plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let differs = request.query.iter().any(|(_, value)| value.contains(['!', '\'', '(', ')', '*']));
    if !differs || !request.query.iter().all(|(name, _)| plain(name)) {
        return None;
    }
    canonical(request, signed_headers, encode_values, &hash(request.body)).ok()
}

fn canonical(
    request: &Request<'_>,
    signed_headers: &str,
    write_query: fn(&[(&str, &str)], &mut String),
    body_hash: &str,
) -> Result<String, Error> {
    let mut text = String::with_capacity(640);
    text.push_str(request.method);
    text.push('\n');
    text.push_str(if request.path.is_empty() { "/" } else { request.path });
    text.push('\n');
    let mut query = request.query.to_vec();
    query.sort_unstable();
    write_query(&query, &mut text);
    text.push('\n');
    for name in signed_headers.split(';') {
        push_header_line(request.headers, name, &mut text)?;
    }
    text.push('\n');
    text.push_str(signed_headers);
    text.push('\n');
    text.push_str(body_hash);
    Ok(text)
}

/// The second stage: the algorithm's name and the hash of the canonical request.
#[must_use]
pub fn string_to_sign(algorithm: Algorithm, canonical_request: &str) -> String {
    let mut text = String::with_capacity(96);
    text.push_str(algorithm.as_str());
    text.push('\n');
    text.push_str(&hash(canonical_request.as_bytes()));
    text
}

/// A request up to the signature, for a key that somebody else holds: what to sign, and the
/// `Authorization` header once it is signed.
#[derive(Clone)]
pub struct ToSign {
    algorithm: Algorithm,
    signed_headers: String,
    text: String,
}

impl ToSign {
    /// All of `request.headers` are signed; send them exactly as given here. Those of one name are
    /// signed as one, joined by commas.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no header at all.
    pub fn new(request: &Request<'_>, algorithm: Algorithm) -> Result<Self, Error> {
        let mut names: Vec<String> =
            request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        let signed_headers = names.join(";");
        let canonical = canonical_request(request, &signed_headers)?;
        let text = string_to_sign(algorithm, &canonical);
        Ok(Self { algorithm, signed_headers, text })
    }

    /// The bytes to sign by RSASSA-PSS with SHA-256 and MGF1 with SHA-256.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The bytes of salt.
    #[must_use]
    pub const fn salt_len(&self) -> usize {
        self.algorithm.salt_len()
    }

    /// The header, with the signature over [`ToSign::message`].
    #[must_use]
    pub fn authorization(&self, public_key_id: &str, signature: &[u8]) -> String {
        format!(
            "{} PublicKeyId={public_key_id}, SignedHeaders={}, Signature={}",
            self.algorithm.as_str(),
            self.signed_headers,
            STANDARD.encode(signature)
        )
    }
}

/// The algorithm alone.
impl fmt::Debug for ToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToSign({})", self.algorithm.as_str())
    }
}

/// The last stage: the `Authorization` header for a request. All of `request.headers` are signed;
/// send them exactly as given here.
///
/// # Errors
/// [`SignError`] from the signer.
pub fn authorization(
    request: &Request<'_>,
    algorithm: Algorithm,
    public_key_id: &str,
    signer: &dyn RequestSigner,
) -> Result<String, SignError> {
    let unsigned = ToSign::new(request, algorithm).map_err(SignError::new)?;
    let signature = signer.sign_pss_sha256(unsigned.message(), unsigned.salt_len())?;
    Ok(unsigned.authorization(public_key_id, &signature))
}

/// The signature of a checkout button's payload, in base64. There is no canonical request:
/// [`string_to_sign`] is over the payload itself, which the page must give to Amazon's script byte
/// for byte as it is here.
///
/// With [`Algorithm::V2`] the script must be told the algorithm too, since it assumes the other one.
///
/// # Errors
/// [`SignError`] from the signer.
pub fn button_signature(
    payload: &str,
    algorithm: Algorithm,
    signer: &dyn RequestSigner,
) -> Result<String, SignError> {
    let text = string_to_sign(algorithm, payload);
    let signature = signer.sign_pss_sha256(text.as_bytes(), algorithm.salt_len())?;
    Ok(STANDARD.encode(signature))
}

/// Proves the payload of a checkout button by the merchant's public key.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Mismatch`].
pub fn verify_button<'a>(
    payload: &'a str,
    algorithm: Algorithm,
    signature: &str,
    key: &PublicKey,
) -> Result<Verified<&'a str>, Error> {
    let signature = STANDARD.decode(signature).map_err(|_| Error::Malformed("signature"))?;
    let text = string_to_sign(algorithm, payload);
    if key.verify(algorithm.scheme(), text.as_bytes(), &signature) {
        Ok(Verified::new(payload))
    } else {
        Err(Error::Mismatch)
    }
}

/// A request that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim<'a> {
    request: Request<'a>,
    algorithm: Algorithm,
    public_key_id: &'a str,
    signed_headers: &'a str,
    signature: Vec<u8>,
}

/// Without the signature, which is nobody's business.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("request", &self.request)
            .field("public_key_id", &self.public_key_id)
            .finish_non_exhaustive()
    }
}

/// What every official client signs, and without which a request could be replayed elsewhere.
const ALWAYS_SIGNED: [&str; 3] = ["x-amz-pay-date", "x-amz-pay-host", "x-amz-pay-region"];

impl<'a> Claim<'a> {
    /// Reads the `Authorization` header of a request.
    ///
    /// # Errors
    /// [`Error`] when the header is missing, doubled or unreadable, or does not cover the date, host
    /// and region headers, or when a header of Amazon Pay's own is doubled.
    pub fn read(request: Request<'a>) -> Result<Self, Error> {
        let mut given = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| *value);
        let value = given.next().ok_or(Error::Missing("authorization"))?;
        if given.next().is_some() {
            return Err(Error::Duplicate("authorization".to_owned()));
        }
        let (name, rest) = value.trim().split_once(' ').ok_or(Error::Malformed("authorization"))?;
        let algorithm = [Algorithm::V1, Algorithm::V2]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(Error::Unsupported {
                part: "the signature algorithm",
                accepted: "AMZN-PAY-RSASSA-PSS or AMZN-PAY-RSASSA-PSS-V2",
            })?;
        let public_key_id = part(rest, "PublicKeyId")?;
        let signed_headers = part(rest, "SignedHeaders")?;
        let signature =
            STANDARD.decode(part(rest, "Signature")?).map_err(|_| Error::Malformed("Signature"))?;
        for needed in ALWAYS_SIGNED {
            if !signed_headers.split(';').any(|name| name.eq_ignore_ascii_case(needed)) {
                return Err(Error::Missing(needed));
            }
        }
        single_values(request.headers)?;
        Ok(Self { request, algorithm, public_key_id, signed_headers, signature })
    }

    /// Which algorithm it says.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The list of signed headers, as the client spelled it.
    #[must_use]
    pub const fn signed_headers(&self) -> &'a str {
        self.signed_headers
    }

    /// Whose key is needed.
    #[must_use]
    pub const fn public_key_id(&self) -> &'a str {
        self.public_key_id
    }

    /// The signature as it was sent, in base64, for the same message.
    #[must_use]
    pub fn signature(&self) -> String {
        STANDARD.encode(&self.signature)
    }

    /// The text that the signature should be over, for the message that refuses it.
    ///
    /// # Errors
    /// [`Error::Missing`] when a listed header is not there.
    pub fn string_to_sign(&self) -> Result<String, Error> {
        let canonical = canonical_request(&self.request, self.signed_headers)?;
        Ok(string_to_sign(self.algorithm, &canonical))
    }

    /// Proves the claim by the merchant's public key.
    ///
    /// # Errors
    /// [`Error::Mismatch`], or [`Error::Missing`] when a listed header is not there.
    pub fn verify(self, key: &PublicKey) -> Result<Verified<SignedRequest<'a>>, Error> {
        let text = self.string_to_sign()?;
        let proves = |text: &str| self.is_signature_of(text, self.algorithm, key);
        if !proves(&text) {
            let other = canonical_request_of_node(&self.request, self.signed_headers)
                .map(|canonical| string_to_sign(self.algorithm, &canonical));
            if !other.is_some_and(|text| proves(&text)) {
                return Err(Error::Mismatch);
            }
        }
        let listed = |name: &str| {
            self.signed_headers.split(';').any(|signed| signed.eq_ignore_ascii_case(name))
        };
        let signed = self.request.headers.iter().filter(|(name, _)| listed(name));
        Ok(Verified::new(SignedRequest {
            method: self.request.method,
            path: self.request.path,
            query: self.request.query,
            headers: signed.copied().collect(),
            body: self.request.body,
        }))
    }
}

impl Claim<'_> {
    /// Is the signature that of a text, with the salt of an algorithm, by this key?
    pub(crate) fn is_signature_of(
        &self,
        text: &str,
        algorithm: Algorithm,
        key: &PublicKey,
    ) -> bool {
        key.verify(algorithm.scheme(), text.as_bytes(), &self.signature)
    }
}

/// What the signature of a request covers, and nothing else that came with it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The path as it was sent.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The decoded pairs of the query, in their order.
    #[must_use]
    pub const fn query(&self) -> &'a [(&'a str, &'a str)] {
        self.query
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// A signed header; one that was merely sent is not found.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| *value)
    }
}

/// Headers and bodies may name buyers and carry signatures.
impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedRequest({} {})", self.method, self.path)
    }
}

/// `Name=value` among the parts of an `Authorization` header, which are separated by commas.
fn part<'a>(parts: &'a str, name: &'static str) -> Result<&'a str, Error> {
    let mut values = parts
        .split(',')
        .filter_map(|part| part.trim().strip_prefix(name).and_then(|rest| rest.strip_prefix('=')));
    let value = values.next().ok_or(Error::Missing(name))?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Error::Duplicate(name.to_owned())),
    }
}

/// Amazon Pay's own headers have one value each. Two of a name are signed as one text with a comma
/// in it, and whoever reads the first of them would read what nobody signed.
fn single_values(headers: &[(&str, &str)]) -> Result<(), Error> {
    let mut names: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| name.starts_with("x-amz-pay-"))
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::Duplicate(pair[0].clone())),
    }
}

/// `name:value` with the name in lower case, runs of blanks in the value made one, and several
/// headers of one name joined by commas.
fn push_header_line(headers: &[(&str, &str)], name: &str, out: &mut String) -> Result<(), Error> {
    let mut values =
        headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)).peekable();
    if values.peek().is_none() {
        return Err(Error::Missing("a header of the SignedHeaders list"));
    }
    out.extend(name.chars().map(|character| character.to_ascii_lowercase()));
    for (index, (_, value)) in values.enumerate() {
        out.push(if index == 0 { ':' } else { ',' });
        for (index, word) in value.split_ascii_whitespace().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out.push('\n');
    Ok(())
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(HEX[usize::from(digit)])).collect()
}
