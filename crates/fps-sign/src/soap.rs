//! FPS over SOAP 1.1, WS-Security 1.0 with an X.509 certificate: RSA-SHA1 over the exclusive
//! canonical form of Body and Timestamp; no action is known here, and nothing is compared with a
//! clock.
//!
//! Reading an envelope decides at once what each reference of the signature means: an element at its
//! one place (the Body of the Envelope, the Timestamp and token of the one Security header, a header
//! beside it), found by its `wsu:Id`, or the envelope is refused. What is proved is handed on as the
//! canonical octets that were hashed. So there is no second look-up that could find another element
//! than the signature covers, which is how signature wrapping works.
//!
//! SHA-1 is the one hash that the documents of the time name, and no other is accepted. It is weak
//! today: whoever signs can make two messages with one hash.
//!
//! The canonicaliser is our own. Of the libraries, `xml_c14n` and `xmlsec` bind C libraries, and
//! `bergshamra` and `xml-sec`, in Rust, bring a whole XML Signature processor with XPath, encryption
//! and a cryptographic backend beside the one that is here. What FPS needs, whole elements and no
//! transform but canonicalisation, is [`c14n`](canonicalize) over the reader in `tree.rs`, and is
//! checked against libxml2, xmlsec1 and the JDK in the tests.
//!
//! ```
//! use fps_sign::soap::{self, Claim, Message};
//! use fps_sign::{Certificate, PrivateKey};
//!
//! # let pem = include_bytes!("../tests/keys/rsa-2048.certificate.pem");
//! # let key = include_str!("../tests/keys/rsa-2048.pkcs8.pem");
//! // The certificate that is registered with the account, and its key.
//! let certificate = Certificate::from_pem(pem)?;
//! let key = PrivateKey::from_pem(key)?;
//!
//! let body = r#"<Refund xmlns="http://fps.amazonaws.com/doc/2008-09-17/"/>"#;
//! let message = Message::new(body, "2009-10-06T05:51:49Z").expires("2009-10-06T06:01:49Z");
//! let envelope = soap::sign(&message, &certificate, &key)?;
//!
//! // The other side reads the claim, finds the account by the certificate, and gets the proof.
//! let claim = Claim::read(envelope.as_bytes())?;
//! assert_eq!(claim.certificate(), certificate.der());
//! let verified = claim.verify(&certificate)?;
//! assert_eq!(verified.get().expires(), Some("2009-10-06T06:01:49Z"));
//! assert!(verified.get().body().contains("<Refund "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod c14n;
mod security;
mod sign;
mod tree;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use c14n::{Canonicalization, canonicalize};
pub use sign::{Message, sign};

use crate::certificate::Certificate;
use crate::error::Error;
use crate::rsa::Scheme;
use crate::verified::Verified;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INC_C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const RSA_SHA1: &str = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const BASE64_BINARY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
const X509_V3: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";

const WSU_ID: (&str, &str) = (WSU, "Id");

/// A signed envelope that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim {
    certificate: Vec<u8>,
    created: String,
    expires: Option<String>,
    references: Vec<Reference>,
    signed_info: String,
    signature: Vec<u8>,
}

/// Without the content and the signature, which are nobody's business.
impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("created", &self.created)
            .field("expires", &self.expires)
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

impl Claim {
    /// Reads what an envelope claims, and refuses one that could be understood in two ways.
    ///
    /// # Errors
    /// [`Error`] when the XML, or a part of the signature, is missing, doubled, unreadable or of a
    /// kind that is not accepted; when an id stands twice; when the signature does not cover Body
    /// and Timestamp, or covers something that has no place here; and when there is a comment, which
    /// no signature covers.
    pub fn read(envelope: &[u8]) -> Result<Self, Error> {
        security::read(envelope)
    }

    /// The certificate as it was sent, in DER: who is said to have signed. It is not examined here:
    /// it may be self-signed, and proves nothing before [`Claim::verify`].
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// When it says that it was signed.
    #[must_use]
    pub fn created(&self) -> &str {
        &self.created
    }

    /// Until when it says that it holds.
    #[must_use]
    pub fn expires(&self) -> Option<&str> {
        self.expires.as_deref()
    }

    /// The signed elements, with what was hashed and the hashes, for the message that refuses it.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The text that the signature should be over, for the same message.
    #[must_use]
    pub fn canonical_signed_info(&self) -> &str {
        &self.signed_info
    }

    /// Proves the claim by the certificate that is registered with the account; the one that was
    /// sent must be the same, byte for byte.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn verify(self, registered: &Certificate) -> Result<Verified<SignedEnvelope>, Error> {
        let proved = registered.der() == self.certificate
            && self.references.iter().all(Reference::matches)
            && registered.public_key().verify(
                Scheme::Pkcs1Sha1,
                self.signed_info.as_bytes(),
                &self.signature,
            );
        if !proved {
            return Err(Error::Mismatch);
        }
        let mut body = String::new();
        let mut headers = Vec::new();
        for reference in self.references {
            match reference.part {
                Part::Body => body = reference.canonical,
                Part::Header(header) => headers.push(SignedHeader {
                    namespace: header.namespace,
                    name: header.name,
                    text: header.text,
                    canonical: reference.canonical,
                }),
                Part::Timestamp | Part::Token => {}
            }
        }
        let (created, expires) = (self.created, self.expires);
        Ok(Verified::new(SignedEnvelope { body, created, expires, headers }))
    }
}

/// A signed element: what was hashed, and the hash as given and as computed.
#[derive(Clone)]
pub struct Reference {
    id: String,
    part: Part,
    canonical: String,
    digest_given: Vec<u8>,
    digest_computed: Vec<u8>,
}

/// What a reference may name, each at its one place.
#[derive(Clone)]
enum Part {
    Body,
    Timestamp,
    Token,
    Header(HeaderName),
}

#[derive(Clone)]
struct HeaderName {
    namespace: String,
    name: String,
    text: Option<String>,
}

impl Reference {
    /// The `wsu:Id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.part {
            Part::Body => "Body",
            Part::Timestamp => "Timestamp",
            Part::Token => "BinarySecurityToken",
            Part::Header(header) => &header.name,
        }
    }

    /// The canonical form of the element.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The hash in the message, in base64.
    #[must_use]
    pub fn digest_given(&self) -> String {
        STANDARD.encode(&self.digest_given)
    }

    /// The hash of the canonical form, in base64.
    #[must_use]
    pub fn digest_computed(&self) -> String {
        STANDARD.encode(&self.digest_computed)
    }

    /// Are the two hashes the same?
    #[must_use]
    pub fn matches(&self) -> bool {
        self.digest_given == self.digest_computed
    }
}

/// Without the content, which may name buyers.
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference(#{} {}, matches: {})", self.id, self.name(), self.matches())
    }
}

/// What the signature of an envelope covers, and nothing else that came with it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedEnvelope {
    body: String,
    created: String,
    expires: Option<String>,
    headers: Vec<SignedHeader>,
}

impl SignedEnvelope {
    /// The Body element in canonical form, the very octets that were hashed.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// When it was signed, as the signer wrote it. Whether that is recent is for the caller to judge.
    #[must_use]
    pub fn created(&self) -> &str {
        &self.created
    }

    /// Until when it holds, as the signer wrote it, and again for the caller to judge; without it,
    /// the AWS documents of the time give a message 15 minutes from [`SignedEnvelope::created`].
    #[must_use]
    pub fn expires(&self) -> Option<&str> {
        self.expires.as_deref()
    }

    /// The headers that were signed.
    #[must_use]
    pub fn headers(&self) -> &[SignedHeader] {
        &self.headers
    }

    /// A signed header; one that was merely sent is not found. No two have the same name.
    #[must_use]
    pub fn header(&self, namespace: &str, name: &str) -> Option<&SignedHeader> {
        self.headers.iter().find(|header| header.namespace == namespace && header.name == name)
    }
}

/// The content may name buyers.
impl fmt::Debug for SignedEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedEnvelope")
            .field("created", &self.created)
            .field("expires", &self.expires)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// A header that was signed, such as `wsa:Action`.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeader {
    namespace: String,
    name: String,
    text: Option<String>,
    canonical: String,
}

impl SignedHeader {
    /// The namespace of its name.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its local name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text without the blanks around it; `None` when it has elements in it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The element in canonical form.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

/// Only the name: headers may hold anything.
impl fmt::Debug for SignedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedHeader({})", self.name)
    }
}
