//! The certificate authority of the sandbox, kept or made anew, the server certificate it signs, and
//! the RSA keys of merchants.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::ids::Source;
use crate::sandbox::Config;

/// As many bits as the keys have that are made without a seed.
const SEEDED_BITS: usize = 2048;

/// What a TLS listener needs, and what its clients must trust.
pub(crate) struct Tls {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) ca_pem: String,
}

/// The file of the authority's certificate, which clients trust.
pub(crate) const CA_FILE: &str = "fps-sandbox-ca.pem";
/// The file of its key, for the owner of the folder alone.
const CA_KEY_FILE: &str = "fps-sandbox-ca.key.pem";
/// How long the certificate of the listener is good for: what clients of a strict kind take at most.
/// Source: "About upcoming limits on trusted certificates", Apple.
const LEAF_DAYS: u32 = 397;
/// How long the authority is: ten years.
const CA_DAYS: u32 = 3_650;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes a certificate for the names of this machine, and the authority behind it if there is none.
pub(crate) fn prepare(config: &Config) -> Result<Tls, Error> {
    let (ca_key, ca_pem) = match &config.tls_dir {
        Some(folder) => kept_authority(folder)?,
        None => new_authority()?,
    };
    let key = KeyPair::generate().map_err(key_error)?;
    let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let names = own.into_iter().chain([config.bind.to_string()]).chain(config.hosts.clone());
    let mut leaf = CertificateParams::new(names.collect::<Vec<_>>()).map_err(key_error)?;
    leaf.distinguished_name.push(DnType::CommonName, "fps-sandbox");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let begin = date_time_ymd(1970, 1, 1) + clock::yesterday();
    (leaf.not_before, leaf.not_after) = (begin, begin + DAY * LEAF_DAYS);
    let issuer = Issuer::new(authority(), ca_key);
    let certificate = leaf.signed_by(&key, &issuer).map_err(key_error)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|error| Error::with(ErrorKind::Key, error))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { server: Arc::new(server), ca_pem })
}

/// What every authority of a sandbox is; they differ by their keys.
fn authority() -> CertificateParams {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.distinguished_name.push(DnType::CommonName, "fps-sandbox authority");
    ca
}

/// A key, and the certificate that it signs for itself.
fn new_authority() -> Result<(KeyPair, String), Error> {
    let key = KeyPair::generate().map_err(key_error)?;
    let mut ca = authority();
    let begin = date_time_ymd(1970, 1, 1) + clock::yesterday();
    (ca.not_before, ca.not_after) = (begin, begin + DAY * CA_DAYS);
    let pem = ca.self_signed(&key).map_err(key_error)?.pem();
    Ok((key, pem))
}

/// The authority of a folder, made there if the folder has none. The certificate is written last, so
/// that one which is there has its key.
fn kept_authority(folder: &Path) -> Result<(KeyPair, String), Error> {
    let file_error = |error: io::Error| Error::with(ErrorKind::Key, error);
    let (certificate, key) = (folder.join(CA_FILE), folder.join(CA_KEY_FILE));
    match fs::read_to_string(&certificate) {
        Ok(pem) => {
            let key = fs::read_to_string(key).map_err(file_error)?;
            Ok((KeyPair::from_pem(&key).map_err(key_error)?, pem))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (pair, pem) = new_authority()?;
            fs::create_dir_all(folder).map_err(file_error)?;
            write_private(&key, &pair.serialize_pem()).map_err(file_error)?;
            write_private(&certificate, &pem).map_err(file_error)?;
            Ok((pair, pem))
        }
        Err(error) => Err(file_error(error)),
    }
}

/// Writes a file for its owner alone, in the place of one that is there.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// A new RSA key: its private and its public half as PEM.
pub(crate) fn rsa_key(source: &Source) -> Result<(String, String), Error> {
    let key = new_rsa_key(source)?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// A new RSA key and the certificate it signs itself, as PEM, for notifications.
pub(crate) fn notification_key(source: &Source) -> Result<(String, String), Error> {
    let key = new_rsa_key(source)?;
    let certificate = self_signed(&key, "fps-sandbox notifications")?;
    Ok((key.serialize_pem(), certificate))
}

/// The certificate that a key signs itself, as PEM, for the SOAP requests of a merchant. The same key
/// gives the same one.
pub(crate) fn merchant_certificate(private_key_pem: &str) -> Result<String, Error> {
    let key = KeyPair::from_pem(private_key_pem).map_err(key_error)?;
    self_signed(&key, "fps-sandbox merchant")
}

fn self_signed(key: &KeyPair, name: &str) -> Result<String, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params.self_signed(key).map_err(key_error)?.pem())
}

/// RSA keys on their way: they are searched for, which takes as long as it takes, and a new sandbox
/// needs more than one at once. Whichever is found first is taken first.
#[derive(Default)]
pub(crate) struct SpareKeys(Mutex<Option<mpsc::Receiver<KeyPair>>>);

impl SpareKeys {
    /// Begins to search for so many, side by side.
    pub(crate) fn search(&self, number: usize) {
        let (found, spare) = mpsc::channel();
        for _ in 0..number {
            let found = found.clone();
            thread::spawn(move || {
                // Without this one, the search begins when the key is needed; who needs none has gone.
                let _gone = found_rsa_key().map(|key| found.send(key));
            });
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(spare);
    }

    /// The next that is found; nothing if there will be no more.
    fn take(&self) -> Option<KeyPair> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.recv().ok()
    }
}

/// The library of the listener makes keys faster, and cannot be seeded.
fn found_rsa_key() -> Result<KeyPair, Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(key_error)
}

fn new_rsa_key(source: &Source) -> Result<KeyPair, Error> {
    let Some(mut stream) = source.fork() else {
        return source.spare.take().map_or_else(found_rsa_key, Ok);
    };
    let key = RsaPrivateKey::new(&mut stream, SEEDED_BITS)
        .map_err(|error| Error::with(ErrorKind::Key, error))?;
    let pem =
        key.to_pkcs8_pem(LineEnding::LF).map_err(|error| Error::with(ErrorKind::Key, error))?;
    KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).map_err(key_error)
}

fn key_error(error: rcgen::Error) -> Error {
    Error::with(ErrorKind::Key, error)
}
