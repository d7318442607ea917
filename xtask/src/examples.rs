//! Runs the examples of the crate `fps`, all that cargo knows of: a list kept by hand would forget one.

use std::path::Path;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::Outcome;

/// The crate whose examples are run.
const CRATE: &str = "fps";

/// Runs one after the other, even after one has failed, and fails with the names of those that did.
pub(crate) fn run(root: &Path) -> Outcome {
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec()?;
    let names = names(&metadata);
    if names.is_empty() {
        return Err(format!("{CRATE} has no examples").into());
    }
    let mut failed = Vec::new();
    for name in &names {
        println!("-- {name}");
        let arguments = ["run", "--quiet", "--package", CRATE, "--example", name];
        let status = Command::new("cargo").args(arguments).current_dir(root).status()?;
        if !status.success() {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        println!("{} examples ran", names.len());
        return Ok(());
    }
    Err(format!("these examples failed: {}", failed.join(", ")).into())
}

/// The names of the examples, sorted.
fn names(metadata: &Metadata) -> Vec<&str> {
    let packages = metadata.workspace_packages();
    let package = packages.into_iter().find(|package| package.name.as_str() == CRATE);
    let targets = package.into_iter().flat_map(|package| &package.targets);
    let examples = targets.filter(|target| target.is_example());
    let mut names: Vec<&str> = examples.map(|target| target.name.as_str()).collect();
    names.sort_unstable();
    names
}
