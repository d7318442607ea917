//! `fps verify`: messages that a sandbox sent, proved by the certificate that it serves; and what is never
//! printed.

use std::path::Path;

use serde_json::Value;

use crate::{command, exit, schema, text};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/vectors");
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/keys");
const MESSAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/messages");

/// Exit code, rows and everything that was printed.
fn verify(arguments: &[&str]) -> (i32, Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["verify"], arguments, &["--output", "json"]].concat();
    let output = command(folder.path(), &arguments).env_remove("FPS_SECRET_KEY").output().unwrap();
    schema::check(&arguments, &output.stdout);
    let printed = text(&output.stdout).to_owned() + text(&output.stderr);
    let rows = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (exit(&output), rows, printed)
}

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Names and values as a form has them.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        fps::fps_sign::percent_encode(name, &mut form);
        form.push('=');
        fps::fps_sign::percent_encode(value, &mut form);
    }
    form
}

/// The requests and messages of the vectors that a secret key signs: lines of `request.txt`, and the
/// signature.
fn signed_by_secrets(scheme: &str) -> Vec<(Vec<String>, String)> {
    let folders = std::fs::read_dir(Path::new(VECTORS).join(scheme)).unwrap();
    let read = folders.filter_map(|entry| {
        let path = entry.unwrap().path();
        let request = std::fs::read_to_string(path.join("request.txt")).ok()?;
        let signature = std::fs::read_to_string(path.join("signature.txt")).unwrap();
        Some((request.lines().map(str::to_owned).collect(), signature))
    });
    let read: Vec<_> = read.collect();
    assert!(!read.is_empty());
    read
}

/// The parameters among lines, and the one that signs them.
fn params<'a>(
    lines: &'a [String],
    signed_by: &'a str,
    signature: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let pairs = lines.iter().filter_map(|line| line.split_once('='));
    pairs.chain([(signed_by, signature)]).collect()
}

#[test]
fn requests_signed_by_a_secret_key_are_proved_by_it_and_weak_schemes_are_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut weaknesses = 0;
    for (lines, signature) in signed_by_secrets("query") {
        let Some(key) = lines[1].strip_prefix("key ").filter(|_| lines[2] == "in Signature") else {
            continue;
        };
        let params = params(&lines[3..], "Signature", &signature);
        let [method, host, path] = lines[0].split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let message = match method {
            "GET" => format!("https://{host}{path}?{}", form(&params)),
            _ => format!("{method} {path} HTTP/1.1\nHost: {host}\n\n{}", form(&params)),
        };
        let message = file(folder.path(), "message", message);
        let secret = file(folder.path(), "secret", key);
        let (code, rows, printed) = verify(&["request", &message, "--secret-file", &secret]);
        if !params.iter().any(|(name, _)| *name == "AWSAccessKeyId") {
            assert_eq!(code, 4, "{printed}");
            continue;
        }
        assert_eq!(code, 0, "{printed}");
        let hash = params.iter().find(|(name, _)| *name == "SignatureMethod").unwrap().1;
        let is_weak = rows[0]["weaknesses"].to_string().contains("HmacSHA1");
        assert_eq!(is_weak, hash == "HmacSHA1", "{printed}");
        weaknesses += usize::from(is_weak);
        let other =
            file(folder.path(), "message", std::fs::read_to_string(&message).unwrap() + "&A=1");
        assert_eq!(verify(&["request", &other, "--secret-file", &secret]).0, 4);
    }
    assert!(weaknesses > 0);
    for (lines, signature) in signed_by_secrets("query-version-1") {
        let message = form(&params(&lines[1..], "Signature", &signature));
        let message = file(folder.path(), "message", message);
        let secret = file(folder.path(), "secret", lines[0].strip_prefix("key ").unwrap());
        let (code, rows, printed) = verify(&["request", &message, "--secret-file", &secret]);
        assert_eq!(code, 0, "{printed}");
        assert!(rows[0]["weaknesses"].to_string().contains("can make others of it"), "{printed}");
        assert_eq!(rows[0]["not_covered"][0], "the address");
    }
}

#[test]
fn messages_of_version_1_are_proved_by_the_secret_key_and_called_weak() {
    let folder = tempfile::tempdir().unwrap();
    for (lines, signature) in signed_by_secrets("outbound-version-1") {
        let secret = file(folder.path(), "secret", lines[1].strip_prefix("key ").unwrap());
        let (signed_by, path) = match lines[0].split(' ').collect::<Vec<_>>()[..] {
            ["return-url", path, _] => ("awsSignature", Some(path)),
            _ => ("signature", None),
        };
        let form = form(&params(&lines[2..], signed_by, &signature));
        let message =
            path.map_or(form.clone(), |path| format!("https://shop.example{path}?{form}"));
        let message = file(folder.path(), "message", message);
        let (code, rows, printed) = verify(&["ipn", &message, "--secret-file", &secret]);
        assert_eq!(code, 0, "{printed}");
        assert!(rows[0]["weaknesses"].to_string().contains("version 1"), "{printed}");
        let kind = if path.is_some() { "return URL" } else { "notification" };
        assert_eq!(rows[0]["kind"], kind);
        let not_covered = if path.is_some() { "method and host" } else { "the address" };
        assert_eq!(rows[0]["not_covered"][0], not_covered);
    }
}

/// Every notification that was published, and what is known of it.
#[test]
fn what_amazon_published_is_proved_or_not_as_the_vectors_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = 0;
    for entry in std::fs::read_dir(Path::new(VECTORS).join("outbound")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(request) = std::fs::read_to_string(path.join("request.txt")) else { continue };
        let mut lines = request.lines();
        let (method, address) = lines.next().unwrap().split_once(' ').unwrap();
        let valid = lines.next().unwrap() == "valid true";
        let pairs: Vec<_> = lines.map(|line| line.split_once('=').unwrap()).collect();
        let certificate = pairs.iter().find(|(name, _)| *name == "certificateUrl").unwrap().1;
        let Some(number) =
            ["090909", "090910", "090911"].into_iter().find(|n| certificate.contains(n))
        else {
            continue;
        };
        let form = form(&pairs);
        let host = address.split('/').nth(2).unwrap();
        let path_of = address.split_once("://").unwrap().1.strip_prefix(host).unwrap();
        let message = match method {
            "GET" => format!("GET {path_of}?{} HTTP/1.1\r\nHost: {host}\r\n\r\n", form),
            _ => format!("POST {path_of} HTTP/1.1\r\nHost: {host}\r\n\r\n{}", form),
        };
        let message = file(folder.path(), "message", message);
        let key = format!("{VECTORS}/outbound/fps-outbound-{number}-public.pem");
        let (code, rows, printed) =
            verify(&["ipn", &message, "--url", address, "--certificate", &key]);
        assert_eq!((code == 0, &rows[0]["proved"]), (valid, &valid.into()), "{path:?} {printed}");
        let weak = rows[0]["weaknesses"].to_string();
        assert!(weak.contains("SHA-1"), "{weak}");
        assert_eq!(weak.contains("fewer than 2048 bits"), number != "090909", "{weak}");
        cases += 1;
    }
    assert!(cases >= 10, "{cases}");
}

/// Names of buyers, amounts and keys stay where they are.
#[test]
fn contents_are_printed_only_where_they_are_asked_for_and_secrets_never() {
    let key = format!("{VECTORS}/outbound/fps-outbound-090909-public.pem");
    let ipn = format!("{MESSAGES}/ipn.http");
    let arguments = ["ipn", &ipn, "--certificate", &key];
    let private = ["new_premium@amazon.com", "Test Business", "CallerReference03", "USD 1.00"];
    let (_, _, printed) = verify(&arguments);
    assert!(private.iter().all(|word| !printed.contains(word)), "{printed}");
    let (_, _, printed) = verify(&[&arguments[..], &["--show"]].concat());
    assert!(private.iter().all(|word| printed.contains(word)), "{printed}");

    let request = format!("{MESSAGES}/query-post.http");
    let secret = format!("{MESSAGES}/secret.txt");
    for flags in [&[][..], &["--show"]] {
        let arguments = [&["request", &request, "--secret-file", &secret], flags].concat();
        let (code, _, printed) = verify(&arguments);
        assert_eq!(code, 0);
        assert!(!printed.contains("test-secret-key"), "{printed}");
    }
    // Of what is not proved nothing is shown, asked for or not.
    let other = format!("{MESSAGES}/remit-secret.txt");
    let (code, rows, _) = verify(&["request", &request, "--show", "--secret-file", &other]);
    assert_eq!(
        (code, &rows[0]["fields"], &rows[0]["covers"]),
        (4, &Value::Null, &Value::Array(vec![]))
    );
}

/// Whoever wrote a message must not write on the auditor's terminal.
#[test]
fn a_terminal_is_not_told_what_to_do_by_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let form = "AWSAccessKeyId=%1B%5B31mAK%0A&SignatureVersion=2&SignatureMethod=HmacSHA256&\
                Timestamp=%1B%5D0;x%07&Signature=AAAA&%1B%5B2J=x";
    let message = file(folder.path(), "message", form);
    let mut command = command(
        folder.path(),
        &["verify", "request", &message, "--url", "https://h/", "--secret-file", &message],
    );
    let output = command.output().unwrap();
    assert_eq!(exit(&output), 4);
    assert!(
        !output.stdout.contains(&0x1b) && !output.stdout.contains(&7),
        "{:?}",
        text(&output.stdout)
    );
    assert!(text(&output.stdout).contains("\\u{1b}[31mAK\\n"), "{}", text(&output.stdout));
}

#[test]
fn one_that_is_not_proved_among_many_is_a_failure_and_a_missing_file_is_a_wrong_call() {
    let key = format!("{VECTORS}/sns/synthetic-certificate.pem");
    let (good, bad) =
        (format!("{MESSAGES}/sns-version-2.json"), format!("{MESSAGES}/sns-changed.json"));
    for (files, code, verdicts) in [
        (&[&*good, &good][..], 0, &[true, true][..]),
        (&[&good, &bad, &good], 4, &[true, false, true]),
        (&[&good, "/nowhere"], 2, &[]),
    ] {
        let arguments = [&["sns", "--certificate", &key], files].concat();
        let (ended, rows, printed) = verify(&arguments);
        assert_eq!(ended, code, "{printed}");
        let proved: Vec<_> = rows.iter().map(|row| row["proved"].as_bool().unwrap()).collect();
        assert_eq!(proved, verdicts);
    }
}

/// A field that stands twice could be read in two ways.
#[test]
fn what_could_be_read_in_two_ways_is_not_proved() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("{VECTORS}/sns/synthetic-certificate.pem");
    let sns = std::fs::read_to_string(format!("{MESSAGES}/sns-version-2.json")).unwrap();
    let doubled = file(folder.path(), "sns", sns.replacen('{', r#"{"Message": "other","#, 1));
    let (code, rows, _) = verify(&["sns", &doubled, "--certificate", &key]);
    assert_eq!(code, 4);
    assert_eq!(rows[0]["reason"], "Message stands more than once in the message");

    let key = format!("{VECTORS}/outbound/fps-outbound-090909-public.pem");
    let ipn = std::fs::read_to_string(format!("{MESSAGES}/ipn.http")).unwrap();
    let chunked = ipn.replace("Content-Length", "Transfer-Encoding: chunked\r\nContent-Length");
    let chunked = file(folder.path(), "ipn", chunked);
    let (code, rows, _) = verify(&["ipn", &chunked, "--certificate", &key]);
    assert_eq!(code, 4);
    assert!(rows[0]["reason"].as_str().unwrap().contains("in chunks"), "{}", rows[0]);
}

#[test]
fn a_certificate_out_of_force_is_told() {
    let sns = format!("{MESSAGES}/sns-version-2.json");
    let key = format!("{VECTORS}/sns/synthetic-certificate.pem");
    let (_, rows, _) = verify(&["sns", &sns, "--certificate", &key]);
    assert_eq!(rows[0]["certificate_in_force"], true);
    let envelope = format!("{VECTORS}/soap/java-exclusive/envelope.xml");
    let key = format!("{KEYS}/rsa-2048.certificate.pem");
    let (code, rows, _) = verify(&["request", &envelope, "--public-key", &key]);
    assert_eq!((code, &rows[0]["certificate_in_force"]), (0, &false.into()));
}

/// The next request that arrives, as it came; it is answered.
#[cfg(unix)]
fn arrived(inbox: &std::net::TcpListener) -> Vec<u8> {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};

    let (mut stream, _) = inbox.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length = head.to_ascii_lowercase().split_once("content-length: ").unwrap().1.to_owned();
    let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).unwrap();
    [head.as_bytes(), &body].concat()
}

/// What a sandbox posts is proved by the certificate that it serves, and by nobody else's.
#[cfg(unix)]
#[test]
fn what_a_sandbox_posts_is_proved_by_the_certificate_that_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/ipn", inbox.local_addr().unwrap().port());
    let serving = crate::sandbox::Serving::start(folder.path(), &["--merchant-notify", &url]);
    // The sandbox takes its own away with it.
    let ca = std::fs::read(serving.told("authority")).unwrap();
    let ca = file(folder.path(), "ca.pem", ca);
    let origin = format!("{}/", serving.told("url"));
    let fetch = |kept: &str, origin: &str| {
        verify(&["ipn", kept, "--url", &url, "--fetch", "--origin", origin, "--ca", &ca])
    };

    // The payment that it began with.
    let ipn = arrived(&inbox);
    let kept = file(folder.path(), "ipn.http", &ipn);
    let (code, rows, printed) = fetch(&kept, &origin);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(
        (&rows[0]["proved"], &rows[0]["certificate_in_force"]),
        (&true.into(), &true.into())
    );
    assert!(rows[0]["key"].as_str().unwrap().starts_with("certificate sha256:"), "{}", rows[0]);
    let changed = file(folder.path(), "changed.http", text(&ipn).replace("USD", "JPY"));
    let (code, rows, _) = fetch(&changed, &origin);
    assert_eq!((code, &rows[0]["reason"]), (4, &"the signature does not match the message".into()));
    let (code, rows, _) = fetch(&kept, "https://certificates.example/");
    assert_eq!(code, 4);
    assert!(rows[0]["reason"].as_str().unwrap().contains("not under the configured origin"));

    assert_eq!(serving.end("TERM").0, Some(0));

    let (code, rows, _) = fetch(&kept, &origin);
    assert_eq!(code, 4, "the sandbox is gone, and nothing is kept");
    assert!(rows[0]["hint"].as_str().unwrap().contains("not known"), "{}", rows[0]);
}

/// SNS is asked for no certificate that is not its own, and FPS for none unless it is said where it is.
#[test]
fn a_certificate_is_fetched_from_where_it_must_be_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let sns = std::fs::read_to_string(format!("{MESSAGES}/sns-version-2.json")).unwrap();
    let sns = sns.replace("https://sns.us-east-1.amazonaws.com/S", "https://localhost:1/S");
    let sns = file(folder.path(), "sns", sns);
    let (code, rows, _) = verify(&["sns", &sns, "--fetch"]);
    assert_eq!(code, 4);
    assert!(rows[0]["reason"].as_str().unwrap().contains("not under the configured origin"));
    let (code, rows, _) = verify(&["sns", &sns, "--fetch", "--origin", "https://localhost:1/"]);
    assert_eq!(code, 4);
    assert!(rows[0]["hint"].as_str().unwrap().contains("not known"), "{}", rows[0]);
    let ipn = format!("{MESSAGES}/ipn.http");
    assert_eq!(verify(&["ipn", &ipn, "--fetch"]).0, 2);
    assert_eq!(verify(&["ipn", &ipn, "--fetch", "--origin", "http://localhost:1/"]).0, 2);
}
