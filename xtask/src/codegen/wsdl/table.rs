//! A WSDL as a table: one line for every operation, element, field and value, with its type and how often
//! it stands. Documentation and the order of definitions are left behind.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::Outcome;

/// Deeper than any WSDL; the walk below follows the nesting.
const DEPTH_MAX: usize = 64;

/// The lines of a WSDL.
pub(super) fn lines(wsdl: &str) -> Outcome<Vec<String>> {
    let root = parse(wsdl)?;
    let schema = root.child("types")?.child("schema")?;
    let mut out = vec![format!(
        "namespace {} {} {}",
        root.get("targetNamespace")?,
        schema.get("targetNamespace")?,
        schema.get("elementFormDefault")?
    )];
    interface(&root, &mut out)?;
    for definition in &schema.children {
        let name = definition.get("name")?;
        match definition.tag.as_str() {
            "element" => {
                out.push(format!("element {name}"));
                inside(name, definition, &mut out)?;
            }
            "complexType" => {
                out.push(format!("type {name}"));
                fields(name, definition, &mut out)?;
            }
            "simpleType" => values(name, definition, &mut out)?,
            tag => return Err(format!("{tag} in the schema").into()),
        }
    }
    Ok(out)
}

/// Service, binding, port type and operations.
fn interface(root: &Element, out: &mut Vec<String>) -> Outcome {
    let (service, binding) = (root.child("service")?, root.child("binding")?);
    let (port, port_type) = (service.child("port")?, root.child("portType")?);
    let address = port.child("address")?.get("location")?;
    let (name, bound) = (service.get("name")?, port.get("binding")?);
    out.push(format!("service {name} {} {bound} {address}", port.get("name")?));
    let soap = binding.child("binding")?;
    let (name, ty) = (binding.get("name")?, binding.get("type")?);
    out.push(format!("binding {name} {ty} {} {}", soap.get("style")?, soap.get("transport")?));
    out.push(format!("port {}", port_type.get("name")?));
    let mut elements = BTreeMap::new();
    for message in root.children("message") {
        elements.insert(message.get("name")?, message.child("part")?.get("element")?);
    }
    for operation in port_type.children("operation") {
        let name = operation.get("name")?;
        out.push(format!("operation {name}"));
        for tag in ["input", "output"] {
            let part = operation.child(tag)?;
            let message = part.get("message")?.rsplit(':').next().unwrap_or_default();
            let element = elements.get(message).ok_or(format!("no message {message}"))?;
            out.push(format!("{tag} {name} {element} {}", part.get("Action")?));
        }
    }
    for operation in binding.children("operation") {
        let action = operation.child("operation")?.get("soapAction")?;
        let [input, output] = [operation.child("input")?, operation.child("output")?];
        let uses = [input.child("body")?.get("use")?, output.child("body")?.get("use")?];
        out.push(format!("bound {} {action} {}", operation.get("name")?, uses.join(" ")));
    }
    Ok(())
}

/// The type that is written inside an element, if any.
fn inside(owner: &str, element: &Element, out: &mut Vec<String>) -> Outcome {
    for ty in element.children("complexType") {
        fields(owner, ty, out)?;
    }
    for ty in element.children("simpleType") {
        values(owner, ty, out)?;
    }
    Ok(())
}

fn fields(owner: &str, ty: &Element, out: &mut Vec<String>) -> Outcome {
    for field in ty.children("sequence").flat_map(|sequence| &sequence.children) {
        let least = field.get("minOccurs").unwrap_or("1");
        let most = field.get("maxOccurs").unwrap_or("1").replace("unbounded", "*");
        let (name, ty) = match (field.tag.as_str(), field.get("ref")) {
            ("any", _) => ("*", "any"),
            (_, Ok(name)) => (name.rsplit(':').next().unwrap_or(name), "ref"),
            (_, Err(_)) => (field.get("name")?, field.get("type").unwrap_or("inline")),
        };
        let default = match field.get("default") {
            Ok(default) => format!(" default={default}"),
            Err(_) => String::new(),
        };
        out.push(format!("field {owner} {name} {ty} {least}..{most}{default}"));
        inside(&format!("{owner}/{name}"), field, out)?;
    }
    Ok(())
}

fn values(owner: &str, ty: &Element, out: &mut Vec<String>) -> Outcome {
    let restriction = ty.child("restriction")?;
    out.push(format!("simple {owner} {}", restriction.get("base")?));
    for value in restriction.children("enumeration") {
        out.push(format!("value {owner} {}", value.get("value")?));
    }
    Ok(())
}

/// An element without its texts, named without its prefix.
struct Element {
    tag: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Self>,
}

impl Element {
    fn read(start: &BytesStart<'_>) -> Outcome<Self> {
        let mut attributes = BTreeMap::new();
        for attribute in start.attributes() {
            let attribute = attribute?;
            let name = attribute.key.local_name().as_ref().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
            // A declaration of a namespace says nothing about the interface.
            if !attribute.key.as_ref().starts_with("xmlns") {
                attributes.insert(name, value);
            }
        }
        let tag = start.local_name().as_ref().to_owned();
        Ok(Self { tag, attributes, children: Vec::new() })
    }

    fn get(&self, name: &str) -> Outcome<&str> {
        let value = self.attributes.get(name).map(String::as_str);
        Ok(value.ok_or_else(|| format!("{} has no {name}", self.tag))?)
    }

    fn children<'e>(&'e self, tag: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.tag == tag)
    }

    fn child<'e>(&'e self, tag: &'e str) -> Outcome<&'e Self> {
        let child = self.children(tag).next();
        Ok(child.ok_or_else(|| format!("{} has no {tag}", self.tag))?)
    }
}

fn parse(text: &str) -> Outcome<Element> {
    let mut reader = Reader::from_str(text);
    // The outermost element is the one child of this.
    let mut open =
        vec![Element { tag: "file".to_owned(), attributes: BTreeMap::new(), children: Vec::new() }];
    loop {
        match reader.read_event()? {
            Event::Start(start) => open.push(Element::read(&start)?),
            Event::Empty(start) => {
                let element = Element::read(&start)?;
                open.last_mut().ok_or("too many ends")?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop().ok_or("too many ends")?;
                open.last_mut().ok_or("too many ends")?.children.push(element);
            }
            Event::Eof => break,
            _ => {}
        }
        if open.len() > DEPTH_MAX {
            return Err("nested too deep".into());
        }
    }
    let file = open.pop().filter(|file| open.is_empty() && file.tag == "file");
    let root = file.and_then(|file| file.children.into_iter().next());
    Ok(root.ok_or("ends too early")?)
}
