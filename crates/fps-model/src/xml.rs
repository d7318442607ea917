//! A small pull reader and writer for the XML of FPS, bounded, elements matched by local name; no
//! single message is known here.
//!
//! Namespaces are ignored on purpose: Amazon's own samples disagree about them.

use std::borrow::Cow;

use quick_xml::events::Event;
use quick_xml::name::{NamespaceResolver, ResolveResult};
use refund_rules::Money;

use crate::dialect::Dialect;
use crate::error::{DecodeError, Expected, Problem};
use crate::field::Field;
use crate::money;
use crate::scalar::Scalar;

/// The most bytes of a message that are read.
const XML_BYTES_MAX: usize = 1024 * 1024;
/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// The most elements that are read.
const ELEMENTS_MAX: usize = 10_000;

/// All that an element holds.
#[derive(Debug)]
pub(crate) enum Node {
    Text(String),
    /// Children by their names, in their order.
    Parts(Vec<(String, Self)>),
}

/// Reads a message element by element.
///
/// The reader stands inside an element. [`Reader::next_child`] enters the next child, which must then
/// be consumed by one of the other methods; at the end of the element it answers `None`.
pub(crate) struct Reader<'x> {
    events: quick_xml::Reader<&'x [u8]>,
    path: Path,
    elements: usize,
    dialect: Dialect,
    /// In an answer of the 2007 revision: what stands beside the result.
    beside: Option<Beside>,
    /// Of a request: the namespaces that are declared.
    namespaces: Option<Box<NamespaceResolver>>,
    /// The revision whose namespace the element last entered is in.
    revision: Option<Dialect>,
}

/// What the 2007 revision puts into the outermost element, among the fields of the result.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    depth: usize,
    pub(crate) status: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) refused: bool,
}

/// Names of the open elements, joined by slashes, and where each begins.
struct Path {
    text: String,
    starts: Vec<usize>,
    /// The empty ones among the children of open elements, with their depths: an empty element fills
    /// no slot, and may stand no second time all the same.
    empty: Vec<(String, usize)>,
}

impl Path {
    /// With room for what answers usually have.
    fn new() -> Self {
        Self { text: String::with_capacity(128), starts: Vec::with_capacity(8), empty: Vec::new() }
    }

    fn push(&mut self, name: &str) {
        self.starts.push(self.text.len());
        if !self.text.is_empty() {
            self.text.push('/');
        }
        self.text.push_str(name);
    }

    fn pop(&mut self) {
        if !self.empty.is_empty() {
            self.empty.retain(|(_, depth)| *depth <= self.starts.len());
        }
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
        let name = self.text.get(start..).unwrap_or_default();
        name.strip_prefix('/').unwrap_or(name)
    }
}

impl<'x> Reader<'x> {
    /// Opens a document in the spelling of a revision and enters its outermost element.
    pub(crate) fn open(body: &'x [u8], dialect: Dialect) -> Result<Self, DecodeError> {
        Self::open_with(body, dialect, None)
    }

    /// Opens a document that may be of any revision, and keeps account of namespaces.
    pub(crate) fn open_with_namespaces(body: &'x [u8]) -> Result<Self, DecodeError> {
        Self::open_with(body, Dialect::default(), Some(Box::default()))
    }

    fn open_with(
        body: &'x [u8],
        dialect: Dialect,
        namespaces: Option<Box<NamespaceResolver>>,
    ) -> Result<Self, DecodeError> {
        if body.len() > XML_BYTES_MAX {
            return Err(DecodeError::new("", Problem::TooLarge));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| DecodeError::new("", Problem::Malformed(Expected::Xml)))?;
        let mut events = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
        let config = events.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let mut reader = Self {
            events,
            path: Path::new(),
            elements: 0,
            dialect,
            beside: None,
            namespaces,
            revision: None,
        };
        match reader.enter()? {
            true => Ok(reader),
            false => Err(reader.fail(Problem::Malformed(Expected::Xml))),
        }
    }

    /// The revision that the document is spelled in.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The revision whose namespace the element last entered is in, when account is kept.
    pub(crate) const fn revision(&self) -> Option<Dialect> {
        self.revision
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
    pub(crate) fn text(&mut self) -> Result<Cow<'x, str>, DecodeError> {
        let mut text = Cow::Borrowed("");
        while let Some(event) = self.piece(&mut text)? {
            if let Event::Start(_) = event {
                return Err(self.fail(Problem::Invalid(Expected::Text)));
            }
        }
        self.carried(text)
    }

    /// Everything in the element just entered, which is left.
    pub(crate) fn node(&mut self) -> Result<Node, DecodeError> {
        let (mut text, mut parts) = (Cow::Borrowed(""), Vec::new());
        while let Some(event) = self.piece(&mut text)? {
            if let Event::Start(start) = event {
                let name = start.local_name().into_inner();
                self.path.push(name);
                self.count(0)?;
                parts.push((name.to_owned(), self.node()?));
            }
        }
        let node = match (parts.is_empty(), is_blank(&text)) {
            (true, _) => Node::Text(self.carried(text)?.into_owned()),
            (false, true) => Node::Parts(parts),
            (false, false) => return Err(self.fail(Problem::Invalid(Expected::Elements))),
        };
        self.path.pop();
        Ok(node)
    }

    /// Reads on inside an element: text is added, a child is handed out unread, and nothing is left
    /// at the end.
    fn piece(&mut self, text: &mut Cow<'x, str>) -> Result<Option<Event<'x>>, DecodeError> {
        loop {
            match self.event()? {
                Event::Text(piece) => append(text, piece.xml10_content()),
                Event::CData(piece) => append(text, piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => predefined(&reference),
                        Err(_) => None,
                    };
                    let character =
                        character.ok_or_else(|| self.fail(Problem::Malformed(Expected::Xml)))?;
                    text.to_mut().push(character);
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::End(_) => return Ok(None),
                start @ (Event::Start(_) | Event::Empty(_)) => return Ok(Some(start)),
                Event::Decl(_) | Event::DocType(_) | Event::Eof => {
                    return Err(self.fail(Problem::Malformed(Expected::Xml)));
                }
            }
        }
    }

    /// A text without control characters and without blanks at its ends.
    fn carried(&self, text: Cow<'x, str>) -> Result<Cow<'x, str>, DecodeError> {
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let control = |character: char| character.is_control() && !"\t\n\r".contains(character);
        if !printable && text.chars().any(control) {
            return Err(self.fail(Problem::Invalid(Expected::Text)));
        }
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
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

    /// Reads the element just entered as one of several texts.
    pub(crate) fn scalars<T: Scalar>(&mut self, list: &mut Vec<T>) -> Result<(), DecodeError> {
        let text = self.text()?;
        if !text.is_empty() {
            let value = T::from_text(&text);
            list.push(value.map_err(|expected| self.fail(Problem::Invalid(expected)))?);
        }
        self.path.pop();
        Ok(())
    }

    /// From now on, the children of the element that the reader stands in that belong to no result
    /// are those of a 2007 answer.
    pub(crate) fn note_beside(&mut self) {
        let depth = self.path.starts.len() + 1;
        self.beside = Some(Beside { depth, ..Beside::default() });
    }

    /// What has been noted.
    pub(crate) fn beside(&mut self) -> Beside {
        self.beside.take().unwrap_or_default()
    }

    /// Leaves the element just entered, which is no field of the message that is being read.
    pub(crate) fn other(&mut self) -> Result<(), DecodeError> {
        let depth = self.path.starts.len();
        let Some(mut beside) = self.beside.take_if(|beside| beside.depth == depth) else {
            return self.skip();
        };
        let done = match self.name() {
            "Status" => self.scalar(&mut beside.status),
            "RequestId" => self.scalar(&mut beside.request_id),
            name => {
                beside.refused |= matches!(name, "Errors" | "Error");
                self.skip()
            }
        };
        self.beside = Some(beside);
        done
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
                    if let Some(namespaces) = &self.namespaces {
                        self.revision = match namespaces.resolve_element(start.name()).0 {
                            ResolveResult::Bound(it) => Dialect::from_namespace(it.into_inner()),
                            ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
                        };
                    }
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
            Ok(event) => {
                let tracked = match (&mut self.namespaces, &event) {
                    (Some(namespaces), Event::Start(start)) => namespaces.push(start),
                    (Some(namespaces), Event::End(_)) => {
                        namespaces.pop();
                        Ok(())
                    }
                    _ => Ok(()),
                };
                tracked.map_err(|_| self.fail(Problem::Malformed(Expected::Xml)))?;
                Ok(event)
            }
            Err(_) => Err(self.fail(Problem::Malformed(Expected::Xml))),
        }
    }
}

/// Adds a piece to a text, which is copied only if it has several.
fn append<'x>(text: &mut Cow<'x, str>, piece: Cow<'x, str>) {
    match text.is_empty() {
        true => *text = piece,
        false => text.to_mut().push_str(&piece),
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

/// What every document begins with. One line behind the declaration: Amazon's own libraries match
/// answers with a regular expression that does not cross lines.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\"?>\n";

/// Writes a message element by element, in the spelling of one revision.
#[derive(Debug)]
pub(crate) struct Writer {
    text: String,
    dialect: Dialect,
}

impl Writer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { text: DECLARATION.to_owned(), dialect }
    }

    /// The name of a field in this revision, if the revision knows it.
    pub(crate) fn spelling(&self, field: &Field) -> Option<&'static str> {
        field.name_in(self.dialect)
    }

    /// An element that declares a namespace, as the default one or, when its name has a prefix, under
    /// that.
    pub(crate) fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        let declared = match name.split_once(':') {
            Some((prefix, _)) => format!("xmlns:{prefix}"),
            None => "xmlns".to_owned(),
        };
        self.with_attributes(name, &[(&declared, namespace)], content);
    }

    /// An element with attributes.
    pub(crate) fn with_attributes(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes {
            self.text.push(' ');
            self.text.push_str(attribute);
            self.text.push_str("=\"");
            self.text.push_str(&escaped(value));
            self.text.push('"');
        }
        self.text.push('>');
        content(self);
        self.end(name);
    }

    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.with_attributes(name, &[], content);
    }

    /// Text that is markup already.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    /// The content of the element that is open.
    pub(crate) fn content(&mut self, text: &str) {
        self.text.push_str(&escaped(text));
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |writer| writer.content(text));
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
            writer.text(writer.dialect.amount_value(), &money::six_decimals(money));
        });
    }

    pub(crate) fn optional_amount(&mut self, name: &str, money: Option<Money>) {
        if let Some(money) = money {
            self.amount(name, money);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn end(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }
}

fn escaped(text: &str) -> Cow<'_, str> {
    // XML can carry no control characters, not even as references: no reader would take the document.
    let carried = |it: char| !it.is_control() || "\t\n\r".contains(it);
    let plain: Cow<'_, str> = match text.chars().all(carried) {
        true => text.into(),
        false => text.replace(|it| !carried(it), "\u{fffd}").into(),
    };
    let escaped = quick_xml::escape::escape(plain);
    // A reference keeps the document on its one line, and the line end as it is.
    match escaped.contains(['\r', '\n']) {
        true => escaped.replace('\r', "&#13;").replace('\n', "&#10;").into(),
        false => escaped,
    }
}
