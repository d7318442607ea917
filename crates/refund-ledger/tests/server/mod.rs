//! A PostgreSQL server for one test program, from the binaries that are installed here. It listens on a
//! socket in a directory of its own, and both go when the program ends, however it ends.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of this")]
#![allow(clippy::print_stderr, reason = "whoever looks should know that nothing was tested")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// Serves until its input ends, which it does when the test program is killed, too. Each line of input
/// restarts the server in that mode.
const SCRIPT: &str = r#"
trap '' PIPE
bin=$1 dir=$2
"$bin/initdb" -D "$dir/data" -U ledger -A trust -E UTF8 --locale=C -N >"$dir/log" 2>&1 || exit 1
control() { "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -s "$@" >>"$dir/log" 2>&1 </dev/null; }
control -o "-c listen_addresses= -c unix_socket_directories=$dir -c max_connections=300 $3" start || exit 1
echo ready
while read -r mode; do control -m "$mode" restart && echo ready; done
control -m immediate stop
rm -rf "$dir"
"#;

/// A running server.
pub struct Server {
    dir: PathBuf,
    guard: Mutex<Guard>,
    schemas: AtomicU32,
}

struct Guard {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

impl Server {
    /// The one that the tests of this program share. It does not care for the disk, because nobody
    /// cuts the power of a test. None where PostgreSQL is not installed, and then it says so.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("-c fsync=off -c full_page_writes=off")).as_ref()
    }

    /// One with these settings.
    pub fn start(settings: &str) -> Option<Self> {
        let Some(bin) = bin() else {
            eprintln!("skipped: PostgreSQL is not installed here (no initdb and postgres)");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("ledger-pg-").tempdir().unwrap().keep();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(bin).arg(&dir).arg(settings);
        // Away from Ctrl-C, so that it can clean up.
        command.current_dir(&dir).process_group(0);
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = unprivileged() {
            chown(&dir, Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut guard = Guard {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            _child: child,
        };
        guard.wait(&dir);
        Some(Self { dir, guard: Mutex::new(guard), schemas: AtomicU32::new(0) })
    }

    /// The address of a ledger that nobody else has.
    pub fn url(&self) -> String {
        let number = self.schemas.fetch_add(1, Ordering::Relaxed);
        format!("{}&schema=test_{number}", self.bare_url())
    }

    /// The same, on a server that serialises every transaction.
    pub fn serializable_url(&self) -> String {
        self.url() + "&options=-c%20default_transaction_isolation%3Dserializable"
    }

    /// The address of the server, without a schema.
    pub fn bare_url(&self) -> String {
        format!("postgres:///postgres?user=ledger&host={}", self.dir.display())
    }

    /// Stops the server as if it crashed, and starts it again.
    pub fn crash(&self) {
        let mut guard = self.guard.lock().unwrap();
        guard.input.write_all(b"immediate\n").unwrap();
        guard.wait(&self.dir);
    }
}

impl Guard {
    fn wait(&mut self, dir: &Path) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert_eq!(line, "ready\n", "the server does not start: {}", log());
    }
}

/// Where the binaries are: what is on the path goes first, then the latest.
fn bin() -> Option<PathBuf> {
    let mut found: Vec<_> = [PathBuf::from("/usr/local/pgsql/bin")]
        .into_iter()
        .chain(
            fs::read_dir("/usr/lib/postgresql")
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path().join("bin"))),
        )
        .filter(|dir| dir.join("postgres").exists() && dir.join("initdb").exists())
        .collect();
    found.sort();
    let asked = Command::new("pg_config").arg("--bindir").output().ok();
    let told = asked.map(|output| PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()));
    told.filter(|dir| dir.join("initdb").exists()).or_else(|| found.pop())
}

/// Whose the server is, if we are root, as whom it does not run.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let known = ["postgres", "nobody"].into_iter();
    known.filter_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?))).next()
}
