//! Reading secrets from where they are: a variable, a file, standard input; never a command line.

use std::io::Read;
use std::path::Path;

use fps::Secret;

use super::layers::Found;
use crate::exit::{Exit, Failure};
use crate::progress::tell;

/// A file's name that means standard input.
const STDIN: &str = "-";

/// The secret that was given, or that is in the file that was named.
pub(super) fn read(found: Found<'_>) -> Result<Secret, Failure> {
    if found.setting.is_secret() {
        return Ok(Secret::new(found.text().trim()));
    }
    let not_read = |error: std::io::Error| {
        Failure::new(Exit::Usage, format!("{found} cannot be read")).because(error)
    };
    let mut text = String::new();
    if found.text() == STDIN {
        std::io::stdin().lock().read_to_string(&mut text).map_err(not_read)?;
    } else {
        let file = Path::new(found.text());
        text = std::fs::read_to_string(file).map_err(not_read)?;
        warn_if_open(file);
    }
    let secret = Secret::new(text.trim());
    // What was read on the way is erased, too.
    drop(Secret::new(text));
    match secret.expose().is_empty() {
        true => Err(Failure::new(Exit::Usage, format!("{found} is empty"))),
        false => Ok(secret),
    }
}

#[cfg(unix)]
fn warn_if_open(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let file = file.display();
        tell(&format!(
            "warning: others can read the secret in {file}; `chmod 600 {file}` ends that"
        ));
    }
}

/// Who may read a file is told otherwise elsewhere.
#[cfg(not(unix))]
fn warn_if_open(_file: &Path) {}
