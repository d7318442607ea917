//! The one percent-encoding that all these signatures use, and the way back; nothing is sorted here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::Error;

/// The most bytes of a query or form that are read.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most parameters that are read.
const PARAMS_MAX: usize = 256;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same as a table, which is read faster.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let kept = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        table[byte as usize] = kept;
        byte += 1;
    }
    table
};

/// Appends `text` with only `A-Z a-z 0-9 - _ . ~` left as they are and every other byte of its UTF-8
/// as `%XX` in capitals; a blank is `%20`.
pub fn percent_encode(text: &str, out: &mut String) {
    // Most names and values have nothing to encode.
    if text.bytes().all(|byte| UNRESERVED[usize::from(byte)]) {
        return out.push_str(text);
    }
    out.extend(utf8_percent_encode(text, RESERVED));
}

/// Appends `name=value` pairs joined by `&`, both sides encoded, in the order of the iterator.
pub(crate) fn encode_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    for (index, (name, value)) in pairs.enumerate() {
        if index > 0 {
            out.push('&');
        }
        percent_encode(name, out);
        out.push('=');
        percent_encode(value, out);
    }
}

/// Everything that JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet =
    &RESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// The same as `encodeURIComponent` would have it, and with names as they are.
pub(crate) fn encode_values(pairs: &[(&str, &str)], out: &mut String) {
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.extend(utf8_percent_encode(value, COMPONENT));
    }
}

/// Decodes a query or a form, in its order: `+` and `%20` are both blanks, pairs without a name and a
/// value are left out (Amazon's own samples begin with `&`), a `%` that begins no escape is itself.
///
/// # Errors
/// [`Error::Malformed`] for bytes that are not UTF-8 and for more than 64 KiB or 256 parameters.
pub fn parse_form(form: &str) -> Result<Vec<(String, String)>, Error> {
    const MALFORMED: Error = Error::Malformed("the form");
    if form.len() > FORM_BYTES_MAX {
        return Err(MALFORMED);
    }
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| MALFORMED)?;
        Ok(decoded.into_owned())
    };
    let mut params = Vec::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        if params.len() == PARAMS_MAX {
            return Err(MALFORMED);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.push((decode(name)?, decode(value)?));
    }
    Ok(params)
}
