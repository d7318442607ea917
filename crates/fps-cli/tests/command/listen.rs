//! `fps listen`: what is proved is printed, what is not is refused.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::shell;
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
