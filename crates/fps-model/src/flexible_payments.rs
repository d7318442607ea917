//! Amazon Flexible Payments Service: operations, their shared types, and the envelopes around them;
//! operations are generated, and none is written here.

pub use crate::generated::flexible_payments::*;

use crate::error::{DecodeError, Problem};
use crate::operation::{Answer, Service};
use crate::params::Params;
use crate::service_error::ServiceError;
use crate::soap;
use crate::xml::{Reader, Writer};

/// The service, as a type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FlexiblePaymentsApi;

impl Service for FlexiblePaymentsApi {
    type Request = Params;
    type Version = Dialect;
    type Code = ErrorCode;

    fn read_refusal(body: &[u8]) -> Option<ServiceError<ErrorCode>> {
        read_refusal(body).ok()
    }
}

/// A revision of the API: how messages are spelled. Chosen when a message is written or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `2008-09-17`, the last that is documented as a whole.
    #[default]
    V2008_09_17,
}

impl Dialect {
    /// The value of the parameter `Version`.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V2008_09_17 => "2008-09-17",
        }
    }

    /// The XML namespace of answers.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V2008_09_17 => "http://fps.amazonaws.com/doc/2008-09-17/",
        }
    }

    /// The revision by its `Version`.
    #[must_use]
    pub fn from_version(version: &str) -> Option<Self> {
        [Self::V2008_09_17].into_iter().find(|dialect| dialect.version() == version)
    }
}

/// The content of an `…Result` element.
pub(crate) trait ResultElement: Sized {
    /// What it means that the answer has none.
    fn absent() -> Option<Self>;
    /// Reads the content of the element just entered.
    fn read(xml: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes the content.
    fn write(&self, xml: &mut Writer);
}

/// Reads `<XResponse><XResult>…</XResult><ResponseMetadata>…`, bare or in a SOAP envelope. A refusal
/// in an answer's clothes, as the 2007 revision has it, is no answer.
pub(crate) fn read_answer<R: ResultElement>(
    body: &[u8],
    action: &str,
) -> Result<Answer<R>, DecodeError> {
    let mut xml = Reader::open(body)?;
    let answer = soap::unwrap(&mut xml, |xml| {
        if xml.name().strip_suffix("Response") != Some(action) {
            return Err(xml.fail(Problem::WrongRoot));
        }
        let (mut result, mut metadata, mut status) = (None, None, None::<String>);
        while let Some(name) = xml.next_child()? {
            match name {
                "ResponseMetadata" => xml.nested(&mut metadata, read_metadata)?,
                "Errors" => return Err(xml.fail(Problem::Refusal)),
                "Status" => xml.scalar(&mut status)?,
                name if name.strip_suffix("Result") == Some(action) => {
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
    })?;
    xml.close()?;
    Ok(answer)
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

/// Writes what [`read_answer`] reads.
pub(crate) fn write_answer<R: ResultElement>(
    answer: &Answer<R>,
    action: &str,
    dialect: Dialect,
) -> Vec<u8> {
    let mut xml = Writer::new();
    xml.root(&format!("{action}Response"), dialect.namespace(), |xml| {
        if R::absent().is_none() {
            xml.element(&format!("{action}Result"), |xml| answer.result.write(xml));
        }
        xml.element("ResponseMetadata", |xml| {
            xml.optional("RequestId", answer.request_id.as_ref());
        });
    });
    xml.finish()
}

impl ServiceError<ErrorCode> {
    /// The error document of the Query interface. Everything behind the declaration stands on one
    /// line, because Amazon's own libraries read it with a regular expression.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        let mut xml = Writer::new();
        xml.element("Response", |xml| {
            xml.element("Errors", |xml| {
                xml.element("Error", |xml| {
                    xml.scalar("Code", &self.code);
                    xml.text("Message", &self.message);
                });
            });
            xml.optional("RequestID", self.request_id.as_ref());
        });
        xml.finish()
    }
}

/// Reads `<Response><Errors><Error>…`, `<ErrorResponse><Error>…`, and the refusal of the 2007
/// revision, `<XResponse><Status>Failure</Status><Errors><Errors>…`; of several errors, the first.
fn read_refusal(body: &[u8]) -> Result<ServiceError<ErrorCode>, DecodeError> {
    let mut xml = Reader::open(body)?;
    if !xml.name().ends_with("Response") {
        return Err(xml.fail(Problem::WrongRoot));
    }
    let (mut errors, mut list, mut request_id) = (Vec::new(), None, None);
    while let Some(name) = xml.next_child()? {
        match name {
            "Errors" => xml.nested(&mut list, |xml| {
                while let Some(name) = xml.next_child()? {
                    match name {
                        "Error" | "Errors" => xml.repeated(&mut errors, read_error)?,
                        _ => xml.skip()?,
                    }
                }
                Ok(())
            })?,
            "Error" => xml.repeated(&mut errors, read_error)?,
            "RequestID" | "RequestId" => xml.scalar(&mut request_id)?,
            _ => xml.skip()?,
        }
    }
    let mut error =
        errors.into_iter().next().ok_or_else(|| DecodeError::new("Error", Problem::Missing))?;
    xml.close()?;
    error.request_id = request_id;
    Ok(error)
}

fn read_error(xml: &mut Reader<'_>) -> Result<ServiceError<ErrorCode>, DecodeError> {
    let (mut code, mut message) = (None::<ErrorCode>, None::<String>);
    while let Some(name) = xml.next_child()? {
        match name {
            "Code" | "ErrorCode" => xml.scalar(&mut code)?,
            "Message" | "ReasonText" => xml.scalar(&mut message)?,
            _ => xml.skip()?,
        }
    }
    Ok(ServiceError::new(xml.required(code, "Code")?, message.unwrap_or_default()))
}
