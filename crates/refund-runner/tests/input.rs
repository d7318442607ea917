//! What is read from files: the tables of `tests/plan`, the shapes of files, and any bytes at all.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

use std::error::Error;

use proptest::prelude::*;
use refund_runner::{InputErrorKind, Numbered, Rows};

type TestResult = Result<(), Box<dyn Error>>;

fn all(file: &[u8]) -> Vec<Numbered> {
    let mut rows = Rows::new(file).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.advance().unwrap() {
        all.push(row);
    }
    all
}

fn verdict(numbered: &Numbered) -> String {
    match &numbered.content {
        Ok(_) => "good".to_owned(),
        Err(bad) => format!("{} {}", bad.column.as_deref().unwrap_or("-"), bad.rule),
    }
}

fn table(text: &str, before: usize, file: impl Fn(&[&str]) -> String) {
    let mut cases = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        cases += 1;
        let cells: Vec<&str> = line.split(" | ").collect();
        let (expected, question) = cells.split_last().unwrap();
        let got = all(file(question).as_bytes());
        let got: Vec<String> = got.iter().skip(before).map(verdict).collect();
        assert_eq!(got, [(*expected).to_owned()], "line {}: {line}", number + 1);
    }
    assert!(cases > 10);
}

#[test]
fn rows_of_separated_text() {
    table(include_str!("plan/rows.txt"), 0, |question| {
        let text = format!("{}\n{}\n", question[0], question[1]);
        text.replace("\\n", "\n").replace("\\t", "\t").replace("\\q", "\"")
    });
}

#[test]
fn rows_of_json() {
    // What stands before the question says that these are lines of JSON.
    let first = "{\"payment\":\"P0\",\"amount\":\"1.00\",\"currency\":\"USD\"}\n";
    table(include_str!("plan/json.txt"), 1, |question| format!("{first}{}\n", question[0]));
}

#[test]
fn lines_and_rows_are_counted_as_an_editor_does() {
    let file = "\u{feff}payment,amount,currency,note\r\n\
                P1,1.00,USD,\r\n\
                \r\n\
                P2,x,USD,\r\n\
                P3,1.00,USD,\"two\r\nlines\"\r\n\
                \n\
                P4,y,USD,\"two\nlines\"\n\
                P5,z,USD,";
    let got = all(file.as_bytes());
    let places: Vec<_> =
        got.iter().map(|row| (row.at.line, row.at.last_line, row.at.row)).collect();
    assert_eq!(places, [(2, 2, 1), (4, 4, 2), (5, 6, 3), (8, 9, 4), (10, 10, 5)]);
    let bad: Vec<_> = got.iter().map(|row| row.content.is_err()).collect();
    assert_eq!(bad, [false, true, false, true, true]);
}

#[test]
fn a_bad_row_does_not_end_the_reading() {
    let long = "x".repeat(70_000);
    let file = format!(
        "payment,amount,currency,note\nP1,1.00,USD,{long}\nP2,1.00,USD,\u{e9}\nP3,1.00,USD,\n"
    );
    let mut file = file.into_bytes();
    let place = file.iter().position(|byte| *byte == 0xc3).unwrap();
    file.remove(place);
    let got: Vec<String> = all(&file).iter().map(verdict).collect();
    assert_eq!(got, ["- too-long", "note not-utf8", "good"]);
    let json = |note: &str| {
        format!(
            "{{\"payment\":\"P1\",\"amount\":\"1.00\",\"currency\":\"USD\",\"note\":\"{note}\"}}\n"
        )
    };
    let file = format!("{}\n\n{}", json(&long), json("short"));
    let got: Vec<_> = all(file.as_bytes()).iter().map(|row| (row.at.line, verdict(row))).collect();
    assert_eq!(got, [(1, "- too-long".to_owned()), (4, "good".to_owned())]);
}

#[test]
fn a_file_that_has_no_rows_in_it_is_refused_as_a_whole() -> TestResult {
    let kind = |file: &str| match Rows::new(file.as_bytes()) {
        Ok(_) => Err("it was read"),
        Err(error) => Ok((error.kind().clone(), error.to_string())),
    };
    let name = "payment,amount,currency";
    assert_eq!(kind("")?.0, InputErrorKind::Empty);
    assert_eq!(kind("\u{feff}\n\n")?.0, InputErrorKind::Empty);
    assert_eq!(kind("[{\"payment\":\"P1\"}]")?.0, InputErrorKind::JsonArray);
    assert_eq!(kind("payment,amount\n")?.0, InputErrorKind::MissingColumn("currency"));
    assert_eq!(kind("P1,14.00,USD\n")?.1, "there is no column `P1`");
    assert_eq!(
        kind(&format!("{name},referrence\n"))?.1,
        "there is no column `referrence`; did you mean `reference`?"
    );
    assert_eq!(kind(&format!("{name},charge_id\n"))?.0, InputErrorKind::DuplicateColumn("payment"));
    assert_eq!(kind("\"payment\n")?.0, InputErrorKind::Header);
    Ok(())
}

#[test]
fn sentences_say_nothing_of_notes() {
    let secret = "an address";
    let file = format!("payment,amount,currency,note\nP1,x,USD,{secret}\nP1,1.00,USD,{secret}\n");
    let said = format!("{:?}", all(file.as_bytes()));
    assert!(!said.contains(secret), "{said}");
    let json = format!("{{\"payment\":\"P1\",\"note\":\"{secret}\",,}}");
    let said = format!("{:?}", all(json.as_bytes()));
    assert!(!said.contains(secret), "{said}");
}

/// Bytes that are often close to a file.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "payment,amount,currency,note\n", "P1,14.00,USD,x\n", "\"", "\"\"", ",", "\r\n", "\n", "{",
            "}", "{\"payment\":\"P1\",\"amount\":\"1.00\",\"currency\":\"USD\"}\n", "rest", "\\u00", ":",
            "\u{feff}", "14.00", "USD", ";",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_bytes_are_rows_or_faults_in_order(start in prop::bool::ANY, rest in bytes()) {
        let mut file = if start { b"payment,amount,currency,note\n".to_vec() } else { Vec::new() };
        file.extend(rest);
        let Ok(mut rows) = Rows::new(&*file) else { return Ok(()) };
        let (mut line, mut count) = (0, 0);
        while let Some(numbered) = rows.advance().unwrap() {
            count += 1;
            // A carriage return alone ends a row and no line.
            prop_assert!(numbered.at.line >= line);
            prop_assert!(numbered.at.last_line >= numbered.at.line);
            prop_assert_eq!(numbered.at.row, count);
            line = numbered.at.line;
        }
        prop_assert_eq!(rows.bytes(), file.len() as u64);
    }

    /// However the bytes arrive, the rows are the same.
    #[test]
    fn rows_do_not_depend_on_how_the_file_is_read(rest in bytes(), size in 1_usize..7) {
        let mut file = b"payment,amount,currency,note\n".to_vec();
        file.extend(rest);
        let mut slow = Rows::new(Slowly(&file, size)).unwrap();
        for expected in all(&file) {
            prop_assert_eq!(slow.advance().unwrap(), Some(expected));
        }
        prop_assert_eq!(slow.advance().unwrap(), None);
    }
}

/// Gives a few bytes at a time.
struct Slowly<'a>(&'a [u8], usize);

impl std::io::Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.0 = later;
        Ok(size)
    }
}
