//! The documents in which the service refuses, read and written; which reasons there are is generated,
//! and not said here.

use super::ErrorCode;
use super::answer::PREFIX_2007;
use crate::dialect::Dialect;
use crate::error::{DecodeError, Expected, Problem};
use crate::service_error::ServiceError;
use crate::soap;
use crate::xml::{Reader, Writer};

/// The shapes that a refusal has had. A client reads all of them; a server chooses one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorDocument<'a> {
    /// `<Response><Errors><Error>…</Error></Errors><RequestID>…</RequestID></Response>`, which every
    /// recorded reply of the Query interface has.
    #[default]
    Query,
    /// The same with `<RequestId>` before the errors, which Amazon's own libraries also take.
    QueryIdFirst,
    /// `<ErrorResponse><Error><Type>…`, the type of the WSDL.
    ErrorResponse(Dialect),
    /// Status 200 and an answer of this action that says Failure: business refusals of 2007.
    Answer2007(&'a str),
    /// A fault, to be put into an envelope by [`soap::wrap_answer`].
    SoapFault,
}

impl ServiceError<ErrorCode> {
    /// The error document of the Query interface.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        self.to_document(ErrorDocument::Query)
    }

    /// The refusal in one of its shapes. Everything behind the declaration stands on one line,
    /// because Amazon's own libraries read it with a regular expression.
    #[must_use]
    pub fn to_document(&self, shape: ErrorDocument<'_>) -> Vec<u8> {
        let mut xml = Writer::new(Dialect::default());
        match shape {
            ErrorDocument::Query => xml.element("Response", |xml| {
                xml.element("Errors", |xml| self.write_error(xml));
                xml.optional("RequestID", self.request_id.as_ref());
            }),
            ErrorDocument::QueryIdFirst => xml.element("Response", |xml| {
                xml.optional("RequestId", self.request_id.as_ref());
                xml.element("Errors", |xml| self.write_error(xml));
            }),
            ErrorDocument::ErrorResponse(dialect) => {
                xml.root("ErrorResponse", dialect.namespace(), |xml| {
                    xml.element("Error", |xml| {
                        let at_fault = if self.is_system() { "Receiver" } else { "Sender" };
                        xml.text("Type", at_fault);
                        self.write_code(xml);
                    });
                    xml.optional("RequestId", self.request_id.as_ref());
                });
            }
            ErrorDocument::Answer2007(action) => self.write_2007(action, &mut xml),
            ErrorDocument::SoapFault => {
                let side = if self.is_system() { "Server" } else { "Client" };
                let code = format!("aws:{side}.{}", self.code);
                soap::write_fault(&mut xml, &code, &self.message, self.request_id.as_deref());
            }
        }
        xml.finish()
    }

    fn write_error(&self, xml: &mut Writer) {
        xml.element("Error", |xml| self.write_code(xml));
    }

    fn write_code(&self, xml: &mut Writer) {
        xml.scalar("Code", &self.code);
        xml.text("Message", &self.message);
    }

    fn write_2007(&self, action: &str, xml: &mut Writer) {
        let root = format!("{PREFIX_2007}:{action}Response");
        xml.root(&root, Dialect::V2007_01_08.namespace(), |xml| {
            xml.text("Status", "Failure");
            xml.element("Errors", |xml| {
                xml.element("Errors", |xml| {
                    xml.text("ErrorType", if self.is_system() { "System" } else { "Business" });
                    xml.text(
                        "IsRetriable",
                        if self.code.is_retriable() { "true" } else { "false" },
                    );
                    xml.scalar("ErrorCode", &self.code);
                    xml.text("ReasonText", &self.message);
                });
            });
            xml.optional("RequestId", self.request_id.as_ref());
        });
    }

    /// Does the service say that the cause lies with itself?
    fn is_system(&self) -> bool {
        ["InternalError", "ServiceUnavailable"].contains(&self.code.as_str())
    }
}

/// Reads any of the documents; of several errors, the first.
pub(super) fn read(body: &[u8]) -> Result<ServiceError<ErrorCode>, DecodeError> {
    let mut xml = Reader::open(body, Dialect::default())?;
    let error = soap::unwrap(&mut xml, |xml| match xml.name() {
        "Fault" => {
            let fault = soap::read_fault(xml)?;
            let code = ErrorCode::from(fault.reason());
            Ok(ServiceError { code, message: fault.message, request_id: fault.request_id })
        }
        name if name.ends_with("Response") => read_document(xml),
        _ => Err(xml.fail(Problem::WrongRoot)),
    })?;
    xml.close()?;
    Ok(error)
}

fn read_document(xml: &mut Reader<'_>) -> Result<ServiceError<ErrorCode>, DecodeError> {
    let (mut errors, mut list, mut request_id) = (Vec::new(), None, None);
    let mut status = None::<String>;
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
            "Status" => xml.scalar(&mut status)?,
            _ => xml.skip()?,
        }
    }
    // What says that it was done is no refusal, whatever else it says: nobody may repeat it.
    if status.is_some_and(|status| status == "Success") {
        return Err(DecodeError::new("Status", Problem::Invalid(Expected::Fixed("Failure"))));
    }
    let mut error =
        errors.into_iter().next().ok_or_else(|| DecodeError::new("Error", Problem::Missing))?;
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
