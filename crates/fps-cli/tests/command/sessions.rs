//! Sessions as they were recorded: the command as it is typed into a shell, and all that it prints. Each
//! file of `snapshots` is one; what stands before its first command says why it is there.
//!
//! `UPDATE=1 cargo test -p fps-cli sessions` writes them anew. A new one is a file with commands, `$ ` before
//! each. Lines of standard error begin with `! `, and an exit code other than 0 is told in brackets.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::text;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/snapshots")
}

/// What a shell shows of a command, in the folder of the kept messages.
fn run(line: &str) -> String {
    let command = Path::new(env!("CARGO_BIN_EXE_fps")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(command.to_owned()).chain(std::env::split_paths(env!("PATH"))),
    );
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder().join("../messages"))
        .env_clear()
        .env("PATH", path.unwrap())
        .env("KEYS", "../../../../fps-sign/tests/keys")
        .env("VECTORS", "../../../../fps-sign/tests/vectors")
        .env("XDG_CONFIG_HOME", "/nowhere")
        .output()
        .unwrap();
    let mut shown = format!("$ {line}\n");
    for printed in text(&output.stdout).lines() {
        shown.push_str(printed);
        shown.push('\n');
    }
    for said in text(&output.stderr).lines() {
        shown.push_str(&format!("! {said}\n"));
    }
    match output.status.code() {
        Some(0) => {}
        code => shown.push_str(&format!("[exit {}]\n", code.unwrap())),
    }
    if line.contains("fps demo") { masked(&shown) } else { shown }
}

/// With `#` for what is another each time: the words of sixteen characters and more that hold a digit.
fn masked(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut masked = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(is_part) {
        let (before, from) = rest.split_at(begin);
        let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        masked.push_str(before);
        if word.len() >= 16 && word.bytes().any(|byte| byte.is_ascii_digit()) {
            masked.extend(word.chars().map(|c| if c == '-' { c } else { '#' }));
        } else {
            masked.push_str(word);
        }
        rest = after;
    }
    masked + rest
}

/// Holds what was printed against a file, or writes it there.
#[expect(clippy::disallowed_methods, reason = "whoever changes what is printed records it anew")]
pub(crate) fn check(file: &Path, now: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, now).unwrap();
    }
    let recorded = std::fs::read_to_string(file).unwrap_or_default();
    assert!(now == recorded, "UPDATE=1 records {} anew:\n{now}", file.display());
}

#[test]
fn every_recorded_session_goes_as_recorded() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    assert!(!files.is_empty());
    for file in files {
        let recorded = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<_> = recorded.lines().collect();
        let first = lines.iter().position(|line| line.starts_with("$ ")).unwrap();
        let about: String = lines[..first].iter().map(|line| format!("{line}\n")).collect();
        let commands = lines.iter().filter_map(|line| line.strip_prefix("$ "));
        check(&file, &(about + &commands.map(run).collect::<Vec<_>>().join("\n")));
    }
}

/// It goes on until it is ended, so it is no command of a session.
#[test]
fn a_sandbox_says_when_it_is_ready_what_was_recorded() {
    let place = tempfile::tempdir().unwrap();
    let arguments = ["sandbox", "--http", "--port", "0", "--seed", "7"];
    let mut command = crate::command(place.path(), &arguments);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("Ctrl-C") {
        let read = std::io::BufRead::read_line(&mut output, &mut printed).unwrap();
        assert!(read > 0, "{printed}");
    }
    crate::sandbox::shell(&format!("kill -s TERM {}", child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let url = printed.lines().find_map(|line| line.strip_prefix("URL ")).unwrap().trim();
    let port = url.rsplit(':').next().unwrap();
    let state = printed.split(&*place.path().to_string_lossy()).nth(1).unwrap();
    let state = state.split("/sandbox.db").next().unwrap();
    let state = format!("{}{state}", place.path().display());
    let now = printed.replace(&format!("localhost:{port}"), "localhost:PORT");
    check(&folder().join("serving/sandbox.txt"), &masked(&now.replace(&state, "STATE")));
}

/// The page holds the help of every verb, so it is also the record of what `--help` prints.
#[test]
fn help_is_what_the_reference_holds() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut verbs = 0;
    for section in page.split("\n## ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        let (_, rest) = rest.split_once("```text\n").unwrap();
        let (help, _) = rest.split_once("\n```").unwrap();
        let arguments: Vec<_> = name.split(' ').skip(1).chain(["--help"]).collect();
        let output = crate::fps(&arguments);
        let printed: Vec<_> = text(&output.stdout).lines().map(str::trim_end).collect();
        assert_eq!(printed.join("\n").trim_end(), help, "{name}");
        verbs += 1;
    }
    assert!(verbs >= 8, "{verbs}");
}

/// A terminal gets bold and underlined help, and with `NO_COLOR` plain text; results never have any.
#[test]
fn no_colour_means_none() {
    let coloured = |environment: &[(&str, &str)], arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = crate::command(folder.path(), arguments);
        command.env_remove("NO_COLOR").envs(environment.iter().copied());
        let output = command.output().unwrap();
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    let forced = ("CLICOLOR_FORCE", "1");
    let quote = ["quote", "--service", "amazon-pay", "--captured", "1.00"];
    assert!(coloured(&[forced], &["--help"]), "or this test shows nothing");
    assert!(!coloured(&[forced, ("NO_COLOR", "1")], &["--help"]));
    assert!(!coloured(&[forced, ("NO_COLOR", "1")], &[]));
    assert!(!coloured(&[], &["--help"]));
    assert!(!coloured(&[forced], &quote));
    assert!(!coloured(&[forced], &["quote", "--nothing"]));
}
