//! Canonical XML of one element and all that is in it; nothing is hashed here.
//!
//! Both forms are those without comments. The whole element is always in the node set, so that of
//! the recommendations only the parts about whole subtrees are needed.

use std::collections::BTreeSet;

use super::WSU_ID;
use super::tree::{BLANKS, Element, ElementId, Node, Tree, XML, limit};
use crate::error::Error;

/// The most bytes of a canonical form. A namespace declared once can be written out again at every
/// element that uses it, so that a small document can have a large canonical form.
const CANONICAL_BYTES_MAX: usize = 1024 * 1024;
/// The most prefixes of an `InclusiveNamespaces` list.
const PREFIXES_MAX: usize = 64;

/// Which canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Exclusive Canonical XML 1.0: of the namespaces only those that are used, so that an element
    /// keeps its form when it is put into another envelope.
    Exclusive {
        /// The `PrefixList` of `InclusiveNamespaces`: prefixes that are treated as in the inclusive
        /// form, `#default` for the namespace without one.
        inclusive_prefixes: Vec<String>,
    },
    /// Canonical XML 1.0: all namespaces in scope, and the `xml:` attributes of the ancestors.
    Inclusive,
}

impl Canonicalization {
    /// The exclusive form without a list of prefixes, which is what FPS asks for.
    #[must_use]
    pub const fn exclusive() -> Self {
        Self::Exclusive { inclusive_prefixes: Vec::new() }
    }

    /// The exclusive form with the prefixes of a `PrefixList`.
    pub(super) fn with_prefix_list(list: &str) -> Result<Self, Error> {
        let prefixes = list.split(BLANKS).filter(|prefix| !prefix.is_empty());
        let inclusive_prefixes: Vec<String> = prefixes.map(str::to_owned).collect();
        if inclusive_prefixes.len() > PREFIXES_MAX {
            return Err(limit("the length of ec:InclusiveNamespaces", "at most 64 prefixes"));
        }
        Ok(Self::Exclusive { inclusive_prefixes })
    }
}

/// The canonical form of the element whose `wsu:Id` is `id`, or of the root element.
///
/// # Errors
/// [`Error`] when the text is not XML that is read here, or no element has that `wsu:Id`.
pub fn canonicalize(
    xml: &str,
    id: Option<&str>,
    canonicalization: &Canonicalization,
) -> Result<String, Error> {
    let tree = Tree::parse(xml.as_bytes())?;
    let has_id = |element: &Element, id: &str| {
        element.attributes.iter().any(|own| own.name.is(WSU_ID) && own.value == id)
    };
    let apex = match id {
        None => Tree::ROOT,
        Some(id) => tree
            .ids()
            .find(|element| has_id(tree.element(*element), id))
            .ok_or(Error::Missing("the element of that wsu:Id"))?,
    };
    write(&tree, apex, canonicalization)
}

/// The canonical form of an element of a tree.
pub(super) fn write(
    tree: &Tree,
    apex: ElementId,
    canonicalization: &Canonicalization,
) -> Result<String, Error> {
    let mut writer =
        Writer { tree, apex, canonicalization, rendered: Vec::new(), out: String::new() };
    writer.element(apex)?;
    Ok(writer.out)
}

struct Writer<'t> {
    tree: &'t Tree,
    apex: ElementId,
    canonicalization: &'t Canonicalization,
    /// The declarations written by the open elements, the innermost last.
    rendered: Vec<(&'t str, &'t str)>,
    out: String,
}

impl<'t> Writer<'t> {
    /// Recurses as deep as the reader lets elements nest.
    fn element(&mut self, id: ElementId) -> Result<(), Error> {
        let tree = self.tree;
        let element = tree.element(id);
        let mark = self.rendered.len();
        self.out.push('<');
        self.name(element);
        self.declarations(id);
        self.attributes(id);
        self.out.push('>');
        for child in &element.children {
            match child {
                Node::Element(child) => self.element(*child)?,
                Node::Text(text) => push_text(text, &mut self.out),
            }
        }
        self.out.push_str("</");
        self.name(element);
        self.out.push('>');
        self.rendered.truncate(mark);
        if self.out.len() > CANONICAL_BYTES_MAX {
            return Err(limit("the size of a canonical form", "at most 1 MiB"));
        }
        Ok(())
    }

    fn name(&mut self, element: &Element) {
        if !element.name.prefix.is_empty() {
            self.out.push_str(&element.name.prefix);
            self.out.push(':');
        }
        self.out.push_str(&element.name.local);
    }

    /// The declarations, in the order of their prefixes, that what was written so far does not give.
    fn declarations(&mut self, id: ElementId) {
        let tree = self.tree;
        for prefix in self.candidates(id) {
            let namespace = tree.namespace(id, prefix);
            let rendered = self.rendered.iter().rfind(|(other, _)| *other == prefix);
            let rendered = rendered.map_or("", |(_, namespace)| *namespace);
            // `xml` is known everywhere. Only the default namespace can be taken back.
            if prefix == "xml" || namespace == rendered {
                continue;
            }
            self.rendered.push((prefix, namespace));
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.out.push_str("=\"");
            push_attribute(namespace, &mut self.out);
            self.out.push('"');
        }
    }

    /// The prefixes that may need a declaration here; the empty one stands for none.
    fn candidates(&self, id: ElementId) -> BTreeSet<&'t str> {
        let tree = self.tree;
        let element = tree.element(id);
        match self.canonicalization {
            Canonicalization::Inclusive => tree
                .lineage(id)
                .flat_map(|element| &element.declarations)
                .map(|declaration| declaration.prefix.as_str())
                .collect(),
            Canonicalization::Exclusive { inclusive_prefixes } => {
                let prefixes = element.attributes.iter().map(|own| own.name.prefix.as_str());
                // An attribute without a prefix uses no namespace.
                let used = prefixes.filter(|prefix| !prefix.is_empty());
                let listed = inclusive_prefixes.iter().map(|prefix| match prefix.as_str() {
                    "#default" => "",
                    prefix => prefix,
                });
                used.chain(listed).chain([element.name.prefix.as_str()]).collect()
            }
        }
    }

    /// The attributes, in the order of namespace and local name.
    fn attributes(&mut self, id: ElementId) {
        let tree = self.tree;
        let mut attributes: Vec<_> = tree.element(id).attributes.iter().collect();
        if id == self.apex && *self.canonicalization == Canonicalization::Inclusive {
            for inherited in tree.lineage(id).skip(1).flat_map(|element| &element.attributes) {
                let name = (XML, inherited.name.local.as_str());
                if inherited.name.is(name) && !attributes.iter().any(|own| own.name.is(name)) {
                    attributes.push(inherited);
                }
            }
        }
        attributes.sort_by(|one, other| {
            let key = |name: &'t super::tree::Name| (&*name.namespace, name.local.as_str());
            key(&one.name).cmp(&key(&other.name))
        });
        for attribute in attributes {
            self.out.push(' ');
            if !attribute.name.prefix.is_empty() {
                self.out.push_str(&attribute.name.prefix);
                self.out.push(':');
            }
            self.out.push_str(&attribute.name.local);
            self.out.push_str("=\"");
            push_attribute(&attribute.value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Appends text as a canonical form has it.
pub(super) fn push_text(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            _ => out.push(character),
        }
    }
}

fn push_attribute(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            _ => out.push(character),
        }
    }
}
