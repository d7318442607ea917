//! The spec as it is written, and what follows from a field without knowing what is generated.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{check, names};
use crate::Outcome;

/// A service and everything its folder describes.
pub(crate) struct Service {
    /// The folder, which is also the Rust module.
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
}

/// How the messages of a service are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Parameters in, XML out.
    Params,
    /// JSON both ways.
    Json,
}

impl Service {
    pub(crate) fn format(&self) -> Format {
        if self.name == "amazon_pay" { Format::Json } else { Format::Params }
    }

    /// The item that a field's type names, unless the type is built in.
    pub(crate) fn shared(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.spec.name == name && item.spec.kind != Kind::Operation)
    }

    /// Do requests hold this struct?
    pub(crate) fn is_in_request(&self, name: &str) -> bool {
        self.items.iter().any(|item| match item.spec.kind {
            Kind::Operation => holds(&item.spec.request, name),
            Kind::Struct => {
                let mut asked = item.spec.field.iter().filter(|field| field.is_asked());
                asked.any(|field| field.ty == name) && self.is_in_request(&item.spec.name)
            }
            Kind::Message | Kind::Enum | Kind::Id => false,
        })
    }

    /// Do answers hold this struct?
    pub(crate) fn is_in_answer(&self, name: &str) -> bool {
        self.items.iter().any(|item| match (item.spec.kind, &item.spec.response) {
            (Kind::Operation, Response::Own(fields)) => holds(fields, name),
            (Kind::Operation, Response::Shared(shared)) => shared == name,
            (Kind::Struct, _) => {
                holds(&item.spec.field, name) && self.is_in_answer(&item.spec.name)
            }
            (Kind::Message | Kind::Enum | Kind::Id, _) => false,
        })
    }
}

fn holds(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| field.ty == name)
}

/// One file of the spec.
pub(crate) struct Item {
    /// The file without its extension, which is also the Rust module.
    pub(crate) file: String,
    pub(crate) spec: Spec,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Operation,
    Message,
    Struct,
    Enum,
    Id,
}

/// A revision of FPS, by its `Version`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    #[serde(rename = "2007-01-08")]
    V2007,
    #[serde(rename = "2008-05-01")]
    SimplePay,
    #[serde(rename = "2008-09-17")]
    V2008,
    #[serde(rename = "2010-08-28")]
    V2010,
}

impl Dialect {
    pub(crate) const ALL: [Self; 4] = [Self::V2007, Self::SimplePay, Self::V2008, Self::V2010];

    pub(crate) const fn version(self) -> &'static str {
        match self {
            Self::V2007 => "2007-01-08",
            Self::SimplePay => "2008-05-01",
            Self::V2008 => "2008-09-17",
            Self::V2010 => "2010-08-28",
        }
    }

    /// The variant of `fps_model::flexible_payments::Dialect`, and the constant of `Dialects`.
    pub(crate) fn rust(self) -> String {
        format!("V{}", self.version().replace('-', "_"))
    }

    pub(crate) fn namespace(self) -> String {
        format!("http://fps.amazonaws.com/doc/{}/", self.version())
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Replay {
    Safe,
    ByKey,
    Never,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) sensitive: bool,
    pub(crate) example: Option<String>,
    #[serde(default)]
    pub(crate) dialects: Vec<Dialect>,
    #[serde(default)]
    pub(crate) errors: Vec<String>,
    pub(crate) errors_source: Option<String>,
    pub(crate) wrapped: Option<String>,
    pub(crate) replay: Option<Replay>,
    pub(crate) key: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) success: Vec<u16>,
    #[serde(default)]
    pub(crate) request: Vec<Field>,
    #[serde(default)]
    pub(crate) response: Response,
    #[serde(default)]
    pub(crate) field: Vec<Field>,
    #[serde(default)]
    pub(crate) value: Vec<Value>,
}

/// What an operation answers: fields of its own, or a shared struct.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Response {
    Shared(String),
    Own(Vec<Field>),
}

impl Response {
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Own(fields) if fields.is_empty())
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    #[default]
    Body,
    Path,
    Header,
    /// Of a struct that requests hold too: in answers only.
    Answer,
}

/// Everywhere, or in some revisions only.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Required {
    Wherever(bool),
    In(Vec<Dialect>),
}

impl Default for Required {
    fn default() -> Self {
        Self::Wherever(false)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
    pub(crate) rust: Option<String>,
    #[serde(rename = "in", default)]
    pub(crate) place: Place,
    #[serde(default)]
    pub(crate) required: Required,
    pub(crate) required_with: Option<String>,
    pub(crate) required_without: Option<String>,
    #[serde(default)]
    pub(crate) repeated: bool,
    pub(crate) max: Option<usize>,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) default: Option<String>,
    pub(crate) fixed: Option<String>,
    #[serde(default)]
    pub(crate) dialects: Vec<Dialect>,
    #[serde(default)]
    pub(crate) names: BTreeMap<Dialect, String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
    pub(crate) doc: String,
    pub(crate) source: Option<String>,
    pub(crate) example: Option<String>,
}

impl Field {
    /// The name of the Rust field.
    pub(crate) fn rust_name(&self) -> String {
        self.rust.clone().unwrap_or_else(|| names::snake(&self.name))
    }

    /// Does a request hold it, if it holds the struct?
    pub(crate) fn is_asked(&self) -> bool {
        self.place != Place::Answer
    }

    /// Is the field there whenever the message is, so that its Rust type is no `Option`?
    pub(crate) fn always(&self) -> bool {
        matches!(self.required, Required::Wherever(true)) && self.dialects.is_empty()
    }

    pub(crate) fn exists_in(&self, dialect: Dialect) -> bool {
        self.dialects.is_empty() || self.dialects.contains(&dialect)
    }

    pub(crate) fn required_in(&self, dialect: Dialect) -> bool {
        self.exists_in(dialect)
            && match &self.required {
                Required::Wherever(required) => *required,
                Required::In(list) => list.contains(&dialect),
            }
    }

    pub(crate) fn name_in(&self, dialect: Dialect) -> &str {
        self.names.get(&dialect).unwrap_or(&self.name)
    }

    /// Every spelling that a reader takes, the usual one first.
    pub(crate) fn spellings(&self) -> Vec<&str> {
        let mut all = vec![self.name.as_str()];
        for name in self.names.values().chain(&self.also) {
            if !all.contains(&name.as_str()) {
                all.push(name);
            }
        }
        all
    }

    /// Is it spelled the same and present in every revision?
    pub(crate) fn same_everywhere(&self) -> bool {
        self.names.is_empty() && self.dialects.is_empty()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) rust: Option<String>,
    #[serde(default)]
    pub(crate) retriable: bool,
    #[serde(default)]
    pub(crate) common: bool,
    #[serde(default)]
    pub(crate) dialects: Vec<Dialect>,
}

impl Value {
    pub(crate) fn exists_in(&self, dialect: Dialect) -> bool {
        self.dialects.is_empty() || self.dialects.contains(&dialect)
    }
}

/// Reads and checks a folder of services.
pub(crate) fn read(spec: &Path) -> Outcome<Vec<Service>> {
    let mut services = Vec::new();
    for (name, folder) in entries(spec)? {
        if !folder.is_dir() {
            continue;
        }
        let mut items = Vec::new();
        for (file, path) in entries(&folder)? {
            let Some(file) = file.strip_suffix(".toml") else { continue };
            let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = fs::read_to_string(&path).map_err(|error| at(&error))?;
            let spec: Spec = toml::from_str(&text).map_err(|error| at(&error))?;
            if names::snake(&spec.name) != file {
                let expected = names::snake(&spec.name);
                return Err(at(&format!("should be {expected}.toml")).into());
            }
            items.push(Item { file: file.to_owned(), spec });
        }
        let service = Service { name, items };
        for item in &service.items {
            check::check(&service, &item.spec)
                .map_err(|error| format!("spec/{}/{}.toml: {error}", service.name, item.file))?;
        }
        services.push(service);
    }
    Ok(services)
}

fn entries(folder: &Path) -> Outcome<BTreeMap<String, PathBuf>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name is not UTF-8")?;
        entries.insert(name, entry.path());
    }
    Ok(entries)
}
