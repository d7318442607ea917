//! The verbs that talk to a service, against a sandbox of their own: what they share, and those that
//! have little to say.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::sandbox::{Serving, shell};
use crate::{command, exit, text};

/// A sandbox with a file of what it printed, and a folder for whatever a test writes.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) file: PathBuf,
    pub(crate) serving: Serving,
    /// What may never be seen.
    secrets: Vec<String>,
}

impl World {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = Serving::start(folder.path(), arguments);
        let file = folder.path().join("sandbox.json");
        std::fs::write(&file, serving.told.to_string()).unwrap();
        let merchant = &serving.told["merchants"][0];
        let pem = std::fs::read_to_string(merchant["private_key_file"].as_str().unwrap()).unwrap();
        let secrets = vec![
            merchant["secret_key"].as_str().unwrap().to_owned(),
            pem.lines().nth(3).unwrap().to_owned(),
        ];
        Self { folder, file, serving, secrets }
    }

    pub(crate) fn charge(&self) -> &str {
        self.serving.told("charge_id")
    }

    pub(crate) fn transaction(&self) -> &str {
        self.serving.told("transaction_id")
    }

    /// A command with the settings of the sandbox in the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.folder.path(), arguments);
        command.env("FPS_SANDBOX", &self.file);
        command
    }

    pub(crate) fn output(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        for secret in &self.secrets {
            for said in [&output.stdout, &output.stderr] {
                assert!(!text(said).contains(secret.as_str()), "a secret is told: {command:?}");
            }
        }
        output
    }

    pub(crate) fn fps(&self, arguments: &[&str]) -> Output {
        self.output(self.command(arguments))
    }

    /// A success: its result, and what was said on standard error.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Value, String) {
        let arguments = [arguments, &["--output", "json"]].concat();
        let output = self.fps(&arguments);
        let errors = text(&output.stderr).to_owned();
        assert_eq!(exit(&output), 0, "{arguments:?}: {errors}");
        crate::schema::check(&arguments, &output.stdout);
        (serde_json::from_slice(&output.stdout).unwrap(), errors)
    }

    /// A failure: nothing on standard output, and one error on standard error.
    pub(crate) fn refused(&self, arguments: &[&str], code: i32) -> String {
        self.refused_by(self.command(arguments), code)
    }

    pub(crate) fn refused_by(&self, command: Command, code: i32) -> String {
        let shown = format!("{command:?}");
        let output = self.output(command);
        let errors = text(&output.stderr).to_owned();
        assert_eq!(exit(&output), code, "{shown}: {errors}");
        assert_eq!(text(&output.stdout), "", "{shown}");
        assert_eq!(errors.matches("error: ").count(), 1, "{errors}");
        errors
    }

    /// Asks the control API.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let body = match body {
            "" => String::new(),
            body => format!("-H 'content-type: application/json' -d '{body}'"),
        };
        let answer = shell(&format!(
            "curl -sS --fail-with-body --cacert '{}' -X {method} {body} {}{path}",
            self.serving.told("authority"),
            self.serving.told("control")
        ));
        serde_json::from_str(&answer).unwrap()
    }
}

#[test]
fn a_status_says_what_it_is_of_and_what_remains() {
    let world = World::start(&["--processing", "0"]);
    for (payment, service) in
        [(world.charge(), "amazon-pay"), (world.transaction(), "flexible-payments")]
    {
        let refund = ["refund", payment, "30.00", "--for", "order-1", "--wait"];
        let (refunded, _) = world.json(&refund);
        let (status, said) = world.json(&["status", payment]);
        assert_eq!(said, "");
        let expected = serde_json::json!({
            "service": service, "id": payment, "kind": "payment", "refunded": "30.00",
            "pending": "0.00", "remaining": "70.00", "state": "completed", "currency": "USD",
            "amount": "100.00", "reason": null,
        });
        assert_eq!(status, expected);
        let id = refunded["refund"].as_str().unwrap();
        let (status, _) = world.json(&["status", id]);
        assert_eq!((&status["kind"], &status["amount"]), (&"refund".into(), &"30.00".into()));
        assert_eq!(status["payment"], payment, "{status}");

        world.json(&["refund", payment, "--for", "order-1", "rest", "--wait"]);
        let (status, _) = world.json(&["status", payment]);
        assert_eq!(status["refunded"], "100.00");
        assert_eq!(
            (&status["remaining"], &status["reason"]),
            (&Value::Null, &"nothing-left".into())
        );
        let table = world.fps(&["status", payment]);
        assert!(text(&table.stdout).contains("because of"), "{}", text(&table.stdout));
    }
    for unknown in ["S01-0000000-0000000-C000000", "S01-0000000-0000000-R000000", "NOSUCH"] {
        world.refused(&["status", unknown], 6);
    }
    world.refused(&["status"], 2);
    world.serving.end("INT");
}

#[test]
fn what_is_reserved_is_settled_once() {
    let world = World::start(&["--processing", "0"]);
    let reserve = |service: &str, operation: &str| {
        let body = format!(
            r#"{{"service": "{service}", "amount": {{"amount": "20.00", "currencyCode": "USD"}},
                "operation": "{operation}", "state": "reserved"}}"#
        );
        world.control("POST", "/payments", &body)["id"].as_str().unwrap().to_owned()
    };
    let charge = reserve("amazon-pay", "charge");
    world.refused(&["settle", &charge], 2);
    let settle = ["settle", &charge, "15.00", "--for", "order-1", "parcel-1"];
    let (settled, said) = world.json(&settle);
    assert_eq!(
        (&settled["amount"], &settled["transaction"]),
        (&"15.00".into(), &charge.clone().into())
    );
    assert!(said.contains("with the key "), "{said}");
    world.json(&settle);
    let (status, _) = world.json(&["status", &charge]);
    assert_eq!((&status["amount"], &status["state"]), (&"15.00".into(), &"completed".into()));

    let reservation = reserve("flexible-payments", "reserve");
    world.refused(&["settle", &reservation, "--for", "order-1"], 2);
    let (settled, _) = world.json(&["settle", &reservation]);
    assert_eq!(settled["amount"], "20.00");
    world.refused(&["settle", &reservation], 6);
    world.refused(&["settle", &reservation, "1,5"], 2);
    world.serving.end("INT");
}

#[test]
fn a_cancelled_token_is_charged_no_more() {
    let world = World::start(&[]);
    let token = world.control("POST", "/tokens", "{}")["id"].as_str().unwrap().to_owned();
    world.refused(&["cancel-token", &token, "--cancel-pending"], 2);
    let (cancelled, _) = world.json(&["cancel-token", &token, "--reason", "sold out"]);
    assert_eq!(
        (&cancelled["token"], &cancelled["state"]),
        (&token.clone().into(), &"Cancelled".into())
    );
    let (permission, _) = world.charge().rsplit_once('-').unwrap();
    let error = world.refused(&["cancel-token", permission], 2);
    assert!(error.contains("--reason"), "{error}");
    let (closed, _) = world.json(&["cancel-token", permission, "--reason", "sold out"]);
    assert_eq!(closed["state"], "Closed");
    world.refused(&["cancel-token", "NOSUCHTOKEN"], 6);
    world.serving.end("INT");
}
