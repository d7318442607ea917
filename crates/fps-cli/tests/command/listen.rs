//! `fps listen`: what is proved is printed, what is not is refused.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::shell;
use crate::service::World;
use crate::{exit, refused, text};

#[test]
fn only_what_is_proved_is_printed_and_answered_with_200() {
    let world = World::start(&["--processing", "0"]);
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

    // It is told of its own completion, and of its refund's two states.
    let body = format!(
        r#"{{"service": "flexible-payments", "amount": {{"amount": "10.00", "currencyCode": "USD"}},
            "notificationUrl": "{url}", "state": "pending", "dueIn": "0s"}}"#
    );
    let payment = world.control("POST", "/payments", &body)["id"].as_str().unwrap().to_owned();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let completed = next();
    assert_eq!(
        (&completed["object"], &completed["amount"]),
        (&payment.clone().into(), &"10.00".into())
    );
    let (refund, _) = world.json(&["refund", &payment, "4.00", "--key", "told", "--wait"]);
    let states: Vec<_> = [next(), next()]
        .into_iter()
        .map(|told| {
            assert_eq!(
                (&told["object"], &told["event"]),
                (&refund["refund"], &"transaction".into())
            );
            told["refund"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(states.contains(&"refunded".to_owned()), "{states:?}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(exit(&ended), 0);
    world.serving.end("INT");
}

#[test]
fn a_signal_ends_it_well_and_nobody_to_believe_is_a_wrong_call() {
    let error = refused(&["listen", "--port", "0"], 2);
    assert!(error.contains("nobody is configured to be believed"), "{error}");
    let error = refused(&["listen", "--port", "0", "--topic", "arn"], 2);
    assert!(error.contains("names no region"), "{error}");
    refused(&["listen", "--port", "0", "--certificate-origin", "nowhere"], 2);
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let error = refused(&["listen", "--port", &port, "--certificate-origin", "https://h/"], 2);
    assert!(error.contains("cannot be listened on"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let topic = "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE";
    let listen = ["listen", "--port", "0", "--topic", topic];
    let mut running = crate::ending::Running::start(crate::command(folder.path(), &listen));
    running.read_until("listening at http://127.0.0.1:");
    running.signal("INT");
    let (code, output, errors) = running.end();
    assert_eq!((code, text(output.as_bytes())), (0, ""), "{errors}");
}
