//! Results on standard output: a table for people; JSON, lines of JSON and CSV for programs; no progress,
//! no failures, and nothing is worked out here.

mod rows;

use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

pub(crate) use self::rows::Fields;
use crate::exit::{Exit, Failure};

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; it may change with any version.
    #[default]
    Table,
    /// One JSON value.
    Json,
    /// A JSON object a line, for each row of the result.
    Ndjson,
    /// A header, and a line for each row of the result; what is nested is JSON in its cell.
    Csv,
}

/// A result that can be printed in every format.
pub(crate) trait Report: Serialize {
    /// For people.
    fn text(&self) -> String;

    /// What the lines of [`Format::Ndjson`] and [`Format::Csv`] are made of: each item of a list, or
    /// else the one object that it is.
    fn rows(&self) -> impl Serialize {
        self
    }
}

/// Prints a result.
pub(crate) fn print(format: Format, report: &impl Report) -> Result<(), Failure> {
    let text = match format {
        Format::Table => Ok(report.text() + "\n"),
        Format::Json => serde_json::to_string_pretty(report).map(|text| text + "\n"),
        Format::Ndjson => rows::lines(&report.rows()),
        Format::Csv => rows::csv(&report.rows()),
    };
    print_text(&text.map_err(|error| not_printed(error.into()))?)
}

/// Prints a page of a list whose pages are printed as they come: only the first has a header.
pub(crate) fn print_page(
    format: Format,
    page: &impl Report,
    is_first: bool,
) -> Result<(), Failure> {
    let (text, header) = match format {
        Format::Table => (Ok(page.text() + "\n"), 2),
        Format::Csv => (rows::csv(&page.rows()), 1),
        other => return print(other, page),
    };
    let text = text.map_err(|error| not_printed(error.into()))?;
    let skipped = if is_first { 0 } else { header };
    let rest: String = text.split_inclusive('\n').skip(skipped).collect();
    print_text(&rest)
}

/// Prints a result that is a text by nature.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of writing a result: a reader that closed its end has read enough.
pub(crate) fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(not_printed(error)),
        _ => Ok(()),
    }
}

fn not_printed(error: io::Error) -> Failure {
    Failure::new(Exit::Internal, "the result could not be printed").because(error)
}

/// Columns under a header and a line.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    // Cells are padded to the width of their column; the blanks at the end of a line say nothing.
    let mut lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    lines.insert(1, format!(" {}", "\u{2500}".repeat(width.saturating_sub(1))));
    lines.join("\n")
}

/// One line of a text that came from elsewhere, which a terminal must not obey: what is no character to
/// be seen is spelled out.
pub(crate) fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
