//! Which value of a setting counts, and where it came from: flag, variable, sandbox file, profile file,
//! default, in this order; what a value means is not known here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use fps::Secret;

use super::setting::Setting;
use crate::exit::{Exit, Failure};

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flags,
    Variables,
    SandboxFile(PathBuf),
    Profile { name: String, file: PathBuf },
    Defaults,
}

/// The values of one source. They are all kept as secrets, since some are.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) source: Source,
    pub(crate) values: BTreeMap<Setting, Secret>,
}

impl Layer {
    pub(crate) const fn new(source: Source) -> Self {
        Self { source, values: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, setting: Setting, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.values.insert(setting, Secret::new(value));
        }
    }

    pub(crate) fn defaults() -> Self {
        let mut layer = Self::new(Source::Defaults);
        layer.set(Setting::Region, Some("na"));
        layer
    }

    /// Those in the environment; an empty variable is as good as none.
    pub(crate) fn variables(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let mut layer = Self::new(Source::Variables);
        for setting in Setting::ALL {
            let name = setting.variable();
            layer.set(setting, text_of(&name, variable(&name))?);
        }
        Ok(layer)
    }
}

/// A variable's text, if there is any.
pub(crate) fn text_of(name: &str, value: Option<OsString>) -> Result<Option<String>, Failure> {
    let unreadable = |_| Failure::new(Exit::Usage, format!("{name} is no text in UTF-8"));
    let text = value.map(OsString::into_string).transpose().map_err(unreadable)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A value that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) setting: Setting,
    pub(crate) source: &'a Source,
    value: &'a Secret,
}

impl<'a> Found<'a> {
    pub(crate) fn text(&self) -> &'a str {
        self.value.expose()
    }

    /// Where it came from, in words.
    pub(crate) fn origin(&self) -> String {
        match self.source {
            Source::Flags => format!("flag {}", self.setting.flag()),
            Source::Variables => format!("variable {}", self.setting.variable()),
            Source::SandboxFile(file) => format!("sandbox file {}", file.display()),
            Source::Profile { name, file } => format!("profile {name} in {}", file.display()),
            Source::Defaults => "default".to_owned(),
        }
    }
}

/// What was said of it and where, for an error; a secret is not said.
impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.setting.is_secret() {
            true => write!(f, "the {} ({})", self.setting, self.origin()),
            false => write!(f, "the {} `{}` ({})", self.setting, self.text(), self.origin()),
        }
    }
}

/// All sources, the first of which counts most.
#[derive(Debug)]
pub(crate) struct Layers(pub(crate) Vec<Layer>);

impl Layers {
    /// The value that counts.
    pub(crate) fn get(&self, setting: Setting) -> Option<Found<'_>> {
        self.0.iter().find_map(|layer| found(layer, setting))
    }

    /// A secret, given itself or by its file: whichever is in the source that counts more.
    pub(crate) fn secret(
        &self,
        itself: Setting,
        in_file: Setting,
    ) -> Result<Option<Found<'_>>, Failure> {
        for layer in &self.0 {
            match (found(layer, itself), found(layer, in_file)) {
                (Some(one), Some(other)) => {
                    let message =
                        format!("both {} and {} give the {itself}", one.origin(), other.origin());
                    return Err(Failure::new(Exit::Usage, message).hint("give one of them"));
                }
                (Some(found), None) | (None, Some(found)) => return Ok(Some(found)),
                (None, None) => {}
            }
        }
        Ok(None)
    }
}

fn found(layer: &Layer, setting: Setting) -> Option<Found<'_>> {
    let value = layer.values.get(&setting)?;
    Some(Found { setting, source: &layer.source, value })
}
