//! Addresses of certificates that must not be fetched, and the few that may.

#![expect(clippy::unwrap_used, clippy::panic, reason = "an unreadable line is a failed test")]

use std::collections::BTreeSet;

use fps_sign::CertificateOrigin;

const HOSTILE: &str = include_str!("hostile_urls.txt");
const FPS: &str = "https://fps.amazonaws.com/certs/090909/PKICert.pem";
const FPS_SANDBOX: &str =
    "https://fps.sandbox.amazonaws.com/certs/090911/PKICert.pem?requestId=bjz";
const SNS: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-ac565b8b.pem";
const SNS_GOV: &str = "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0.pem";
const SNS_CN: &str = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem";
const EMULATOR: &str = "https://localhost:8443/certs/test/PKICert.pem";

/// Each configured origin, the names of the rules it obeys, and what of the good ones it admits.
fn origins() -> Vec<(&'static str, &'static [&'static str], CertificateOrigin, Vec<&'static str>)> {
    let new = |origin| CertificateOrigin::new(origin).unwrap();
    let region = |region| CertificateOrigin::sns_region(region).unwrap();
    vec![
        ("live", &["fps", "fps-live"], CertificateOrigin::retired_live(), vec![FPS]),
        (
            "sandbox",
            &["fps", "fps-sandbox"],
            CertificateOrigin::retired_sandbox(),
            vec![FPS_SANDBOX],
        ),
        ("emulator", &["fps", "sns"], new("https://localhost:8443/"), vec![EMULATOR]),
        ("us-east-1", &["sns", "sns-us-east-1"], region("us-east-1"), vec![SNS]),
        ("us-gov-west-1", &["sns"], region("us-gov-west-1"), vec![SNS_GOV]),
        ("cn-north-1", &["sns"], region("cn-north-1"), vec![SNS_CN]),
        ("any", &["sns"], CertificateOrigin::sns_any_region(), vec![SNS, SNS_GOV, SNS_CN]),
    ]
}

/// Undoes the escapes of the file.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let unescaped = match (character, character == '\\') {
            (plain, false) => plain,
            _ => match rest.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                Some('u') => {
                    let digits: String =
                        rest.by_ref().skip(1).take_while(|character| *character != '}').collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
                }
                other => panic!("{text}: {other:?}"),
            },
        };
        plain.push(unescaped);
    }
    plain
}

#[test]
fn no_origin_admits_a_hostile_address() {
    let origins = origins();
    let lines: Vec<_> = HOSTILE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    let distinct: BTreeSet<_> = lines.iter().map(|(_, url)| url).collect();
    assert_eq!(lines.len(), lines.iter().collect::<BTreeSet<_>>().len(), "a line stands twice");
    let mut asked = 0;
    for (family, escaped) in &lines {
        let url = unescape(escaped);
        let of_family = origins
            .iter()
            .filter(|(_, families, _, _)| *family == "both" || families.contains(family));
        let mut asked_here = 0;
        for (name, _, origin, _) in of_family {
            assert!(origin.admit(&url).is_err(), "{name} admits {escaped}");
            asked_here += 1;
        }
        assert!(asked_here > 0, "{family} names no rules");
        asked += asked_here;
    }
    println!("{} lines, {} addresses, {asked} questions", lines.len(), distinct.len());
    assert!(distinct.len() >= 590 && asked >= 2_000, "{} {asked}", distinct.len());
}

#[test]
fn each_origin_admits_its_own_and_no_other() {
    let all = [FPS, FPS_SANDBOX, SNS, SNS_GOV, SNS_CN, EMULATOR];
    for (name, _, origin, own) in origins() {
        for url in all {
            let admitted = origin.admit(url).is_ok_and(|admitted| admitted.as_str() == url);
            assert_eq!(admitted, own.contains(&url), "{name}: {url}");
        }
    }
}

#[test]
fn a_region_is_words_and_a_number() {
    for good in ["us-east-1", "eu-central-2", "ap-southeast-15", "us-gov-west-1", "cn-northwest-1"]
    {
        assert!(CertificateOrigin::sns_region(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "-",
        "--",
        "1",
        "us",
        "us-1",
        "us-east",
        "us-east-",
        "-east-1",
        "us--1",
        "US-EAST-1",
        "us-east-1 ",
        "us-east-1.evil",
        "us-east-1/",
        "us_east_1",
        "s3-us-west-2",
        "us-east-1a",
        "us-east-\u{661}",
        "u-east-1",
        "us-east-1-",
        "us-2-east-1",
    ] {
        assert!(CertificateOrigin::sns_region(bad).is_err(), "{bad:?}");
    }
}
