//! From the content of a message to a signed envelope; what is written is read again by the other
//! half, so that nothing is sent that would be refused here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::c14n::{self, Canonicalization, push_text};
use super::tree::{Tree, limit};
use super::{BASE64_BINARY, Claim, DS, EXC_C14N, RSA_SHA1, SHA1, SOAP, WSSE, WSU, WSU_ID, X509_V3};
use crate::certificate::Certificate;
use crate::error::{Error, SignError};
use crate::key::PrivateKey;
use crate::rsa::Scheme;

/// What goes into an envelope. Everything in it is signed.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    body: &'a str,
    created: &'a str,
    expires: Option<&'a str>,
    headers: &'a [&'a str],
}

/// Without the elements, which may name a buyer.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("created", &self.created)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl<'a> Message<'a> {
    /// `body` is the element inside the Body, as a document of its own: all prefixes that it uses
    /// are declared in it. `created` is ISO 8601 in UTC.
    #[must_use]
    pub const fn new(body: &'a str, created: &'a str) -> Self {
        Self { body, created, expires: None, headers: &[] }
    }

    /// Until when the message holds, ISO 8601 in UTC. Without it the service gave it 15 minutes.
    #[must_use]
    pub const fn expires(mut self, expires: &'a str) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Elements of the Header, such as `wsa:Action` and `wsa:MessageID`, each a document of its own.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [&'a str]) -> Self {
        self.headers = headers;
        self
    }
}

/// The signed envelope: exclusive canonicalisation, SHA-1, RSA-SHA1, and the certificate in it. The
/// same message gives the same envelope. SHA-1 signatures are made by the portable RSA backend only.
///
/// # Errors
/// [`SignError`] with the [`Error`] of the reader when a part of the message is no XML, has ids that
/// stand in the way or does not fit the limits; and when the certificate is not that of the key.
pub fn sign(
    message: &Message<'_>,
    certificate: &Certificate,
    key: &PrivateKey,
) -> Result<String, SignError> {
    let draft = Draft::new(message, certificate).map_err(SignError::new)?;
    // Read as the other side will: first for the hashes, then for the text to sign, then for the
    // proof.
    let read = |envelope: &str| Claim::read(envelope.as_bytes()).map_err(SignError::new);
    let unsigned = read(&draft.envelope(&vec![String::new(); draft.ids.len()], &[]))?;
    let digests: Vec<_> =
        unsigned.references().iter().map(super::Reference::digest_computed).collect();
    let unsigned = read(&draft.envelope(&digests, &[]))?;
    let text = unsigned.canonical_signed_info();
    let signature = key.sign(Scheme::Pkcs1Sha1, text.as_bytes())?;
    let envelope = draft.envelope(&digests, &signature);
    read(&envelope)?.verify(certificate).map_err(SignError::new)?;
    Ok(envelope)
}

/// The envelope but for hashes and signature.
struct Draft {
    headers: String,
    token: String,
    timestamp: String,
    body: String,
    /// The signed elements in the order of their references.
    ids: Vec<String>,
}

impl Draft {
    fn new(message: &Message<'_>, certificate: &Certificate) -> Result<Self, Error> {
        let mut ids = vec!["body".to_owned(), "timestamp".to_owned()];
        let mut headers = String::new();
        for (index, header) in message.headers.iter().enumerate() {
            let id = format!("header-{}", index + 1);
            let mut tree = Tree::parse(header.as_bytes())?;
            if !tree.mark_root("wsu", WSU_ID, &id) {
                return Err(limit("the prefix wsu or the attribute wsu:Id", "a header without it"));
            }
            headers.push_str(&embedded(&tree)?);
            ids.push(id);
        }
        let mut timestamp = "<wsu:Created>".to_owned();
        push_text(message.created, &mut timestamp);
        timestamp.push_str("</wsu:Created>");
        if let Some(expires) = message.expires {
            timestamp.push_str("<wsu:Expires>");
            push_text(expires, &mut timestamp);
            timestamp.push_str("</wsu:Expires>");
        }
        let body = embedded(&Tree::parse(message.body.as_bytes())?)?;
        Ok(Self { headers, token: STANDARD.encode(certificate.der()), timestamp, body, ids })
    }

    fn envelope(&self, digests: &[String], signature: &[u8]) -> String {
        let Self { headers, token, timestamp, body, ids } = self;
        let references: String = ids
            .iter()
            .zip(digests)
            .map(|(id, digest)| {
                format!(
                    "<ds:Reference URI=\"#{id}\"><ds:Transforms>\
                     <ds:Transform Algorithm=\"{EXC_C14N}\"></ds:Transform></ds:Transforms>\
                     <ds:DigestMethod Algorithm=\"{SHA1}\"></ds:DigestMethod>\
                     <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
                )
            })
            .collect();
        let signature = STANDARD.encode(signature);
        format!(
            "<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Header>{headers}\
             <wsse:Security xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\" soap:mustUnderstand=\"1\">\
             <wsse:BinarySecurityToken EncodingType=\"{BASE64_BINARY}\" ValueType=\"{X509_V3}\" \
             wsu:Id=\"token\">{token}</wsse:BinarySecurityToken>\
             <wsu:Timestamp wsu:Id=\"timestamp\">{timestamp}</wsu:Timestamp>\
             <ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{RSA_SHA1}\"></ds:SignatureMethod>\
             {references}</ds:SignedInfo><ds:SignatureValue>{signature}</ds:SignatureValue>\
             <ds:KeyInfo><wsse:SecurityTokenReference>\
             <wsse:Reference URI=\"#token\" ValueType=\"{X509_V3}\"></wsse:Reference>\
             </wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>\
             </soap:Header><soap:Body xmlns:wsu=\"{WSU}\" wsu:Id=\"body\">{body}</soap:Body>\
             </soap:Envelope>"
        )
    }
}

/// A document as it stands in an envelope: in inclusive canonical form, which keeps the declarations
/// that only values use (`xsi:type="xs:string"`).
fn embedded(tree: &Tree) -> Result<String, Error> {
    if tree.has_comment() {
        return Err(limit("a comment", "XML without any, because no signature covers them"));
    }
    c14n::write(tree, Tree::ROOT, &Canonicalization::Inclusive)
}
