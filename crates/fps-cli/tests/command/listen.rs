//! `fps listen`: what is proved is printed, what is not is refused.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use crate::ending::Running;
use crate::sandbox::shell;
use crate::schema;
use crate::service::World;
use crate::{exit, refused, text};

#[test]
fn only_what_is_proved_is_printed_and_answered_with_200() {
    let world = World::start(&[]);
    let listen = ["listen", "--port", "0", "--output", "ndjson", "--count", "3"];
    let mut child =
        world.command(&listen).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    errors.read_line(&mut said).unwrap();
    let url = said.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/ipn"), "{said}");

    let post = |body: &str, headers: &str| {
        shell(&format!("curl -sS -o /dev/null -w '%{{http_code}}' {headers} -d '{body}' '{url}'"))
    };
    assert_eq!(post("transactionId=14GK&status=SUCCESS", ""), "403", "nobody signed it");
    assert_eq!(post("{}", "-H 'x-amz-sns-message-type: Notification'"), "403", "no topic is known");
    assert_eq!(shell(&format!("curl -sS -o /dev/null -w '%{{http_code}}' '{url}'")), "405");

    // A merchant who wants to be told here: of a payment, and of both states of its refund.
    let body = format!(r#"{{"name": "Shop", "notificationUrl": "{url}"}}"#);
    let shop = world.control("POST", "/merchants", &body);
    let key = shop["accessKeyId"].as_str().unwrap();
    let body = format!(
        r#"{{"service": "flexible-payments", "merchant": "{key}",
            "amount": {{"amount": "10.00", "currencyCode": "USD"}}}}"#
    );
    let payment = world.control("POST", "/payments", &body)["id"].as_str().unwrap().to_owned();
    let mut call = world.command(&["refund", &payment, "4.00", "--key", "told"]);
    call.env("FPS_ACCESS_KEY_ID", key).env("FPS_SECRET_KEY", shop["secretKey"].as_str().unwrap());
    let call = world.output(call);
    assert_eq!(exit(&call), 0, "{}", text(&call.stderr));

    // It ends by itself when it has printed three.
    let ended = child.wait_with_output().unwrap();
    assert_eq!(exit(&ended), 0);
    let told: Vec<Value> =
        text(&ended.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |object: &str| {
        let told = told.iter().filter(|told| told["object"] == object);
        let mut told: Vec<_> = told
            .map(|told| (told["status"].as_str().unwrap(), told["refund"].as_str().unwrap_or("-")))
            .collect();
        told.sort_unstable();
        told
    };
    assert_eq!(of(&payment), [("SUCCESS", "-")]);
    let refund = told.iter().find(|told| told["object"] != *payment).unwrap();
    assert_eq!((&refund["amount"], &refund["event"]), (&"4.00".into(), &"transaction".into()));
    let refund = refund["object"].as_str().unwrap();
    assert_eq!(of(refund), [("PENDING", "pending"), ("SUCCESS", "refunded")]);
    world.serving.end("INT");
}

#[test]
fn a_signal_ends_it_well_and_nobody_to_believe_is_a_wrong_call() {
    let error = refused(&["listen", "--port", "0"], 2);
    assert!(error.contains("nobody is configured to be believed"), "{error}");
    let error = refused(&["listen", "--port", "0", "--topic", "arn"], 2);
    assert!(error.contains("names no region"), "{error}");
    refused(&["listen", "--port", "0", "--certificate-origin", "nowhere"], 2);
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let error = refused(&["listen", "--port", &port, "--certificate-origin", "https://h/"], 2);
    assert!(error.contains("cannot be listened on"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let topic = "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE";
    let listen = ["listen", "--port", "0", "--topic", topic];
    let mut running = Running::start(crate::command(folder.path(), &listen));
    running.read_until("listening at http://127.0.0.1:");
    running.signal("INT");
    let (code, output, errors) = running.end();
    assert_eq!((code, text(output.as_bytes())), (0, ""), "{errors}");
}

/// Takes one request and answers 200; gives its body.
fn post(stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer).unwrap();
    String::from_utf8(body).unwrap()
}

/// An address that takes what is posted there, and what was.
fn inbox() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ipn", listener.local_addr().unwrap());
    let (sender, bodies) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(post(stream.unwrap())).is_err() {
                break;
            }
        }
    });
    (url, bodies)
}

#[test]
fn what_is_told_of_a_batch_is_recorded_and_nobody_needs_to_ask() {
    let world = World::start(&["--processing", "3600000"]);
    let (url, bodies) = inbox();
    let body = format!(r#"{{"name": "Shop", "notificationUrl": "{url}"}}"#);
    let shop = world.control("POST", "/merchants", &body);
    let key = shop["accessKeyId"].as_str().unwrap();
    let body = format!(
        r#"{{"service": "flexible-payments", "merchant": "{key}", "state": "completed",
            "amount": {{"amount": "10.00", "currencyCode": "USD"}}}}"#
    );
    let payment = world.control("POST", "/payments", &body)["id"].as_str().unwrap().to_owned();
    let rows = world.folder.path().join("one.csv");
    std::fs::write(&rows, format!("payment,amount,currency,captured\n{payment},4.00,USD,10.00\n"))
        .unwrap();
    let command = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("FPS_ACCESS_KEY_ID", key);
        command.env("FPS_SECRET_KEY", shop["secretKey"].as_str().unwrap());
        command.env("FPS_LEDGER", world.folder.path().join("refunds.db"));
        command
    };

    let output = world.output(command(&["listen", "--port", "0", "--record"]));
    assert_eq!(exit(&output), 2, "there is no ledger yet");
    // It is sent, and the run ends long before the refund does.
    let mut run = Running::start(command(&["batch", "run", rows.to_str().unwrap()]));
    run.read_until(r#""pending":1"#);
    run.signal("INT");
    let (code, _, errors) = run.end();
    assert_eq!(code, 130, "{errors}");

    // Its end is told to the address that the service knows, and handed on to the one that listens.
    world.control("POST", "/clock", r#"{"advance": "2h"}"#);
    let listen = ["listen", "--port", "0", "--url", &url, "--record", "--output", "ndjson"];
    let mut listening = Running::start(command(&listen));
    listening.read_until("listening at ");
    let said = listening.said().split("listening at ").nth(1).unwrap();
    let here = said.split(';').next().unwrap();
    loop {
        let body = bodies.recv().unwrap();
        let posted = format!("curl -sS -o /dev/null -w '%{{http_code}}' -d '{body}' {here}/ipn");
        assert_eq!(shell(&posted), "200");
        if body.contains("operation=REFUND") && body.contains("transactionStatus=SUCCESS") {
            break;
        }
    }
    listening.signal("INT");
    let (code, out, errors) = listening.end();
    assert_eq!(code, 0, "{errors}");
    let told: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    told.iter().for_each(|line| schema::check_against("listen", line));
    let recorded = told.iter().map(|it| &it["recorded"]).filter(|it| !it.is_null());
    let states: Vec<_> = recorded.map(|it| (it["number"].as_i64(), it["state"].as_str())).collect();
    assert_eq!(states.last(), Some(&(Some(1), Some("refunded"))), "{out}");

    let status = world.output(command(&["batch", "status", "--output", "json"]));
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status[0]["refunds"], &status[0]["refunded"]), (&1.into(), &1.into()));
    assert_eq!(exit(&world.output(command(&["ledger", "verify"]))), 0);
    world.serving.end("INT");
}
