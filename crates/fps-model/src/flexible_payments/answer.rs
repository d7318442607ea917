//! The two envelopes of a successful answer, of the 2007 revision and of the later ones; what is in
//! the result is generated, and not said here.

use crate::dialect::Dialect;
use crate::error::{DecodeError, Problem};
use crate::operation::Answer;
use crate::soap;
use crate::xml::{Reader, Writer};

/// The fields of a result.
pub(crate) trait ResultElement: Sized {
    /// The element around the fields in the 2007 revision, unless they stand alone there.
    const WRAPPED: Option<&'static str>;
    /// Are there none, so that later answers have no `…Result`?
    const EMPTY: bool;
    /// What it means that a later answer has no `…Result` all the same: the schema allows it.
    fn absent() -> Option<Self>;
    /// Reads the content of the element that the reader stands in.
    fn read(xml: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes the content.
    fn write(&self, xml: &mut Writer);
}

/// Reads an answer, bare or in a SOAP envelope. A refusal in an answer's clothes, as the 2007
/// revision has it, is no answer.
pub(crate) fn read_answer<R: ResultElement>(
    body: &[u8],
    action: &str,
    known_to: &[Dialect],
    dialect: Dialect,
) -> Result<Answer<R>, DecodeError> {
    if !known_to.contains(&dialect) {
        return Err(DecodeError::new("", Problem::NotIn(dialect)));
    }
    let mut xml = Reader::open(body, dialect)?;
    let answer = soap::unwrap(&mut xml, |xml| {
        if !is_answer_of(xml.name(), action) {
            return Err(xml.fail(Problem::WrongRoot));
        }
        match dialect {
            Dialect::V2007_01_08 => read_2007(xml),
            Dialect::V2008_05_01 | Dialect::V2008_09_17 | Dialect::V2010_08_28 => {
                read_later(xml, action)
            }
        }
    })?;
    xml.close()?;
    Ok(answer)
}

/// Is it the answer of this action? One page of Amazon's prints a shortened name, without `Status`.
fn is_answer_of(root: &str, action: &str) -> bool {
    let stem = root.strip_suffix("Response");
    stem.is_some_and(|stem| stem == action || action.strip_suffix("Status") == Some(stem))
}

/// `<XResponse><XResult>…</XResult><ResponseMetadata>…</ResponseMetadata></XResponse>`.
fn read_later<R: ResultElement>(
    xml: &mut Reader<'_>,
    action: &str,
) -> Result<Answer<R>, DecodeError> {
    let (mut result, mut metadata, mut status) = (None, None, None::<String>);
    let short = action.strip_suffix("Status").unwrap_or(action);
    while let Some(name) = xml.next_child()? {
        match name {
            "ResponseMetadata" => xml.nested(&mut metadata, read_metadata)?,
            "Errors" | "Error" => return Err(xml.fail(Problem::Refusal)),
            "Status" => xml.scalar(&mut status)?,
            name if name.strip_suffix("Result").is_some_and(|it| it == action || it == short) => {
                xml.nested(&mut result, R::read)?;
            }
            _ => xml.skip()?,
        }
    }
    if status.is_some_and(|status| status != "Success") {
        return Err(xml.fail(Problem::Refusal));
    }
    // An answer that has neither result nor metadata says nothing at all.
    let result = result.or_else(|| metadata.as_ref().and_then(|_| R::absent()));
    let result = xml.required(result, &format!("{action}Result"))?;
    Ok(Answer::new(result, metadata.flatten()))
}

/// The request id, if the metadata hold one.
fn read_metadata(xml: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    let mut id = None;
    while let Some(name) = xml.next_child()? {
        match name {
            "RequestId" => xml.scalar(&mut id)?,
            _ => xml.skip()?,
        }
    }
    Ok(id)
}

/// `<XResponse>`, the fields or the element around them, `<Status>` and `<RequestId>`.
fn read_2007<R: ResultElement>(xml: &mut Reader<'_>) -> Result<Answer<R>, DecodeError> {
    xml.note_beside();
    let result = match R::WRAPPED {
        None => R::read(xml),
        Some(wrapper) => read_wrapped(xml, wrapper),
    };
    let beside = xml.beside();
    // A refusal has no result, so whatever is missing there is missing for that reason.
    if beside.refused || beside.status.as_ref().is_some_and(|status| status != "Success") {
        return Err(xml.fail(Problem::Refusal));
    }
    let result = result?;
    xml.required(beside.status, "Status")?;
    Ok(Answer::new(result, beside.request_id))
}

fn read_wrapped<R: ResultElement>(xml: &mut Reader<'_>, wrapper: &str) -> Result<R, DecodeError> {
    let mut result = None;
    while let Some(name) = xml.next_child()? {
        match name {
            name if name == wrapper => xml.nested(&mut result, R::read)?,
            _ => xml.other()?,
        }
    }
    xml.required(result, wrapper)
}

/// Writes what [`read_answer`] reads.
pub(crate) fn write_answer<R: ResultElement>(
    answer: &Answer<R>,
    action: &str,
    dialect: Dialect,
) -> Vec<u8> {
    let mut xml = Writer::new(dialect);
    match dialect {
        Dialect::V2007_01_08 => write_2007(answer, action, &mut xml),
        Dialect::V2008_05_01 | Dialect::V2008_09_17 | Dialect::V2010_08_28 => {
            xml.root(&format!("{action}Response"), dialect.namespace(), |xml| {
                if !R::EMPTY {
                    xml.element(&format!("{action}Result"), |xml| answer.result.write(xml));
                }
                xml.element("ResponseMetadata", |xml| {
                    xml.optional("RequestId", answer.request_id.as_ref());
                });
            });
        }
    }
    xml.finish()
}

/// The prefix that the sandbox of 2007 used; only global elements are in the namespace.
pub(super) const PREFIX_2007: &str = "ns3";

fn write_2007<R: ResultElement>(answer: &Answer<R>, action: &str, xml: &mut Writer) {
    let root = format!("{PREFIX_2007}:{action}Response");
    xml.root(&root, Dialect::V2007_01_08.namespace(), |xml| {
        match R::WRAPPED {
            None => answer.result.write(xml),
            Some(wrapper) => {
                let wrapper = format!("{PREFIX_2007}:{wrapper}");
                xml.element(&wrapper, |xml| answer.result.write(xml));
            }
        }
        xml.text("Status", "Success");
        xml.optional("RequestId", answer.request_id.as_ref());
    });
}
