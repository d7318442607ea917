//! The bytes of a file: counted, hashed and without a byte order mark; not understood.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use sha2::{Digest as _, Sha256};

use crate::key::hex;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How much is read at once.
const BUFFER: usize = 64 * 1024;

/// How much is there at the first look, if the file has so much.
const START: u64 = 4096;

/// A file on its way.
pub(crate) struct Bytes<R> {
    inner: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    hash: Sha256,
    count: u64,
    line: u64,
    last_line: u64,
}

impl<R: Read> Bytes<R> {
    pub(crate) fn new(mut inner: R) -> io::Result<Self> {
        // The first line says how the rest is read, so it must be there at the first look.
        let mut start = Vec::new();
        inner.by_ref().take(START).read_to_end(&mut start)?;
        let (mut hash, mut count) = (Sha256::new(), 0);
        if start.starts_with(BYTE_ORDER_MARK) {
            hash.update(BYTE_ORDER_MARK);
            count = 3;
            start.drain(..BYTE_ORDER_MARK.len());
        }
        let inner = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(inner));
        Ok(Self { inner, hash, count, line: 1, last_line: 1 })
    }

    /// What comes next; nothing at the end.
    pub(crate) fn peek(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Filled before, so this reads nothing; the borrow checker does not see that in a loop.
        self.inner.fill_buf()
    }

    /// Takes so many of what comes next.
    pub(crate) fn take(&mut self, length: usize) {
        let taken = self.inner.buffer().get(..length).unwrap_or_default();
        self.hash.update(taken);
        let lines = taken.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        if let Some(last) = taken.last() {
            self.last_line = self.line.saturating_sub(u64::from(*last == b'\n'));
        }
        self.count = self.count.saturating_add(u64::try_from(taken.len()).unwrap_or(u64::MAX));
        self.inner.consume(length);
    }

    /// Takes empty lines; is there anything behind them?
    pub(crate) fn skip_blank_lines(&mut self) -> io::Result<bool> {
        loop {
            let next = self.peek()?;
            let blank = next.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let is_end = next.is_empty();
            let is_something = blank < next.len();
            self.take(blank);
            if is_end || is_something {
                return Ok(is_something);
            }
        }
    }

    /// The number of the line that comes next, from one.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The number of the line in which the last byte is that was taken.
    pub(crate) const fn last_line(&self) -> u64 {
        self.last_line
    }

    /// How many were taken.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The SHA-256 of everything, which is read to its end.
    pub(crate) fn finish(mut self) -> io::Result<String> {
        loop {
            let rest = self.peek()?.len();
            if rest == 0 {
                let hash: [u8; 32] = self.hash.finalize().into();
                return Ok(hex(&hash));
            }
            self.take(rest);
        }
    }
}
