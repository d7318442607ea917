//! What the processes of the benchmark share: keys and certificates in one folder, made anew for each
//! run. None of them is good for anything else.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize,
};

/// The name of the merchant's key.
pub(crate) const KEY_ID: &str = "SANDBOX-AFVX7ULWSGBZ5535PCUQOY7B";

/// The merchant's key, RSA of 2048 bits.
pub(crate) const KEY: &str = "key.pem";
/// Whom the clients trust.
pub(crate) const AUTHORITY: &str = "authority.pem";
/// The certificate of the server.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
/// The key of that.
pub(crate) const CERTIFICATE_KEY: &str = "certificate-key.pem";

/// Makes them.
pub(crate) fn make(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let write = |name, text: String| std::fs::write(folder.join(name), text).unwrap();
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    write(KEY, key.serialize_pem());

    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write(AUTHORITY, authority.pem());

    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    write(CERTIFICATE, params.signed_by(&key, &authority).unwrap().pem());
    write(CERTIFICATE_KEY, key.serialize_pem());
}
