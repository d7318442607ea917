//! A sandbox with payments, a file of rows for them and a ledger, for the tests of batches.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::service::World;
use crate::{exit, schema, text};

/// A sandbox, a file of rows for its payments, and a ledger.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) folder: TempDir,
    pub(crate) rows: PathBuf,
    pub(crate) ledger: PathBuf,
}

/// How a call ended.
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Called {
    /// What was said on standard error by events, each as described.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self.errors.lines().take_while(|line| !line.starts_with("error: "));
        let events: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        for event in &events {
            schema::check_against("events", event);
        }
        assert!(
            self.errors.lines().all(|it| !it.starts_with('{') || it.starts_with("{\"event\":"))
        );
        events
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Shop {
    pub(crate) fn start(payments: u32, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rows = folder.path().join("recall.csv");
        let payments = payments.to_string();
        let file = rows.to_str().unwrap();
        let own = ["--processing", "0", "--payments", &payments, "--batch-file", file];
        let world = World::start(&[&own[..], arguments].concat());
        let ledger = folder.path().join("refunds.db");
        Self { world, folder, rows, ledger }
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let file = self.folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    }

    pub(crate) fn rows(&self) -> &str {
        self.rows.to_str().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("FPS_LEDGER", &self.ledger).current_dir(self.folder.path());
        command
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Called {
        self.called(self.command(arguments))
    }

    pub(crate) fn called(&self, command: Command) -> Called {
        let output = self.world.output(command);
        let (out, errors) = (text(&output.stdout).to_owned(), text(&output.stderr).to_owned());
        assert!(errors.matches("error: ").count() <= 1, "{errors}");
        Called { code: exit(&output), out, errors }
    }

    /// With a result, whatever the exit code is.
    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> (Value, String) {
        let arguments = [arguments, &["--output", "json"]].concat();
        let called = self.call(&arguments);
        assert_eq!(called.code, code, "{arguments:?}: {}", called.errors);
        assert_ne!(called.out, "", "{arguments:?}: {}", called.errors);
        schema::check(&arguments, called.out.as_bytes());
        (called.json(), called.errors)
    }

    /// A failure before there was any result.
    pub(crate) fn refused(&self, arguments: &[&str], code: i32) -> String {
        let called = self.call(arguments);
        assert_eq!(called.code, code, "{arguments:?}: {}", called.errors);
        assert_eq!(called.out, "", "{arguments:?}");
        assert_eq!(called.errors.matches("error: ").count(), 1, "{}", called.errors);
        called.errors
    }

    /// All refunds of the sandbox.
    pub(crate) fn refunds(&self) -> Vec<Value> {
        let mut refunds = Vec::new();
        let mut after = 0;
        loop {
            let page =
                self.world.control("GET", &format!("'/refunds?limit=1000&after={after}'"), "");
            refunds.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_i64() {
                Some(next) => after = next,
                None => return refunds,
            }
        }
    }

    pub(crate) fn exported(&self) -> String {
        let called = self.call(&["ledger", "export"]);
        assert_eq!(called.code, 0, "{}", called.errors);
        called.out
    }

    pub(crate) fn end(self) {
        self.world.serving.end("INT");
    }
}
