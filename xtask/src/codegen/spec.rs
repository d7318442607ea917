//! The spec as it is written, checked for what a typing mistake would break.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::names;
use crate::Outcome;

/// A service and everything its folder describes.
pub(crate) struct Service {
    /// The folder, which is also the Rust module.
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
}

impl Service {
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

/// Types that need no file.
const BUILT_IN: [&str; 10] = [
    "Amount",
    "AmountText",
    "CallerReference",
    "DateTime",
    "EpochSeconds",
    "IdempotencyKey",
    "Integer",
    "Price",
    "Sensitive",
    "String",
];

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
            let spec: Spec = toml::from_str(&fs::read_to_string(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            if names::snake(&spec.name) != file {
                let expected = names::snake(&spec.name);
                return Err(format!("{}: should be {expected}.toml", path.display()).into());
            }
            items.push(Item { file: file.to_owned(), spec });
        }
        let service = Service { name, items };
        for item in &service.items {
            check(&service, &item.spec)
                .map_err(|error| format!("{}/{}.toml: {error}", service.name, item.file))?;
        }
        services.push(service);
    }
    Ok(services)
}

fn entries(folder: &Path) -> Outcome<BTreeMap<String, std::path::PathBuf>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name is not UTF-8")?;
        entries.insert(name, entry.path());
    }
    Ok(entries)
}

fn check(service: &Service, spec: &Spec) -> Outcome {
    if !["(H)", "(M)", "(L)"].iter().any(|mark| spec.source.contains(mark)) {
        return Err("the source does not say how sure it is: (H), (M) or (L)".into());
    }
    let own = match &spec.response {
        Response::Own(fields) => fields.as_slice(),
        Response::Shared(name) => match service.shared(name).map(|item| item.spec.kind) {
            Some(Kind::Struct) => &[],
            _ => return Err(format!("answers {name}, which is no shared struct").into()),
        },
    };
    for fields in [&spec.request, own, &spec.field] {
        let mut seen = BTreeSet::new();
        let mut required = BTreeSet::new();
        for field in fields {
            if !BUILT_IN.contains(&field.ty.as_str()) && service.shared(&field.ty).is_none() {
                return Err(format!("{}: there is no type {}", field.name, field.ty).into());
            }
            if !seen.insert(&field.name) {
                return Err(format!("{} stands twice", field.name).into());
            }
            if field.required && !required.insert(&field.ty) {
                let name = &field.name;
                return Err(
                    format!("{name}: two required fields of one type can be swapped").into()
                );
            }
        }
    }
    match spec.kind {
        Kind::Operation if spec.replay.is_none() => Err("an operation says `replay`".into()),
        Kind::Operation if (spec.replay == Some(Replay::ByKey)) != spec.key.is_some() => {
            Err("`replay = \"by-key\"` and `key` go together".into())
        }
        Kind::Enum if spec.value.is_empty() => Err("an enum has values".into()),
        Kind::Struct | Kind::Notification if spec.field.is_empty() => Err("it has no field".into()),
        _ => Ok(()),
    }
}
