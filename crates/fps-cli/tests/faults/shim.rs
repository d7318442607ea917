//! The library that is loaded into the command and lets a call fail; it is compiled when it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Which call fails, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Which kind, in the words of `shim.c`.
    pub(crate) call: &'static str,
    /// Which of them, from one.
    pub(crate) number: u64,
    /// With which error; 0 is the end of the process.
    pub(crate) error: i32,
    /// All that come later, too.
    pub(crate) is_lasting: bool,
}

/// How many calls of the kind there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) seen: u64,
    pub(crate) failed: u64,
}

/// Where the library is; nowhere, where it cannot be compiled, and then it says so.
pub(crate) fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Another run of these tests may have it open under its name.
        let made = tempfile::Builder::new().suffix(".so").tempfile_in(folder).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(made.path())
            .arg(source);
        let Ok(output) = compiler.output() else {
            println!("skipped: there is no C compiler here (cc)");
            return None;
        };
        assert!(output.status.success(), "{}", output.stderr.escape_ascii());
        let path = folder.join("shim.so");
        made.persist(&path).unwrap();
        Some(path)
    });
    library.as_deref()
}

impl Fault {
    /// Lets a command have this fault in the files of a folder; what it counts is in the other file.
    pub(crate) fn load(self, command: &mut Command, folder: &Path, count: &Path) {
        command.env("LD_PRELOAD", library().unwrap());
        command.env("FAULT_CALL", self.call).env("FAULT_NUMBER", self.number.to_string());
        command.env("FAULT_ERROR", self.error.to_string());
        command.env("FAULT_FOLDER", folder).env("FAULT_COUNT", count);
        if self.is_lasting {
            command.env("FAULT_ALWAYS", "1");
        }
    }
}

impl Count {
    /// What the library wrote when the command ended by itself.
    pub(crate) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let (seen, failed) = text.split_once(' ').unwrap();
        Self { seen: seen.parse().unwrap(), failed: failed.parse().unwrap() }
    }
}
