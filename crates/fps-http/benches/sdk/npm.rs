//! The official SDK, installed from the lock file beside this one; how it is driven is in `driver.cjs`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The release in `package.json`.
pub(crate) const SDK: &str = "@amazonpay/amazon-pay-api-sdk-nodejs 2.3.4";

const FILES: [(&str, &str); 3] = [
    ("driver.cjs", include_str!("driver.cjs")),
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
];

/// A folder with the SDK and its driver.
pub(crate) struct Sdk {
    folder: PathBuf,
    /// Of node.
    pub(crate) version: String,
}

impl Sdk {
    /// Installs it, or says why not.
    pub(crate) fn install(folder: &Path) -> Result<Self, String> {
        let version = output(Command::new("node").arg("--version"), "node")?;
        for (name, text) in FILES {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let arguments =
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--silent"];
        output(Command::new(npm).args(arguments).current_dir(folder), "npm ci")?;
        Ok(Self { folder: folder.to_owned(), version: version.trim().to_owned() })
    }

    /// The start of a command that drives it. The SDK switches the checks of TLS off when it is
    /// given an address, and node would warn of that each time.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("node");
        command.arg("--no-warnings").arg("driver.cjs").current_dir(&self.folder);
        command
    }
}

fn output(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("`{name}` is not there"),
        _ => format!("`{name}` cannot be started: {error}"),
    })?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|error| error.to_string()),
        false => Err(format!("`{name}` fails: {}", output.status)),
    }
}
