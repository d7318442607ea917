//! Sample messages, made from the spec alone with every field set: the golden texts of the tests and the
//! examples of the reference pages. Nothing of `fps-model` is used here, so that the two can be compared.

use super::spec::{Dialect, Field, Kind, Place, Response, Service, Spec};

/// The id of the request in every sample.
pub(crate) const REQUEST_ID: &str = "bfb9a8b5-0a04-4b4f-a2ed-0a4b8f3b0d29:0";
/// The id of the SOAP message in every sample.
const MESSAGE_ID: &str = "MESSAGE123";
const DECLARATION: &str = "<?xml version=\"1.0\"?>";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";

/// A value in a sample.
pub(crate) enum Node {
    Text(String),
    /// Of JSON, without quotes.
    Bare(String),
    Parts(Parts),
    List(Vec<Self>),
}

/// Names with their values, in wire order.
pub(crate) type Parts = Vec<(String, Node)>;

/// Where a value stands, which decides how it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Request(Dialect),
    Answer(Dialect),
    Message,
    JsonRequest,
    Json,
}

impl Position {
    const fn is_json(self) -> bool {
        matches!(self, Self::JsonRequest | Self::Json)
    }

    const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Request(dialect) | Self::Answer(dialect) => Some(dialect),
            Self::Message | Self::JsonRequest | Self::Json => None,
        }
    }
}

/// Parameters of an action, without what every request begins with.
pub(crate) fn request(service: &Service, spec: &Spec, dialect: Dialect) -> Parts {
    parts(service, spec.request.iter(), Position::Request(dialect))
}

/// Parameters of a message.
pub(crate) fn message(service: &Service, spec: &Spec) -> Parts {
    parts(service, spec.field.iter(), Position::Message)
}

/// The body of a JSON request.
pub(crate) fn json_request(service: &Service, spec: &Spec) -> Node {
    let body = spec.request.iter().filter(|field| field.place == Place::Body);
    Node::Parts(parts(service, body, Position::JsonRequest))
}

/// A shared struct, or a message, as JSON.
pub(crate) fn json_object(service: &Service, spec: &Spec) -> Node {
    Node::Parts(parts(service, spec.field.iter(), Position::Json))
}

/// The value of one field of a JSON operation that stands in its path or a header.
pub(crate) fn beside_body(service: &Service, spec: &Spec, place: Place) -> Option<String> {
    let field = spec.request.iter().find(|field| field.place == place)?;
    match value(service, field, Position::Json, 0) {
        Node::Text(text) => Some(text),
        Node::Bare(_) | Node::Parts(_) | Node::List(_) => None,
    }
}

fn parts<'a>(
    service: &Service,
    fields: impl Iterator<Item = &'a Field>,
    position: Position,
) -> Parts {
    let mut parts = Parts::new();
    let asked = position == Position::JsonRequest;
    for field in fields.filter(|field| field.is_asked() || !asked) {
        let name = match position.dialect() {
            Some(dialect) if !field.exists_in(dialect) => continue,
            Some(dialect) => field.name_in(dialect),
            None => &field.name,
        };
        let is_struct = service.shared(&field.ty).is_some_and(|it| it.spec.kind == Kind::Struct);
        let node = match (field.repeated, is_struct) {
            (false, _) => value(service, field, position, 0),
            (true, true) => Node::List(vec![value(service, field, position, 0)]),
            (true, false) => {
                Node::List((0..2).map(|index| value(service, field, position, index)).collect())
            }
        };
        parts.push((name.to_owned(), node));
    }
    parts
}

/// A value of a field; `index` tells the entries of a list apart.
fn value(service: &Service, field: &Field, position: Position, index: usize) -> Node {
    if let Some(text) = field.fixed.as_ref().or(field.example.as_ref().filter(|_| index == 0)) {
        return match field.ty.as_str() {
            "Bool" | "Integer" if position.is_json() => Node::Bare(text.clone()),
            _ => Node::Text(text.clone()),
        };
    }
    if let Some(shared) = service.shared(&field.ty) {
        return shared_value(service, &shared.spec, field, position, index);
    }
    let json = position.is_json();
    let text = match field.ty.as_str() {
        "Amount" => return amount(position),
        "Price" => {
            let parts = [("amount", "14.00"), ("currencyCode", "USD")];
            return Node::Parts(
                parts.map(|(name, text)| (name.to_owned(), Node::Text(text.to_owned()))).into(),
            );
        }
        "Bool" => return Node::Bare("true".to_owned()),
        "Integer" if json => return Node::Bare("20".to_owned()),
        "AmountText" => "USD 12.50",
        "DollarText" => "12.5",
        "Integer" => "20",
        "Decimal" => "2.90",
        "EpochSeconds" => "1254808203",
        "DateTime" if json => "20190714T155300Z",
        "DateTime" => "2009-10-06T05:50:08.010Z",
        "CallerReference" => "CallerReference03",
        "IdempotencyKey" => "5f0b2d1c9a8e4f7db3c6a1e2d4f80713",
        _ => return Node::Text(words(field, index)),
    };
    Node::Text(text.to_owned())
}

fn shared_value(
    service: &Service,
    spec: &Spec,
    field: &Field,
    position: Position,
    index: usize,
) -> Node {
    match spec.kind {
        Kind::Struct => Node::Parts(parts(service, spec.field.iter(), position)),
        Kind::Enum => {
            let known: Vec<_> = spec
                .value
                .iter()
                .filter(|value| match position.dialect() {
                    Some(dialect) => value.exists_in(dialect),
                    None => true,
                })
                .collect();
            let value = known.get(index).or(known.first());
            Node::Text(value.map_or_else(String::new, |value| value.name.clone()))
        }
        Kind::Id | Kind::Operation | Kind::Message => {
            Node::Text(spec.example.clone().unwrap_or_else(|| words(field, index)))
        }
    }
}

fn amount(position: Position) -> Node {
    let value = match position {
        Position::Answer(_) => "12.500000",
        Position::Request(_) | Position::Message | Position::JsonRequest | Position::Json => "12.5",
    };
    let name = match position.dialect() {
        Some(Dialect::V2007) => "Amount",
        _ => "Value",
    };
    let parts = [("CurrencyCode", "USD"), (name, value)];
    Node::Parts(parts.map(|(name, text)| (name.to_owned(), Node::Text(text.to_owned()))).into())
}

/// A text that says what it stands for: `caller description`.
fn words(field: &Field, index: usize) -> String {
    let mut text = super::names::snake(&field.name).replace('_', " ");
    if index > 0 {
        text += &format!(" {}", index + 1);
    }
    if let Some(most) = field.max.or(field.max_bytes) {
        text.truncate(most);
    }
    text.trim_end().to_owned()
}

/// Dotted names with their values: `Role.1`, `RefundAmount.Value`.
pub(crate) fn dotted(parts: &Parts) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, node) in parts {
        push_dotted(name.clone(), node, &mut pairs);
    }
    pairs
}

fn push_dotted(name: String, node: &Node, pairs: &mut Vec<(String, String)>) {
    match node {
        Node::Text(text) | Node::Bare(text) => pairs.push((name, text.clone())),
        Node::Parts(parts) => {
            for (part, node) in parts {
                push_dotted(format!("{name}.{part}"), node, pairs);
            }
        }
        Node::List(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                push_dotted(format!("{name}.{}", index + 1), node, pairs);
            }
        }
    }
}

/// `name=value`, percent-encoded.
pub(crate) fn pair((name, value): &(String, String)) -> String {
    let mut out = format!("{name}=");
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out += &format!("%{other:02X}"),
        }
    }
    out
}

/// What every request begins with, and its parameters.
pub(crate) fn query(service: &Service, spec: &Spec, dialect: Dialect) -> Vec<String> {
    let head = [("Action", spec.name.as_str()), ("Version", dialect.version())]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own = dotted(&request(service, spec, dialect));
    head.iter().chain(&own).map(pair).collect()
}

/// An XML document: its declaration on one line and everything else on another or, to be read by
/// people, on many.
pub(crate) struct Xml {
    text: String,
    indent: Option<usize>,
}

impl Xml {
    fn new(pretty: bool) -> Self {
        Self { text: format!("{DECLARATION}\n"), indent: pretty.then_some(0) }
    }

    fn line(&mut self) {
        if let Some(depth) = self.indent {
            if !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            self.text += &"  ".repeat(depth);
        }
    }

    fn element(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Self)) {
        self.line();
        self.text += &format!("<{name}{attributes}>");
        let begun = self.text.len();
        self.indent = self.indent.map(|depth| depth + 1);
        content(self);
        self.indent = self.indent.map(|depth| depth - 1);
        if self.text[begun..].contains('\n') {
            self.line();
        }
        self.text += &format!("</{name}>");
    }

    fn leaf(&mut self, name: &str, attributes: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let text = text.replace('\'', "&apos;").replace('"', "&quot;");
        self.element(name, attributes, |xml| xml.text += &text);
    }

    fn parts(&mut self, parts: &Parts) {
        for (name, node) in parts {
            self.node(name, node);
        }
    }

    fn node(&mut self, name: &str, node: &Node) {
        match node {
            Node::Text(text) | Node::Bare(text) => self.leaf(name, "", text),
            Node::Parts(parts) => self.element(name, "", |xml| xml.parts(parts)),
            Node::List(nodes) => nodes.iter().for_each(|node| self.node(name, node)),
        }
    }
}

/// The answer of an action.
pub(crate) fn answer(service: &Service, spec: &Spec, dialect: Dialect, pretty: bool) -> String {
    let Response::Own(fields) = &spec.response else { return String::new() };
    let parts = parts(service, fields.iter(), Position::Answer(dialect));
    let mut xml = Xml::new(pretty);
    let response = format!("{}Response", spec.name);
    if dialect == Dialect::V2007 {
        let namespace = format!(" xmlns:ns3=\"{}\"", dialect.namespace());
        xml.element(&format!("ns3:{response}"), &namespace, |xml| {
            match &spec.wrapped {
                Some(wrapper) => {
                    xml.element(&format!("ns3:{wrapper}"), "", |xml| xml.parts(&parts))
                }
                None => xml.parts(&parts),
            }
            xml.leaf("Status", "", "Success");
            xml.leaf("RequestId", "", REQUEST_ID);
        });
        return xml.text;
    }
    xml.element(&response, &format!(" xmlns=\"{}\"", dialect.namespace()), |xml| {
        if !fields.is_empty() {
            xml.element(&format!("{}Result", spec.name), "", |xml| xml.parts(&parts));
        }
        xml.element("ResponseMetadata", "", |xml| xml.leaf("RequestId", "", REQUEST_ID));
    });
    xml.text
}

/// The request of an action over SOAP, before it is signed.
pub(crate) fn envelope(service: &Service, spec: &Spec, dialect: Dialect) -> String {
    let mut xml = Xml::new(false);
    xml.element("soapenv:Envelope", &format!(" xmlns:soapenv=\"{ENVELOPE}\""), |xml| {
        xml.element("soapenv:Header", "", |xml| {
            let attributes = format!(" xmlns:wsa=\"{ADDRESSING}\"");
            xml.leaf("wsa:MessageID", &attributes, MESSAGE_ID);
            xml.leaf("wsa:Action", &attributes, &format!("urn:{}", spec.name));
        });
        xml.element("soapenv:Body", "", |xml| {
            let attributes = format!(" xmlns=\"{}\"", dialect.namespace());
            let parts = request(service, spec, dialect);
            xml.element(&spec.name, &attributes, |xml| xml.parts(&parts));
        });
    });
    xml.text
}

/// JSON on one line or, to be read by people, on many.
pub(crate) fn json(node: &Node, pretty: bool) -> String {
    let mut out = String::new();
    write_json(&mut out, node, pretty.then_some(0));
    out
}

fn write_json(out: &mut String, node: &Node, indent: Option<usize>) {
    match node {
        Node::Text(text) => *out += &serde_json::Value::from(text.as_str()).to_string(),
        Node::Bare(text) => *out += text,
        Node::Parts(parts) => {
            let colon = if indent.is_some() { ": " } else { ":" };
            write_entries(out, "{}", parts, indent, |out, (name, node), indent| {
                *out += &format!("{name:?}{colon}");
                write_json(out, node, indent);
            });
        }
        Node::List(nodes) => write_entries(out, "[]", nodes, indent, write_json),
    }
}

fn write_entries<T>(
    out: &mut String,
    brackets: &str,
    entries: &[T],
    indent: Option<usize>,
    write: impl Fn(&mut String, &T, Option<usize>),
) {
    let (open, close) = brackets.split_at(1);
    let line = |out: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            *out += &format!("\n{}", "  ".repeat(depth));
        }
    };
    let inner = indent.map(|depth| depth + 1);
    *out += open;
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, inner);
        write(out, entry, inner);
    }
    if !entries.is_empty() {
        line(out, indent);
    }
    *out += close;
}
