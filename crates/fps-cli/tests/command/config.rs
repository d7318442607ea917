//! `fps config show`, and where settings come from.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::service::World;
use crate::{command, exit, text};

#[test]
fn every_setting_is_shown_with_its_origin_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("fps")).unwrap();
    let profile = "[profile.default]\nregion = \"eu\"\nprivate_key_file = \"key.pem\"\n\
                   [profile.shop]\nregion = \"jp\"\n";
    let file = folder.path().join("fps/config.toml");
    std::fs::write(&file, profile).unwrap();
    let show = |arguments: &[&str]| {
        let show = [&["config", "show", "--endpoint", "https://pay.example"], arguments].concat();
        let mut command = command(folder.path(), &show);
        command.env("FPS_SECRET_KEY", "CANARY").env("FPS_ACCESS_KEY_ID", "AK");
        command.env("FPS_LEDGER", "postgres://shop:CANARY@db.example/ledger");
        let output = command.output().unwrap();
        assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
        assert!(!text(&output.stdout).contains("CANARY"), "{}", text(&output.stdout));
        crate::schema::check(&show, &output.stdout);
        text(&output.stdout).to_owned()
    };
    let result: Value = serde_json::from_str(&show(&["--origin", "--output", "json"])).unwrap();
    let row = |name: &str| {
        let rows = result["settings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["setting"] == name).unwrap();
        (row["value"].as_str().unwrap_or("-"), row["origin"].as_str().unwrap_or("-"))
    };
    let profile = format!("profile default in {}", file.display());
    let key = folder.path().join("fps/key.pem");
    assert_eq!(row("endpoint"), ("https://pay.example", "flag --endpoint"));
    assert_eq!(row("access_key_id"), ("AK", "variable FPS_ACCESS_KEY_ID"));
    assert_eq!(row("secret_key"), ("set", "variable FPS_SECRET_KEY"));
    assert_eq!(row("private_key_file"), (key.to_str().unwrap(), profile.as_str()));
    assert_eq!(row("region"), ("eu", profile.as_str()));
    assert_eq!(row("ledger").0, "postgres://shop:***@db.example/ledger");
    assert_eq!(row("service"), ("-", "-"));

    let table = show(&["--profile", "shop"]);
    assert!(table.starts_with(" setting") && !table.contains("profile "), "{table}");
    assert!(table.contains(" region              jp"), "{table}");
    assert!(show(&["--output", "csv", "--origin"]).starts_with("setting,value,origin\n"));
    assert_eq!(show(&["--output", "ndjson"]).lines().count(), 13);
}

#[test]
fn a_file_that_is_not_understood_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fps.toml");
    std::fs::write(&file, "[profile.default]\n\nsecret_key = \"CANARY\"\n").unwrap();
    let path = file.to_str().unwrap();
    for (arguments, what) in [
        (["--config", path], "fps.toml, line 3: `secret_key` is a secret"),
        (["--config", "/nowhere.toml"], "/nowhere.toml cannot be read"),
        (["--sandbox-file", path], "the sandbox file"),
        (["--profile", "shop"], "cannot be read"),
        (["--ledger", "postgres://shop:CANARY@h/d"], "--ledger holds a password"),
        (["--region", "moon"], "invalid value"),
    ] {
        let error = crate::refused(&[&["config", "show"], &arguments[..]].concat(), 2);
        assert!(error.contains(what) && !error.contains("CANARY"), "{error}");
    }
}

#[test]
fn a_secret_comes_from_a_file_the_environment_or_standard_input() {
    let world = World::start(&[]);
    let secret = world.serving.told["merchants"][0]["secret_key"].as_str().unwrap();
    let file = world.folder.path().join("secret");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let path = file.to_str().unwrap();
    let status = ["status", world.transaction(), "--secret-key-file"];
    let set_mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o600);
    assert_eq!(text(&world.fps(&[&status[..], &[path]].concat()).stderr), "");
    set_mode(0o644);
    let output = world.fps(&[&status[..], &[path]].concat());
    assert_eq!(exit(&output), 0);
    assert!(text(&output.stderr).starts_with("warning: others can read the secret in "));

    let mut piped = world.command(&[&status[..], &["-"]].concat());
    let mut child = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
    assert_eq!(exit(&child.wait_with_output().unwrap()), 0);

    let error = world.refused(&[&status[..], &["-"]].concat(), 2);
    assert!(error.contains("is empty"), "{error}");
    let error = world.refused(&[&status[..], &["/nowhere"]].concat(), 2);
    assert!(error.contains("`/nowhere` (flag --secret-key-file) cannot be read"), "{error}");
    let mut variable = world.command(&["status", world.transaction()]);
    variable.env("FPS_SECRET_KEY", secret);
    assert_eq!(exit(&world.output(variable)), 0);
    world.serving.end("INT");
}

#[test]
fn what_is_missing_is_named_with_where_to_give_it() {
    let folder = tempfile::tempdir().unwrap();
    for (id, what) in [
        ("S01-5105180-3221187-C056351", "no public key id is configured"),
        ("14GK6F2QU755ODS27SGHEURLKPG72Z54KMF", "no endpoint is configured"),
    ] {
        let output = command(folder.path(), &["status", id]).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(exit(&output), 2, "{error}");
        assert!(error.contains(what) && error.contains("hint: give --"), "{error}");
    }
    let retired =
        ["status", "14GK", "--endpoint", "https://fps.amazonaws.com", "--access-key-id", "A"];
    let mut command = command(folder.path(), &retired);
    let output = command.env("FPS_SECRET_KEY", "CANARY").output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(exit(&output), 2, "{error}");
    assert!(error.contains("ended in 2015") && !error.contains("CANARY"), "{error}");
}
