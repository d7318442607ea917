//! SOAP envelopes: canonical forms and signatures against those of libxml2, xmlsec1 and the JDK.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a case that cannot be built is a failed test, and a skipped one is said so"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fps_sign::soap::{self, Canonicalization, Claim, Message, canonicalize};
use fps_sign::{Certificate, Error, PrivateKey};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const WSA: &str = "http://www.w3.org/2005/08/addressing";
const CREATED: &str = "2009-10-06T05:51:49Z";
const EXPIRES: &str = "2009-10-06T06:01:49Z";
const REFUND: &str = "<Refund xmlns=\"http://fps.amazonaws.com/doc/2008-09-17/\">\
    <TransactionId>14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD</TransactionId><RefundAmount>\
    <CurrencyCode>USD</CurrencyCode><Value>1</Value></RefundAmount></Refund>";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read(path: &str) -> String {
    let path = tests().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn certificate() -> Certificate {
    Certificate::from_pem(read("keys/rsa-2048.certificate.pem").as_bytes()).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(&read("keys/rsa-2048.pkcs8.pem")).unwrap()
}

/// Undoes the escapes of the table, which keep a case on its line and its line ends from git.
fn unescape(text: &str) -> String {
    let pairs = [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\u{feff}", "\u{feff}")];
    let parts = text.split("\\\\").map(|part| {
        pairs.iter().fold(part.to_owned(), |part, (escaped, plain)| part.replace(escaped, plain))
    });
    parts.collect::<Vec<_>>().join("\\")
}

struct Case<'t> {
    name: &'t str,
    canonicalization: Canonicalization,
    id: Option<&'t str>,
    input: String,
    expected: String,
}

fn table(text: &str) -> Vec<Case<'_>> {
    let blocks = text.split("\n\n");
    blocks
        .map(|block| {
            let mut lines = block.lines().map(|line| line.split_once(' ').unwrap());
            let mut next = |wanted: &str| {
                let (name, value) = lines.next().unwrap();
                assert_eq!(name, wanted, "{block}");
                value
            };
            let (name, form, prefixes, id) =
                (next("case"), next("form"), next("prefixes"), next("id"));
            let (input, expected) = (unescape(next("input")), unescape(next("expected")));
            let canonicalization = match form {
                "inclusive" => Canonicalization::Inclusive,
                _ if prefixes.is_empty() => Canonicalization::exclusive(),
                _ => exclusive_with(prefixes),
            };
            let id = Some(id).filter(|id| !id.is_empty());
            Case { name, canonicalization, id, input, expected }
        })
        .collect()
}

/// The variant is for the crate to make; a signature says it as a list.
fn exclusive_with(prefixes: &str) -> Canonicalization {
    let mut canonicalization = Canonicalization::exclusive();
    if let Canonicalization::Exclusive { inclusive_prefixes, .. } = &mut canonicalization {
        *inclusive_prefixes = prefixes.split(' ').map(str::to_owned).collect();
    }
    canonicalization
}

#[test]
fn canonical_forms_are_those_of_libxml2_and_of_the_jdk() {
    let text = read("vectors/soap/c14n.txt");
    let cases = table(&text);
    assert_eq!(cases.len(), 121);
    for case in cases {
        let said = canonicalize(&case.input, case.id, &case.canonicalization);
        assert_eq!(said.as_deref(), Ok(case.expected.as_str()), "{}", case.name);
        // A canonical form is its own, where it stands alone.
        if case.id.is_none() {
            let again = canonicalize(&case.expected, None, &case.canonicalization);
            assert_eq!(again.as_deref(), Ok(case.expected.as_str()), "{}", case.name);
        }
    }
}

#[test]
fn envelopes_of_xmlsec1_and_of_the_jdk_are_proved() {
    let mut folders: Vec<PathBuf> = fs::read_dir(tests().join("vectors/soap"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert_eq!(folders.len(), 7);
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let file = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert!(!file("origin.txt").trim().is_empty(), "{name}");
        let claim = Claim::read(file("envelope.xml").as_bytes()).unwrap();
        assert_eq!(claim.certificate(), certificate().der(), "{name}");
        for reference in claim.references() {
            assert_eq!(reference.digest_given(), reference.digest_computed(), "{name}");
        }
        let signed = claim.verify(&certificate()).unwrap().into_inner();
        assert_eq!(signed.body(), file("body.xml"), "{name}");
        assert!(signed.created().starts_with(&CREATED[..19]), "{name}");
        let header = |local| signed.header(WSA, local).and_then(|header| header.text());
        match name {
            "xmlsec1-headers" => {
                assert_eq!(signed.expires(), None);
                assert_eq!(header("MessageID"), Some("MESSAGE123"));
                assert_eq!(header("ReplyTo"), None, "it was sent and not signed");
                assert_eq!(signed.headers().len(), 3);
            }
            "xmlsec1-plain" => assert_eq!(header("MessageID"), None, "it was sent and not signed"),
            _ if name.starts_with("java") => assert_eq!(header("Action"), Some("urn:Refund")),
            _ => assert!(signed.headers().is_empty(), "{name}"),
        }
    }
}

#[test]
fn what_was_signed_is_handed_on() {
    let action = format!("<wsa:Action xmlns:wsa=\"{WSA}\"> urn:Refund\n</wsa:Action>");
    let reply = format!("<ReplyTo xmlns=\"{WSA}\"><Address/></ReplyTo>");
    let headers = [action.as_str(), reply.as_str()];
    let message = Message::new(REFUND, CREATED).expires(EXPIRES).headers(&headers);
    let envelope = soap::sign(&message, &certificate(), &key()).unwrap();
    assert_eq!(envelope, soap::sign(&message, &certificate(), &key()).unwrap());
    let claim = Claim::read(envelope.as_bytes()).unwrap();
    assert_eq!((claim.created(), claim.expires()), (CREATED, Some(EXPIRES)));
    let ids: Vec<_> = claim.references().iter().map(|one| (one.id(), one.name())).collect();
    let expected = [
        ("body", "Body"),
        ("timestamp", "Timestamp"),
        ("header-1", "Action"),
        ("header-2", "ReplyTo"),
    ];
    assert_eq!(ids, expected);
    assert!(claim.canonical_signed_info().starts_with("<ds:SignedInfo xmlns:ds="));
    let shown = format!("{claim:?}");
    assert!(!shown.contains("14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"), "{shown}");

    let signed = claim.verify(&certificate()).unwrap().into_inner();
    let body = format!("<soap:Body xmlns:soap=\"{SOAP}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"body\">");
    assert_eq!(signed.body(), format!("{body}{REFUND}</soap:Body>"));
    assert_eq!((signed.created(), signed.expires()), (CREATED, Some(EXPIRES)));
    assert_eq!(signed.header(WSA, "Action").unwrap().text(), Some("urn:Refund"));
    let reply = signed.header(WSA, "ReplyTo").unwrap();
    assert_eq!((reply.text(), reply.namespace(), reply.name()), (None, WSA, "ReplyTo"));
    assert!(reply.canonical().contains("<Address></Address>"));
    assert!(!format!("{signed:?}").contains("14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"));
}

#[test]
fn the_certificate_is_the_registered_one_byte_for_byte() {
    let message = Message::new(REFUND, CREATED);
    let envelope = soap::sign(&message, &certificate(), &key()).unwrap();
    for name in ["other", "renewed"] {
        let pem = read(&format!("keys/{name}.certificate.pem"));
        let other = Certificate::from_pem(pem.as_bytes()).unwrap();
        let claim = Claim::read(envelope.as_bytes()).unwrap();
        assert_eq!(claim.verify(&other).unwrap_err(), Error::Mismatch, "{name}");
    }
    // Whoever signs with a certificate of their own proves nothing about the registered one, and
    // neither does who sends the registered one along with a signature of their own.
    let pem = read("keys/other.certificate.pem");
    let other = Certificate::from_pem(pem.as_bytes()).unwrap();
    let other_key = PrivateKey::from_pem(&read("keys/other.pkcs8.pem")).unwrap();
    let foreign = soap::sign(&message, &other, &other_key).unwrap();
    let claim = Claim::read(foreign.as_bytes()).unwrap();
    assert_eq!(claim.certificate(), other.der());
    assert_eq!(claim.verify(&certificate()).unwrap_err(), Error::Mismatch);
    let token = |envelope: &str| {
        let begin = envelope.find("wsu:Id=\"token\">").unwrap() + 15;
        envelope[begin..].split_once('<').unwrap().0.to_owned()
    };
    let claimed = foreign.replace(&token(&foreign), &token(&envelope));
    let claim = Claim::read(claimed.as_bytes()).unwrap();
    assert_eq!(claim.certificate(), certificate().der());
    assert_eq!(claim.verify(&certificate()).unwrap_err(), Error::Mismatch);

    let error = soap::sign(&message, &certificate(), &other_key).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<Error>();
    assert_eq!(source, Some(&Error::Mismatch), "a key without its certificate signs nothing");
}

#[test]
fn a_certificate_is_read_from_der() {
    let der = certificate().der().to_owned();
    let again = Certificate::from_der(&der).unwrap();
    assert_eq!(again.public_key().to_pem(), certificate().public_key().to_pem());
    assert!(Certificate::from_der(&der[1..]).is_err());
    assert!(Certificate::from_der(&[der.as_slice(), &[0]].concat()).is_err());
    assert!(Certificate::from_der(&vec![0; 65 * 1024]).is_err());
}

#[test]
fn what_cannot_be_read_is_not_signed() {
    let sign = |body: &str, headers: &[&str]| {
        let message = Message::new(body, CREATED).headers(headers);
        let error = soap::sign(&message, &certificate(), &key()).unwrap_err();
        std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap().clone()
    };
    let malformed = Error::Malformed("the XML");
    for body in ["", "text", "<a>", "<a/><b/>", "<a/>text", "</soap:Body>", "<a/></soap:Body>"] {
        assert_eq!(sign(body, &[]), malformed, "{body}");
    }
    let undeclared = Error::Malformed("a namespace prefix without declaration");
    assert_eq!(sign("<soap:a/>", &[]), undeclared);
    assert_eq!(sign("<a/>", &["<wsa:Action/>"]), undeclared);
    let doubled = Error::Duplicate("an id".to_owned());
    assert_eq!(sign("<a Id=\"timestamp\"/>", &[]), doubled);
    assert_eq!(sign("<a/>", &["<b ID=\"token\"/>"]), doubled);
    let unsupported = |error| matches!(error, Error::Unsupported { .. });
    assert!(unsupported(sign("<a><!-- --></a>", &[])));
    assert!(unsupported(sign("<!DOCTYPE a><a/>", &[])));
    assert!(unsupported(sign("<a/>", &["<b xmlns:wsu=\"urn:other\"/>"])));
    assert!(unsupported(sign("<a/>", &[&format!("<b xmlns:u=\"{WSU}\" u:Id=\"b\"/>")])));
    let security = format!("<Security xmlns=\"{WSSE}\"/>");
    assert_eq!(sign("<a/>", &[&security]), Error::Duplicate("wsse:Security".to_owned()));
    assert_eq!(sign("<a/>", &["<b/>", "<b/>"]), Error::Duplicate("b".to_owned()));
    let many: Vec<String> = (0..15).map(|index| format!("<h{index}/>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let too_many = Error::Unsupported { part: "the number of references", accepted: "at most 16" };
    assert_eq!(sign("<a/>", &many), too_many);
    let most = Message::new("<a/>", CREATED).headers(&many[1..]);
    soap::sign(&most, &certificate(), &key()).unwrap();
    let created = Message::new("<a/>", " ");
    let error = soap::sign(&created, &certificate(), &key()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<Error>();
    assert_eq!(source, Some(&Error::Malformed("wsu:Created")));
}

/// Is xmlsec1 here? When it is not, the vectors that it signed once are what is checked.
fn has_xmlsec1() -> bool {
    let found = Command::new("xmlsec1").arg("--version").output().is_ok();
    if !found {
        eprintln!("xmlsec1 is not installed: only its committed vectors were checked");
    }
    found
}

/// Does xmlsec1 believe the envelope?
fn xmlsec1_verifies(envelope: &str, name: &str) -> bool {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.xml"));
    fs::write(&path, envelope).unwrap();
    let mut command = Command::new("xmlsec1");
    command.arg("--verify").arg("--pubkey-cert-pem");
    command.arg(tests().join("keys/rsa-2048.certificate.pem"));
    for element in [
        format!("{SOAP}:Body"),
        format!("{WSU}:Timestamp"),
        format!("{WSSE}:BinarySecurityToken"),
        format!("{WSA}:Action"),
    ] {
        command.args(["--id-attr:Id", &element]);
    }
    command.arg(&path).output().unwrap().status.success()
}

#[test]
fn xmlsec1_proves_what_is_signed_here() {
    if !has_xmlsec1() {
        return;
    }
    let action = format!("<wsa:Action xmlns:wsa=\"{WSA}\">urn:Refund</wsa:Action>");
    let headers = [action.as_str()];
    let message = Message::new(REFUND, CREATED).expires(EXPIRES).headers(&headers);
    let envelope = soap::sign(&message, &certificate(), &key()).unwrap();
    assert!(xmlsec1_verifies(&envelope, "signed-here"));
    for (good, bad) in [(">1<", ">2<"), (CREATED, EXPIRES), ("urn:Refund", "urn:Pay")] {
        assert!(!xmlsec1_verifies(&envelope.replace(good, bad), "changed-here"), "{bad}");
    }
    // Trees that nobody thought of: xmlsec1 must find the same octets in them.
    let mut runner = TestRunner::deterministic();
    for index in 0..64 {
        let body = element(3).new_tree(&mut runner).unwrap().current();
        let message = Message::new(&body, CREATED);
        let envelope = soap::sign(&message, &certificate(), &key()).unwrap();
        assert!(xmlsec1_verifies(&envelope, &format!("random-{index}")), "{body}");
    }
}

/// An element with any of a few prefixes, which it declares in any of a few ways, as a document.
fn element(depth: u32) -> BoxedStrategy<String> {
    let prefix = || prop::sample::select(vec!["", "p", "q"]);
    let namespace = || prop::sample::select(vec!["urn:a", "urn:b", "http://c.example/?x=1"]);
    let declarations = prop::collection::btree_map(prefix(), namespace(), 0..3);
    let attributes = prop::collection::btree_map("[a-c]", value(), 0..3);
    (prefix(), declarations, attributes, children(depth))
        .prop_map(|(prefix, mut declarations, attributes, children)| {
            // The document stands alone: what its inner elements use is declared at the top.
            for prefix in ["p", "q"] {
                declarations.entry(prefix).or_insert("urn:top");
            }
            tag(prefix, &declarations.into_iter().collect::<Vec<_>>(), &attributes, &children)
        })
        .boxed()
}

/// What stands in an element: text, and elements down to the depth.
fn children(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return text().boxed();
    }
    prop::collection::vec(prop_oneof![text(), inner(depth - 1)], 0..4)
        .prop_map(|children| children.concat())
        .boxed()
}

fn inner(depth: u32) -> BoxedStrategy<String> {
    let prefix = || prop::sample::select(vec!["", "p", "q"]);
    let namespace = || prop::sample::select(vec!["urn:a", "urn:b", "urn:top"]);
    let declarations = prop::collection::btree_map(prefix(), namespace(), 0..3);
    let attributes = prop::collection::btree_map("([pq]:)?[a-c]", value(), 0..3);
    (prefix(), declarations, any::<bool>(), attributes, children(depth))
        .prop_map(|(prefix, declarations, undeclare, mut attributes, children)| {
            let mut declarations: Vec<_> = declarations.into_iter().collect();
            if undeclare && !declarations.iter().any(|(prefix, _)| prefix.is_empty()) {
                declarations.push(("", ""));
            }
            // `p:a` and `q:a` may be one attribute twice, if both prefixes mean the same.
            attributes.retain(|name, _| !name.starts_with("q:") || name.ends_with('c'));
            attributes.remove("p:c");
            tag(prefix, &declarations, &attributes, &children)
        })
        .boxed()
}

fn tag(
    prefix: &str,
    declarations: &[(&str, &str)],
    attributes: &std::collections::BTreeMap<String, String>,
    children: &str,
) -> String {
    let name = if prefix.is_empty() { "n".to_owned() } else { format!("{prefix}:n") };
    let mut text = format!("<{name}");
    // Attributes first, so that no order is the canonical one by accident.
    for (name, value) in attributes.iter().rev() {
        text.push_str(&format!(" {name}='{value}'"));
    }
    for (prefix, namespace) in declarations.iter().rev() {
        let colon = if prefix.is_empty() { "" } else { ":" };
        text.push_str(&format!("\n xmlns{colon}{prefix}=\"{namespace}\""));
    }
    text.push_str(&format!(">{children}</{name}>"));
    text
}

fn value() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\"",
        ">",
        "&lt;",
        "&amp;",
        "&quot;",
        "&apos;",
        "&#9;",
        "&#10;",
        "&#xD;",
        "&#x20;",
        "\u{e9}",
        "\u{1f4b6}",
    ]);
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn text() -> BoxedStrategy<String> {
    let piece = prop::sample::select(vec![
        "a",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "'",
        "]",
        "&lt;",
        "&amp;",
        "&gt;",
        "&#9;",
        "&#10;",
        "&#xD;",
        "<![CDATA[<&\"]]>",
        "<![CDATA[]]>",
        "\u{e9}",
        "\u{1f4b6}",
    ]);
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat()).boxed()
}

proptest! {
    #[test]
    fn a_canonical_form_is_its_own_canonical_form(document in element(3)) {
        for canonicalization in [Canonicalization::exclusive(), Canonicalization::Inclusive] {
            let once = canonicalize(&document, None, &canonicalization).unwrap();
            let twice = canonicalize(&once, None, &canonicalization).unwrap();
            prop_assert_eq!(once, twice);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_signed_verifies_with_the_same_content(body in element(3)) {
        let message = Message::new(&body, CREATED);
        let envelope = soap::sign(&message, &certificate(), &key()).unwrap();
        let claim = Claim::read(envelope.as_bytes()).unwrap();
        let signed = claim.verify(&certificate()).unwrap().into_inner();
        // The content in the Body has the canonical form that it has alone, but for prefixes that
        // no element uses.
        let alone = canonicalize(&body, None, &Canonicalization::exclusive()).unwrap();
        prop_assert!(signed.body().contains(&alone), "{} in {}", alone, signed.body());
    }
}
