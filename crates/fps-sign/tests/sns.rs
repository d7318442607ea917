//! Messages of SNS: what is signed, what is handed on, and what is refused.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

mod tamper;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::sns::{self, Claim, Message, MessageType, SignatureVersion};
use fps_sign::{CertificateOrigin, Error, OriginError, PrivateKey, PublicKey, Verified};
use proptest::prelude::*;
use tamper::{Change, Params, Tally, variants};

const ARN: &str = "arn:aws:sns:us-east-1:123456789012:MyTopic";
const URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-test.pem";
const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V1, SignatureVersion::V2];
const TYPES: [MessageType; 3] = [
    MessageType::Notification,
    MessageType::SubscriptionConfirmation,
    MessageType::UnsubscribeConfirmation,
];

fn key_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(&key_file("rsa-2048.pkcs8.pem")).unwrap()
}

fn owned(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn fields_of(kind: MessageType) -> Params {
    let mut fields = owned(&[
        ("Type", kind.as_str()),
        ("MessageId", "165545c9-2a5c"),
        ("TopicArn", ARN),
        ("Message", "{\"ObjectType\":\"REFUND\"}\nand more"),
        ("Timestamp", "2026-01-15T10:21:30.123Z"),
        ("UnsubscribeURL", "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe"),
    ]);
    fields.extend(match kind {
        MessageType::Notification => owned(&[("Subject", "Amazon Pay")]),
        _ => owned(&[
            ("SubscribeURL", "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"),
            ("Token", "2336412f37fb687f5d51e6e2425e"),
        ]),
    });
    fields
}

fn signed(mut fields: Params, version: SignatureVersion) -> Params {
    let borrowed: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let added = sns::sign(borrowed, version, URL, &key()).unwrap();
    fields.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    fields
}

fn with(mut fields: Params, name: &str, value: &str) -> Params {
    fields.iter_mut().find(|(given, _)| given == name).unwrap().1 = value.to_owned();
    fields
}

fn verify(fields: &Params, key: &PublicKey) -> Result<Verified<Message>, Error> {
    Claim::read(fields)?.verify(key)
}

#[test]
fn no_change_of_a_message_passes_but_of_what_is_not_handed_on() {
    let public = key().public_key();
    for version in VERSIONS {
        for kind in TYPES {
            let sent = signed(fields_of(kind), version);
            let original = verify(&sent, &public).unwrap();
            let mut tally = Tally::default();
            for variant in variants(&sent) {
                let verdict = verify(&variant.params, &public);
                tally.count(variant.change, verdict.is_ok());
                let Ok(proved) = verdict else { continue };
                assert_eq!(proved, original, "{variant:?}");
                // Only the order was changed, or a field that nobody signed.
                assert_eq!(signed_part(&variant.params), signed_part(&sent), "{variant:?}");
            }
            println!("{kind:?} {version:?}: {} tried, passed {:?}", tally.tried, tally.passed);
            assert!(tally.tried > 6_000, "{}", tally.tried);
            for never in [Change::Doubled, Change::Shadowed] {
                assert!(!tally.passed.contains_key(&never), "{:?}", tally.passed);
            }
        }
    }
}

/// What the signature covers, and the signature, in the order of the names.
fn signed_part(params: &Params) -> Params {
    const NAMES: [&str; 10] = [
        "Message",
        "MessageId",
        "Signature",
        "SignatureVersion",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ];
    let mut part: Params =
        params.iter().filter(|(name, _)| NAMES.contains(&name.as_str())).cloned().collect();
    part.sort();
    part
}

#[test]
fn only_signed_fields_are_handed_on() {
    let public = key().public_key();
    let mut sent = signed(fields_of(MessageType::Notification), SignatureVersion::V2);
    // Fields of the other types are not signed in a notification.
    sent.extend(owned(&[("SubscribeURL", "https://evil.example/"), ("Token", "x")]));
    let proved = verify(&sent, &public).unwrap();
    let message = proved.get();
    assert_eq!((message.subscribe_url(), message.token()), (None, None));
    assert_eq!(message.subject(), Some("Amazon Pay"));
    assert_eq!(message.message(), "{\"ObjectType\":\"REFUND\"}\nand more");
    assert_eq!(message.topic_arn(), ARN);
    assert_eq!(message.message_id(), "165545c9-2a5c");
    assert_eq!(message.timestamp(), "2026-01-15T10:21:30.123Z");
    assert_eq!(message.message_type(), MessageType::Notification);

    let mut sent = signed(fields_of(MessageType::SubscriptionConfirmation), SignatureVersion::V1);
    sent.push(("Subject".to_owned(), "x".to_owned()));
    let proved = verify(&sent, &public).unwrap();
    assert_eq!(proved.get().subject(), None);
    assert_eq!(proved.get().token(), Some("2336412f37fb687f5d51e6e2425e"));
    assert!(proved.get().subscribe_url().unwrap().ends_with("ConfirmSubscription"));

    let printed = format!("{:?} {:?}", Claim::read(&sent).unwrap(), proved);
    assert!(printed.contains(ARN), "{printed}");
    for (name, value) in &sent {
        if matches!(name.as_str(), "Message" | "Token" | "Signature" | "SubscribeURL") {
            assert!(!printed.contains(value.as_str()), "{name}: {printed}");
        }
    }
}

#[test]
fn every_field_stands_once_and_is_of_a_known_kind() {
    for kind in TYPES {
        let sent = signed(fields_of(kind), SignatureVersion::V2);
        for (name, value) in sent.clone() {
            let mut doubled = sent.clone();
            doubled.push((name.clone(), value));
            assert_eq!(Claim::read(doubled).unwrap_err(), Error::Duplicate(name.clone()));
            let mut missing = sent.clone();
            missing.retain(|(given, _)| *given != name);
            match Claim::read(missing) {
                Err(Error::Missing(absent)) => assert_eq!(absent, name),
                Ok(_) => assert!(name == "UnsubscribeURL" || name == "Subject", "{name}"),
                Err(other) => panic!("{name}: {other}"),
            }
        }
        for (name, others) in [
            ("Type", ["", "notification", "Notification ", "Unknown"]),
            ("SignatureVersion", ["", "0", "3", "2 "]),
        ] {
            for other in others {
                let claim = Claim::read(with(sent.clone(), name, other));
                assert!(
                    matches!(claim, Err(Error::Unsupported { part, .. }) if part == name),
                    "{name}={other}"
                );
            }
        }
        let good = sent.last().unwrap().1.clone();
        for bad in ["=", "not base64!", good.trim_end_matches('='), &format!("{good}\n")] {
            let claim = Claim::read(with(sent.clone(), "Signature", bad));
            assert_eq!(claim.unwrap_err(), Error::Malformed("Signature"), "{bad:?}");
        }
    }
}

#[test]
fn a_signature_of_one_version_or_type_is_none_of_another() {
    let public = key().public_key();
    for (version, other) in
        [VERSIONS, [SignatureVersion::V2, SignatureVersion::V1]].map(|v| (v[0], v[1]))
    {
        let sent = signed(fields_of(MessageType::Notification), version);
        let relabelled = with(sent, "SignatureVersion", other.as_str());
        assert_eq!(verify(&relabelled, &public).unwrap_err(), Error::Mismatch);

        let sent = signed(fields_of(MessageType::SubscriptionConfirmation), version);
        for other in ["Notification", "UnsubscribeConfirmation"] {
            let relabelled = with(sent.clone(), "Type", other);
            assert_eq!(verify(&relabelled, &public).unwrap_err(), Error::Mismatch);
        }
    }
}

#[test]
fn a_value_of_two_lines_is_refused_but_in_the_message() {
    for kind in TYPES {
        for (name, _) in fields_of(kind).iter().filter(|(name, _)| name != "UnsubscribeURL") {
            for value in ["a\nb", "a\r\nb", "a\r", "\n", "a\n"] {
                let fields = with(fields_of(kind), name, value);
                let read = Message::read(&fields).map(|_| ());
                let borrowed = fields.iter().map(|(name, value)| (&**name, &**value));
                let made = sns::sign(borrowed, SignatureVersion::V2, URL, &key());
                assert_eq!(made.is_ok(), name == "Message", "{name}");
                match name.as_str() {
                    "Message" => assert_eq!(read, Ok(())),
                    "Type" => assert!(matches!(read, Err(Error::Unsupported { .. }))),
                    _ => assert!(matches!(read, Err(Error::Malformed(part)) if part == name)),
                }
            }
        }
    }
}

/// All messages of a small world made of the words that could be taken for names, each with the
/// text it signs. The values of one field may have two lines.
fn small_world(lines_max: usize, with_lines: Option<&str>) -> Vec<(Params, String)> {
    let words = ["x", "MessageId", "Subject", "Timestamp"];
    let mut messages = vec![String::new()];
    for length in 1..=lines_max {
        let shorter: Vec<_> = messages
            .iter()
            .filter(|m| length == 1 || m.lines().count() == length - 1)
            .cloned()
            .collect();
        for (message, word) in shorter.iter().flat_map(|m| words.map(|word| (m, word))) {
            messages.push(if message.is_empty() {
                word.to_owned()
            } else {
                format!("{message}\n{word}")
            });
        }
    }
    messages.sort();
    messages.dedup();
    let values = |name: &str, plain: &[&str]| {
        let mut values: Vec<String> = plain.iter().map(|value| (*value).to_owned()).collect();
        if with_lines == Some(name) {
            for first in words {
                values.extend(words.map(|second| format!("{first}\n{second}")));
                for second in words {
                    values.extend(words.map(|third| format!("{first}\n{second}\n{third}")));
                }
            }
        }
        values
    };
    let ids = values("MessageId", &words);
    let subjects: Vec<_> =
        std::iter::once(None).chain(values("Subject", &words).into_iter().map(Some)).collect();
    let times = values("Timestamp", &["x", "Timestamp", "TopicArn"]);
    let mut world = Vec::new();
    for message in &messages {
        for id in &ids {
            for subject in &subjects {
                for time in &times {
                    let mut fields = owned(&[
                        ("Message", message),
                        ("MessageId", id),
                        ("Timestamp", time),
                        ("TopicArn", "x"),
                        ("Type", "Notification"),
                    ]);
                    if let Some(subject) = subject {
                        fields.insert(2, ("Subject".to_owned(), subject.clone()));
                    }
                    let text = fields.iter().map(|(n, v)| format!("{n}\n{v}\n")).collect();
                    world.push((fields, text));
                }
            }
        }
    }
    world
}

#[test]
fn no_two_messages_of_a_small_world_have_one_text() {
    let mut seen = HashMap::new();
    let world = small_world(5, None);
    assert!(world.len() > 80_000, "{}", world.len());
    for (fields, text) in &world {
        assert_eq!(&sns::string_to_sign(&Message::read(fields).unwrap()), text);
        assert_eq!(seen.insert(text, fields), None, "{fields:?}");
    }
    // The control: with lines in any other value there are such pairs, and reading refuses at least
    // one of each.
    for name in ["MessageId", "Subject"] {
        let world = small_world(3, Some(name));
        let mut texts: HashMap<&str, Vec<&Params>> = HashMap::new();
        for (fields, text) in &world {
            texts.entry(text).or_default().push(fields);
        }
        let mut shared = 0;
        for fields in texts.values().filter(|fields| fields.len() > 1) {
            shared += 1;
            assert!(fields.iter().filter(|fields| Message::read(fields).is_ok()).count() < 2);
        }
        println!("with lines in {name}: {shared} texts of {} shared", texts.len());
        assert!(shared > 0, "{name}");
    }
}

#[test]
fn a_certificate_comes_from_the_configured_origin_and_is_a_pem_file() {
    let claim = |url: &str| {
        let sent = signed(fields_of(MessageType::Notification), SignatureVersion::V2);
        Claim::read(with(sent, "SigningCertURL", url)).unwrap()
    };
    let region = CertificateOrigin::sns_region("us-east-1").unwrap();
    let emulator = CertificateOrigin::new("https://localhost:8443/").unwrap();
    assert_eq!(claim(URL).certificate_url(&region).unwrap().as_str(), URL);
    assert!(claim(URL).certificate_url(&CertificateOrigin::sns_any_region()).is_ok());
    assert_eq!(claim(URL).certificate_url(&emulator), Err(OriginError::Foreign));
    assert!(claim("https://localhost:8443/sns.pem").certificate_url(&emulator).is_ok());
    for other in ["sns.crt", "sns.pem?a", "sns?a.pem"] {
        let url = format!("https://localhost:8443/{other}");
        let verdict = claim(&url).certificate_url(&emulator);
        assert_eq!(verdict, Err(OriginError::Suspicious), "{other}");
    }
}

#[test]
fn a_short_key_signs_version_one_and_not_version_two() {
    use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
    use rsa::signature::{SignatureEncoding, Signer};

    for (file, version_two) in
        [("rsa-1024.pkcs8.pem", false), ("rsa-2047.pkcs8.pem", false), ("rsa-2048.pkcs8.pem", true)]
    {
        let private = rsa::RsaPrivateKey::from_pkcs8_pem(&key_file(file)).unwrap();
        let pem = private.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        let public = PublicKey::from_pem(&pem).unwrap();
        for version in VERSIONS {
            let fields = fields_of(MessageType::Notification);
            let text = sns::string_to_sign(&Message::read(&fields).unwrap());
            let signature = match version {
                SignatureVersion::V1 => {
                    rsa::pkcs1v15::SigningKey::<sha1::Sha1>::new(private.clone())
                        .sign(text.as_bytes())
                        .to_vec()
                }
                _ => rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(private.clone())
                    .sign(text.as_bytes())
                    .to_vec(),
            };
            let mut sent = fields;
            sent.extend(owned(&[
                ("SignatureVersion", version.as_str()),
                ("SigningCertURL", URL),
                ("Signature", &STANDARD.encode(signature)),
            ]));
            let verdict = verify(&sent, &public).map(|_| ());
            if version == SignatureVersion::V1 || version_two {
                assert_eq!(verdict, Ok(()), "{file} {version:?}");
            } else {
                assert!(matches!(verdict, Err(Error::Unsupported { .. })), "{file}: {verdict:?}");
            }
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 &=+%\\n:/-]{0,40}",
        "\\PC{0,12}",
        "(Message|MessageId|Subject|\\n){0,6}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_signed_verifies_and_with_one_change_does_not(
        message in any_text(),
        subject in proptest::option::of("\\PC{0,12}"),
        version in 0..2_usize,
        at in any::<proptest::sample::Index>(),
    ) {
        let mut fields = owned(&[
            ("Type", "Notification"),
            ("Message", &message),
            ("MessageId", "1"),
            ("TopicArn", ARN),
            ("Timestamp", "2026-01-15T10:21:30.123Z"),
        ]);
        fields.extend(subject.map(|subject| ("Subject".to_owned(), subject)));
        let sent = signed(fields, VERSIONS[version]);
        let public = key().public_key();
        let original = verify(&sent, &public).unwrap();
        let all: Vec<_> = variants(&sent).collect();
        let variant = &all[at.index(all.len())];
        if let Ok(proved) = verify(&variant.params, &public) {
            prop_assert_eq!(proved, original);
        }
    }

    #[test]
    fn nothing_that_arrives_is_a_panic(
        pairs in proptest::collection::vec((any_text(), any_text()), 0..6),
        names in proptest::collection::vec(0..12_usize, 0..14),
        values in proptest::collection::vec(any_text(), 14),
    ) {
        const NAMES: [&str; 12] = [
            "Message", "MessageId", "Signature", "SignatureVersion", "SigningCertURL", "Subject",
            "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type", "UnsubscribeURL",
        ];
        let mut fields = pairs;
        for (name, value) in names.into_iter().zip(values) {
            fields.push((NAMES[name].to_owned(), value));
        }
        if let Ok(claim) = Claim::read(&fields) {
            let origin = CertificateOrigin::sns_any_region();
            prop_assert!(claim.certificate_url(&origin).is_err());
            prop_assert!(claim.verify(&key().public_key()).is_err());
        }
    }
}

/// Runs the `openssl` command; `None` where there is none.
fn openssl(arguments: &[&str]) -> Option<bool> {
    match Command::new("openssl").args(arguments).output() {
        Ok(output) => Some(output.status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("openssl: {error}"),
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sns");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn openssl_verifies_what_is_signed_here_and_the_other_way_round() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let file = |name: &str| keys.join(name).to_str().unwrap().to_owned();
    let (private, public) = (file("rsa-2048.pkcs8.pem"), file("rsa-2048.public.pem"));
    for (version, hash) in VERSIONS.into_iter().zip(["-sha1", "-sha256"]) {
        for kind in TYPES {
            let sent = signed(fields_of(kind), version);
            let text = Claim::read(&sent).unwrap().string_to_sign();
            let name = |what: &str| {
                scratch(&format!("{}{hash}.{what}", kind.as_str())).to_str().unwrap().to_owned()
            };
            let (message, ours, theirs) = (name("text"), name("ours"), name("theirs"));
            fs::write(&message, text).unwrap();
            fs::write(&ours, STANDARD.decode(&sent.last().unwrap().1).unwrap()).unwrap();
            let verdict =
                openssl(&["dgst", hash, "-verify", &public, "-signature", &ours, &message]);
            let Some(verdict) = verdict else {
                println!("no `openssl` command here; the committed vectors were made by it");
                return;
            };
            assert!(verdict, "{kind:?} {version:?}");
            let made = openssl(&["dgst", hash, "-sign", &private, "-out", &theirs, &message]);
            assert_eq!(made, Some(true));
            let signature = STANDARD.encode(fs::read(&theirs).unwrap());
            verify(&with(sent, "Signature", &signature), &key().public_key()).unwrap();
        }
    }
}
