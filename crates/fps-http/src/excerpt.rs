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
        let text: String = redacted(&text).chars().take(CHARACTERS_MAX).collect();
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
            ("<to>buyer@example.com</to>", "<to>[…]</to>"),
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
