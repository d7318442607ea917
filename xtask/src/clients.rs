//! Runs clients that nobody here wrote against the sandbox, each against one of its own: the scripts are in
//! `crates/fps-sandbox/tests/clients`. What a client needs is installed into `target/clients`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use serde_json::{Deserializer, Value};

use crate::Outcome;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// The requests that Amazon's guides print, with curl and openssl.
    Curl,
    /// Amazon's own SDK from npm.
    Sdk,
    /// zeep, a SOAP client from Python's packages, on the WSDL that the sandbox serves.
    Soap,
    /// schemathesis, from Python's packages, on the OpenAPI document of Amazon Pay.
    Openapi,
}

impl Client {
    /// As it is named on the command line, and as its folder.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What the sandbox is started with for it.
    const fn sandbox_arguments(self) -> &'static [&'static str] {
        match self {
            // One of the guides signs with version 1.
            Self::Curl => &["--legacy-v1"],
            Self::Sdk | Self::Soap | Self::Openapi => &[],
        }
    }

    /// The command that runs it, after what it needs was installed.
    fn command(self, scripts: &Path, place: &Path) -> Outcome<Command> {
        let script = |name: &str| scripts.join(self.name()).join(name);
        Ok(match self {
            Self::Curl => Command::new(script("seeds.sh")),
            Self::Sdk => {
                for name in ["package.json", "package-lock.json", "driver.cjs"] {
                    fs::copy(script(name), place.join(name))?;
                }
                let mut npm = Command::new("npm");
                let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
                run(npm.args(arguments).current_dir(place))?;
                let mut node = Command::new("node");
                // The SDK switches the checks of TLS off when it is given an address; node would warn.
                node.args(["--no-warnings", "driver.cjs", "sandbox.json"]).current_dir(place);
                node
            }
            Self::Soap => {
                let bin = python(place, &script("requirements.txt"))?;
                let mut python = Command::new(bin.join("python"));
                python.arg(script("client.py"));
                python
            }
            Self::Openapi => {
                let bin = python(place, &script("requirements.txt"))?;
                let mut shell = Command::new(script("run.sh"));
                shell.env("SCHEMATHESIS", bin.join("schemathesis"));
                shell
            }
        })
    }
}

/// Runs the named clients, or all of them, and stops at the first that fails. One that cannot be
/// installed here proves nothing, and is said to be skipped.
pub(crate) fn run_all(root: &Path, clients: &[Client]) -> Outcome {
    let clients = if clients.is_empty() { Client::value_variants() } else { clients };
    run(Command::new("cargo")
        .args(["build", "--release", "--package", "fps-cli"])
        .current_dir(root))?;
    let mut skipped = Vec::new();
    for client in clients {
        let name = client.name();
        println!("-- {name}");
        let place = root.join("target/clients").join(&name);
        fs::create_dir_all(&place)?;
        let scripts = root.join("crates/fps-sandbox/tests/clients");
        let mut command = match client.command(&scripts, &place) {
            Ok(command) => command,
            Err(why) => {
                println!("SKIPPED {name}, which cannot be installed here: {why}");
                skipped.push(name);
                continue;
            }
        };
        let sandbox = Sandbox::start(root, &place, client.sandbox_arguments())?;
        sandbox.tell(&mut command)?;
        run(&mut command).map_err(|error| format!("{name}: {error}"))?;
    }
    println!("{} clients ran, {} were skipped", clients.len() - skipped.len(), skipped.len());
    Ok(())
}

/// A sandbox that is stopped when it is not needed any more.
struct Sandbox {
    child: Child,
    said: Value,
}

impl Sandbox {
    fn start(root: &Path, place: &Path, arguments: &[&str]) -> Outcome<Self> {
        let database = place.join("sandbox.db");
        for ending in ["", "-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{ending}", database.display())));
        }
        let mut child = Command::new(root.join("target/release/fps"))
            .args(["sandbox", "--output", "json", "--port", "0", "--db"])
            .arg(&database)
            .arg("--tls-dir")
            .arg(place.join("tls"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("the sandbox has no output")?;
        let mut said = Deserializer::from_reader(output).into_iter::<Value>();
        let said = said.next().ok_or("the sandbox says nothing")??;
        fs::write(place.join("sandbox.json"), said.to_string())?;
        Ok(Self { child, said })
    }

    /// What a script must know, as variables.
    fn tell(&self, command: &mut Command) -> Outcome {
        let names = [
            ("SANDBOX_URL", "/url"),
            ("SANDBOX_CA", "/authority"),
            ("NODE_EXTRA_CA_CERTS", "/authority"),
            ("CONTROL_URL", "/control"),
            ("ACCESS_KEY_ID", "/merchants/0/access_key_id"),
            ("SECRET_KEY", "/merchants/0/secret_key"),
            ("PUBLIC_KEY_ID", "/merchants/0/public_key_id"),
            ("PRIVATE_KEY_FILE", "/merchants/0/private_key_file"),
            ("CERTIFICATE_FILE", "/merchants/0/certificate_file"),
        ];
        for (name, path) in names {
            let value = self.said.pointer(path).and_then(Value::as_str);
            command.env(name, value.ok_or_else(|| format!("the sandbox did not say {path}"))?);
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A folder of Python's own with what is pinned in a file.
fn python(place: &Path, requirements: &Path) -> Outcome<PathBuf> {
    let home = place.join("python");
    if !home.join("bin/pip").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    }
    let bin = home.join("bin");
    let mut pip = Command::new(bin.join("pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements))?;
    Ok(bin)
}

/// The keys in its environment are nobody's business.
fn run(command: &mut Command) -> Outcome {
    let program = command.get_program().to_owned();
    let status = command.status().map_err(|error| format!("{}: {error}", program.display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed: {status}", program.display()).into())
    }
}
