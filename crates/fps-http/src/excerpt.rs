//! The beginning of an answer that nobody can read, for whoever looks into it: short, printable, and
//! without what might be a secret or a person.

use std::fmt;

/// The most characters that are kept.
const CHARACTERS_MAX: usize = 500;
/// A run of letters and digits this long may be a key, a token or a signature.
const SECRET_CHARACTERS_MIN: usize = 20;

/// What an unreadable answer began with. It is kept out of `Display` and `Debug` of errors: print it
/// where you want it.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let begin = body.get(..4 * CHARACTERS_MAX).unwrap_or(body);
        let text: String = begin.utf8_chunks().map(|chunk| chunk.valid()).collect();
        // What was cut no longer looks like what it is.
        let whole = match begin.len() < body.len() {
            true => text.trim_end_matches(|character| !is_border(character)),
            false => &text,
        };
        let text: String = redacted(&without_values(whole)).chars().take(CHARACTERS_MAX).collect();
        (!text.trim().is_empty()).then(|| Self(text.trim().to_owned()))
    }

    /// The text, with `[…]` for whatever looks like a key, a signature or an address of a person.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excerpt({} characters)", self.0.chars().count())
    }
}

/// Of a document of the service, JSON or XML, the names alone: its values are about people. A page for
/// people to read, HTML or plain text, stays as it is.
fn without_values(text: &str) -> String {
    let begin = text.trim_start();
    match begin.as_bytes().first() {
        Some(b'{' | b'[') => names_of_json(begin),
        Some(b'<') if !is_page(begin) => names_of_xml(begin),
        _ => text.to_owned(),
    }
}

fn is_page(text: &str) -> bool {
    let begin: String = text.chars().take(200).collect();
    let begin = begin.to_ascii_lowercase();
    ["<html", "<!doctype html", "<h1", "<body"].iter().any(|tag| begin.contains(tag))
}

/// Names are the strings that a colon follows; everything else between quotes is a value, and so is
/// every number.
fn names_of_json(text: &str) -> String {
    let unescaped = text.replace("\\\\", "..").replace("\\\"", "..");
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut pieces = unescaped.split('"').peekable();
    while let Some(piece) = pieces.next() {
        let is_name = pieces.peek().is_some_and(|next| next.trim_start().starts_with(':'));
        match (quoted, is_name) {
            (true, true) => out.push_str(piece),
            (true, false) => out.push('…'),
            (false, _) => out.push_str(&piece.replace(|it: char| it.is_ascii_digit(), "#")),
        }
        if pieces.peek().is_some() {
            out.push('"');
        }
        quoted = !quoted;
    }
    out
}

/// What stands behind a tag is a value, and so are attributes, comments and CDATA.
fn names_of_xml(text: &str) -> String {
    let tag_of = |piece: &str| {
        let (tag, value) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.split_whitespace().next().unwrap_or_default();
        match (name.is_empty(), name.starts_with('!'), value.trim().is_empty()) {
            (true, ..) => String::new(),
            (false, true, _) => "!…>".to_owned(),
            (false, false, true) => format!("{name}>"),
            (false, false, false) => format!("{name}>…"),
        }
    };
    text.split('<').map(tag_of).collect::<Vec<_>>().join("<")
}

fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_border) {
        let word = piece.trim_end_matches(is_border);
        let address = ["@", "%40", "u0040"].iter().any(|at| word.contains(at));
        if address || word.len() >= SECRET_CHARACTERS_MIN {
            out.push_str("[…]");
        } else {
            out.extend(word.chars().map(printable));
        }
        out.extend(piece[word.len()..].chars().map(printable));
    }
    out
}

/// Where a word ends. What base64, an escape or an address is made of is no border.
fn is_border(character: char) -> bool {
    !(character.is_alphanumeric() || "@.+/=%_-\\".contains(character))
}

fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;

    #[test]
    fn what_may_be_secret_is_left_out_and_the_rest_is_short() {
        let text = |body: &[u8]| Excerpt::of(body).map(|excerpt| excerpt.as_str().to_owned());
        for (body, expected) in [
            ("<h1>502 Bad Gateway</h1>", "<h1>502 Bad Gateway</h1>"),
            (
                "busy, signature [V6pU3PvDPkPhR9Eu7yZXnFZHuEFafLE5sBPgqqCELEU=]",
                "busy, signature [[…]]",
            ),
            ("<p>buyer@example.com</p>", "<p>…</p>"),
            (r#"{"name":"Jane Doe","phone":"+49 170 12"}"#, r#"{"name":"…","phone":"…"}"#),
            (r#"{"phone":491701234}"#, r#"{"phone":#########}"#),
            ("<a n='Jane'><![CDATA[Jane Doe]]><!-- Jane --><b/></a>", "<a><!…><!…><b/></a>"),
            ("<html><p>buyer@example.com</p>", "<html><p>[…]</p>"),
            ("buyer%40example.com and buyer\\u0040example.com", "[…] and […]"),
            ("a\u{1b}[2Jb\r\nc", "a [2Jb  c"),
        ] {
            assert_eq!(text(body.as_bytes()).as_deref(), Some(expected));
        }
        assert_eq!(text(b"\xff\xfe<html>").as_deref(), Some("<html>"));
        assert_eq!(text(b" \n"), None);
        assert_eq!(text(&b"word ".repeat(1_000)).map(|text| text.len()), Some(499));
    }
}
