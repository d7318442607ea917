//! Where a key may be sent: nothing of one environment or region goes to another.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use fps_http::{AmazonPayConfig, ConfigError, Environment, FlexiblePaymentsConfig, Region};
use fps_sign::query::Credentials;
use fps_sign::{RequestSigner, Secret, SignError};

struct NoSigner;

impl RequestSigner for NoSigner {
    fn sign_pss_sha256(&self, _: &[u8], _: usize) -> Result<Vec<u8>, SignError> {
        Err(SignError::new("never asked"))
    }
}

fn config(key: &str, region: Region) -> AmazonPayConfig {
    AmazonPayConfig::new(key, NoSigner, region).unwrap()
}

#[test]
fn a_key_goes_where_it_belongs_and_nowhere_else() {
    use ConfigError as E;
    let emulator = "https://localhost:8443";
    // Key, address, and what is said of it when it is an endpoint and when it is a live one.
    let rows = [
        ("SANDBOX-K", emulator, None, Some(E::EnvironmentMismatch)),
        ("SANDBOX-K", "http://127.0.0.1:80/sandbox", None, Some(E::EnvironmentMismatch)),
        ("SANDBOX-K", "https://pay-api.amazon.eu", None, Some(E::EnvironmentMismatch)),
        (
            "SANDBOX-K",
            "https://localhost/live",
            Some(E::EnvironmentMismatch),
            Some(E::EnvironmentMismatch),
        ),
        (
            "SANDBOX-K",
            "https://localhost/Live",
            Some(E::EnvironmentMismatch),
            Some(E::EnvironmentMismatch),
        ),
        ("sandboxK", emulator, None, Some(E::EnvironmentMismatch)),
        (
            "SANDBOX-K",
            "https://pay-api.amazon.com",
            Some(E::RegionMismatch),
            Some(E::RegionMismatch),
        ),
        ("LIVE-K", "https://pay-api.amazon.eu", None, None),
        ("LIVE-K", "https://PAY-API.amazon.eu:443/", None, None),
        ("LIVE-K", "https://pay-api.amazon.jp", Some(E::RegionMismatch), Some(E::RegionMismatch)),
        ("LIVE-K", emulator, Some(E::LiveElsewhere), None),
        ("LIVE-K", "https://pay-api.amazon.eu.evil.example", Some(E::LiveElsewhere), None),
        (
            "LIVE-K",
            "https://gateway.example/sandbox/pay",
            Some(E::EnvironmentMismatch),
            Some(E::EnvironmentMismatch),
        ),
        ("LIVE-K", "http://gateway.example", Some(E::BadEndpoint), Some(E::BadEndpoint)),
    ];
    for (key, url, endpoint, live) in rows {
        let found = config(key, Region::Europe).with_endpoint(url).err();
        assert_eq!(found, endpoint, "{key} to {url}");
        let found = config(key, Region::Europe).with_live_endpoint(url).err();
        assert_eq!(found, live, "{key} live to {url}");
    }
}

#[test]
fn no_credential_of_fps_goes_to_a_host_that_is_not_the_services_any_more() {
    let config =
        |url: &str| FlexiblePaymentsConfig::new(url, Credentials::new("K", Secret::new("S"))).err();
    assert_eq!(config("https://archive.example/fps"), None);
    for url in [
        "https://fps.amazonaws.com",
        "https://FPS.sandbox.amazonaws.com/",
        "https://fps.amazonaws.com:8443/",
    ] {
        assert_eq!(config(url), Some(ConfigError::Retired), "{url}");
    }
}

#[test]
fn an_old_key_adds_its_environment_itself() {
    let config = |environment| {
        AmazonPayConfig::in_environment(environment, "OLDKEY", NoSigner, Region::Europe).unwrap()
    };
    assert!(config(Environment::Sandbox).with_endpoint("https://localhost/v").is_ok());
    // The segment would stand there twice.
    let twice = config(Environment::Sandbox).with_endpoint("https://localhost/sandbox");
    assert_eq!(twice.err(), Some(ConfigError::EnvironmentMismatch));
    let elsewhere = config(Environment::Live).with_endpoint("https://localhost");
    assert_eq!(elsewhere.err(), Some(ConfigError::LiveElsewhere));
}
