//! The checks that a change must pass, as the commands they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::{Outcome, arrows, codegen, examples};

/// One check; the order is that of the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Everything is formatted.
    Fmt,
    /// Generated code is what the spec gives.
    Codegen,
    /// Crates import only what docs/architecture.md allows.
    Arrows,
    /// The stated rust-version is the toolchain of this run.
    Msrv,
    /// No warning, with all features.
    Clippy,
    /// `cargo test --workspace`, the command of the README.
    Test,
    /// Every example of `fps` runs, and what it shows holds.
    Examples,
    /// Each library alone, without features and with each of them; some tests with all.
    Features,
    /// `refund-rules` is linked without the standard library.
    NoStd,
    /// The documentation builds without a warning.
    Docs,
}

/// Runs the checks, all of them when none is named, and stops at the first that fails.
pub(crate) fn run(root: &Path, checks: &[Check]) -> Outcome {
    let checks = if checks.is_empty() { Check::value_variants() } else { checks };
    for check in checks {
        let name = check.name();
        println!("== {name}");
        check.run(root).map_err(|error| format!("{name}: {error}"))?;
    }
    println!("== all checks passed");
    Ok(())
}

impl Check {
    /// As it is named on the command line.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, root: &Path) -> Outcome {
        match self {
            Self::Fmt => cargo(root, &["fmt", "--all", "--check"]),
            Self::Codegen => codegen::run(root, true),
            Self::Arrows => arrows::run(root),
            Self::Msrv => msrv(root),
            Self::Clippy => cargo(
                root,
                &[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--all-features",
                    "--",
                    "-D",
                    "warnings",
                ],
            ),
            Self::Test => cargo(root, &["test", "--workspace"]),
            Self::Examples => examples::run(root),
            Self::Features => features(root),
            Self::NoStd => no_std(root),
            Self::Docs => {
                let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
                run_command(
                    Command::new("cargo").args(arguments).env("RUSTDOCFLAGS", "-D warnings"),
                    root,
                )
            }
        }
    }
}

/// A storm in release, where there is more of it in a second.
pub(crate) fn storm(
    root: &Path,
    (runs, refunds, seed): (u32, u32, u64),
    lane: Option<&str>,
) -> Outcome {
    let [runs, refunds, seed] = [runs.to_string(), refunds.to_string(), seed.to_string()];
    let mut arguments =
        vec!["test", "--release", "-p", "fps", "--features", "runner", "--test", "storm", "--"];
    arguments.extend(["--runs", &runs, "--refunds", &refunds, "--seed", &seed]);
    if let Some(lane) = lane {
        arguments.extend(["--lane", lane]);
    }
    cargo(root, &arguments)
}

fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    run_command(Command::new("cargo").args(arguments), root)
}

fn run_command(command: &mut Command, root: &Path) -> Outcome {
    let status = command.current_dir(root).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}

/// In the workspace, features add up: only alone does a crate show its portable half.
fn features(root: &Path) -> Outcome {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root).no_deps().exec()?;
    for package in metadata.workspace_packages() {
        if package.targets.iter().any(|target| target.is_lib()) {
            let name = package.name.as_str();
            let alone = ["check", "--quiet", "-p", name, "--lib", "--no-default-features"];
            cargo(root, &alone)?;
            for feature in package.features.keys().filter(|feature| *feature != "default") {
                cargo(root, &[&alone[..], &["--features", feature]].concat())?;
            }
        }
    }
    // The portable RSA of fps-sign is what its tests alone run with.
    cargo(root, &["test", "-p", "fps-sign"])?;
    cargo(root, &["test", "-p", "refund-rules", "--all-features"])?;
    // Both of its stores, as far as there is a server.
    cargo(root, &["test", "-p", "refund-ledger", "--all-features"])
}

/// `#![no_std]` says nothing about what a dependency links. A library with a panic handler of its own
/// does: with the standard library there would be two of them, which is an error.
fn no_std(root: &Path) -> Outcome {
    let folder = root.join("target/no-std");
    fs::create_dir_all(folder.join("src"))?;
    let rules = root.join("crates/refund-rules");
    let manifest = format!(
        "[package]\nname = \"no-std\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"staticlib\"]\n\n\
         [dependencies]\nrefund-rules = {{ path = {rules:?}, features = [\"serde\"] }}\n\n\
         [profile.dev]\npanic = \"abort\"\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let library = "//! Written by `cargo xtask ci no-std`.\n\n#![no_std]\n\n\
         pub use refund_rules::decide;\n\n\
         #[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! {\n    loop {}\n}\n";
    fs::write(folder.join("src/lib.rs"), library)?;
    cargo(&folder, &["build", "--quiet", "--offline"])?;
    println!("refund-rules links without the standard library, with serde too");
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output()?;
    let targets = Path::new(String::from_utf8(sysroot.stdout)?.trim()).join("lib/rustlib");
    for target in fs::read_dir(targets)? {
        let target = target?.file_name();
        if let Some(target) = target.to_str().filter(|name| name.contains("-none")) {
            cargo(root, &["build", "-p", "refund-rules", "--target", target])?;
            println!("refund-rules builds for {target}");
        }
    }
    Ok(())
}

/// A newer toolchain proves nothing about the stated one, so it says so.
fn msrv(root: &Path) -> Outcome {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root).no_deps().exec()?;
    let mut stated: Vec<_> =
        metadata.workspace_packages().into_iter().map(|package| &package.rust_version).collect();
    stated.dedup();
    let [Some(stated)] = stated.as_slice() else {
        return Err("the crates do not all state the same rust-version".into());
    };
    let output = Command::new("rustc").arg("--version").output()?;
    let toolchain = String::from_utf8(output.stdout)?;
    let version = toolchain.split_whitespace().nth(1).unwrap_or_default();
    if version.starts_with(&format!("{}.{}.", stated.major, stated.minor)) {
        println!("rust-version {}.{} is tested by this run", stated.major, stated.minor);
    } else {
        println!("rust-version {stated} is NOT tested by this run, which uses {version}");
    }
    Ok(())
}
