//! The SOAP 1.1 envelope around an answer; the security header is not read here.

use crate::error::{DecodeError, Expected, Problem};
use crate::xml::Reader;

/// Reads what stands in the body of an envelope, if the reader stands in one; otherwise what the
/// reader stands in. An answer over SOAP and one over Query differ in nothing else.
pub(crate) fn unwrap<T>(
    xml: &mut Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    if xml.name() != "Envelope" {
        return read(xml);
    }
    let mut read = Some(read);
    let mut content = None;
    while let Some(name) = xml.next_child()? {
        match name {
            "Body" => xml.nested(&mut content, |xml| {
                if xml.next_child()?.is_none() {
                    return Err(xml.fail(Problem::Missing));
                }
                let Some(read) = read.take() else {
                    return Err(xml.fail(Problem::Duplicate));
                };
                let mut answer = None;
                xml.nested(&mut answer, read)?;
                match xml.next_child()? {
                    None => xml.required(answer, "content"),
                    Some(_) => Err(xml.fail(Problem::Invalid(Expected::Elements))),
                }
            })?,
            _ => xml.skip()?,
        }
    }
    xml.required(content, "Body")
}
