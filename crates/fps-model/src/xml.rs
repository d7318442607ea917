//! A small pull reader and writer for the XML of FPS, bounded, elements matched by local name; no
//! single message is known here.
//!
//! Namespaces are ignored on purpose: Amazon's own samples disagree about them.

use std::borrow::Cow;

use quick_xml::events::Event;
use refund_rules::Money;

use crate::error::{DecodeError, Expected, Problem};
use crate::money;
use crate::scalar::Scalar;

/// The most bytes of a message that are read.
const XML_BYTES_MAX: usize = 1024 * 1024;
/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// The most elements that are read.
const ELEMENTS_MAX: usize = 10_000;

/// Reads a message element by element.
///
/// The reader stands inside an element. [`Reader::next_child`] enters the next child, which must then
/// be consumed by one of the other methods; at the end of the element it answers `None`.
pub(crate) struct Reader<'x> {
    events: quick_xml::Reader<&'x [u8]>,
    path: Path,
    elements: usize,
}

/// Names of the open elements, joined by slashes, and where each begins.
#[derive(Default)]
struct Path {
    text: String,
    starts: Vec<usize>,
    /// The empty ones among the children of open elements, with their depths: an empty element fills
    /// no slot, and may stand no second time all the same.
    empty: Vec<(String, usize)>,
}

impl Path {
    fn push(&mut self, name: &str) {
        self.starts.push(self.text.len());
        if !self.text.is_empty() {
            self.text.push('/');
        }
        self.text.push_str(name);
    }

    fn pop(&mut self) {
        self.empty.retain(|(_, depth)| *depth <= self.starts.len());
        let start = self.starts.pop().unwrap_or(0);
        self.text.truncate(start);
    }

    /// Remembers that the innermost element is empty.
    fn note_empty(&mut self) {
        self.empty.push((self.text.clone(), self.starts.len()));
    }

    fn was_empty(&self) -> bool {
        self.empty.iter().any(|(path, _)| *path == self.text)
    }

    fn name(&self) -> &str {
        let start = self.starts.last().copied().unwrap_or(0);
        self.text[start..].trim_start_matches('/')
    }
}

impl<'x> Reader<'x> {
    /// Opens a document and enters its outermost element.
    pub(crate) fn open(body: &'x [u8]) -> Result<Self, DecodeError> {
        if body.len() > XML_BYTES_MAX {
            return Err(DecodeError::new("", Problem::TooLarge));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| DecodeError::new("", Problem::Malformed(Expected::Xml)))?;
        let mut events = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
        let config = events.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let mut reader = Self { events, path: Path::default(), elements: 0 };
        match reader.enter()? {
            true => Ok(reader),
            false => Err(reader.fail(Problem::Malformed(Expected::Xml))),
        }
    }

    /// The local name of the element that the reader stands in.
    pub(crate) fn name(&self) -> &str {
        self.path.name()
    }

    /// Nothing but blanks and comments may follow the outermost element.
    pub(crate) fn close(mut self) -> Result<(), DecodeError> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if is_blank(&text) => {}
                Event::Comment(_) | Event::PI(_) => {}
                _ => return Err(DecodeError::new("", Problem::TrailingBytes)),
            }
        }
    }

    /// Enters the next child and names it, or leaves the element at its end.
    pub(crate) fn next_child(&mut self) -> Result<Option<&str>, DecodeError> {
        Ok(if self.enter()? { Some(self.path.name()) } else { None })
    }

    /// The text of the element just entered, which is left.
    pub(crate) fn text(&mut self) -> Result<String, DecodeError> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(piece) => text.push_str(&piece.xml10_content()),
                Event::CData(piece) => text.push_str(&piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => predefined(&reference),
                        Err(_) => None,
                    };
                    let character =
                        character.ok_or_else(|| self.fail(Problem::Malformed(Expected::Xml)))?;
                    text.push(character);
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::End(_) => break,
                Event::Start(_) | Event::Empty(_) => {
                    return Err(self.fail(Problem::Invalid(Expected::Text)));
                }
                Event::Decl(_) | Event::DocType(_) | Event::Eof => {
                    return Err(self.fail(Problem::Malformed(Expected::Xml)));
                }
            }
        }
        if text.chars().any(|character| character.is_control() && !"\t\n\r".contains(character)) {
            return Err(self.fail(Problem::Invalid(Expected::Text)));
        }
        Ok(match text.trim() {
            trimmed if trimmed.len() == text.len() => text,
            trimmed => trimmed.to_owned(),
        })
    }

    /// Reads the element just entered into a slot that was empty; an empty element leaves it empty.
    pub(crate) fn scalar<T: Scalar>(&mut self, slot: &mut Option<T>) -> Result<(), DecodeError> {
        self.vacant(slot)?;
        let text = self.text()?;
        if !text.is_empty() {
            let value = T::from_text(&text);
            *slot = Some(value.map_err(|expected| self.fail(Problem::Invalid(expected)))?);
        } else {
            self.path.note_empty();
        }
        self.path.pop();
        Ok(())
    }

    /// `<CurrencyCode>` and `<Value>` (or `<Amount>`, as a sample of Amazon's own has it).
    pub(crate) fn amount(&mut self, slot: &mut Option<Money>) -> Result<(), DecodeError> {
        self.vacant(slot)?;
        let (mut currency, mut value) = (None::<String>, None::<String>);
        while let Some(name) = self.next_child()? {
            match name {
                "CurrencyCode" => self.scalar(&mut currency)?,
                "Value" | "Amount" => self.scalar(&mut value)?,
                _ => self.skip()?,
            }
        }
        let (currency, value) =
            (self.required(currency, "CurrencyCode")?, self.required(value, "Value")?);
        *slot = Some(money::read(&currency, &value).map_err(|problem| self.fail(problem))?);
        self.path.pop();
        Ok(())
    }

    /// Reads the element just entered by its own reader into a slot that was empty.
    pub(crate) fn nested<T>(
        &mut self,
        slot: &mut Option<T>,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<(), DecodeError> {
        self.vacant(slot)?;
        *slot = Some(read(self)?);
        self.path.pop();
        Ok(())
    }

    /// Reads the element just entered by its own reader as one of several.
    pub(crate) fn repeated<T>(
        &mut self,
        list: &mut Vec<T>,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<(), DecodeError> {
        list.push(read(self)?);
        self.path.pop();
        Ok(())
    }

    /// Leaves the element just entered, whatever is in it.
    pub(crate) fn skip(&mut self) -> Result<(), DecodeError> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.event()? {
                Event::Start(_) => {
                    depth += 1;
                    self.count(depth - 1)?;
                }
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.fail(Problem::Malformed(Expected::Xml))),
                _ => {}
            }
        }
        self.path.pop();
        Ok(())
    }

    /// The value of a child that must be there.
    pub(crate) fn required<T>(&self, slot: Option<T>, name: &str) -> Result<T, DecodeError> {
        slot.ok_or_else(|| DecodeError::new(format!("{}/{name}", self.path.text), Problem::Missing))
    }

    pub(crate) fn fail(&self, problem: Problem) -> DecodeError {
        DecodeError::new(self.path.text.as_str(), problem)
    }

    /// Enters the next child; `false` at the end of the element. The name of the element stays on
    /// the path until whoever entered it takes it off.
    fn enter(&mut self) -> Result<bool, DecodeError> {
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.path.push(start.local_name().into_inner());
                    self.count(0)?;
                    return Ok(true);
                }
                Event::End(_) => return Ok(false),
                Event::Text(text) if is_blank(&text) => {}
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => return Err(self.fail(Problem::Malformed(Expected::Xml))),
                Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::Empty(_)
                | Event::DocType(_) => {
                    return Err(self.fail(Problem::Invalid(Expected::Elements)));
                }
            }
        }
    }

    fn count(&mut self, extra_depth: usize) -> Result<(), DecodeError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(self.fail(Problem::TooLarge));
        }
        if self.path.starts.len() + extra_depth > DEPTH_MAX {
            return Err(self.fail(Problem::TooDeep));
        }
        Ok(())
    }

    fn vacant<T>(&self, slot: &Option<T>) -> Result<(), DecodeError> {
        match slot {
            None if !self.path.was_empty() => Ok(()),
            _ => Err(self.fail(Problem::Duplicate)),
        }
    }

    /// The next event. What is refused wherever it stands is refused here: a document type, and a
    /// declaration behind the beginning.
    fn event(&mut self) -> Result<Event<'x>, DecodeError> {
        match self.events.read_event() {
            Ok(Event::DocType(_)) => Err(self.fail(Problem::Doctype)),
            Ok(Event::Decl(_)) if !self.path.starts.is_empty() => {
                Err(self.fail(Problem::Malformed(Expected::Xml)))
            }
            Ok(event) => Ok(event),
            Err(_) => Err(self.fail(Problem::Malformed(Expected::Xml))),
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Writes a message element by element.
#[derive(Debug)]
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn new() -> Self {
        // One line behind the declaration: Amazon's own libraries match answers with a regular
        // expression that does not cross lines.
        Self("<?xml version=\"1.0\"?>\n".to_owned())
    }

    /// An element with a default namespace.
    pub(crate) fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push_str(" xmlns=\"");
        self.0.push_str(namespace);
        self.0.push_str("\">");
        content(self);
        self.end(name);
    }

    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        content(self);
        self.end(name);
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        let escaped: Cow<'_, str> = quick_xml::escape::escape(text);
        // A reference keeps the document on its one line, and the line end as it is.
        let escaped = escaped.replace('\r', "&#13;").replace('\n', "&#10;");
        self.element(name, |writer| writer.0.push_str(&escaped));
    }

    pub(crate) fn scalar(&mut self, name: &str, value: &impl Scalar) {
        self.text(name, &value.to_text());
    }

    pub(crate) fn optional(&mut self, name: &str, value: Option<&impl Scalar>) {
        if let Some(value) = value {
            self.scalar(name, value);
        }
    }

    pub(crate) fn amount(&mut self, name: &str, money: Money) {
        self.element(name, |writer| {
            writer.text("CurrencyCode", money.currency().code());
            writer.text("Value", &money::six_decimals(money));
        });
    }

    pub(crate) fn optional_amount(&mut self, name: &str, money: Option<Money>) {
        if let Some(money) = money {
            self.amount(name, money);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    fn end(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}
