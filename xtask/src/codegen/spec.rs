//! The spec as it is written.

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
    Notification,
    Struct,
    Enum,
    Id,
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
    pub(crate) replay: Option<Replay>,
    pub(crate) key: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) success: Option<u16>,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
    #[serde(rename = "in", default)]
    pub(crate) place: Place,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) repeated: bool,
    pub(crate) max: Option<usize>,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) default: Option<String>,
    pub(crate) fixed: Option<String>,
    pub(crate) doc: String,
    pub(crate) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) rust: Option<String>,
    #[serde(default)]
    pub(crate) retriable: bool,
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
