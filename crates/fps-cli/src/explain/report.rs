//! What is printed of a signature: its stages, and the first line in which another side parts from them.

use fps::fps_sign::explain::Mismatch;
use serde::Serialize;

use super::stages::TO_SIGN;
use crate::exit::{Exit, Failure};
use crate::output::{Report, visible};

/// The most characters of a line that are shown around the place in which it differs.
const SHOWN_MAX: usize = 100;
/// How many of them stand before it.
const BEFORE_MAX: usize = 60;

/// One stage: what it is, and the text.
#[derive(Debug, Serialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) text: String,
}

impl Stage {
    pub(super) fn new(stage: impl Into<String>, text: impl Into<String>) -> Self {
        Self { stage: stage.into(), text: text.into() }
    }
}

/// The first line that differs, of which stage; nothing is where a text has ended.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    stage: String,
    line: usize,
    here: Option<String>,
    there: Option<String>,
}

impl Difference {
    pub(super) fn new(stage: impl Into<String>, mismatch: &Mismatch) -> Self {
        Self {
            stage: stage.into(),
            line: mismatch.line(),
            here: mismatch.ours().map(str::to_owned),
            there: mismatch.theirs().map(str::to_owned),
        }
    }

    /// Both sides under each other, and a caret under the first character that differs.
    fn text(&self) -> String {
        let (Some(here), Some(there)) = (&self.here, &self.there) else {
            let (missing, line) = match &self.here {
                Some(here) => ("there", here),
                None => ("here", self.there.as_ref().unwrap_or(&self.stage)),
            };
            let line = cut(line, 0);
            return format!("line {} of the {} is not {missing}: {line}", self.line, self.stage);
        };
        let same = here.chars().zip(there.chars()).take_while(|(here, there)| here == there);
        let at = same.count();
        let from = at.saturating_sub(BEFORE_MAX);
        let before: String = here.chars().skip(from).take(at - from).collect();
        let cut_off = if from > 0 { 1 } else { 0 };
        let column = visible(&before).chars().count() + cut_off;
        format!(
            "line {} of the {} differs:\n  here   {}\n  there  {}\n         {}^",
            self.line,
            self.stage,
            cut(here, from),
            cut(there, from),
            " ".repeat(column),
        )
    }
}

/// A part of a line, with an ellipsis for what is left out.
fn cut(line: &str, from: usize) -> String {
    let mut shown = String::new();
    if from > 0 {
        shown.push('\u{2026}');
    }
    let part: String = line.chars().skip(from).take(SHOWN_MAX).collect();
    shown.push_str(&visible(&part));
    if line.chars().count() > from + SHOWN_MAX {
        shown.push('\u{2026}');
    }
    shown
}

/// How a signature comes about.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    scheme: String,
    stages: Vec<Stage>,
    /// Is the signature that was sent one of the key that was given?
    is_right: Option<bool>,
    /// Was another side's text held against it?
    pub(super) compared: bool,
    /// What happened on the way, where that was found out.
    pub(super) cause: Option<String>,
    pub(super) difference: Option<Difference>,
}

impl Explanation {
    pub(super) fn new(
        scheme: impl Into<String>,
        stages: impl IntoIterator<Item = Stage>,
        is_right: Option<bool>,
    ) -> Self {
        let stages = stages.into_iter().collect();
        let scheme = scheme.into();
        Self { scheme, stages, is_right, compared: false, cause: None, difference: None }
    }

    /// The stage that another side's text is to be compared with: the string to sign if it looks like
    /// that, or else the first.
    pub(super) fn stage_like(&self, theirs: &str) -> Stage {
        let looks_so = theirs.starts_with("AMZN-PAY-") || theirs.starts_with("<");
        let wanted = |stage: &&Stage| looks_so && stage.stage == TO_SIGN;
        let found = self.stages.iter().find(wanted).or_else(|| self.stages.first());
        found.map_or_else(|| Stage::new("", ""), |it| Stage::new(&*it.stage, &*it.text))
    }

    /// A failure when something differs.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let message = if self.difference.is_some() || self.cause.is_some() {
            "the other side signs something else"
        } else if self.is_right == Some(false) {
            "the signature that was sent is not one of this key over this text"
        } else {
            return Ok(());
        };
        Err(Failure::new(Exit::Unauthorized, message))
    }
}

impl Report for Explanation {
    fn text(&self) -> String {
        let mut text = self.scheme.clone();
        for stage in &self.stages {
            text.push_str(&format!("\n\n{}:\n", stage.stage));
            let lines: Vec<_> =
                stage.text.split('\n').map(|line| format!("  {}", visible(line))).collect();
            text.push_str(
                lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").as_str(),
            );
        }
        if let Some(is_right) = self.is_right {
            let verdict = if is_right { "is" } else { "is NOT" };
            text.push_str(&format!("\n\nThe signature that was sent {verdict} right."));
        }
        if let Some(cause) = &self.cause {
            text.push_str(&format!("\n\nWhat the refusal gives away: {cause}."));
        }
        match &self.difference {
            Some(difference) => text.push_str(&format!("\n\n{}", difference.text())),
            None if self.compared && self.cause.is_none() => {
                text.push_str("\n\nThe other side signs the same.");
            }
            None => {}
        }
        text
    }

    fn rows(&self) -> impl Serialize {
        &self.stages
    }
}
