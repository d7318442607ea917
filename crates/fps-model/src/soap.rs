//! The SOAP 1.1 envelope with WS-Addressing headers, around requests, answers and faults; the security
//! header is skipped here, and made and checked by whoever signs.
//!
//! A request over SOAP is the same parameters in another dress: each dotted name is an element inside
//! an element, each numbered one an element again. So an operation has one reader and one writer, and
//! this module undresses and dresses.
//!
//! ```
//! use fps_model::flexible_payments::{Dialect, Refund};
//! use fps_model::soap::{self, Addressing};
//! use fps_model::{CallerReference, Operation, Serve};
//!
//! let refund = Refund::new(CallerReference::new("CallerReference03")?, "14GK4TNCAQ84NK9VITEHKAS9");
//! let params = refund.encode(Dialect::default())?;
//! let envelope = soap::write_request(&params, &Addressing::request("MESSAGE123", "Refund"))?;
//! let (addressing, params) = soap::read_request(&envelope)?;
//! assert_eq!(addressing.message_id.as_deref(), Some("MESSAGE123"));
//! assert_eq!(Refund::read(&params, Dialect::default())?, refund);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::dialect::Dialect;
use crate::error::{DecodeError, EncodeError, Expected, Problem};
use crate::params::{COMMON, PARAMS_MAX, Params};
use crate::xml::{DECLARATION, Node, Reader, Writer};

/// The namespace of the envelope, SOAP 1.1.
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of the addressing headers.
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
/// Where an answer goes that goes back over the same connection.
const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// The namespace of fault codes.
const FAULT: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";

/// The most bytes of a parameter's name: what is nested under a long one repeats it.
const NAME_BYTES_MAX: usize = 256;

/// The WS-Addressing headers of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addressing {
    /// Names this message.
    pub message_id: Option<String>,
    /// Of an answer: the message that it answers.
    pub relates_to: Option<String>,
    /// What is asked for or answered: `urn:Refund`, `urn:Refund:Response`.
    pub action: Option<String>,
    /// Where it goes.
    pub to: Option<String>,
}

impl Addressing {
    /// The headers of a request, with the action as the WSDL has it.
    #[must_use]
    pub fn request(message_id: impl Into<String>, action: &str) -> Self {
        Self {
            message_id: Some(message_id.into()),
            action: Some(format!("urn:{action}")),
            ..Self::default()
        }
    }

    /// The headers of the answer to a request with these headers. Its message id is the request id
    /// without what stands behind the colon, as in Amazon's sample.
    #[must_use]
    pub fn answer(&self, action: &str, request_id: &str) -> Self {
        let uuid = request_id.split(':').next().unwrap_or_default();
        Self {
            message_id: Some(format!("urn:uuid:{uuid}")),
            relates_to: self.message_id.clone(),
            action: Some(format!("urn:{action}:Response")),
            to: Some(ANONYMOUS.to_owned()),
        }
    }

    fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("wsa:RelatesTo", &self.relates_to),
            ("wsa:To", &self.to),
            ("wsa:MessageID", &self.message_id),
            ("wsa:Action", &self.action),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
    }
}

fn write_envelope(xml: &mut Writer, addressing: &Addressing, body: impl FnOnce(&mut Writer)) {
    xml.root("soapenv:Envelope", ENVELOPE, |xml| {
        xml.element("soapenv:Header", |xml| {
            for (name, value) in addressing.headers() {
                xml.root(name, ADDRESSING, |xml| xml.content(value));
            }
        });
        xml.element("soapenv:Body", body);
    });
}

/// Writes an encoded request as an envelope, to be signed.
///
/// # Errors
/// [`EncodeError`] for parameters without `Action` and a known `Version`, and for names that are no
/// names of elements.
pub fn write_request(params: &Params, addressing: &Addressing) -> Result<Vec<u8>, EncodeError> {
    let given = |name| {
        let value = params.get(name).ok_or_else(|| EncodeError::new(name, Problem::Missing));
        value.map(str::to_owned)
    };
    let action = given("Action")?;
    let dialect = Dialect::from_version(&given("Version")?)
        .ok_or_else(|| EncodeError::new("Version", Problem::Unknown))?;
    let fields: Vec<_> =
        params.iter().filter(|(name, _)| !["Action", "Version"].contains(name)).collect();
    for name in std::iter::once(action.as_str()).chain(fields.iter().map(|(name, _)| *name)) {
        if !name.split('.').all(is_element) {
            return Err(EncodeError::new(name, Problem::Invalid(Expected::Elements)));
        }
    }
    // Blanks at the ends of an element are layout: a key would arrive as another key.
    if let Some((name, _)) = fields.iter().find(|(_, value)| value.trim() != *value) {
        return Err(EncodeError::new(*name, Problem::Invalid(Expected::Text)));
    }
    // An element has either a text or parts, and a text once: the others would be left out.
    for (index, (name, _)) in fields.iter().enumerate() {
        let inside = |other: &str| other.strip_prefix(name).is_some_and(|it| it.starts_with('.'));
        let others = fields.iter().enumerate().filter(|(other, _)| *other != index);
        if others.map(|(_, (other, _))| other).any(|other| other == name || inside(other)) {
            return Err(EncodeError::new(*name, Problem::Duplicate));
        }
    }
    let mut xml = Writer::new(dialect);
    write_envelope(&mut xml, addressing, |xml| {
        xml.root(&action, dialect.namespace(), |xml| write_fields(xml, &fields, 0));
    });
    Ok(xml.finish())
}

/// Can a parameter's name, or a part of one, be the name of an element?
fn is_element(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// Writes neighbours that share a name before their dot as one element, and numbered ones as the
/// element again; `depth` parts of each name are written already.
fn write_fields(xml: &mut Writer, fields: &[(&str, &str)], depth: usize) {
    let part = |name: &str, index: usize| name.split('.').nth(index).unwrap_or("").to_owned();
    let mut rest = fields;
    while let Some((name, value)) = rest.first() {
        let head = part(name, depth);
        let same = rest.iter().take_while(|(name, _)| part(name, depth) == head).count();
        let (group, others) = rest.split_at(same);
        rest = others;
        let next = part(name, depth + 1);
        if next.is_empty() {
            xml.text(&head, value);
        } else if next.bytes().all(|byte| byte.is_ascii_digit()) {
            let mut entries = group;
            while let Some((name, value)) = entries.first() {
                let number = part(name, depth + 1);
                let same = entries.iter().take_while(|it| part(it.0, depth + 1) == number).count();
                let (entry, others) = entries.split_at(same);
                entries = others;
                match part(name, depth + 2).is_empty() {
                    true => xml.text(&head, value),
                    false => xml.element(&head, |xml| write_fields(xml, entry, depth + 2)),
                }
            }
        } else {
            xml.element(&head, |xml| write_fields(xml, group, depth + 1));
        }
    }
}

/// Reads an envelope as the parameters of a request, with `Action` and `Version`.
///
/// # Errors
/// [`DecodeError`] names the element.
pub fn read_request(body: &[u8]) -> Result<(Addressing, Params), DecodeError> {
    let mut xml = Reader::open_with_namespaces(body)?;
    if xml.name() != "Envelope" {
        return Err(xml.fail(Problem::WrongRoot));
    }
    let (mut addressing, mut params) = (None, None);
    while let Some(name) = xml.next_child()? {
        match name {
            "Header" => xml.nested(&mut addressing, read_addressing)?,
            "Body" => xml.nested(&mut params, |xml| {
                let Some(action) = xml.next_child()?.map(str::to_owned) else {
                    return Err(xml.fail(Problem::Missing));
                };
                let mut params = Params::new();
                let Some(dialect) = xml.revision() else {
                    return Err(xml.fail(Problem::WrongRoot));
                };
                params.push("Action", action);
                params.push("Version", dialect.version());
                if let Node::Parts(parts) = xml.node()? {
                    push_fields(&parts, "", &mut params)?;
                }
                match xml.next_child()? {
                    None => Ok(params),
                    Some(_) => Err(xml.fail(Problem::Duplicate)),
                }
            })?,
            _ => xml.skip()?,
        }
    }
    let params = xml.required(params, "Body")?;
    xml.close()?;
    Ok((addressing.unwrap_or_default(), params))
}

/// Names what the elements of a request hold as parameters are named: parts behind a dot, and the
/// number of an element that stands more than once behind another.
fn push_fields(
    parts: &[(String, Node)],
    prefix: &str,
    params: &mut Params,
) -> Result<(), DecodeError> {
    for (index, (name, node)) in parts.iter().enumerate() {
        let same = |(other, _): &&(String, Node)| other == name;
        let mut full = format!("{prefix}{name}");
        if parts.iter().filter(same).nth(1).is_some() {
            let number = parts.iter().take(index + 1).filter(same).count();
            full = format!("{full}.{number}");
        }
        if full.len() > NAME_BYTES_MAX {
            return Err(DecodeError::new(full, Problem::TooLarge));
        }
        // `<RefundAmount.Value>` is no part of `<RefundAmount>`, and who signs stands in the header.
        if !is_element(name) || prefix.is_empty() && COMMON.contains(&name.as_str()) {
            return Err(DecodeError::new(full, Problem::Unknown));
        }
        match node {
            Node::Text(_) if params.iter().count() >= PARAMS_MAX => {
                return Err(DecodeError::new(full, Problem::TooLarge));
            }
            Node::Text(text) => params.push(full, text.as_str()),
            Node::Parts(parts) => push_fields(parts, &format!("{full}."), params)?,
        }
    }
    Ok(())
}

fn read_addressing(xml: &mut Reader<'_>) -> Result<Addressing, DecodeError> {
    let mut headers = Addressing::default();
    while let Some(name) = xml.next_child()? {
        match name {
            "MessageID" => xml.scalar(&mut headers.message_id)?,
            "RelatesTo" => xml.scalar(&mut headers.relates_to)?,
            "Action" => xml.scalar(&mut headers.action)?,
            "To" => xml.scalar(&mut headers.to)?,
            _ => xml.skip()?,
        }
    }
    Ok(headers)
}

/// Puts an answer as an operation writes it, or a refusal, into an envelope.
///
/// # Errors
/// [`EncodeError`] for bytes that are no text, which no operation writes.
pub fn wrap_answer(document: &[u8], addressing: &Addressing) -> Result<Vec<u8>, EncodeError> {
    let document = std::str::from_utf8(document)
        .map_err(|_| EncodeError::new("Body", Problem::Malformed(Expected::Xml)))?;
    let mut xml = Writer::new(Dialect::default());
    write_envelope(&mut xml, addressing, |xml| {
        xml.raw(document.strip_prefix(DECLARATION).unwrap_or(document));
    });
    Ok(xml.finish())
}

/// Reads the headers of an answer.
///
/// # Errors
/// [`DecodeError`] for what is no envelope.
pub fn addressing(body: &[u8]) -> Result<Addressing, DecodeError> {
    let mut xml = Reader::open(body, Dialect::default())?;
    if xml.name() != "Envelope" {
        return Err(xml.fail(Problem::WrongRoot));
    }
    let mut addressing = None;
    while let Some(name) = xml.next_child()? {
        match name {
            "Header" => xml.nested(&mut addressing, read_addressing)?,
            _ => xml.skip()?,
        }
    }
    xml.close()?;
    Ok(addressing.unwrap_or_default())
}

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

/// What a fault says.
pub(crate) struct Fault {
    code: String,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
}

impl Fault {
    /// The reason alone: of `aws:Client.IncompatibleTokens`, what stands behind the dot.
    pub(crate) fn reason(&self) -> &str {
        let local = self.code.rsplit(':').next().unwrap_or_default();
        local.split_once('.').map_or(local, |(_, reason)| reason)
    }
}

pub(crate) fn read_fault(xml: &mut Reader<'_>) -> Result<Fault, DecodeError> {
    let (mut code, mut message, mut detail) = (None, None, None);
    while let Some(name) = xml.next_child()? {
        match name {
            "faultcode" => xml.scalar(&mut code)?,
            "faultstring" => xml.scalar(&mut message)?,
            "detail" => xml.nested(&mut detail, |xml| {
                let mut id = None;
                while let Some(name) = xml.next_child()? {
                    match name {
                        "RequestId" | "RequestID" => xml.scalar(&mut id)?,
                        _ => xml.skip()?,
                    }
                }
                Ok(id)
            })?,
            _ => xml.skip()?,
        }
    }
    Ok(Fault {
        code: xml.required(code, "faultcode")?,
        message: message.unwrap_or_default(),
        request_id: detail.flatten(),
    })
}

pub(crate) fn write_fault(xml: &mut Writer, code: &str, message: &str, request_id: Option<&str>) {
    let namespaces = [("xmlns:soapenv", ENVELOPE), ("xmlns:aws", FAULT)];
    xml.with_attributes("soapenv:Fault", &namespaces, |xml| {
        xml.text("faultcode", code);
        xml.text("faultstring", message);
        if let Some(request_id) = request_id {
            xml.element("detail", |xml| xml.text("aws:RequestId", request_id));
        }
    });
}
