//! Why a signature does not match: two canonical forms side by side, and what Amazon's refusal gives
//! away; nothing is verified here.
//!
//! What is shown here is what was signed, parameters and headers in full. It is for whoever asked why,
//! and not for a log.
//!
//! ```
//! use fps_sign::{Target, explain::Mismatch, string_to_sign};
//!
//! let params = [("Action", "Refund"), ("CallerReference", "a b")];
//! let ours = string_to_sign(&Target::new("POST", "localhost:8443", "/"), params);
//! let theirs = "POST\nlocalhost:8443\n/\nAction=Refund&CallerReference=a+b";
//! let mismatch = Mismatch::between(&ours, theirs).ok_or("they agree")?;
//! assert_eq!(
//!     mismatch.to_string(),
//!     "line 4 differs: here `CallerReference=a%20b`, there `CallerReference=a+b`",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::Arc;

use crate::amazon_pay::{
    Algorithm, Claim, Request, canonical_request, canonical_with_hash, hash, string_to_sign,
};
use crate::error::Error;
use crate::key::PublicKey;

/// The first line in which two texts differ, with both sides.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    line: usize,
    ours: Option<String>,
    theirs: Option<String>,
}

impl Mismatch {
    /// Compares two canonical forms, or two strings to sign. `None` when they are the same.
    ///
    /// Of a line of parameters, only the first pair that differs is kept.
    #[must_use]
    pub fn between(ours: &str, theirs: &str) -> Option<Self> {
        let (line, ours, theirs) = first_difference(ours, theirs, '\n')?;
        let (ours, theirs) = match (ours, theirs) {
            (Some(ours), Some(theirs)) if is_query(ours) && is_query(theirs) => {
                first_difference(ours, theirs, '&')
                    .map_or((Some(ours), Some(theirs)), |(_, ours, theirs)| (ours, theirs))
            }
            other => other,
        };
        Some(Self { line, ours: ours.map(str::to_owned), theirs: theirs.map(str::to_owned) })
    }

    /// Which line it is, the first being 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// What the first text has there; `None` when it has ended.
    #[must_use]
    pub fn ours(&self) -> Option<&str> {
        self.ours.as_deref()
    }

    /// What the second text has there; `None` when it has ended.
    #[must_use]
    pub fn theirs(&self) -> Option<&str> {
        self.theirs.as_deref()
    }
}

/// Shows what was signed: whoever writes it down answers for where it goes.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| {
            side.as_ref().map_or_else(|| "nothing".to_owned(), |line| format!("`{line}`"))
        };
        let (ours, theirs) = (side(&self.ours), side(&self.theirs));
        write!(f, "line {} differs: here {ours}, there {theirs}", self.line)
    }
}

/// Without the lines, which may name a buyer.
impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch").field("line", &self.line).finish_non_exhaustive()
    }
}

fn is_query(line: &str) -> bool {
    line.contains('&') || line.contains('=')
}

type Difference<'a> = (usize, Option<&'a str>, Option<&'a str>);

/// The first part that differs, counted from 1.
fn first_difference<'a>(ours: &'a str, theirs: &'a str, separator: char) -> Option<Difference<'a>> {
    let (mut ours, mut theirs) = (ours.split(separator), theirs.split(separator));
    for number in 1.. {
        match (ours.next(), theirs.next()) {
            (None, None) => return None,
            (ours, theirs) if ours != theirs => return Some((number, ours, theirs)),
            _ => {}
        }
    }
    None
}

/// What Amazon Pay tells in a 403 `InvalidRequestSignature`: `Unable to verify signature, signing
/// String [ALGORITHM\nHASH] , signature [BASE64]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    algorithm: Algorithm,
    canonical_hash: String,
    signature: Option<String>,
}

/// Without the signature.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("algorithm", &self.algorithm)
            .field("canonical_hash", &self.canonical_hash)
            .finish_non_exhaustive()
    }
}

impl Refusal {
    /// Finds it in a message, or in the JSON around it; the line end may be one or still be the two
    /// characters `\n`.
    ///
    /// # Errors
    /// [`Error::Missing`] when the message has no signing string, [`Error::Malformed`] when it has one
    /// of another form.
    pub fn read(message: &str) -> Result<Self, Error> {
        const PART: &str = "signing String [...]";
        let text = between(message, "signing String [", "]").ok_or(Error::Missing(PART))?;
        let (name, hash) = ["\r\n", "\n", "\\r\\n", "\\n"]
            .into_iter()
            .find_map(|end| text.split_once(end))
            .ok_or(Error::Malformed(PART))?;
        let algorithm = [Algorithm::V1, Algorithm::V2]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name.trim())
            .ok_or(Error::Malformed(PART))?;
        let hash = hash.trim();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Malformed(PART));
        }
        Ok(Self {
            algorithm,
            canonical_hash: hash.to_ascii_lowercase(),
            // JSON may escape the slashes of base64.
            signature: between(message, "signature [", "]").map(|text| text.replace("\\/", "/")),
        })
    }

    /// Says which stage differs. `request` is the request as it was sent, with its `Authorization`
    /// header; `key` is the public half of the key that signed it.
    ///
    /// Amazon shows only the hash of its canonical request, and a hash names no line. So what proxies,
    /// JSON writers and configurations are known to change is tried, one and two changes at a time:
    /// a change that gives Amazon's hash is the cause beyond doubt, and when none does the answer is
    /// [`Stage::Canonical`].
    ///
    /// # Errors
    /// [`Error`] when the request has no readable `Authorization` header.
    pub fn explain(&self, request: &Request<'_>, key: &PublicKey) -> Result<Explanation, Error> {
        let claim = Claim::read(*request)?;
        let canonical = canonical_request(request, claim.signed_headers())?;
        let at = |stage| Ok(Explanation { stages: vec![stage], mismatch: None });
        if self.algorithm != claim.algorithm() {
            return at(Stage::Salt);
        }
        if hash(canonical.as_bytes()) != self.canonical_hash {
            return Ok(self.search(request, claim.signed_headers(), &canonical));
        }
        // Both sides signed the same text: what is left is the signature and the key.
        if self.signature.as_ref().is_some_and(|theirs| *theirs != claim.signature()) {
            return at(Stage::Signature);
        }
        let proves = |algorithm| {
            let text = string_to_sign(self.algorithm, &canonical);
            claim.is_signature_of(&text, algorithm, key)
        };
        let other = match self.algorithm {
            Algorithm::V1 => Algorithm::V2,
            Algorithm::V2 => Algorithm::V1,
        };
        if proves(self.algorithm) {
            // It is right by the key we hold, so Amazon holds another one under this id.
            at(Stage::Key)
        } else if proves(other) {
            at(Stage::Salt)
        } else {
            at(Stage::Signature)
        }
    }

    fn search(&self, request: &Request<'_>, list: &str, canonical: &str) -> Explanation {
        let sent = Variant::sent(request, list);
        let explained = |variant: &Variant, stages: &[Stage]| {
            let theirs = variant.canonical()?;
            (hash(theirs.as_bytes()) == self.canonical_hash).then(|| Explanation {
                stages: stages.to_vec(),
                mismatch: Mismatch::between(canonical, &theirs),
            })
        };
        let once = sent.changed();
        let single = once.iter().find_map(|(stage, variant)| explained(variant, &[*stage]));
        let found = single.or_else(|| {
            once.iter().find_map(|(first, variant)| {
                let twice = variant.changed();
                let later = twice.iter().filter(|(second, _)| second > first);
                later
                    .into_iter()
                    .find_map(|(second, variant)| explained(variant, &[*first, *second]))
            })
        });
        found.unwrap_or_else(|| Explanation { stages: vec![Stage::Canonical], mismatch: None })
    }
}

/// Where two sides part, in the order in which a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
    /// A signed header, or the list of them.
    Header,
    /// The body, and so its hash.
    Body,
    /// The canonical request, in a way that could not be found.
    Canonical,
    /// The algorithm or, under the same name, the length of the salt.
    Salt,
    /// The signature was not made by the key that is held, or was changed on its way.
    Signature,
    /// Amazon has another key under this `PublicKeyId`.
    Key,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method differs",
            Self::Path => "the path differs",
            Self::Query => "the query differs",
            Self::Header => "a signed header differs",
            Self::Body => "the hash of the body differs",
            Self::Canonical => "the canonical request differs in an unknown way",
            Self::Salt => "the salt is not that of the algorithm",
            Self::Signature => "the signature is not one of this key over this text",
            Self::Key => "the service holds another key under this PublicKeyId",
        })
    }
}

/// What went wrong, as far as it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    stages: Vec<Stage>,
    mismatch: Option<Mismatch>,
}

impl Explanation {
    /// The stages that differ; one, or two when two things went wrong.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The first line of the canonical request that differs, where Amazon's could be found.
    #[must_use]
    pub const fn mismatch(&self) -> Option<&Mismatch> {
        self.mismatch.as_ref()
    }
}

/// Shows what was signed: whoever writes it down answers for where it goes.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            let joint = if index == 0 { "" } else { " and " };
            write!(f, "{joint}{stage}")?;
        }
        match &self.mismatch {
            Some(mismatch) => write!(f, ": {mismatch}"),
            None => Ok(()),
        }
    }
}

/// A request as it might have arrived.
#[derive(Clone)]
struct Variant {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    list: String,
    /// Bodies are hashed once: there are thousands of variants, and a body may be long.
    body_hash: String,
    other_body_hashes: Arc<[String]>,
}

impl Variant {
    fn sent(request: &Request<'_>, list: &str) -> Self {
        let owned = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            owned.collect()
        };
        Self {
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            query: owned(request.query),
            headers: owned(request.headers),
            list: list.to_owned(),
            body_hash: hash(request.body),
            other_body_hashes: bodies(request.body).iter().map(|body| hash(body)).collect(),
        }
    }

    fn canonical(&self) -> Option<String> {
        fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        let (query, headers) = (borrowed(&self.query), borrowed(&self.headers));
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &headers,
            body: &[],
        };
        canonical_with_hash(&request, &self.list, &self.body_hash).ok()
    }

    /// Everything that is known to happen to a request, one at a time.
    fn changed(&self) -> Vec<(Stage, Self)> {
        let mut variants = Vec::new();
        let mut add = |stage, change: &dyn Fn(&mut Self)| {
            let mut variant = self.clone();
            change(&mut variant);
            variants.push((stage, variant));
        };
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT"] {
            add(Stage::Method, &|variant| variant.method = method.to_owned());
        }
        for path in paths(&self.path) {
            add(Stage::Path, &|variant| variant.path.clone_from(&path));
        }
        add(Stage::Query, &|variant| variant.query.clear());
        for index in 0..self.query.len() {
            add(Stage::Query, &|variant| drop(variant.query.remove(index)));
            add(Stage::Query, &|variant| {
                if let Some((_, value)) = variant.query.get_mut(index) {
                    *value = value.replace(' ', "+");
                }
            });
        }
        for (index, (name, value)) in self.headers.iter().enumerate() {
            let listed = self.list.split(';').any(|listed| listed.eq_ignore_ascii_case(name));
            if !listed {
                continue;
            }
            for value in values(name, value) {
                add(Stage::Header, &|variant| {
                    if let Some((_, given)) = variant.headers.get_mut(index) {
                        given.clone_from(&value);
                    }
                });
            }
            // A proxy took the header away, or the service does not count it.
            add(Stage::Header, &|variant| {
                let kept = variant.list.split(';').filter(|kept| !kept.eq_ignore_ascii_case(name));
                variant.list = kept.collect::<Vec<_>>().join(";");
            });
        }
        add(Stage::Header, &|variant| variant.list = variant.list.to_ascii_lowercase());
        add(Stage::Header, &|variant| {
            let mut names: Vec<_> = variant.list.split(';').map(str::to_ascii_lowercase).collect();
            names.sort_unstable();
            variant.list = names.join(";");
        });
        for body_hash in self.other_body_hashes.iter() {
            add(Stage::Body, &|variant| variant.body_hash.clone_from(body_hash));
        }
        variants
    }
}

/// What base addresses, proxies and routers do to a path.
fn paths(path: &str) -> Vec<String> {
    let mut paths = vec![format!("{path}/"), path.trim_end_matches('/').to_owned()];
    for prefix in ["/sandbox", "/live"] {
        paths.push(format!("{prefix}{path}"));
        paths.extend(path.strip_prefix(prefix).map(str::to_owned));
    }
    if let Some(rest) = path.strip_prefix("/sandbox") {
        paths.push(format!("/live{rest}"));
    }
    if let Some(rest) = path.strip_prefix("/live") {
        paths.push(format!("/sandbox{rest}"));
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    paths.push(segments.fold(String::new(), |joined, segment| joined + "/" + segment));
    paths.extend(path.split_once('?').map(|(path, _)| path.to_owned()));
    paths
}

/// What clients and proxies do to the value of a header.
fn values(name: &str, value: &str) -> Vec<String> {
    let mut values = vec![String::new(), value.to_ascii_lowercase(), value.to_ascii_uppercase()];
    if name.eq_ignore_ascii_case("x-amz-pay-host") {
        let host = value.split(':').next().unwrap_or(value);
        values.push(host.to_owned());
        values.push(format!("{host}:443"));
        for known in ["pay-api.amazon.com", "pay-api.amazon.eu", "pay-api.amazon.jp"] {
            values.push(known.to_owned());
        }
    }
    if name.eq_ignore_ascii_case("x-amz-pay-region") {
        let regions = ["na", "eu", "jp", "us", "de", "uk"];
        values.extend(regions.into_iter().map(str::to_owned));
    }
    if name.eq_ignore_ascii_case("x-amz-pay-date") {
        values.push(value.replace(['-', ':'], ""));
    }
    if name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("accept") {
        let bare = value.split(';').next().unwrap_or(value).trim();
        values.push(bare.to_owned());
        for charset in ["; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8"] {
            values.push(format!("{bare}{charset}"));
        }
        values.push("application/json".to_owned());
        values.push("*/*".to_owned());
    }
    values
}

/// What JSON writers, editors and templates do to a body.
fn bodies(body: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = vec![
        Vec::new(),
        body.trim_ascii().to_vec(),
        [body, b"\n"].concat(),
        [body, b"\r\n"].concat(),
        [b"\xef\xbb\xbf", body].concat(),
    ];
    if let Ok(text) = std::str::from_utf8(body) {
        bodies.extend(
            [
                "{}".to_owned(),
                text.replace("\r\n", "\n"),
                text.replace("\\/", "/"),
                text.replace("\\/", "/").replace('/', "\\/"),
                without_blanks(text),
                with_blanks(text),
                escaped(text),
            ]
            .map(String::into_bytes),
        );
    }
    bodies
}

/// The JSON text without blanks between its tokens.
fn without_blanks(json: &str) -> String {
    tokens(json)
        .filter(|(inside, character)| *inside || !character.is_ascii_whitespace())
        .map(|(_, character)| character)
        .collect()
}

/// The JSON text with one blank after each colon and comma, as Python writes it.
fn with_blanks(json: &str) -> String {
    let dense = without_blanks(json);
    let mut spaced = String::with_capacity(dense.len());
    for (inside, character) in tokens(&dense) {
        spaced.push(character);
        if !inside && matches!(character, ':' | ',') {
            spaced.push(' ');
        }
    }
    spaced
}

/// Each character of a JSON text, and whether it stands inside a string.
fn tokens(json: &str) -> impl Iterator<Item = (bool, char)> {
    let (mut inside, mut escaped) = (false, false);
    json.chars().map(move |character| {
        let here = inside;
        match character {
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = here && character == '\\' && !escaped;
        (here, character)
    })
}

/// Everything beyond ASCII as `\uXXXX`, as PHP and Python write it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(inside, _)| inside)
}
