//! From `crates/fps-model/spec` to everything that is made of it: the same input gives the same bytes,
//! and files that nobody generates any more are an error.

mod check;
mod coverage;
mod golden;
mod names;
mod openapi;
mod reference;
mod rust;
mod sample;
mod spec;
mod wsdl;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::spec::Format;
use crate::Outcome;

const COMMAND: &str = "cargo xtask codegen";

/// Folders that hold generated files and no others.
const FOLDERS: [&str; 4] = [
    "crates/fps-model/src/generated",
    "crates/fps-model/tests/generated",
    golden::FOLDER,
    reference::FOLDER,
];

/// Writes the generated files, or checks that they are what would be written.
pub(crate) fn run(root: &Path, check: bool) -> Outcome {
    let files = generate(root, &root.join("crates/fps-model/spec"))?;
    let mut stale = Vec::new();
    for (path, text) in &files {
        let full = root.join(path);
        if fs::read_to_string(&full).is_ok_and(|old| old.replace("\r\n", "\n") == *text) {
            continue;
        }
        if check {
            stale.push(path.clone());
        } else {
            if let Some(parent) = full.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(full, text)?;
        }
    }
    for folder in FOLDERS {
        for full in files_below(&root.join(folder))? {
            let path = full.strip_prefix(root)?.to_owned();
            if !files.contains_key(&path) {
                if check {
                    stale.push(path);
                } else {
                    fs::remove_file(full)?;
                }
            }
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(format!("not as generated, run `{COMMAND}`: {}", list.join(", ")).into())
}

/// Compares the generated WSDL with the one in a file, and prints where they differ and why.
pub(crate) fn wsdl_diff(root: &Path, file: &Path) -> Outcome {
    let services = spec::read(&root.join("crates/fps-model/spec"))?;
    let service = services.iter().find(|service| service.format() == Format::Params);
    let (_, ours) = wsdl::file(service.ok_or("the spec has no FPS")?);
    wsdl::agreement::run(root, &ours, file)
}

/// Everything that is generated, by path under the root.
fn generate(root: &Path, spec: &Path) -> Outcome<BTreeMap<PathBuf, String>> {
    let services = spec::read(spec)?;
    let mut files = rust::files(&services);
    for (path, text) in &mut files {
        *text = format(root, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    files.extend(services.iter().flat_map(golden::files));
    files.extend(reference::files(&services));
    files.extend([coverage::file(root, &services)?]);
    for service in &services {
        match service.format() {
            Format::Params => {
                let (path, text) = wsdl::file(service);
                files.insert(PathBuf::from(wsdl::SERVED), text.clone());
                files.insert(path, text);
            }
            Format::Json => files.extend([openapi::file(service)?]),
        }
    }
    Ok(files)
}

fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Formats a file as the rest of the workspace is.
fn format(root: &Path, text: &str) -> Outcome<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join(".rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    rustfmt.stdin.take().ok_or("rustfmt takes no input")?.write_all(text.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("rustfmt refuses the generated text:\n{text}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_code_is_fresh() {
        run(&crate::root(), true).unwrap();
    }

    #[test]
    fn the_same_spec_gives_the_same_bytes() {
        let root = crate::root();
        let spec = root.join("crates/fps-model/spec");
        assert_eq!(generate(&root, &spec).unwrap(), generate(&root, &spec).unwrap());
    }

    #[test]
    fn a_mistake_in_the_spec_is_named_with_its_file() {
        // File, what stands there, what stands there instead, what is said of it.
        let rows = [
            ("refund", "replay = \"by-key\"", "", "`replay` is missing"),
            ("refund", "replay = \"by-key\"", "replay = \"safe\"", "go together"),
            ("refund", "kind = \"operation\"", "kind = \"id\"", "means nothing here"),
            ("refund", "seed 001 (H)", "seed 001", "how sure it is"),
            ("refund", "type = \"Amount\"", "type = \"Money\"", "the type Money cannot stand"),
            ("refund", "type = \"Amount\"", "type = \"CallerReference\"", "the key is the one"),
            ("refund", "name = \"RefundAmount\"", "name = \"Action\"", "no parameter"),
            ("refund", "name = \"RefundAmount\"", "name = \"Refund-Amount\"", "is no name"),
            ("refund", "name = \"RefundAmount\"", "name = \"CallerDescription\"", "stands twice"),
            ("refund", "name = \"RefundAmount\"", "name = \"Type\"", "a word of Rust"),
            ("refund", "to its sender;", "to its sender\ncolour = 7", "refund.toml"),
            (
                "cancel_subscription_and_refund",
                "required_with = \"RefundAmount\"",
                "",
                "is no required field",
            ),
            ("transaction_status", "name = \"Success\"", "name = \"Pending\"", "stands twice"),
        ];
        let root = crate::root();
        let spec = root.join("crates/fps-model/spec");
        for (file, old, new, said) in rows {
            let copy = tempfile::tempdir().unwrap();
            for path in files_below(&spec).unwrap() {
                let to = copy.path().join(path.strip_prefix(&spec).unwrap());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(path, to).unwrap();
            }
            let path = copy.path().join("flexible_payments").join(file).with_extension("toml");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "{old} is not in {file}");
            fs::write(&path, text.replacen(old, new, 1)).unwrap();
            let error = spec::read(copy.path()).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{new} instead of {old} is accepted"));
            assert!(error.contains(said) && error.contains(file), "{new}: {error}");
        }
    }
}
