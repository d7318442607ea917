//! The bounded XML reader under the SOAP scheme: text in, a tree with resolved namespaces out; no
//! element is known here.
//!
//! What is not read: document types and processing instructions, both of which SOAP 1.1 (section 3)
//! forbids, entities other than the five, XML 1.1, and encodings other than UTF-8. Comments are
//! dropped, and the tree remembers that there was one.

use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};

use crate::error::Error;

/// The most bytes of a document that are read.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// The most elements that are read.
const ELEMENTS_MAX: usize = 4096;
/// The most attributes of one element, namespace declarations among them.
const ATTRIBUTES_MAX: usize = 64;
/// The most namespace declarations on the way from the root to an element.
const DECLARATIONS_MAX: usize = 64;

/// The namespace of the prefix `xml`, which needs no declaration.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A document. Elements are numbered in document order; the root is the first.
pub(super) struct Tree {
    elements: Vec<Element>,
    has_comment: bool,
}

/// An element of one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ElementId(usize);

pub(super) struct Element {
    pub(super) parent: Option<ElementId>,
    pub(super) name: Name,
    pub(super) declarations: Vec<Declaration>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) children: Vec<Node>,
}

/// A name with its prefix as written and its namespace as resolved; both empty where there is none.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) prefix: String,
    pub(super) local: String,
    pub(super) namespace: Arc<str>,
}

impl Name {
    pub(super) fn is(&self, (namespace, local): (&str, &str)) -> bool {
        &*self.namespace == namespace && self.local == local
    }
}

pub(super) struct Attribute {
    pub(super) name: Name,
    pub(super) value: String,
}

/// `xmlns="…"` (an empty prefix) or `xmlns:prefix="…"`.
#[derive(Clone)]
pub(super) struct Declaration {
    pub(super) prefix: String,
    pub(super) namespace: Arc<str>,
}

pub(super) enum Node {
    Element(ElementId),
    Text(String),
}

impl Tree {
    pub(super) const ROOT: ElementId = ElementId(0);

    /// Reads a whole document.
    pub(super) fn parse(document: &[u8]) -> Result<Self, Error> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(limit("the size of the XML", "at most 256 KiB"));
        }
        let text = std::str::from_utf8(document).map_err(|_| MALFORMED)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.chars().all(is_char) {
            return Err(MALFORMED);
        }
        // Line ends are made one before anything else is read (XML 1.0, 2.11).
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = skip_declaration(&text)?;
        if text.starts_with('\u{feff}') {
            return Err(MALFORMED);
        }
        let mut events = quick_xml::Reader::from_str(text);
        let config = events.config_mut();
        config.check_comments = true;
        config.expand_empty_elements = true;
        let mut builder = Builder::default();
        loop {
            let event = events.read_event().map_err(|_| MALFORMED)?;
            if matches!(event, Event::Eof) {
                return builder.finish();
            }
            builder.take(event)?;
        }
    }

    pub(super) fn element(&self, id: ElementId) -> &Element {
        &self.elements[id.0]
    }

    /// All elements in document order.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.elements.iter()
    }

    /// All elements in document order, by their numbers.
    pub(super) fn ids(&self) -> impl Iterator<Item = ElementId> + use<> {
        (0..self.elements.len()).map(ElementId)
    }

    /// Was there a comment anywhere?
    pub(super) const fn has_comment(&self) -> bool {
        self.has_comment
    }

    pub(super) fn child_elements(&self, id: ElementId) -> impl Iterator<Item = ElementId> + '_ {
        self.element(id).children.iter().filter_map(|child| match child {
            Node::Element(child) => Some(*child),
            Node::Text(_) => None,
        })
    }

    /// The element itself, its parent, and so on up to the root.
    pub(super) fn lineage(&self, id: ElementId) -> impl Iterator<Item = &Element> {
        std::iter::successors(Some(self.element(id)), |element| {
            element.parent.map(|parent| self.element(parent))
        })
    }

    /// What a prefix means at an element; empty where it means nothing.
    pub(super) fn namespace(&self, id: ElementId, prefix: &str) -> &str {
        self.lineage(id)
            .flat_map(|element| &element.declarations)
            .find(|declaration| declaration.prefix == prefix)
            .map_or("", |declaration| &*declaration.namespace)
    }

    /// Gives the root an attribute, with the declaration of its prefix if that is missing. `false`
    /// when it has the attribute already, or the prefix means something else.
    pub(super) fn mark_root(&mut self, prefix: &str, name: (&str, &str), value: &str) -> bool {
        let (namespace, local) = name;
        let bound = self.namespace(Self::ROOT, prefix) == namespace;
        let Some(root) = self.elements.first_mut() else { return false };
        if root.attributes.iter().any(|attribute| attribute.name.is(name)) {
            return false;
        }
        let namespace = Arc::<str>::from(namespace);
        if !bound {
            if root.declarations.iter().any(|declaration| declaration.prefix == prefix) {
                return false;
            }
            let prefix = prefix.to_owned();
            root.declarations.push(Declaration { prefix, namespace: Arc::clone(&namespace) });
        }
        let name = Name { prefix: prefix.to_owned(), local: local.to_owned(), namespace };
        root.attributes.push(Attribute { name, value: value.to_owned() });
        true
    }
}

const MALFORMED: Error = Error::Malformed("the XML");

pub(super) const fn limit(part: &'static str, accepted: &'static str) -> Error {
    Error::Unsupported { part, accepted }
}

/// The part of the tree that is built, and what is still open.
#[derive(Default)]
struct Builder {
    elements: Vec<Element>,
    has_comment: bool,
    open: Vec<ElementId>,
    /// The declarations in scope, and how many there were when each open element began.
    scope: Vec<Declaration>,
    scope_marks: Vec<usize>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::End(_) => {
                self.open.pop().ok_or(MALFORMED)?;
                let mark = self.scope_marks.pop().ok_or(MALFORMED)?;
                self.scope.truncate(mark);
                Ok(())
            }
            Event::Text(text) => {
                let text = text.into_inner();
                // `]]>` may not stand in text (XML 1.0, 2.4).
                if text.contains("]]>") { Err(MALFORMED) } else { self.text(&text) }
            }
            Event::CData(text) if !self.open.is_empty() => self.text(&text.into_inner()),
            Event::GeneralRef(name) if !self.open.is_empty() => {
                let character = reference(&name.into_inner()).ok_or(MALFORMED)?;
                self.text(character.encode_utf8(&mut [0; 4]))
            }
            Event::Comment(_) => {
                self.has_comment = true;
                Ok(())
            }
            Event::PI(_) => Err(limit("a processing instruction", "XML without any")),
            Event::DocType(_) => Err(limit("a document type", "XML without one")),
            Event::Empty(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Decl(_)
            | Event::Eof => Err(MALFORMED),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        let Some(parent) = self.open.last() else {
            return if text.bytes().all(is_blank) { Ok(()) } else { Err(MALFORMED) };
        };
        let children = &mut self.elements[parent.0].children;
        // Text is one node, whatever references, sections and comments it was written with.
        match children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => children.push(Node::Text(text.to_owned())),
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Error> {
        let id = ElementId(self.elements.len());
        let parent = self.open.last().copied();
        if parent.is_none() && !self.elements.is_empty() {
            return Err(MALFORMED);
        }
        if self.elements.len() >= ELEMENTS_MAX {
            return Err(limit("the number of elements", "at most 4096"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(limit("the depth of the XML", "at most 32"));
        }
        let given = split_attributes(start.attributes_raw())?;
        let declarations = read_declarations(&given)?;
        self.scope_marks.push(self.scope.len());
        self.scope.extend(declarations.iter().cloned());
        if self.scope.len() > DECLARATIONS_MAX {
            return Err(limit("the number of namespaces in scope", "at most 64"));
        }
        let (prefix, local) = split_name(start.name().0)?;
        let namespace = self.resolve(prefix)?;
        let name = Name { prefix: prefix.to_owned(), local: local.to_owned(), namespace };
        let attributes = self.attributes(given)?;
        let children = Vec::new();
        self.elements.push(Element { parent, name, declarations, attributes, children });
        if let Some(parent) = parent {
            self.elements[parent.0].children.push(Node::Element(id));
        }
        self.open.push(id);
        Ok(())
    }

    fn attributes(&self, given: Vec<(&str, String)>) -> Result<Vec<Attribute>, Error> {
        let mut attributes: Vec<Attribute> = Vec::with_capacity(given.len());
        for (name, value) in given {
            if is_declaration(name) {
                continue;
            }
            let (prefix, local) = split_name(name)?;
            // An attribute without a prefix is in no namespace, whatever the default one is.
            let namespace = if prefix.is_empty() { Arc::from("") } else { self.resolve(prefix)? };
            // Two prefixes can name one attribute twice.
            if attributes.iter().any(|other| other.name.is((&namespace, local))) {
                return Err(MALFORMED);
            }
            let name = Name { prefix: prefix.to_owned(), local: local.to_owned(), namespace };
            attributes.push(Attribute { name, value });
        }
        Ok(attributes)
    }

    fn resolve(&self, prefix: &str) -> Result<Arc<str>, Error> {
        if prefix == "xml" {
            return Ok(Arc::from(XML));
        }
        let declared = self.scope.iter().rfind(|declaration| declaration.prefix == prefix);
        match declared {
            Some(declaration) => Ok(Arc::clone(&declaration.namespace)),
            None if prefix.is_empty() => Ok(Arc::from("")),
            None => Err(Error::Malformed("a namespace prefix without declaration")),
        }
    }

    fn finish(self) -> Result<Tree, Error> {
        if !self.open.is_empty() || self.elements.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Tree { elements: self.elements, has_comment: self.has_comment })
    }
}

/// Reads the XML declaration, if there is one, and answers what follows it.
fn skip_declaration(text: &str) -> Result<&str, Error> {
    let Some(rest) = text.strip_prefix("<?xml").filter(|rest| rest.starts_with([' ', '\t', '\n']))
    else {
        return Ok(text);
    };
    let (declaration, rest) = rest.split_once("?>").ok_or(MALFORMED)?;
    let given = split_attributes(declaration)?;
    let mut given = given.iter().map(|(name, value)| (*name, value.as_str())).peekable();
    match given.next() {
        Some(("version", "1.0")) => {}
        Some(("version", _)) => return Err(limit("the version of XML", "1.0")),
        _ => return Err(MALFORMED),
    }
    if let Some((_, encoding)) = given.next_if(|(name, _)| *name == "encoding")
        && !encoding.eq_ignore_ascii_case("utf-8")
    {
        return Err(limit("the encoding of the XML", "UTF-8"));
    }
    if let Some((_, value)) = given.next_if(|(name, _)| *name == "standalone")
        && !matches!(value, "yes" | "no")
    {
        return Err(MALFORMED);
    }
    if given.next().is_some() { Err(MALFORMED) } else { Ok(rest) }
}

/// The attributes of a tag, values normalised and references replaced. `raw` begins behind the name.
fn split_attributes(raw: &str) -> Result<Vec<(&str, String)>, Error> {
    let mut attributes = Vec::new();
    let mut rest = raw;
    loop {
        let begin = rest.trim_start_matches(BLANKS);
        if begin.is_empty() {
            return Ok(attributes);
        }
        // A blank is needed before each.
        if begin.len() == rest.len() {
            return Err(MALFORMED);
        }
        if attributes.len() >= ATTRIBUTES_MAX {
            return Err(limit("the number of attributes of an element", "at most 64"));
        }
        let (name, after) = begin.split_once('=').ok_or(MALFORMED)?;
        let after = after.trim_start_matches(BLANKS);
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let quote = quote.ok_or(MALFORMED)?;
        let (value, after) =
            after.strip_prefix(quote).and_then(|after| after.split_once(quote)).ok_or(MALFORMED)?;
        attributes.push((name.trim_end_matches(BLANKS), attribute_value(value)?));
        rest = after;
    }
}

/// Attribute value normalisation (XML 1.0, 3.3.3): a blank that was written is a space, one that was
/// referred to is itself.
fn attribute_value(raw: &str) -> Result<String, Error> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '<' => return Err(MALFORMED),
            '\t' | '\n' => value.push(' '),
            '&' => {
                let (name, after) = rest.split_once(';').ok_or(MALFORMED)?;
                value.push(reference(name).ok_or(MALFORMED)?);
                rest = after;
            }
            _ => value.push(character),
        }
    }
    Ok(value)
}

fn is_declaration(name: &str) -> bool {
    name == "xmlns" || name.starts_with("xmlns:")
}

fn read_declarations(given: &[(&str, String)]) -> Result<Vec<Declaration>, Error> {
    let mut declarations: Vec<Declaration> = Vec::new();
    for (name, namespace) in given.iter().filter(|(name, _)| is_declaration(name)) {
        let prefix = match name.strip_prefix("xmlns:") {
            Some(prefix) if is_ncname(prefix) && !namespace.is_empty() => prefix,
            Some(_) => return Err(MALFORMED),
            None => "",
        };
        // The names `xml` and `xmlns` are taken (Namespaces in XML 1.0, 3), and a relative namespace
        // has no canonical form (Canonical XML 1.0, 1.3).
        let reserved = prefix == "xmlns" || namespace == XMLNS;
        if reserved
            || (prefix == "xml") != (namespace == XML)
            || !(namespace.is_empty() || is_absolute(namespace))
            || declarations.iter().any(|other| other.prefix == prefix)
        {
            return Err(MALFORMED);
        }
        let namespace = Arc::from(namespace.as_str());
        declarations.push(Declaration { prefix: prefix.to_owned(), namespace });
    }
    Ok(declarations)
}

/// Does it begin with a scheme?
fn is_absolute(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Prefix, empty where there is none, and local name.
fn split_name(name: &str) -> Result<(&str, &str), Error> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let is_prefixed = local.len() < name.len();
    if (is_prefixed && !is_ncname(prefix)) || !is_ncname(local) || prefix == "xmlns" {
        return Err(MALFORMED);
    }
    Ok((prefix, local))
}

/// The character of a reference, given what stands between `&` and `;`.
fn reference(name: &str) -> Option<char> {
    let (digits, radix) = match (name.strip_prefix("#x"), name.strip_prefix('#')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) => (digits, 10),
        (None, None) => {
            return Some(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => return None,
            });
        }
    };
    // The number parser of the standard library would also take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(number).filter(|character| is_char(*character))
}

pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// `Char` of XML 1.0.
fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// `NCName`: a name of XML 1.0 (fifth edition) without a colon.
fn is_ncname(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start)
        && characters.all(|character| {
            is_name_start(character)
                || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
                    | '\u{203f}'..='\u{2040}')
        })
}

fn is_name_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}
