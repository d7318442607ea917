//! Addresses of certificates that must not be fetched: each is well signed by a key whose certificate
//! the network would serve at every address, so that only the address can be what is refused.

use std::collections::BTreeSet;

use fps::{CertificateOrigin, NotificationError, Notifications, Topic};
use fps_sign::sns::SignatureVersion;

use crate::{
    ADDRESS, Host, SNS_CERTIFICATE, TEST_CERTIFICATE, TOPIC, receive_form, receive_sns,
    refund_changed, signed_envelope, signed_form, unsigned,
};

const SUCCESS: &str =
    include_str!("../../../fps-sign/tests/vectors/outbound/seed001-ipn-refund-success/body.form");
const LIVE: &str = "https://fps.amazonaws.com/certs/090909/PKICert.pem";
const SANDBOX: &str = "https://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem";
const EMULATOR: &str = "https://localhost:8443/certs/PKICert.pem";

/// What is wrong with an address, and how to make such ones of a good host and path.
type Class = (&'static str, fn(&str, &str) -> Vec<String>);

const CLASSES: [Class; 10] = [
    ("another scheme", |host, path| {
        let schemes = ["http", "HTTPS", "Https", "ftp", "file", "data", "ws", "hhttps", ""];
        schemes.iter().map(|scheme| format!("{scheme}://{host}/{path}")).collect()
    }),
    ("no scheme, or half of one", |host, path| {
        [
            "",
            "//",
            "https:",
            "https:/",
            "https:///",
            "https:\\\\",
            "https:/\\",
            "https//",
            "https;//",
        ]
        .iter()
        .map(|start| format!("{start}{host}/{path}"))
        .collect()
    }),
    ("another host", |host, path| {
        let name = host.split(':').next().unwrap();
        let hosts = [
            "evil.example".to_owned(),
            "127.0.0.1".to_owned(),
            "169.254.169.254".to_owned(),
            "[::1]".to_owned(),
            String::new(),
            format!("evil.{name}"),
            format!("x{name}"),
            format!("{name}.evil.example"),
            format!("{name}.evil"),
            format!("{name}x"),
            format!("{name}."),
            format!(".{name}"),
            name.replace('.', "-") + ".com",
            name.to_uppercase(),
            format!("s3.amazonaws.com/{name}"),
            format!("sns.s3-us-west-2.amazonaws.com/{name}"),
        ];
        hosts.iter().map(|host| format!("https://{host}/{path}")).collect()
    }),
    ("a look-alike", |host, path| {
        let swaps =
            [("a", "\u{430}"), ("o", "\u{43e}"), ("l", "1"), ("s", "\u{455}"), (".", "\u{3002}")];
        let mut made: Vec<_> = swaps
            .iter()
            .filter(|(from, _)| host.contains(from))
            .map(|(from, to)| format!("https://{}/{path}", host.replacen(from, to, 1)))
            .collect();
        made.push(format!("https://xn--{host}/{path}"));
        made.push(format!("https://\u{ff48}{host}/{path}"));
        made
    }),
    ("a port", |host, path| {
        ["443", "80", "8443", "0", "65536", "", "443x", "+443"]
            .iter()
            .map(|port| format!("https://{host}:{port}/{path}"))
            .collect()
    }),
    ("a user", |host, path| {
        ["evil@", "evil:pass@", "@", ":@", "evil.example%2f@", "evil.example%40", "evil.example/@"]
            .iter()
            .map(|user| format!("https://{user}{host}/{path}"))
            .chain([format!("https://{host}@evil.example/{path}")])
            .collect()
    }),
    ("a fragment or another query", |host, path| {
        let ends =
            ["#", "#.pem", "#@evil.example", "?#", "?a=b#c", "?a=<", "?a b", "?a='", "?a=\u{e9}"];
        let mut made: Vec<_> =
            ends.iter().map(|end| format!("https://{host}/{path}{end}")).collect();
        made.extend([format!("https://{host}?/{path}"), format!("https://{host}#/{path}")]);
        made
    }),
    ("another path", |host, path| {
        let paths = [
            String::new(),
            format!("/{path}"),
            format!("./{path}"),
            format!("../{path}"),
            format!("a/../{path}"),
            format!("a/./{path}"),
            format!("{path}/.."),
            format!("{path}/."),
            format!("\\{path}"),
            format!("a\\..\\{path}"),
            format!("//evil.example/{path}"),
            format!("a;{path}"),
            format!("{path}?../../x"),
            format!("{path}?/../x.pem"),
            "a".repeat(512) + path,
        ];
        paths.iter().map(|path| format!("https://{host}/{path}")).collect()
    }),
    ("an escape", |host, path| {
        let escapes =
            ["%2e%2e/", "%2E%2E%2F", "..%2f", "%252e%252e/", "%00", "%0d%0a", "%5c", "%u002e", "%"];
        let mut made: Vec<_> =
            escapes.iter().map(|escape| format!("https://{host}/{escape}{path}")).collect();
        made.extend([
            format!("https://{host}%2f{path}"),
            format!("https://{host}%00.evil.example/{path}"),
            format!("https%3A%2F%2F{host}%2F{path}"),
        ]);
        made
    }),
    ("a character that is none of an address", |host, path| {
        [" ", "\t", "\n", "\r\n", "\0", "\u{feff}", "\u{200b}", "\u{202e}", "\u{7f}"]
            .iter()
            .flat_map(|odd| {
                [
                    format!("{odd}https://{host}/{path}"),
                    format!("https://{odd}{host}/{path}"),
                    format!("https://{host}{odd}/{path}"),
                    format!("https://{host}/{path}{odd}"),
                ]
            })
            .collect()
    }),
];

/// Every hostile address that can be made of a good one, with what is wrong with it.
fn hostile(good: &str) -> Vec<(&'static str, String)> {
    let (host, path) = good.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let made = CLASSES
        .iter()
        .flat_map(|(class, make)| make(host, path).into_iter().map(move |url| (*class, url)));
    // What is a look-alike of one host may be another that is good.
    made.filter(|(_, url)| url != good).collect()
}

fn assert_enough(what: &str, tried: &[(&'static str, String)]) {
    let distinct: BTreeSet<_> = tried.iter().map(|(_, url)| url).collect();
    assert!(distinct.len() >= 250, "{what}: {}", distinct.len());
}

#[tokio::test]
async fn no_hostile_address_of_a_certificate_of_fps_is_connected_to() {
    let origin = |origin: &str| CertificateOrigin::new(origin).unwrap();
    let mut tried = Vec::new();
    for (origin, good) in [
        (CertificateOrigin::retired_live(), LIVE),
        (CertificateOrigin::retired_sandbox(), SANDBOX),
        (origin("https://localhost:8443/"), EMULATOR),
    ] {
        let host = Host::serving(TEST_CERTIFICATE);
        let notifications = Notifications::new(ADDRESS, origin, host.fetcher());
        let mut addresses = hostile(good);
        // Good ones, of another environment.
        let others = [LIVE, SANDBOX, EMULATOR, SNS_CERTIFICATE];
        let others = others.iter().filter(|other| **other != good);
        addresses.extend(others.map(|other| ("another environment", (*other).to_owned())));
        for (class, url) in &addresses {
            let body = signed_form(&unsigned(SUCCESS), url);
            let error = receive_form(&notifications, &body).await.unwrap_err();
            assert!(matches!(error, NotificationError::Foreign(_)), "{class}: {url:?} {error:?}");
        }
        assert!(host.asked().is_empty(), "{:?}", host.asked());
        // The good one is, and is believed: so it was the address.
        let body = signed_form(&unsigned(SUCCESS), good);
        receive_form(&notifications, &body).await.unwrap();
        assert_eq!(host.asked(), [good]);
        tried.extend(addresses);
    }
    assert_enough("FPS", &tried);
}

#[tokio::test]
async fn no_hostile_address_of_a_certificate_of_sns_is_connected_to() {
    let china = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem";
    let region = |region| CertificateOrigin::sns_region(region).unwrap();
    let mut tried = Vec::new();
    for (origin, good) in [
        (region("us-east-1"), SNS_CERTIFICATE),
        (CertificateOrigin::sns_any_region(), SNS_CERTIFICATE),
        (region("cn-north-1"), china),
        (CertificateOrigin::new("https://localhost:8443/").unwrap(), EMULATOR),
    ] {
        let host = Host::serving(TEST_CERTIFICATE);
        let notifications = Notifications::of_topics([Topic::new(origin, TOPIC)], host.fetcher());
        let mut addresses = hostile(good);
        // SNS has no queries, and its certificates are called `.pem`.
        let ends = ["?requestId=1", "?.pem", "?a=.pem", ".crt", ".pem.exe", "/", "x"];
        addresses.extend(ends.map(|end| ("another name", format!("{good}{end}"))));
        addresses.extend([LIVE, SANDBOX].map(|url| ("another service", url.to_owned())));
        for (class, url) in &addresses {
            let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, url);
            let error = receive_sns(&notifications, &sent).await.unwrap_err();
            assert!(matches!(error, NotificationError::Foreign(_)), "{class}: {url:?} {error:?}");
        }
        assert!(host.asked().is_empty(), "{:?}", host.asked());
        let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, good);
        receive_sns(&notifications, &sent).await.unwrap();
        assert_eq!(host.asked(), [good]);
        tried.extend(addresses);
    }
    assert_enough("SNS", &tried);
}
