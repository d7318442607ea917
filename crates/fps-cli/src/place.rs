//! Where a sandbox keeps its state, and why one cannot be started there; what it does is not known here.

use std::path::{Path, PathBuf};

use fps_sandbox::{Error, ErrorKind};
use tempfile::TempDir;

use crate::exit::{Exit, Failure, OrFail};

pub(crate) const SANDBOX_FAILED: &str = "the sandbox failed";

/// In a file that stays, or in a folder that goes with this.
pub(crate) enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    pub(crate) fn new(kept: Option<&PathBuf>) -> Result<Self, Failure> {
        match kept {
            Some(path) => Ok(Self::Kept(path.clone())),
            None => {
                let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
                Ok(Self::Temporary(folder))
            }
        }
    }

    pub(crate) fn database(&self) -> Result<PathBuf, Failure> {
        match self {
            // A whole path is a file's name, whatever SQLite reads into a part of one.
            Self::Kept(path) => std::path::absolute(path)
                .map_err(|error| Failure::new(Exit::Usage, "--db names no file").because(error)),
            Self::Temporary(folder) => Ok(folder.path().join("sandbox.db")),
        }
    }
}

/// A file beside another: its name with more behind it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Why a sandbox was not started, and what may help.
pub(crate) fn not_started(error: Error, database: &Path, port: u16) -> Failure {
    let database = database.display();
    let (message, hint) = match error.kind() {
        ErrorKind::Listen => (
            format!("the sandbox cannot listen on port {port}"),
            "choose another port, or 0 for a free one",
        ),
        ErrorKind::OpenDatabase => (
            format!("the database {database} cannot be opened"),
            "name a file of a sandbox, or a new one in a folder that exists",
        ),
        ErrorKind::ForeignDatabase => (
            format!("the database {database} is left as it is"),
            "name a file of a sandbox, or a new one",
        ),
        ErrorKind::DatabaseInUse => (
            format!("the database {database} cannot be used now"),
            "wait for the other command, or name another file",
        ),
        ErrorKind::NewerDatabase => (
            format!("the database {database} cannot be used"),
            "use the version of this command that wrote it, or name a new file",
        ),
        _ => return Failure::from_error(error, SANDBOX_FAILED),
    };
    Failure::from_error(error, message).hint(hint)
}
