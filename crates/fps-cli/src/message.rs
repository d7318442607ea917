//! A message as somebody kept it: a whole HTTP request, a URL, or only what was sent; whether it is
//! signed, and by whom, is not looked at here.

use std::error::Error;
use std::fmt;
use std::io::Read;
use std::path::Path;

use fps::fps_sign::{Target, parse_form};

use crate::exit::{Exit, Failure};

/// The most bytes of a file that are read: SNS, whose messages are the longest, takes 256 KiB.
const BYTES_MAX: u64 = 1024 * 1024;
/// The most header lines of a request.
const HEADERS_MAX: usize = 128;

/// Why a file is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(&'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Unreadable {}

/// A message, as far as its file tells.
#[derive(Clone, Default)]
pub(crate) struct Message {
    /// None where the file holds the body alone.
    pub(crate) method: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The whole of a file, or of standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let is_input = path.as_os_str() == "-";
    let mut bytes = Vec::new();
    let mut take = |from: &mut dyn Read| from.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    let taken = if is_input {
        take(&mut std::io::stdin().lock())
    } else {
        std::fs::File::open(path).and_then(|mut file| take(&mut file))
    };
    let name = if is_input { "standard input".into() } else { path.display().to_string() };
    taken.map_err(|error| {
        Failure::new(Exit::Usage, format!("{name} cannot be read")).because(error)
    })?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::new(Exit::Usage, format!("{name} is longer than a megabyte")));
    }
    Ok(bytes)
}

/// The text of a file, without the line end that editors put at its end.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(without_line_end(&read(path)?).to_owned()).map_err(|error| {
        Failure::new(Exit::Usage, format!("{} is no text", path.display())).because(error)
    })
}

impl Message {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first = first.strip_suffix(b"\r").unwrap_or(first);
        if first.ends_with(b" HTTP/1.1") || first.ends_with(b" HTTP/1.0") {
            return Self::of_request(bytes);
        }
        // The line end of the file is not one of the message.
        let rest = without_line_end(bytes);
        match std::str::from_utf8(rest) {
            Ok(url) if url.starts_with("https://") || url.starts_with("http://") => {
                let mut message = Self { method: Some("GET".to_owned()), ..Self::default() };
                message.go_to(url)?;
                Ok(message)
            }
            _ => Ok(Self { body: rest.to_owned(), ..Self::default() }),
        }
    }

    fn of_request(bytes: &[u8]) -> Result<Self, Unreadable> {
        const NO_REQUEST: Unreadable =
            Unreadable("the file holds no HTTP request that can be read");
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(end) = request.parse(bytes).map_err(|_| NO_REQUEST)? else {
            return Err(Unreadable("the file ends before the headers of the request do"));
        };
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err(NO_REQUEST);
        };
        let mut message = Self { method: Some(method.to_owned()), ..Self::default() };
        for header in request.headers.iter() {
            let value = std::str::from_utf8(header.value)
                .map_err(|_| Unreadable("a header of the request is no UTF-8"))?;
            message.headers.push((header.name.to_owned(), value.trim().to_owned()));
        }
        message.host = message.header("host")?.map(str::to_owned);
        if target.starts_with('/') {
            message.set_path_and_query(target);
        } else {
            message.go_to(target)?;
        }
        message.body = message.body_of(bytes.get(end..).unwrap_or_default())?.to_owned();
        Ok(message)
    }

    /// What follows the headers, as long as they say it is.
    fn body_of<'a>(&self, rest: &'a [u8]) -> Result<&'a [u8], Unreadable> {
        if self.header("transfer-encoding")?.is_some() {
            return Err(Unreadable("the body is in chunks, and what was signed is what they hold"));
        }
        let Some(length) = self.header("content-length")? else {
            return Ok(without_line_end(rest));
        };
        let length: usize =
            length.parse().map_err(|_| Unreadable("the Content-Length is no number"))?;
        rest.get(..length).ok_or(Unreadable("the body is shorter than its Content-Length"))
    }

    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (found, None) => Ok(found.map(|(_, value)| value.as_str())),
            _ => Err(Unreadable("a header that may stand once stands more than once")),
        }
    }

    /// Takes host, path and query from an address.
    fn go_to(&mut self, url: &str) -> Result<(), Unreadable> {
        let target =
            Target::from_url("GET", url).ok_or(Unreadable("the address is not http or https"))?;
        self.host = Some(target.host().to_owned());
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or(rest);
        match rest.find(['/', '?']) {
            Some(at) => self.set_path_and_query(&rest[at..]),
            None => self.set_path_and_query("/"),
        }
        Ok(())
    }

    fn set_path_and_query(&mut self, target: &str) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.path = if path.is_empty() { "/" } else { path }.to_owned();
        self.query = query.to_owned();
    }

    /// The same, sent to another address by whoever keeps the books.
    pub(crate) fn sent_to(mut self, url: Option<&str>) -> Result<Self, Unreadable> {
        if let Some(url) = url {
            let query = std::mem::take(&mut self.query);
            self.go_to(url)?;
            // What was sent stays what was sent.
            self.query = query;
        }
        Ok(self)
    }

    /// Where it went, as signatures know it.
    pub(crate) fn target<'a>(&'a self, otherwise: &'a str) -> Result<Target<'a>, Unreadable> {
        let host = self.host.as_deref();
        let host = host.ok_or(Unreadable("the address is not known: name it with --url"))?;
        Ok(Target::new(self.method.as_deref().unwrap_or(otherwise), host, &self.path))
    }

    /// Method, host and path, for people.
    pub(crate) fn address(&self, otherwise: &str) -> Option<String> {
        let method = self.method.as_deref().unwrap_or(otherwise);
        self.host.as_ref().map(|host| format!("{method} {host}{}", self.path))
    }

    /// The body as a text.
    pub(crate) fn text(&self) -> Result<&str, Unreadable> {
        std::str::from_utf8(&self.body).map_err(|_| Unreadable("the body is no UTF-8"))
    }

    /// The parameters of query and form, decoded, in their order.
    pub(crate) fn params(&self) -> Result<Vec<(String, String)>, fps::fps_sign::Error> {
        let form = self.text().map_err(|_| fps::fps_sign::Error::Malformed("the form"))?;
        let mut params = parse_form(&self.query)?;
        params.extend(parse_form(form)?);
        Ok(params)
    }
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, Option<String>, String, String, String) {
        let message = Message::parse(text.as_bytes()).unwrap();
        let body = message.text().unwrap().to_owned();
        (message.method, message.host, message.path, message.query, body)
    }

    #[test]
    fn a_file_holds_a_request_a_url_or_a_body() {
        for (text, method, host, path, query, body) in [
            ("a=b&c=d\n", None, None, "", "", "a=b&c=d"),
            ("a=b\r\n", None, None, "", "", "a=b"),
            ("https://h:8443/p?q=1\n", Some("GET"), Some("h:8443"), "/p", "q=1", ""),
            ("https://h:443?q=1#f", Some("GET"), Some("h"), "/", "q=1", ""),
            ("POST /p?q HTTP/1.1\nHost: h\n\nbody\n", Some("POST"), Some("h"), "/p", "q", "body"),
            (
                "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nbody\n",
                Some("POST"),
                None,
                "/",
                "",
                "body\n",
            ),
            ("GET http://h/p HTTP/1.1\nHost: other\n\n", Some("GET"), Some("h"), "/p", "", ""),
        ] {
            let expected = (
                method.map(str::to_owned),
                host.map(str::to_owned),
                path.to_owned(),
                query.to_owned(),
                body.to_owned(),
            );
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_request_that_could_be_read_in_two_ways_is_not_read() {
        for text in [
            "POST / HTTP/1.1\nHost: h\n",
            "POST / HTTP/1.1\nHost: a\nHost: b\n\n",
            "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\n",
            "POST / HTTP/1.1\nContent-Length: 5\n\nbody",
            "POST / HTTP/1.1\nContent-Length: 1\nContent-Length: 2\n\nbody",
            "POST / HTTP/1.1\nContent-Length: x\n\nbody",
            "POST ftp://h/ HTTP/1.1\n\n",
            "POST / / HTTP/1.1\n\n",
        ] {
            assert!(Message::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
