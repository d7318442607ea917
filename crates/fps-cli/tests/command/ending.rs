//! How the command ends before its time: by a signal, or because nobody reads it any more.

use std::process::Stdio;

use crate::{command, names, text};

/// A command that runs while the test goes on, followed by what it says on standard error.
#[cfg(unix)]
pub(crate) struct Running {
    child: std::process::Child,
    errors: std::io::BufReader<std::process::ChildStderr>,
    said: String,
}

#[cfg(unix)]
impl Running {
    pub(crate) fn start(mut command: std::process::Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = std::io::BufReader::new(child.stderr.take().unwrap());
        Self { child, errors, said: String::new() }
    }

    /// Waits for a line that holds this.
    pub(crate) fn read_until(&mut self, what: &str) {
        use std::io::BufRead as _;
        while !self.said.contains(what) {
            let read = self.errors.read_line(&mut self.said).unwrap();
            assert!(read > 0, "it never says `{what}`: {}", self.said);
        }
    }

    /// What was said so far.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    pub(crate) fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let sent = kill.args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end that a signal makes.
    pub(crate) fn killed(mut self) {
        assert_eq!(self.child.wait().unwrap().code(), None);
    }

    /// Waits for the end: exit code, standard output, standard error.
    pub(crate) fn end(mut self) -> (i32, String, String) {
        use std::io::Read as _;
        self.errors.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        // Without a code it was the signal that ended it, and nothing was tidied up.
        (output.status.code().unwrap(), text(&output.stdout).to_owned(), self.said)
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_a_code_of_its_own_and_nothing_is_left_behind() {
    for (signal, code, moment) in [
        ("INT", 130, "starting a sandbox"),
        ("TERM", 143, "the sandbox serves both services"),
        ("HUP", 129, "Amazon Pay: refund 50.00"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start(command(folder.path(), &["demo", "--output", "json"]));
        running.read_until(moment);
        running.signal(signal);
        let (ended, output, errors) = running.end();
        assert_eq!((ended, output.as_str()), (code, ""), "{signal} at {moment}: {errors}");
        assert!(errors.ends_with("\nerror: ended by a signal\n"), "{errors}");
        assert_eq!(names(folder.path()), [""; 0], "{signal} at {moment}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_a_kept_database_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.db");
    let demo = ["demo", "--db", path.to_str().unwrap()];
    let mut running = Running::start(command(folder.path(), &demo));
    running.read_until("Amazon Pay: refund 50.00");
    running.signal("TERM");
    let (code, _, errors) = running.end();
    assert_eq!(code, 143, "{errors}");
    assert_eq!(names(folder.path()), ["kept.db"], "the closed file stands alone");
    let kept = rusqlite::Connection::open(&path).unwrap();
    let checked: String = kept.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
}

#[test]
fn a_reader_that_has_gone_changes_no_exit_code() {
    // Its reader is gone before it begins.
    let closed = || {
        let (_, writer) = std::io::pipe().unwrap();
        writer
    };
    let quote = ["quote", "--service", "amazon-pay", "--captured", "100.00"];
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&quote, 0),
        (&[&quote[..], &["--output", "json"]].concat(), 0),
        (&[&quote[..], &["115.01"]].concat(), 6),
        (&[], 2),
        (&["refunds"], 2),
        (&["demo"], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut both = command(folder.path(), arguments);
        let status = both.stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
        assert_eq!(names(folder.path()), [""; 0], "{arguments:?}");

        // A panic would be seen here.
        if arguments != ["demo"] {
            let output =
                command(folder.path(), arguments).stdout(closed()).stderr(Stdio::piped()).output();
            let errors = output.unwrap().stderr;
            assert!(!text(&errors).contains("panicked"), "{}", text(&errors));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let quote = ["quote", "--service", "amazon-pay", "--captured", "100.00"];
    for arguments in [&["--help"][..], &["--version"], &quote] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let output = command(folder.path(), arguments).stdout(full).stderr(Stdio::piped()).output();
        let output = output.unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: the result could not be printed\n"), "{errors}");
    }
}
