//! The import table of `docs/architecture.md`, compared with what cargo says.
//!
//! The page is the only place where the arrows are written down; this reads them there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::Outcome;

/// A row of the table.
struct Row {
    /// Crates of this workspace that may be imported.
    may_import: BTreeSet<String>,
    /// Crates that must not be reached, however indirectly and by whatever feature; `*` is every
    /// crate, for a build without features.
    never: BTreeSet<String>,
}

/// Fails with every arrow that the table does not have.
pub(crate) fn run(root: &Path) -> Outcome {
    let page = fs::read_to_string(root.join("docs/architecture.md"))?;
    let table = read_table(&page);
    let metadata = MetadataCommand::new().current_dir(root).exec()?;
    let wrong = compare(root, &table, &metadata)?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}

/// Reads `| crate | what | may import | must not reach |`: every name in backticks counts.
fn read_table(page: &str) -> BTreeMap<String, Row> {
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim().strip_prefix('|')?.split('|').collect();
        let [name, _, may_import, never, _] = cells.as_slice() else { return None };
        let name = names(name).into_iter().next()?;
        Some((name, Row { may_import: names(may_import), never: names(never) }))
    });
    rows.collect()
}

fn compare(
    root: &Path,
    table: &BTreeMap<String, Row>,
    metadata: &Metadata,
) -> Outcome<Vec<String>> {
    let ours = metadata.workspace_packages();
    let known: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let our_names: BTreeSet<&str> = ours.iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in &ours {
        let name = package.name.as_str();
        let Some(row) = table.get(name) else {
            wrong.push(format!("{name} is not in the table of docs/architecture.md"));
            continue;
        };
        for dependency in &package.dependencies {
            let imported = dependency.name.as_str();
            let shipped = dependency.kind != DependencyKind::Development;
            if shipped && our_names.contains(imported) && !row.may_import.contains(imported) {
                wrong.push(format!("{name} imports {imported}"));
            }
        }
        if row.never.contains("*") {
            let reached = reached(root, name, "--no-default-features")?;
            wrong.extend(reached.iter().map(|reached| format!("{name} reaches {reached}")));
        }
        let reached = reached(root, name, "--all-features")?;
        let forbidden = reached.intersection(&row.never);
        wrong.extend(forbidden.map(|reached| format!("{name} reaches {reached}")));
    }
    for (name, row) in table {
        if !our_names.contains(name.as_str()) {
            wrong.push(format!("the table names {name}, which is no crate"));
        }
        for name in row.may_import.iter().filter(|name| !our_names.contains(name.as_str())) {
            wrong.push(format!("the table lets {name} be imported, which is no crate"));
        }
        // A misspelt name would forbid nothing.
        for name in row.never.iter().filter(|name| *name != "*" && !known.contains(*name)) {
            wrong.push(format!("the table forbids {name}, which Cargo.lock does not know"));
        }
    }
    Ok(wrong)
}

/// The names of all crates that a package is built with, with these features; its
/// tests do not count. The resolution that `cargo metadata` prints would not do: it holds optional
/// dependencies that no feature asks for.
fn reached(root: &Path, name: &str, features: &str) -> Outcome<BTreeSet<String>> {
    let output = Command::new("cargo")
        .args(["tree", "--package", name, features, "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo tree fails for {name}").into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let names = lines.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|reached| *reached != name).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_cargo_says() {
        run(&crate::root()).unwrap();
    }

    #[test]
    fn a_forbidden_arrow_is_found() {
        let root = crate::root();
        let metadata = MetadataCommand::new().current_dir(&root).exec().unwrap();
        let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
        let mut table = read_table(&page);
        let row = table.get_mut("fps-http").unwrap();
        assert!(row.may_import.remove("fps-sign"));
        row.never.extend(["hyper", "hypr"].map(str::to_owned));
        table.get_mut("fps-cli").unwrap().never.insert("*".to_owned());
        table.get_mut("fps").unwrap().may_import.insert("fps-ledger".to_owned());
        let wrong = compare(&root, &table, &metadata).unwrap();
        for expected in [
            "fps-http imports fps-sign",
            "fps-http reaches hyper",
            "fps-cli reaches clap",
            "the table lets fps-ledger be imported, which is no crate",
            "the table forbids hypr, which Cargo.lock does not know",
        ] {
            assert!(wrong.iter().any(|wrong| wrong == expected), "{expected}: {wrong:?}");
        }
    }
}
