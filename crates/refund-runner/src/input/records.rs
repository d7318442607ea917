//! Records of comma-separated text and lines of any text, each of a bounded length; what stands in them
//! is not known here.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use crate::input::bytes::Bytes;

/// The longest record: more is a mistake, such as a quote that is never closed.
pub(crate) const RECORD_MAX: usize = 64 * 1024;

/// The most cells in a record.
const CELLS_MAX: usize = 256;

/// Why a record cannot be read. What follows it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is longer than [`RECORD_MAX`].
    TooLong,
    /// It has more than [`CELLS_MAX`] cells.
    TooManyCells,
    /// A quote is opened and not closed, as far as can be seen: nobody knows what is in it.
    Unclosed,
}

/// Comma-separated text, record by record.
pub(crate) struct Records<R> {
    bytes: Bytes<R>,
    core: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
}

impl<R: Read> Records<R> {
    /// The separator is told by the first line: the first of comma, semicolon and tab in it.
    pub(crate) fn new(mut bytes: Bytes<R>) -> io::Result<Self> {
        bytes.skip_blank_lines()?;
        let start = bytes.peek()?;
        let first_line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let separator = first_line.iter().find(|byte| matches!(byte, b',' | b';' | b'\t'));
        let core = csv_core::ReaderBuilder::new().delimiter(*separator.unwrap_or(&b',')).build();
        Ok(Self { bytes, core, text: vec![0; RECORD_MAX], ends: vec![0; CELLS_MAX], cells: 0 })
    }

    /// Goes to the next record, and gives the line where it begins.
    pub(crate) fn advance(&mut self) -> io::Result<Option<(u64, Result<(), Broken>)>> {
        if !self.bytes.skip_blank_lines()? {
            return Ok(None);
        }
        let line = self.bytes.line();
        let (mut length, mut cells) = (0, 0);
        let mut broken = None;
        let mut spare = [0; 512];
        let mut spare_ends = [0; 16];
        loop {
            let next = self.bytes.peek()?;
            let is_end = next.is_empty();
            let input = if is_end { b"\n" } else { next };
            let text = match broken {
                None => self.text.get_mut(length..).unwrap_or_default(),
                Some(_) => &mut spare,
            };
            let ends = match broken {
                None => self.ends.get_mut(cells..).unwrap_or_default(),
                Some(_) => &mut spare_ends,
            };
            let (result, taken, written, ended) = self.core.read_record(input, text, ends);
            if !is_end {
                self.bytes.take(taken);
            }
            length = length.saturating_add(written);
            cells = cells.saturating_add(ended);
            match result {
                // A record that the end of a line does not end is within a quote.
                ReadRecordResult::InputEmpty if is_end => {
                    return Ok(Some((line, Err(Broken::Unclosed))));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    broken.get_or_insert(Broken::TooLong);
                }
                ReadRecordResult::OutputEndsFull => {
                    broken.get_or_insert(Broken::TooManyCells);
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        self.cells = cells.min(CELLS_MAX);
        Ok(Some((line, broken.map_or(Ok(()), Err))))
    }

    /// How many cells the record has.
    pub(crate) const fn cells(&self) -> usize {
        self.cells
    }

    /// A cell of the record.
    pub(crate) fn cell(&self, place: usize) -> &[u8] {
        let begin = match place.checked_sub(1) {
            None => Some(&0),
            Some(before) => self.ends.get(before),
        };
        let range = begin.zip(self.ends.get(place)).filter(|_| place < self.cells);
        range.and_then(|(begin, end)| self.text.get(*begin..*end)).unwrap_or_default()
    }

    pub(crate) const fn bytes(&self) -> &Bytes<R> {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Bytes<R> {
        self.bytes
    }
}

/// Lines that are not empty.
pub(crate) struct Lines<R> {
    bytes: Bytes<R>,
    text: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) const fn new(bytes: Bytes<R>) -> Self {
        Self { bytes, text: Vec::new() }
    }

    /// Goes to the next line, and gives its number.
    pub(crate) fn advance(&mut self) -> io::Result<Option<(u64, Result<(), Broken>)>> {
        if !self.bytes.skip_blank_lines()? {
            return Ok(None);
        }
        let line = self.bytes.line();
        self.text.clear();
        let mut is_too_long = false;
        loop {
            let next = self.bytes.peek()?;
            let end = next.iter().position(|byte| *byte == b'\n');
            let piece = next.get(..end.unwrap_or(next.len())).unwrap_or_default();
            is_too_long |= self.text.len().saturating_add(piece.len()) > RECORD_MAX;
            if !is_too_long {
                self.text.extend_from_slice(piece);
            }
            let is_last = end.is_some() || next.is_empty();
            let taken = piece.len().saturating_add(usize::from(end.is_some()));
            self.bytes.take(taken);
            if is_last {
                let fate = if is_too_long { Err(Broken::TooLong) } else { Ok(()) };
                return Ok(Some((line, fate)));
            }
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) const fn bytes(&self) -> &Bytes<R> {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Bytes<R> {
        self.bytes
    }
}
