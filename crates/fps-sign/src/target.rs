//! The four lines that signature version 2 of Query requests and of notifications signs; no key and no
//! algorithm is known here.

use crate::percent::encode_pairs;

/// Where a message goes, as far as its signature knows: method, host and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
}

impl<'a> Target<'a> {
    /// From the parts. `host` is the `Host` header: with a port only where it is not the default one
    /// of the scheme. An empty path is `/`.
    #[must_use]
    pub const fn new(method: &'a str, host: &'a str, path: &'a str) -> Self {
        let path = if path.is_empty() { "/" } else { path };
        Self { method, host, path }
    }

    /// From an `http` or `https` address; its query and fragment are not part of the target. `None`
    /// for anything else.
    #[must_use]
    pub fn from_url(method: &'a str, url: &'a str) -> Option<Self> {
        let (rest, default_port) = match url.split_once("://")? {
            ("https", rest) => (rest, ":443"),
            ("http", rest) => (rest, ":80"),
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.strip_suffix(default_port).unwrap_or(host);
        if host.is_empty() || host.contains('@') {
            return None;
        }
        Some(Self::new(method, host, path))
    }

    /// The host, with its port where it is not the default one.
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }
}

/// The text that signature version 2 signs: method, host in lower case, path, and the parameters
/// sorted by the bytes of their names and percent-encoded, a line each.
///
/// The parameter that will hold the signature must not be among `params`.
#[must_use]
pub fn string_to_sign<'a>(
    target: &Target<'_>,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut sorted: Vec<(&str, &str)> = params.into_iter().collect();
    sorted.sort_unstable();
    let mut text = String::with_capacity(1024);
    text.push_str(target.method);
    text.push('\n');
    let host = text.len();
    text.push_str(target.host);
    text[host..].make_ascii_lowercase();
    text.push('\n');
    text.push_str(target.path);
    text.push('\n');
    encode_pairs(sorted.into_iter(), &mut text);
    text
}

/// The text that signature version 1 signs: names and values in the order of the names, compared
/// without regard to case, and nothing in between.
///
/// Nothing in it says where a name or a value ends, nor where the request goes: see
/// [`query::sign_forgeable_version_1`](crate::query::sign_forgeable_version_1) for what follows from
/// that. The parameter that will hold the signature must not be among `params`.
#[must_use]
pub fn forgeable_string_to_sign<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut sorted: Vec<(&str, &str)> = params.into_iter().collect();
    // Amazon left the order of names that differ only in case undefined; their bytes decide here.
    sorted.sort_by_cached_key(|(name, value)| (name.to_ascii_lowercase(), *name, *value));
    sorted.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// The one value of a parameter: absent and doubled are errors, because two readers of a message
/// with two of them could each believe another.
pub(crate) fn single<'a>(
    params: &'a [(String, String)],
    name: &'static str,
) -> Result<&'a str, crate::Error> {
    let mut values = params.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    let value = values.next().ok_or(crate::Error::Missing(name))?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(crate::Error::Duplicate(name.to_owned())),
    }
}

/// All parameters but the one that holds the signature.
pub(crate) fn without<'a>(
    params: &'a [(String, String)],
    name: &'static str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let kept = params.iter().filter(move |(given, _)| given != name);
    kept.map(|(name, value)| (name.as_str(), value.as_str()))
}
