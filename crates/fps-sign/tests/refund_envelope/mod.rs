//! One good signed envelope and its verifier, for the tests that change it; no case stands here.

use std::sync::OnceLock;

use fps_sign::soap::{self, Claim, Message, SignedEnvelope};
use fps_sign::{Certificate, Error, PrivateKey};

pub(crate) const WSA: &str = "http://www.w3.org/2005/08/addressing";
pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

pub(crate) fn certificate() -> Certificate {
    Certificate::from_pem(include_bytes!("../keys/rsa-2048.certificate.pem")).unwrap()
}

/// A refund of one dollar, signed, with a signed `wsa:Action`.
pub(crate) fn good() -> String {
    static GOOD: OnceLock<String> = OnceLock::new();
    GOOD.get_or_init(sign_good).clone()
}

fn sign_good() -> String {
    let action = format!("<wsa:Action xmlns:wsa=\"{WSA}\">urn:Refund</wsa:Action>");
    let body =
        "<Refund xmlns=\"http://fps.amazonaws.com/doc/2008-09-17/\"><Value>1</Value></Refund>";
    let headers = [action.as_str()];
    let message = Message::new(body, "2009-10-06T05:51:49Z")
        .expires("2009-10-06T06:01:49Z")
        .headers(&headers);
    let key = PrivateKey::from_pem(include_str!("../keys/rsa-2048.pkcs8.pem")).unwrap();
    soap::sign(&message, &certificate(), &key).unwrap()
}

pub(crate) fn verify(envelope: &str) -> Result<SignedEnvelope, Error> {
    let claim = Claim::read(envelope.as_bytes())?;
    claim.verify(&certificate()).map(fps_sign::Verified::into_inner)
}

/// From the beginning of `begin` to the end of `end`, both of which are there.
pub(crate) fn part<'e>(envelope: &'e str, begin: &str, end: &str) -> &'e str {
    let from = envelope.find(begin).unwrap_or_else(|| panic!("{begin}"));
    let length = envelope[from..].find(end).unwrap_or_else(|| panic!("{end}")) + end.len();
    &envelope[from..from + length]
}

pub(crate) fn unsupported(part: &'static str, accepted: &'static str) -> Error {
    Error::Unsupported { part, accepted }
}
