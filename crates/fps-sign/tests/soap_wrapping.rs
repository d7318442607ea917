//! SOAP envelopes whose signature was moved about, or says something else than it should.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

mod refund_envelope;

use fps_sign::Error;
use refund_envelope::{EXC_C14N, WSA, good, part, unsupported, verify};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const WSU: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

fn duplicate(part: &str) -> Error {
    Error::Duplicate(part.to_owned())
}

fn elsewhere() -> Error {
    unsupported(
        "a reference to another element",
        "the wsu:Id of the Body, of the Timestamp, of the token or of a header",
    )
}

fn foreign(part: &'static str) -> Error {
    unsupported(part, "the elements of FPS's signature only")
}

/// A good envelope in its parts, and what an attacker would rather have believed.
struct Parts {
    good: String,
    body: String,
    evil: String,
    evil_without_id: String,
    security: String,
    timestamp: String,
    signature: String,
    body_reference: String,
}

impl Parts {
    fn new() -> Self {
        let good = good();
        let part = |begin, end| part(&good, begin, end).to_owned();
        let body = part("<soap:Body", "</soap:Body>");
        let evil = body.replace(">1<", ">1000<");
        Self {
            evil_without_id: evil.replace(" wsu:Id=\"body\"", ""),
            security: part("<wsse:Security ", "</wsse:Security>"),
            timestamp: part("<wsu:Timestamp ", "</wsu:Timestamp>"),
            signature: part("<ds:Signature ", "</ds:Signature>"),
            body_reference: part("<ds:Reference URI=\"#body\"", "</ds:Reference>"),
            body,
            evil,
            good,
        }
    }

    /// The good envelope with one text in place of another that is there.
    fn with(&self, old: &str, new: &str) -> String {
        assert!(self.good.contains(old), "{old}");
        self.good.replacen(old, new, 1)
    }

    /// The good envelope with another Body, and more at the end of the Header.
    fn body_and_header(&self, body: &str, header: &str) -> String {
        let header = format!("{header}</soap:Header>");
        self.with(&self.body, body).replacen("</soap:Header>", &header, 1)
    }

    /// The good envelope with more at the end of the Security header.
    fn in_security(&self, more: &str) -> String {
        self.with("</wsse:Security>", &format!("{more}</wsse:Security>"))
    }

    fn evil_with(&self, id: &str) -> String {
        self.evil.replace("wsu:Id=\"body\"", id)
    }
}

type Case = (&'static str, String, Error);

/// The signed Body goes elsewhere, and another one takes its place.
fn body_moved(p: &Parts) -> Vec<Case> {
    let wrapped = format!("<w:Wrapper xmlns:w=\"urn:w\">{}</w:Wrapper>", p.body);
    let inside = format!("{}</soap:Body>", p.body);
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", p.body);
    vec![
        (
            "a copy in a wrapper in the Header",
            p.body_and_header(&p.evil, &wrapped),
            duplicate("an id"),
        ),
        (
            "the original in a wrapper in the Header, the other with another id",
            p.body_and_header(&p.evil_with("wsu:Id=\"evil\""), &wrapped),
            elsewhere(),
        ),
        (
            "the original in a wrapper in the Header, the other without id",
            p.body_and_header(&p.evil_without_id, &wrapped),
            elsewhere(),
        ),
        (
            "the original in the Header itself",
            p.body_and_header(&p.evil_without_id, &p.body),
            Error::Missing("a reference to the Body"),
        ),
        (
            "the original in the Security header",
            p.in_security(&p.body).replacen(
                &format!("{}</soap:E", p.body),
                &format!("{}</soap:E", p.evil_without_id),
                1,
            ),
            foreign("an element in wsse:Security"),
        ),
        (
            "the original in a ds:Object",
            p.with(&p.body, &p.evil_without_id).replacen("</ds:Signature>", &object, 1),
            foreign("an element in ds:Signature"),
        ),
        (
            "the original inside the other",
            p.with(&p.body, &p.evil_without_id.replace("</soap:Body>", &inside)),
            elsewhere(),
        ),
        (
            "the original inside the Timestamp",
            p.with(&p.body, &p.evil_without_id).replacen(
                "</wsu:Timestamp>",
                &format!("{}</wsu:Timestamp>", p.body),
                1,
            ),
            elsewhere(),
        ),
        (
            "the other before it",
            p.with(&p.body, &format!("{}{}", p.evil_without_id, p.body)),
            duplicate("Body"),
        ),
        (
            "the other behind it",
            p.with(&p.body, &format!("{}{}", p.body, p.evil_without_id)),
            duplicate("Body"),
        ),
        (
            "the original beside the Body in another element",
            p.with(&p.body, &format!("{}{wrapped}", p.evil_without_id)),
            foreign("an element in the Envelope"),
        ),
        (
            "the original behind the Envelope",
            format!("{}{}", p.with(&p.body, &p.evil_without_id), p.body),
            Error::Malformed("the XML"),
        ),
    ]
}

/// The id goes to another attribute, or the names to another namespace.
fn names_rebound(p: &Parts) -> Vec<Case> {
    let wrapped = format!("<w:Wrapper xmlns:w=\"urn:w\">{}</w:Wrapper>", p.body);
    let other = |id: &str, error: Error| (p.body_and_header(&p.evil_with(id), &wrapped), error);
    let (xml_id, doubled) = other("xml:id=\"body\"", duplicate("an id"));
    let (plain_id, _) = other("Id=\"body\"", duplicate("an id"));
    let (capital_id, _) = other("ID=\"body\"", duplicate("an id"));
    let (blank_id, _) = other("wsu:Id=\" body \"", duplicate("an id"));
    let alone = |id: &str| p.with(&p.body, &p.evil_with(id));
    let rebound = p.evil.replacen(" xmlns:wsu=\"http", " xmlns:wsu=\"urn:http", 1);
    let soap12 = "http://www.w3.org/2003/05/soap-envelope";
    let soap12_body =
        p.evil_without_id.replacen("<soap:Body", &format!("<soap:Body xmlns:soap=\"{soap12}\""), 1);
    vec![
        ("the id as xml:id", xml_id, doubled.clone()),
        ("the id as Id", plain_id, doubled.clone()),
        ("the id as ID", capital_id, doubled.clone()),
        ("the id with blanks", blank_id, doubled),
        ("only an xml:id", alone("xml:id=\"body\""), elsewhere()),
        ("only an Id", alone("Id=\"body\""), elsewhere()),
        ("only an id with blanks", alone("wsu:Id=\" body \""), elsewhere()),
        ("no id", alone(""), Error::Missing("the element that a reference names")),
        ("the prefix wsu bound to another namespace", p.with(&p.body, &rebound), elsewhere()),
        (
            "a Body of SOAP 1.2 beside the original",
            p.with(&p.body, &format!("{soap12_body}{}", p.body)),
            foreign("an element in the Envelope"),
        ),
        (
            "a Body of SOAP 1.2 in its place",
            p.body_and_header(&soap12_body, &p.body),
            foreign("an element in the Envelope"),
        ),
        (
            "an Envelope of SOAP 1.2",
            p.good.replace("http://schemas.xmlsoap.org/soap/envelope/", soap12),
            unsupported("the outermost element", "an Envelope of SOAP 1.1"),
        ),
        (
            "an attribute twice by two prefixes",
            {
                let wsu = part(&p.body, " xmlns:wsu=\"", "\" ").replacen("wsu", "v", 1);
                p.with(
                    &p.body,
                    &p.evil.replacen("<soap:Body", &format!("<soap:Body{wsu} v:Id=\"evil\""), 1),
                )
            },
            Error::Malformed("the XML"),
        ),
        (
            "the ids of Body and Timestamp swapped",
            p.good
                .replace("wsu:Id=\"body\"", "wsu:Id=\"swap\"")
                .replace("wsu:Id=\"timestamp\"", "wsu:Id=\"body\"")
                .replace("wsu:Id=\"swap\"", "wsu:Id=\"timestamp\""),
            Error::Mismatch,
        ),
    ]
}

/// Whole structures twice, inside each other, or elsewhere.
fn structures_moved(p: &Parts) -> Vec<Case> {
    let begin = part(&p.good, "<soap:Envelope", ">");
    let nested = p.with(&p.security, "");
    let (body, evil, security) = (&p.body, &p.evil_without_id, &p.security);
    let in_body = nested.replacen("</soap:Body>", &format!("{security}</soap:Body>"), 1);
    let second = without_ids(security);
    let actor = second.replacen("soap:mustUnderstand=\"1\"", "soap:actor=\"urn:next\"", 1);
    let info = part(&p.good, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let token = part(&p.good, "<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>");
    let action = part(&p.good, "<wsa:Action", "</wsa:Action>");
    let evil_action = format!("<wsa:Action xmlns:wsa=\"{WSA}\">urn:Pay</wsa:Action>");
    let action_wrapped = format!("{evil_action}<w xmlns=\"urn:w\">{action}</w>");
    let no_security = Error::Missing("wsse:Security");
    vec![
        (
            "the envelope inside the Body of another",
            format!("{begin}<soap:Header/><soap:Body>{}</soap:Body></soap:Envelope>", p.good),
            no_security.clone(),
        ),
        (
            "the envelope in the Header of another, without its Security header",
            format!("{begin}<soap:Header>{security}{nested}</soap:Header>{evil}</soap:Envelope>"),
            elsewhere(),
        ),
        ("the Security header in the Body", in_body, no_security.clone()),
        (
            "the Security header in a wrapper",
            p.with(security, &format!("<w xmlns=\"urn:w\">{security}</w>")),
            no_security,
        ),
        ("a second Security header", p.body_and_header(body, &second), duplicate("wsse:Security")),
        (
            "a second Security header for another actor",
            p.body_and_header(body, &actor),
            duplicate("wsse:Security"),
        ),
        (
            "a second Header",
            p.with("<soap:Body", "<soap:Header></soap:Header><soap:Body"),
            duplicate("Header"),
        ),
        ("a second Signature", p.in_security(&p.signature), duplicate("Signature")),
        (
            "a second SignedInfo",
            p.with("<ds:SignedInfo>", &format!("{info}<ds:SignedInfo>")),
            duplicate("SignedInfo"),
        ),
        ("a second token", p.in_security(&without_ids(token)), duplicate("BinarySecurityToken")),
        (
            "the Action in a wrapper, another in its place",
            p.with(action, &action_wrapped),
            elsewhere(),
        ),
        (
            "a user name beside the token",
            p.in_security("<wsse:UsernameToken></wsse:UsernameToken>"),
            foreign("an element in wsse:Security"),
        ),
        (
            "text in the Envelope",
            p.with("<soap:Body", "text<soap:Body"),
            Error::Malformed("an element in the Envelope"),
        ),
    ]
}

/// The time is another than was signed.
fn timestamp_moved(p: &Parts) -> Vec<Case> {
    let fresh = p.timestamp.replace("2009-10-06", "2029-10-06");
    let declared = format!("<wsu:Timestamp xmlns:wsu=\"{WSU}\"");
    let declared = p.timestamp.replacen("<wsu:Timestamp", &declared, 1);
    let in_header = p.with(&p.timestamp, &without_ids(&fresh)).replacen(
        "</soap:Header>",
        &format!("{declared}</soap:Header>"),
        1,
    );
    let created = "<wsu:Created>2029-10-06T05:51:49Z</wsu:Created><wsu:Created>";
    vec![
        ("a second Timestamp", p.in_security(&without_ids(&fresh)), duplicate("Timestamp")),
        ("a second Timestamp with the same id", p.in_security(&fresh), duplicate("an id")),
        ("a second Created", p.with("<wsu:Created>", created), duplicate("Created")),
        (
            "the Timestamp in the Header, a fresh one in its place",
            in_header,
            Error::Missing("a reference to the Timestamp"),
        ),
        ("a fresh Timestamp in its place", p.with(&p.timestamp, &fresh), Error::Mismatch),
    ]
}

fn without_ids(text: &str) -> String {
    ["token", "timestamp", "body"]
        .iter()
        .fold(text.to_owned(), |text, id| text.replace(&format!(" wsu:Id=\"{id}\""), ""))
}

/// The signature says something else than that it covers Body and Timestamp.
fn signature_changed(p: &Parts) -> Vec<Case> {
    let timestamp_reference = part(&p.good, "<ds:Reference URI=\"#timestamp\"", "</ds:Reference>");
    let transform = part(&p.good, "<ds:Transform ", "</ds:Transform>");
    let uri = |uri: &str| p.with("<ds:Reference URI=\"#body\"", &format!("<ds:Reference{uri}"));
    let bad_uri = unsupported("the URI of a reference", "# and a wsu:Id");
    let algorithm = |element: &str, algorithm: &str| {
        let old = part(&p.good, &format!("<ds:{element} Algorithm=\""), "\"");
        let old =
            format!("{old}{}", part(&p.good[p.good.find(old).unwrap() + old.len()..], "", "\""));
        p.with(&old, &format!("<ds:{element} Algorithm=\"{algorithm}\""))
    };
    let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    let hmac = format!("{DS}hmac-sha1");
    let only_rsa = unsupported("ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#rsa-sha1");
    let only_sha1 = unsupported("ds:DigestMethod", "http://www.w3.org/2000/09/xmldsig#sha1");
    let only_exc = |part| unsupported(part, EXC_C14N);
    let length = "></ds:SignatureMethod>";
    vec![
        (
            "only the Timestamp is referred to",
            p.with(&p.body_reference, ""),
            Error::Missing("a reference to the Body"),
        ),
        (
            "only the Body is referred to",
            p.with(timestamp_reference, ""),
            Error::Missing("a reference to the Timestamp"),
        ),
        (
            "nothing is referred to",
            p.with(&p.body_reference, "").replacen(timestamp_reference, "", 1),
            Error::Missing("a reference to the Timestamp"),
        ),
        (
            "the Body is referred to twice",
            p.with(&p.body_reference, &p.body_reference.repeat(2)),
            duplicate("a reference"),
        ),
        ("a reference to the whole document", uri(" URI=\"\""), bad_uri.clone()),
        ("a reference without URI", uri(""), bad_uri.clone()),
        ("a reference to no id", uri(" URI=\"#\""), bad_uri.clone()),
        (
            "a reference to another document",
            uri(" URI=\"http://a.example/#body\""),
            bad_uri.clone(),
        ),
        ("a reference by name", uri(" URI=\"body\""), bad_uri),
        (
            "an XPointer",
            uri(" URI=\"#xpointer(id('body'))\""),
            Error::Missing("the element that a reference names"),
        ),
        ("an XPath transform", algorithm("Transform", xpath), only_exc("ds:Transform")),
        (
            "a canonical form with comments",
            algorithm("Transform", &format!("{EXC_C14N}WithComments")),
            only_exc("ds:Transform"),
        ),
        (
            "a security token transform",
            algorithm(
                "Transform",
                "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform",
            ),
            only_exc("ds:Transform"),
        ),
        (
            "a second transform",
            p.with(
                transform,
                &format!("<ds:Transform Algorithm=\"{DS}enveloped-signature\"/>{transform}"),
            ),
            duplicate("Transform"),
        ),
        ("no transform", p.with(transform, ""), Error::Missing("ds:Transform")),
        (
            "an XPath in the transform",
            p.with("></ds:Transform>", "><ds:XPath>false()</ds:XPath></ds:Transform>"),
            foreign("an element in ds:Transform"),
        ),
        ("an HMAC", algorithm("SignatureMethod", &hmac), only_rsa.clone()),
        (
            "RSA with SHA-256",
            algorithm("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
            only_rsa.clone(),
        ),
        ("no signature method", algorithm("SignatureMethod", ""), only_rsa),
        (
            "a shortened HMAC",
            p.with(length, "><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>"),
            foreign("an element in ds:SignatureMethod"),
        ),
        (
            "SHA-256 digests",
            algorithm("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256"),
            only_sha1.clone(),
        ),
        (
            "MD5 digests",
            algorithm("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"),
            only_sha1,
        ),
        (
            "inclusive canonicalisation of the SignedInfo",
            algorithm("CanonicalizationMethod", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            only_exc("ds:CanonicalizationMethod"),
        ),
        (
            "a Manifest",
            p.with("</ds:Signature>", "<ds:Object><ds:Manifest/></ds:Object></ds:Signature>"),
            foreign("an element in ds:Signature"),
        ),
        (
            "no signature",
            p.with(
                part(&p.good, "<ds:SignatureValue>", "</ds:SignatureValue>"),
                "<ds:SignatureValue/>",
            ),
            Error::Mismatch,
        ),
        (
            "a comment in the signature",
            p.with("<ds:SignatureValue>", "<ds:SignatureValue><!---->"),
            comment(),
        ),
    ]
}

fn comment() -> Error {
    unsupported("a comment", "an envelope without any, because no signature covers them")
}

/// The key is named otherwise than as the one token, or the XML is more than elements and text.
fn key_and_xml_changed(p: &Parts) -> Vec<Case> {
    let reference = part(&p.good, "<wsse:Reference ", "</wsse:Reference>");
    let str_reference =
        part(&p.good, "<wsse:SecurityTokenReference>", "</wsse:SecurityTokenReference>");
    let x509 =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
    let pki_path = x509.replace("X509v3", "X509PKIPathv1");
    let own_token = unsupported("the URI of wsse:Reference", "# and the wsu:Id of the token");
    let key_info = foreign("an element in ds:KeyInfo");
    let doctype = unsupported("a document type", "XML without one");
    let dtd = |dtd: &str, envelope: String| format!("<!DOCTYPE soap:Envelope [{dtd}]>{envelope}");
    vec![
        ("a key value", p.with(str_reference, "<ds:KeyValue/>"), key_info.clone()),
        (
            "a key value beside the token",
            p.with("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyValue/>"),
            key_info.clone(),
        ),
        ("a certificate in the key info", p.with(reference, "<ds:X509Data/>"), key_info),
        (
            "a reference to another token",
            p.with("URI=\"#token\"", "URI=\"#body\""),
            own_token.clone(),
        ),
        (
            "a reference to a token elsewhere",
            p.with("URI=\"#token\"", "URI=\"http://a.example/#token\""),
            own_token,
        ),
        (
            "a path of certificates",
            p.with(&format!("{x509}\" wsu:Id"), &format!("{pki_path}\" wsu:Id")),
            unsupported("the ValueType of wsse:BinarySecurityToken", x509),
        ),
        (
            "a path of certificates, only by the key info",
            p.with(
                &format!("#token\" ValueType=\"{x509}"),
                &format!("#token\" ValueType=\"{pki_path}"),
            ),
            unsupported("the ValueType of wsse:Reference", x509),
        ),
        (
            "a token in hexadecimal",
            p.with("#Base64Binary", "#HexBinary"),
            unsupported(
                "the EncodingType of wsse:BinarySecurityToken",
                "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary",
            ),
        ),
        ("a comment that splits a value", p.with(">1<", ">1<!-- -->000<"), comment()),
        ("a comment alone", p.with(">1<", "><!-- -->1<"), comment()),
        ("a comment before the Envelope", format!("<!-- -->{}", p.good), comment()),
        (
            "ids declared by a document type",
            dtd("<!ATTLIST w Evil ID #REQUIRED>", p.good.clone()),
            doctype.clone(),
        ),
        ("an entity", dtd("<!ENTITY v '1'>", p.with(">1<", ">&v;<")), doctype),
        ("an entity without declaration", p.with(">1<", ">1&v;<"), Error::Malformed("the XML")),
        (
            "a processing instruction",
            p.with(">1<", ">1<?v 000?><"),
            unsupported("a processing instruction", "XML without any"),
        ),
        (
            "XML 1.1",
            format!("<?xml version=\"1.1\"?>{}", p.good),
            unsupported("the version of XML", "1.0"),
        ),
        (
            "Latin 1",
            format!("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>{}", p.good),
            unsupported("the encoding of the XML", "UTF-8"),
        ),
    ]
}

#[test]
fn a_signature_that_was_moved_about_proves_nothing() {
    let parts = Parts::new();
    let signed = verify(&parts.good).expect("the envelope as it was signed verifies");
    assert!(signed.body().contains("<Value>1</Value>"));
    let cases = [
        body_moved(&parts),
        names_rebound(&parts),
        structures_moved(&parts),
        timestamp_moved(&parts),
        signature_changed(&parts),
        key_and_xml_changed(&parts),
    ]
    .concat();
    assert_eq!(cases.len(), 87);
    assert!(cases.iter().all(|(_, envelope, _)| *envelope != parts.good));
    let wrong: Vec<_> = cases
        .iter()
        .map(|(name, envelope, error)| (name, verify(envelope), error))
        .filter(|(_, verdict, error)| verdict.as_ref().err() != Some(error))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_was_merely_sent_is_not_handed_on() {
    let p = Parts::new();
    let wanted = verify(&p.good).unwrap();
    // Harmless beside the signed parts: verified, and not to be found among them.
    let evil_action = format!("<wsa:Action xmlns:wsa=\"{WSA}\">urn:Pay</wsa:Action>");
    for header in [evil_action.as_str(), "<w xmlns=\"urn:w\">text</w>", p.evil_without_id.as_str()]
    {
        assert_eq!(verify(&p.body_and_header(&p.body, header)).as_ref(), Ok(&wanted), "{header}");
        let first = format!("<soap:Header>{header}");
        assert_eq!(verify(&p.with("<soap:Header>", &first)).as_ref(), Ok(&wanted), "{header}");
    }
    // Two signed headers of one name would be a choice; signing refuses it, and so does reading.
    let action = wanted.header(WSA, "Action").unwrap();
    assert_eq!(action.text(), Some("urn:Refund"));
}
