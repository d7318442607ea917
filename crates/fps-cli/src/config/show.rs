//! `fps config show`: every setting, its value and where it came from; a secret is only said to be set.

use serde::Serialize;

use super::layers::Found;
use super::setting::Setting;
use super::{Configuration, password};
use crate::cli::ConfigVerb;
use crate::exit::Failure;
use crate::output::{Report, print, table};

pub(crate) fn run(verb: &ConfigVerb) -> Result<(), Failure> {
    let ConfigVerb::Show(arguments) = verb;
    let configuration = Configuration::read(&arguments.connection)?;
    let settings = Setting::ALL
        .into_iter()
        .map(|setting| {
            let found = configuration.get(setting);
            Row {
                setting: setting.name(),
                value: found.map(|found| shown(&found)),
                origin: arguments.origin.then(|| found.map(|found| found.origin())),
            }
        })
        .collect();
    print(arguments.output, &Shown { settings, is_with_origin: arguments.origin })
}

/// A secret is said to be set, and the password in an address is left out.
fn shown(found: &Found<'_>) -> String {
    if found.setting.is_secret() {
        return "set".to_owned();
    }
    let mut text = found.text().to_owned();
    if let Some(range) = password(&text) {
        text.replace_range(range, "***");
    }
    text
}

#[derive(Serialize)]
struct Shown {
    settings: Vec<Row>,
    #[serde(skip)]
    is_with_origin: bool,
}

#[derive(Serialize)]
struct Row {
    setting: &'static str,
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Option<String>>,
}

impl Report for Shown {
    fn text(&self) -> String {
        let header: &[&str] = if self.is_with_origin {
            &["setting", "value", "origin"]
        } else {
            &["setting", "value"]
        };
        let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let rows = self.settings.iter().map(|row| {
            let mut cells = vec![row.setting.to_owned(), cell(&row.value)];
            if self.is_with_origin {
                cells.push(cell(&row.origin.clone().flatten()));
            }
            cells
        });
        table(header, rows)
    }

    fn rows(&self) -> impl Serialize {
        &self.settings
    }
}
