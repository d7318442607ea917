//! A process that the benchmark started: what it says, what it is told, and how much CPU time it has used.
//! What runs in it is not known here.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// It ends by itself when its input is closed.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "a process of the benchmark ended before it was done");
        line.trim_end().to_owned()
    }

    pub(crate) fn tell(&mut self, word: &str) {
        writeln!(self.input.as_ref().unwrap(), "{word}").unwrap();
    }

    /// Of all its threads. Linux only.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let nanoseconds = threads.map(|thread| {
            // The first of three numbers is the time on a processor: proc_pid_schedstat(5). Those
            // of `stat` would be too coarse, they count hundredths of a second.
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        // A thread that has just ended is not there any more; none ends while a client is measured.
        let nanoseconds: Vec<u64> = nanoseconds.flatten().collect();
        let some = !nanoseconds.is_empty();
        some.then(|| Duration::from_nanos(nanoseconds.iter().sum()))
    }

    /// Kilobytes of its memory that are resident now. Linux only.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ended = self.child.wait();
    }
}
