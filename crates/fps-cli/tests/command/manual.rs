//! `fps completions` and `fps man`.

use crate::{exit, fps, names, refused, text};

#[test]
fn every_shell_gets_a_script_that_knows_every_verb() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = fps(&["completions", shell]);
        assert_eq!((exit(&output), text(&output.stderr)), (0, ""), "{shell}");
        for word in ["quote", "sandbox", "verify", "ipn", "explain", "signature", "completions"] {
            assert!(text(&output.stdout).contains(word), "{shell} does not know {word}");
        }
    }
    refused(&["completions", "command.com"], 2);
}

/// Where the shell is installed, it reads the script and completes by it.
#[cfg(unix)]
#[test]
fn bash_completes_by_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("fps.bash");
    std::fs::write(&script, fps(&["completions", "bash"]).stdout).unwrap();
    let ask = format!(
        ". '{}'; COMP_WORDS=(fps verify ''); COMP_CWORD=2; _fps fps '' verify; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let Ok(output) = std::process::Command::new("bash").args(["-c", &ask]).output() else { return };
    let words: Vec<_> = text(&output.stdout).split_whitespace().collect();
    for word in ["ipn", "sns", "request"] {
        assert!(words.contains(&word), "{words:?} {}", text(&output.stderr));
    }
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let output = fps(&["man", "verify", "ipn"]);
    let page = text(&output.stdout);
    assert!(page.contains(".TH fps-verify-ipn 1") && page.contains(r"\-\-certificate"), "{page}");
    assert!(text(&fps(&["man"]).stdout).contains(".TH fps 1"));

    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = fps(&["man", "--dir", pages.to_str().unwrap()]);
    assert_eq!((exit(&output), text(&output.stdout)), (0, ""), "{}", text(&output.stderr));
    let written = names(&pages);
    for name in ["fps.1", "fps-quote.1", "fps-verify.1", "fps-verify-sns.1"] {
        assert!(written.contains(&name.to_owned()), "{written:?}");
    }
    let kept = std::fs::read_to_string(pages.join("fps-verify-ipn.1")).unwrap();
    assert_eq!(kept, page);

    assert!(refused(&["man", "verify", "mail"], 2).contains("there is no verb `verify mail`"));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    refused(&["man", "--dir", file.to_str().unwrap()], 2);
}
