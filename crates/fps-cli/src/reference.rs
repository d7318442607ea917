//! `docs/cli.md`, made of the arguments and held against them by a test; not part of the command.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use crate::cli::Arguments;

const INTRODUCTION: &str = "\
# The command `fps`

Made of the arguments by `WRITE_REFERENCE=1 cargo test -p fps-cli reference`. Each block is what `--help` prints.

Results go to standard output, everything else to standard error. `--output json` prints one JSON value, whose form is
described in [`schema`](schema) and only grows; `ndjson` prints a row a line, `csv` a header and a row a line. The table
is for people and may change. A failure is one sentence beginning with `error:`, its causes, and often a hint. The exit
codes are listed in the first block. Colours are only in the help, never carry meaning, and go with `NO_COLOR`.

In CSV, a text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage
return, and is no number) has an apostrophe before it; JSON has every text as it is.

`fps batch run` and `fps batch resume` tell on standard error how far they are: at a terminal by a bar, and else by one
JSON object a line, described in [`schema/events.json`](schema/events.json). The first is `started`, and the last of a
run is `ended`; a failure is told after it, as by every verb.
";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Every verb that can be called, in the order of the help, with its whole name.
fn verbs(command: &Command) -> Vec<(String, Command)> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut found = vec![(name, command.clone())];
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    found.extend(inner.filter(|inner| inner.get_name() != "help").flat_map(verbs));
    found
}

fn all() -> Vec<(String, Command)> {
    let mut command = Arguments::command();
    command.build();
    verbs(&command)
}

/// What `--help` prints. It pads its empty lines with blanks, which say nothing.
fn help(name: &str) -> String {
    let call = name.split(' ').chain(["--help"]);
    let text = Arguments::command().try_get_matches_from(call).unwrap_err().render().to_string();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn anchor(name: &str) -> String {
    name.replace(' ', "-")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever changes an argument writes the page anew")]
fn the_page_in_the_repository_is_made_of_the_arguments() {
    let mut page = INTRODUCTION.to_owned();
    page.push('\n');
    for (name, command) in all() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.push_str(&format!("- [`{name}`](#{}): {about}\n", anchor(&name)));
    }
    for (name, _) in all() {
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help(&name)));
    }
    let path = docs().join("cli.md");
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "run this test with WRITE_REFERENCE=1 to write the page anew");
}

/// A verb that prints JSON says which: in a schema of its own, or in that of the verb above it.
#[test]
fn every_report_has_a_schema() {
    for (name, command) in all() {
        if command.get_arguments().all(|argument| argument.get_id() != "output") {
            continue;
        }
        let mut words: Vec<_> = name.split(' ').skip(1).collect();
        let file = |words: &[&str]| docs().join("schema").join(words.join("-") + ".json");
        while !words.is_empty() && !file(&words).exists() {
            words.pop();
        }
        assert!(!words.is_empty(), "docs/schema has nothing for `{name}`");
    }
}

#[test]
fn the_arguments_do_not_contradict_each_other() {
    Arguments::command().debug_assert();
}
