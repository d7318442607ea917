//! What is printed of each message: what was proved, or exactly why not; nothing is checked here.

use std::error::Error;
use std::path::Path;

use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::output::{Report, table, visible};

/// Why a message is not proved, and what may help.
#[derive(Debug)]
pub(super) struct Unproved {
    reason: String,
    hint: Option<String>,
}

impl Unproved {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl<E: Error + 'static> From<E> for Unproved {
    fn from(error: E) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::new(reason)
    }
}

/// A name and a value that are proved.
#[derive(Debug, Serialize)]
struct Field {
    name: String,
    value: String,
}

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    file: String,
    pub(super) kind: Option<&'static str>,
    proved: bool,
    /// Why not.
    reason: Option<String>,
    hint: Option<String>,
    /// Whose key proves it, or would.
    pub(super) key: Option<String>,
    pub(super) scheme: Option<String>,
    /// What a proof by this scheme is not worth.
    pub(super) weaknesses: Vec<&'static str>,
    /// Method, host and path that are signed.
    pub(super) address: Option<String>,
    /// Where the message says that its certificate is.
    pub(super) certificate_url: Option<String>,
    /// Was the certificate in force when the message says that it was made?
    pub(super) certificate_in_force: Option<bool>,
    /// When the message says that it was made.
    pub(super) time: Option<String>,
    /// What the signature covers; known only of what is proved.
    covers: Vec<String>,
    /// What came along and is not covered.
    pub(super) not_covered: Vec<String>,
    /// What is proved, if it is to be shown.
    fields: Option<Vec<Field>>,
    #[serde(skip)]
    show: bool,
}

impl Checked {
    pub(super) fn new(path: &Path, show: bool) -> Self {
        Self {
            file: path.display().to_string(),
            kind: None,
            proved: false,
            reason: None,
            hint: None,
            key: None,
            scheme: None,
            weaknesses: Vec::new(),
            address: None,
            certificate_url: None,
            certificate_in_force: None,
            time: None,
            covers: Vec::new(),
            not_covered: Vec::new(),
            fields: None,
            show,
        }
    }

    /// Notes what is proved: names, and values that are kept only if they are to be shown. It comes
    /// last: what is not proved has no contents.
    pub(super) fn prove<'a>(&mut self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.proved = true;
        let mut shown = Vec::new();
        for (name, value) in fields {
            self.covers.push(name.to_owned());
            shown.push(Field { name: name.to_owned(), value: value.to_owned() });
        }
        self.fields = self.show.then_some(shown);
    }

    /// Says what a proof does not.
    pub(super) fn advise(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }

    /// Notes why it is not proved.
    pub(super) fn conclude(mut self, outcome: Result<(), Unproved>) -> Self {
        if let Err(unproved) = outcome {
            self.reason = Some(unproved.reason);
            self.hint = unproved.hint.or(self.hint);
        }
        self
    }

    const fn verdict(&self) -> &'static str {
        if self.proved { "proved" } else { "NOT PROVED" }
    }

    fn row(&self) -> Vec<String> {
        let or_none = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), visible);
        let mut scheme = or_none(self.scheme.as_deref());
        if !self.weaknesses.is_empty() {
            scheme.push_str(" (weak)");
        }
        vec![
            visible(&self.file),
            or_none(self.kind),
            self.verdict().to_owned(),
            shortened(&or_none(self.key.as_deref())),
            scheme,
            or_none(self.reason.as_deref()),
        ]
    }

    /// A line for each thing that is known.
    fn details(&self) -> String {
        let in_force =
            |yes| if yes { "in force at that time" } else { "NOT in force at that time" };
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
        let mut lines = vec![
            ("file", Some(self.file.clone())),
            ("message", self.kind.map(str::to_owned)),
            ("verdict", Some(self.verdict().to_owned())),
            ("why not", self.reason.clone()),
            ("hint", self.hint.clone()),
            ("key", self.key.clone()),
            ("scheme", self.scheme.clone()),
        ];
        lines.extend(self.weaknesses.iter().map(|weakness| ("weak", Some((*weakness).to_owned()))));
        lines.extend([
            ("address", self.address.clone()),
            ("certificate URL", self.certificate_url.clone()),
            ("time", self.time.clone()),
            ("certificate", self.certificate_in_force.map(|yes| in_force(yes).to_owned())),
            ("covers", list(&self.covers)),
            ("covers not", list(&self.not_covered)),
        ]);
        let lines = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let lines = lines.map(|(name, value)| format!("{name:17}{}", visible(&value)));
        let fields = self.fields.iter().flatten();
        let fields = fields.map(|it| format!("  {} = {}", visible(&it.name), visible(&it.value)));
        lines.chain(fields).collect::<Vec<_>>().join("\n")
    }
}

/// The beginning of a fingerprint is enough to tell certificates apart.
fn shortened(key: &str) -> String {
    const SHOWN: usize = 16;
    match key.split_once("sha256:") {
        Some((before, rest)) if rest.is_char_boundary(SHOWN) => {
            let (begin, rest) = rest.split_at(SHOWN);
            let after = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
            format!("{before}sha256:{begin}\u{2026}{after}")
        }
        _ => key.to_owned(),
    }
}

/// All messages that were asked about.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Drawer(pub(super) Vec<Checked>);

impl Drawer {
    /// A failure when a message is not proved.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let unproved = self.0.iter().filter(|checked| !checked.proved).count();
        match (unproved, self.0.len()) {
            (0, _) => Ok(()),
            (1, 1) => Err(Failure::new(Exit::Unauthorized, "the message is not proved")),
            (unproved, all) => {
                let message = format!("{unproved} of {all} messages are not proved");
                Err(Failure::new(Exit::Unauthorized, message))
            }
        }
    }
}

impl Report for Drawer {
    /// A line a message; all that is known where there is one, or where its contents are wanted.
    fn text(&self) -> String {
        if self.0.len() == 1 || self.0.iter().any(|checked| checked.show) {
            return self.0.iter().map(Checked::details).collect::<Vec<_>>().join("\n\n");
        }
        let header = ["file", "message", "verdict", "key", "scheme", "why not"];
        table(&header, self.0.iter().map(Checked::row))
    }
}
