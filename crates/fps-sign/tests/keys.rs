//! Keys and certificates: what is refused by its label, by its size and by its time.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::{
    Certificate, Error, KeyError, OriginError, PrivateKey, PublicKey, SignError, percent_encode,
};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPublicKey};

const PRIVATE: &str = include_str!("keys/rsa-2048.pkcs8.pem");
const PUBLIC: &str = include_str!("keys/rsa-2048.public.pem");
const CERTIFICATE: &str = include_str!("keys/rsa-2048.certificate.pem");

/// A block that holds three zero bytes, whatever its label says.
fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

#[test]
fn a_block_is_refused_by_its_label() {
    for (label, private, public) in [
        ("PRIVATE KEY", KeyError::Malformed, KeyError::NotPublic),
        ("RSA PRIVATE KEY", KeyError::Malformed, KeyError::NotPublic),
        ("EC PRIVATE KEY", KeyError::NotRsa, KeyError::NotPublic),
        ("DSA PRIVATE KEY", KeyError::NotRsa, KeyError::NotPublic),
        ("PUBLIC KEY", KeyError::NotPrivate, KeyError::Malformed),
        ("RSA PUBLIC KEY", KeyError::NotPrivate, KeyError::Malformed),
        ("CERTIFICATE", KeyError::NotPrivate, KeyError::Malformed),
        ("OPENSSH PRIVATE KEY", KeyError::OpenSsh, KeyError::OpenSsh),
        ("ENCRYPTED PRIVATE KEY", KeyError::Encrypted, KeyError::Encrypted),
        ("SOMETHING ELSE", KeyError::Malformed, KeyError::Malformed),
    ] {
        assert_eq!(PrivateKey::from_pem(&block(label)).unwrap_err(), private, "{label}");
        assert_eq!(PublicKey::from_pem(&block(label)).unwrap_err(), public, "{label}");
        let certificate = Certificate::from_pem(block(label).as_bytes());
        assert_eq!(certificate.unwrap_err(), KeyError::Malformed, "{label}");
    }
    // PKCS#1 has its encryption in a header of the block.
    let header = "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA";
    let encrypted = block("RSA PRIVATE KEY").replace("-----\nAAAA", header);
    assert_eq!(PrivateKey::from_pem(&encrypted).unwrap_err(), KeyError::Encrypted);
    let unfinished = PRIVATE.replace("-----END", "-----AND");
    assert_eq!(PrivateKey::from_pem(&unfinished).unwrap_err(), KeyError::Malformed);
}

#[test]
fn a_public_key_is_read_from_both_of_its_forms() {
    let key = RsaPublicKey::from_public_key_pem(PUBLIC).unwrap();
    let pkcs1 = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    for text in [PUBLIC.to_owned(), pkcs1.clone(), PUBLIC.replace('\n', "\\n")] {
        let read = PublicKey::from_pem(&text).unwrap();
        assert_eq!(read.to_pem(), PUBLIC);
        assert_eq!(format!("{read:?}"), "PublicKey(2048 bits)");
    }
    let mislabelled = pkcs1.replace("RSA PUBLIC KEY", "PUBLIC KEY");
    assert_eq!(PublicKey::from_pem(&mislabelled).unwrap_err(), KeyError::Malformed);
}

/// An odd number of exactly so many bits; whether it is a product of two primes nobody asks of a
/// public key.
fn public_key_of(bits: usize) -> String {
    let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
    modulus[0] >>= modulus.len() * 8 - bits;
    let modulus = BoxedUint::from_be_slice_vartime(&modulus);
    let key = RsaPublicKey::new_unchecked(modulus, BoxedUint::from(65_537_u32));
    assert_eq!(usize::try_from(key.n().bits()), Ok(bits));
    key.to_public_key_pem(LineEnding::LF).unwrap()
}

#[test]
fn a_key_is_measured_in_bits_and_not_in_bytes() {
    for (bits, expected) in [
        (1024, Ok(())),
        (1025, Ok(())),
        (2048, Ok(())),
        (1023, Err(KeyError::TooShort { bits: 1023, least: 1024 })),
        (1017, Err(KeyError::TooShort { bits: 1017, least: 1024 })),
        (1016, Err(KeyError::TooShort { bits: 1016, least: 1024 })),
        (512, Err(KeyError::TooShort { bits: 512, least: 1024 })),
    ] {
        assert_eq!(PublicKey::from_pem(&public_key_of(bits)).map(|_| ()), expected, "{bits}");
    }
    let private = PrivateKey::from_pem(include_str!("keys/rsa-2047.pkcs8.pem"));
    assert_eq!(private.unwrap_err(), KeyError::TooShort { bits: 2047, least: 2048 });
}

#[test]
fn a_certificate_is_read_up_to_its_bound() {
    const BYTES_MAX: usize = 64 * 1024;
    let padded = |length: usize| {
        let padding = "\n".repeat(length - CERTIFICATE.len());
        format!("{padding}{CERTIFICATE}")
    };
    assert!(Certificate::from_pem(padded(BYTES_MAX).as_bytes()).is_ok());
    let over = Certificate::from_pem(padded(BYTES_MAX + 1).as_bytes());
    assert_eq!(over.unwrap_err(), KeyError::Malformed);
    for (bytes, error) in [
        (&b""[..], KeyError::NotPem),
        (b"\xff\xfe", KeyError::NotPem),
        (b"<html>gone</html>", KeyError::NotPem),
        (b"-----BEGIN CERTIFICATE-----", KeyError::Malformed),
        (PRIVATE.as_bytes(), KeyError::Malformed),
    ] {
        assert_eq!(Certificate::from_pem(bytes).unwrap_err(), error);
    }
}

#[test]
fn a_certificate_with_one_byte_too_many_or_too_few_is_not_read() {
    let base64: String = CERTIFICATE.lines().filter(|line| !line.starts_with("-----")).collect();
    let whole = STANDARD.decode(base64).unwrap();
    let read = |der: &[u8]| {
        let text = STANDARD.encode(der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        Certificate::from_pem(pem.as_bytes()).map(|_| ())
    };
    assert_eq!(read(&whole), Ok(()));
    assert_eq!(read(&whole[..whole.len() - 1]), Err(KeyError::Malformed));
    assert_eq!(read(&[&whole[..], &[0]].concat()), Err(KeyError::Malformed));
}

#[test]
fn a_certificate_is_valid_from_its_first_to_its_last_second() {
    let certificate = Certificate::from_pem(CERTIFICATE.as_bytes()).unwrap();
    // As `openssl x509 -dates` prints them: Nov 21 09:56:44 2026 and Oct 28 09:56:44 2126.
    let (first, last) = (1_795_255_004, 4_948_855_004);
    for (time, valid) in [
        (0, false),
        (first - 1, false),
        (first, true),
        (last, true),
        (last + 1, false),
        (u64::MAX, false),
    ] {
        assert_eq!(certificate.is_valid_at(time), valid, "{time}");
    }
}

#[test]
fn errors_say_their_own_sentence() {
    let sign = SignError::new("the device is locked");
    let source = std::error::Error::source(&sign).unwrap();
    assert_eq!(source.to_string(), "the device is locked");
    for (said, expected) in [
        (sign.to_string(), "the request could not be signed"),
        (Error::Missing("Signature").to_string(), "Signature is missing from the signed message"),
        (Error::Duplicate("a".to_owned()).to_string(), "a stands more than once in the message"),
        (Error::Malformed("Signature").to_string(), "Signature cannot be read"),
        (
            Error::Unsupported { part: "SignatureVersion", accepted: "2" }.to_string(),
            "SignatureVersion is not supported, expected 2",
        ),
        (Error::Mismatch.to_string(), "the signature does not match the message"),
        (
            KeyError::TooShort { bits: 512, least: 1024 }.to_string(),
            "the RSA key has 512 bits, at least 1024 are needed",
        ),
        (OriginError::Suspicious.to_string(), "the certificate address is not a plain path"),
    ] {
        assert_eq!(said, expected);
    }
    // The other refusals of a key differ, so that nobody is told to convert what is encrypted.
    let mut sentences: Vec<String> = [
        KeyError::NotPem,
        KeyError::OpenSsh,
        KeyError::Encrypted,
        KeyError::NotPrivate,
        KeyError::NotPublic,
        KeyError::NotRsa,
        KeyError::Malformed,
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), 7);
    assert!(sentences.iter().all(|sentence| sentence.contains("key")), "{sentences:?}");
}

#[test]
fn only_the_unreserved_characters_stand_for_themselves() {
    let mut encoded = String::from("kept ");
    percent_encode(" +&=/?%*~-._aZ09\n\u{e9}", &mut encoded);
    assert_eq!(encoded, "kept %20%2B%26%3D%2F%3F%25%2A~-._aZ09%0A%C3%A9");
}
