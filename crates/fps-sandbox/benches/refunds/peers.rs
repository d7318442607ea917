//! Two emulators of other services, installed from Python's packages into a folder of their own: a
//! refund at localstripe, a conditional write at moto. Neither keeps anything durable.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use fps_http::{HyperTransport, Settings, Transport};
use tokio::runtime::Runtime;

const LOCALSTRIPE: &str = "localstripe==1.15.10";
const MOTO: &str = "moto[server,dynamodb]==5.2.5";

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) job: &'static str,
    pub(crate) transport: HyperTransport,
    url: String,
    charges: Vec<String>,
    server: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _killed = self.server.kill();
        let _ended = self.server.wait();
    }
}

/// Each of them, or why it is not there.
pub(crate) fn all(folder: &Path) -> Vec<Result<Peer, String>> {
    match environment(folder) {
        Err(why) => vec![Err(format!("without other emulators: {why}"))],
        Ok(python) => vec![localstripe(&python), moto(&python)],
    }
}

fn environment(folder: &Path) -> Result<PathBuf, String> {
    let home = folder.join("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let bin = home.join("bin");
    let mut pip = Command::new(bin.join("pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", LOCALSTRIPE, MOTO]))?;
    Ok(bin)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(why) }
}

fn localstripe(bin: &Path) -> Result<Peer, String> {
    let port = free_port();
    let mut command = Command::new(bin.join("localstripe"));
    let mut peer = Peer::start(
        ("localstripe", "refunds"),
        command.args(["--port", &port.to_string(), "--from-scratch"]),
        port,
    )?;
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040\
                &card[cvc]=123";
    let card = peer.make("payment_methods", card)?;
    for _ in 0..16 {
        let form = format!("amount=90000000&currency=usd&source={card}");
        let charge = peer.make("charges", &form)?;
        peer.charges.push(charge);
    }
    Ok(peer)
}

fn moto(bin: &Path) -> Result<Peer, String> {
    let port = free_port();
    let mut command = Command::new(bin.join("moto_server"));
    let peer = Peer::start(
        ("moto", "conditional DynamoDB writes"),
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]),
        port,
    )?;
    let table = r#"{"TableName":"refund","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    Runtime::new().unwrap().block_on(peer.send(peer.dynamodb("CreateTable", table.to_owned())))?;
    Ok(peer)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Peer {
    fn start(
        (name, job): (&'static str, &'static str),
        command: &mut Command,
        port: u16,
    ) -> Result<Self, String> {
        let server = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let transport = HyperTransport::new(&Settings::default()).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut peer = Self { name, job, transport, url, charges: Vec::new(), server };
        // Python takes its time.
        for _ in 0..300 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(peer);
            }
            if let Ok(Some(status)) = peer.server.try_wait() {
                return Err(format!("{name} ended: {status}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("{name} does not listen"))
    }

    /// So many of its own.
    pub(crate) fn requests(&self, count: usize) -> Vec<http::Request<Bytes>> {
        (0..count)
            .map(|number| match self.charges.get(number % self.charges.len().max(1)) {
                Some(charge) => self.stripe("refunds", &format!("charge={charge}&amount=100")),
                None => {
                    let item = format!(
                        r#"{{"TableName":"refund","Item":{{"id":{{"S":"{}"}},"charge":{{"S":"S01"}},"amount":{{"N":"100"}}}},"ConditionExpression":"attribute_not_exists(id)"}}"#,
                        uuid::Uuid::new_v4()
                    );
                    self.dynamodb("PutItem", item)
                }
            })
            .collect()
    }

    /// Makes something at localstripe, and gives its id.
    fn make(&self, what: &str, form: &str) -> Result<String, String> {
        let answer = Runtime::new().unwrap().block_on(self.send(self.stripe(what, form)))?;
        let made: serde_json::Value =
            serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        made["id"].as_str().map(str::to_owned).ok_or_else(|| format!("{made}"))
    }

    fn stripe(&self, what: &str, form: &str) -> http::Request<Bytes> {
        http::Request::post(format!("{}/v1/{what}", self.url))
            .header("authorization", "Bearer sk_test_12345")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form.to_owned()))
            .unwrap()
    }

    fn dynamodb(&self, action: &str, body: String) -> http::Request<Bytes> {
        let credential = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request, \
                          SignedHeaders=host, Signature=0";
        http::Request::post(format!("{}/", self.url))
            .header("authorization", credential)
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(Bytes::from(body))
            .unwrap()
    }

    async fn send(&self, request: http::Request<Bytes>) -> Result<Bytes, String> {
        let answer = self.transport.call(request, Duration::from_secs(30), 1 << 20).await;
        let answer = answer.map_err(|error| format!("{}: {error:?}", self.name))?;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        if answer.status().is_success() { Ok(answer.body().clone()) } else { Err(text) }
    }
}
