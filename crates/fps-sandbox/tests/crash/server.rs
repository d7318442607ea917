//! The sandbox in a process of its own, and how it is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fps_sandbox::{Config, MerchantSpec, Sandbox};
use refund_rules::{Currency, Method, Money};
use serde::{Deserialize, Serialize};

const CHARGES: usize = 60;

/// What does not change from one start to the next.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) access_key_id: String,
    pub(crate) secret_key: String,
    pub(crate) public_key_id: String,
    pub(crate) private_key_pem: String,
    pub(crate) charges: Vec<String>,
    /// That pay from a balance.
    pub(crate) tokens: Vec<String>,
}

/// Where it listens now, and whom to trust.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) generation: u32,
    pub(crate) port: u16,
    pub(crate) ca_pem: String,
}

/// Serves until it is killed. What it says first is a line for a client.
pub(crate) async fn serve(database: &Path, port: u16) {
    let is_new = !database.exists();
    let config = Config::new(database).port(port).processing(Duration::from_millis(20));
    let sandbox = Sandbox::start(config).await.unwrap();
    let world = if is_new { Some(make(&sandbox).await) } else { None };
    let port = sandbox.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let place = Place { generation: std::process::id(), port, ca_pem: sandbox.ca_pem().to_owned() };
    println!("{}", serde_json::to_string(&(place, world)).unwrap());
    std::future::pending::<()>().await;
}

async fn make(sandbox: &Sandbox) -> World {
    let merchant = sandbox.create_merchant(MerchantSpec::new("Crash")).await.unwrap();
    let mut charges = Vec::new();
    for _ in 0..CHARGES {
        let captured = Money::parse("1000.00", Currency::USD).unwrap();
        let charge = sandbox.capture_charge(&merchant, captured).create().await.unwrap();
        charges.push(charge.as_str().to_owned());
    }
    let mut tokens = Vec::new();
    for _ in 0..4 {
        let token = sandbox.install_token(&merchant, Method::Balance).await.unwrap();
        tokens.push(token.as_str().to_owned());
    }
    World {
        access_key_id: merchant.access_key_id.clone(),
        secret_key: merchant.secret_key.expose().to_owned(),
        public_key_id: merchant.public_key_id.clone(),
        private_key_pem: merchant.private_key_pem.expose().to_owned(),
        charges,
        tokens,
    }
}

/// The process.
pub(crate) struct Server {
    child: Child,
    place: Place,
    world: Option<World>,
}

impl Server {
    pub(crate) fn start(database: &Path, port: u16) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(database)
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (place, world) = serde_json::from_str(&line).unwrap();
        Self { child, place, world }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    /// At once: the process hears nothing of it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
