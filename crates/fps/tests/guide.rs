//! The guide says what the code does: its table of errors is held against every failure there is, and every
//! example is named in it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fps::ErrorKind;

#[path = "../examples/failures/mod.rs"]
mod failures;

const ERRORS: &str = include_str!("../src/guide/errors.md");
const FRONT_PAGE: &str = include_str!("../src/guide.rs");

/// The rows of the table of kinds: kind, phase, and whether money may have moved.
fn rows() -> Vec<(String, String, bool)> {
    let rows = ERRORS.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", kind, phase, unknown, meaning, advice, ""] = *cells.as_slice() else {
            return None;
        };
        let kind = kind.strip_prefix('`')?.strip_suffix('`')?;
        assert!(
            meaning.ends_with('.') && advice.ends_with('.'),
            "{kind} is explained in sentences"
        );
        let is_unknown = unknown == "**yes**";
        assert!(is_unknown || unknown == "no", "{kind} is unknown or it is not");
        Some((kind.to_owned(), phase.trim_matches('`').to_owned(), is_unknown))
    });
    rows.collect()
}

/// The kinds as the source lists them: an enum that may grow cannot be matched without a rest.
fn kinds() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fps-http/src/error.rs");
    let source = fs::read_to_string(path).unwrap();
    let (_, body) = source.split_once("pub enum ErrorKind {\n").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let names = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    names.map(|name| name.strip_suffix(',').unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_table_of_errors_is_what_happens() {
    let happened: BTreeSet<_> = failures::all()
        .await
        .unwrap()
        .iter()
        .map(|error| {
            assert!(error.attempts() <= 1, "one try each");
            (format!("{:?}", error.kind()), format!("{:?}", error.phase()), error.is_unknown())
        })
        .collect();
    let rows = rows();
    assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), happened);
    assert_eq!(rows.len(), happened.len(), "each stands there once");
    let named: BTreeSet<String> = rows.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(named, kinds(), "every kind is explained");
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_is_unknown() {
    let error = failures::refused_after_a_lost_answer().await.unwrap();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Refused, 2));
    assert!(error.is_unknown());
}

#[test]
fn every_example_is_in_the_guide() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let command = format!("cargo run -p fps --example {name}");
            assert!(FRONT_PAGE.contains(&format!("`{command}`")), "{name}");
            let source = fs::read_to_string(&path).unwrap();
            assert!(source.starts_with("//! ") && source.contains(&format!("//! {command}\n")));
            seen += 1;
        }
    }
    assert!(seen > 0);
}
