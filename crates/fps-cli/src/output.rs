//! Results on standard output: a table for people, JSON for programs; no progress, no failures, and
//! nothing is worked out here.

use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::exit::{Exit, Failure};

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON object.
    Json,
}

/// A result that can be printed either way.
pub(crate) trait Report: Serialize {
    /// For people.
    fn text(&self) -> String;
}

/// Prints a result.
pub(crate) fn print(format: Format, report: &impl Report) -> Result<(), Failure> {
    let text = match format {
        Format::Table => report.text(),
        Format::Json => {
            serde_json::to_string_pretty(report).map_err(|error| not_printed(error.into()))?
        }
    };
    let mut out = io::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()))
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
