//! Rows from a file of comma-separated text with a header, or of one JSON object a line: streamed, each
//! validated by itself. Nothing is known here of ledgers and providers.

pub(crate) mod bytes;
mod columns;
mod json;
pub(crate) mod records;
pub(crate) mod row;

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read};

use refund_rules::Limit;
use serde::Serialize;

use bytes::Bytes;
use columns::Column;
use records::{Broken, Lines, Records};
use row::{Cells, Fault};

pub use row::Row;

/// A row that cannot be refunded as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BadRow {
    /// The line where it begins, from one.
    pub line: u64,
    /// The line where it ends.
    pub last_line: u64,
    /// Which row it is, from one; the header is none.
    pub row: u64,
    /// The column that is wrong, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The rule that it breaks, by a short stable name.
    pub rule: &'static str,
    /// What the rule would have allowed, where that is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// What is wrong, in one sentence.
    pub sentence: String,
}

impl BadRow {
    pub(crate) fn new(at: Place, fault: Fault) -> Self {
        let Place { line, last_line, row } = at;
        let Fault { column, rule, sentence } = fault;
        Self { line, last_line, row, column, rule, limit: None, sentence }
    }

    /// May it hide other rows, by a quote that is closed too late? Then it cannot be left out.
    pub(crate) const fn may_hide_rows(&self) -> bool {
        self.line != self.last_line
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.sentence)
    }
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The line where it begins, from one.
    pub line: u64,
    /// The line where it ends.
    pub last_line: u64,
    /// Which row it is, from one.
    pub row: u64,
}

/// What stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Numbered {
    /// Where.
    pub at: Place,
    /// The row, or what is wrong with it.
    pub content: Result<Row, BadRow>,
}

/// The file as a whole cannot be read.
#[derive(Debug)]
pub struct InputError {
    kind: InputErrorKind,
    source: Option<io::Error>,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputErrorKind {
    /// Reading failed.
    Unreadable,
    /// There is no header.
    Empty,
    /// The header is not UTF-8, too long, or has an open quote.
    Header,
    /// The header has a column that there is not, said in a sentence.
    UnknownColumn(String),
    /// The header has this column twice.
    DuplicateColumn(&'static str),
    /// The header lacks this column.
    MissingColumn(&'static str),
    /// The file is one JSON array, and not one object a line.
    JsonArray,
}

impl InputError {
    fn new(kind: InputErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Why.
    #[must_use]
    pub const fn kind(&self) -> &InputErrorKind {
        &self.kind
    }
}

impl From<io::Error> for InputError {
    fn from(error: io::Error) -> Self {
        Self { kind: InputErrorKind::Unreadable, source: Some(error) }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            InputErrorKind::Unreadable => f.write_str("the file cannot be read"),
            InputErrorKind::Empty => f.write_str("the file is empty"),
            InputErrorKind::Header => f.write_str("the first line is not a header of columns"),
            InputErrorKind::UnknownColumn(sentence) => f.write_str(sentence),
            InputErrorKind::DuplicateColumn(name) => {
                write!(f, "the header has the column `{name}` twice")
            }
            InputErrorKind::MissingColumn(name) => {
                write!(f, "the header has no column `{name}`")
            }
            InputErrorKind::JsonArray => {
                f.write_str("the file is a JSON array: write one object a line")
            }
        }
    }
}

impl StdError for InputError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The rows of a file, one after the other. Which of the two forms it has is told by its first byte: a
/// header never begins with `{`.
///
/// ```
/// use refund_runner::Rows;
///
/// let file = "payment,amount,currency\nS01-1,14.00,USD\nS01-2,\"1,400.00\",USD\n";
/// let mut rows = Rows::new(file.as_bytes())?;
/// assert!(rows.advance()?.is_some_and(|first| first.content.is_ok()));
/// let bad = rows.advance()?.and_then(|second| second.content.err());
/// let bad = bad.map(|bad| bad.to_string());
/// let sentence = "line 3: `amount`: an amount has no thousands separators";
/// assert_eq!(bad.as_deref(), Some(sentence));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Rows<R> {
    form: Form<R>,
    count: u64,
}

impl<R> fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("count", &self.count).finish_non_exhaustive()
    }
}

enum Form<R> {
    Separated(Box<Records<R>>, Vec<Column>),
    Json(Lines<R>),
}

impl<R: Read> Rows<R> {
    /// Reads the header, if there is to be one.
    ///
    /// # Errors
    /// [`InputError`] for a file that has no rows in it that could be read.
    pub fn new(file: R) -> Result<Self, InputError> {
        let mut bytes = Bytes::new(file)?;
        if !bytes.skip_blank_lines()? {
            return Err(InputError::new(InputErrorKind::Empty));
        }
        let form = match bytes.peek()?.first() {
            Some(b'{') => Form::Json(Lines::new(bytes)),
            Some(b'[') => return Err(InputError::new(InputErrorKind::JsonArray)),
            _ => {
                let mut records = Box::new(Records::new(bytes)?);
                let columns = header(&mut records)?;
                Form::Separated(records, columns)
            }
        };
        Ok(Self { form, count: 0 })
    }

    /// The next row, good or bad; nothing at the end.
    ///
    /// # Errors
    /// [`InputErrorKind::Unreadable`].
    pub fn advance(&mut self) -> Result<Option<Numbered>, InputError> {
        let (at, cells) = match &mut self.form {
            Form::Separated(records, columns) => {
                let Some(at) = records.advance()? else { return Ok(None) };
                (at, at.1.map(|()| separated(records, columns)))
            }
            Form::Json(lines) => {
                let Some(at) = lines.advance()? else { return Ok(None) };
                (at, at.1.map(|()| json::cells(lines.text())))
            }
        };
        self.count = self.count.saturating_add(1);
        let last_line = match &self.form {
            Form::Separated(records, _) => records.bytes().last_line(),
            Form::Json(lines) => lines.bytes().last_line(),
        };
        let at = Place { line: at.0, last_line, row: self.count };
        let content = cells.map_err(broken).flatten().and_then(Cells::into_row);
        let content = content.map_err(|fault| BadRow::new(at, fault));
        Ok(Some(Numbered { at, content }))
    }

    /// How many bytes were read.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        match &self.form {
            Form::Separated(records, _) => records.bytes().count(),
            Form::Json(lines) => lines.bytes().count(),
        }
    }

    /// How many rows were read.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The SHA-256 of the whole file, which is read to its end.
    pub(crate) fn finish(self) -> Result<String, InputError> {
        let bytes = match self.form {
            Form::Separated(records, _) => records.into_bytes(),
            Form::Json(lines) => lines.into_bytes(),
        };
        Ok(bytes.finish()?)
    }
}

fn broken(broken: Broken) -> Fault {
    match broken {
        Broken::TooLong => Fault::new("too-long", "the row is longer than 64 KiB"),
        Broken::TooManyCells => Fault::new("cells", "the row has hundreds of cells"),
        Broken::Unclosed => {
            Fault::new("unclosed-quote", "a quote is opened in this row and not closed")
        }
    }
}

fn header<R: Read>(records: &mut Records<R>) -> Result<Vec<Column>, InputError> {
    let error = InputError::new;
    match records.advance()? {
        Some((_, Ok(()))) => {}
        _ => return Err(error(InputErrorKind::Header)),
    }
    let mut columns = Vec::new();
    for place in 0..records.cells() {
        let name = str::from_utf8(records.cell(place));
        let name = name.map_err(|_| error(InputErrorKind::Header))?;
        let unknown = || error(InputErrorKind::UnknownColumn(json::unknown(name).sentence));
        let column = Column::named(name).ok_or_else(unknown)?;
        if columns.contains(&column) {
            return Err(error(InputErrorKind::DuplicateColumn(column.name())));
        }
        columns.push(column);
    }
    for column in [Column::Payment, Column::Amount, Column::Currency] {
        if !columns.contains(&column) {
            return Err(error(InputErrorKind::MissingColumn(column.name())));
        }
    }
    Ok(columns)
}

fn separated<R: Read>(records: &Records<R>, columns: &[Column]) -> Result<Cells, Fault> {
    if records.cells() != columns.len() {
        let sentence =
            format!("the row has {} cells, the header has {}", records.cells(), columns.len());
        return Err(Fault::new("cells", sentence));
    }
    let mut cells = Cells::default();
    for (place, column) in columns.iter().enumerate() {
        let text = str::from_utf8(records.cell(place));
        let sentence = || format!("`{}` is not UTF-8", column.name());
        let text = text.map_err(|_| Fault::of(*column, "not-utf8", sentence()))?;
        cells.put(*column, Some(text.to_owned()));
    }
    Ok(cells)
}
