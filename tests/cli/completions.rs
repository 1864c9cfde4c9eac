//! Shell completions and manual pages, as shells and readers use them.

use std::process::Command;

use crate::support::{blis, words};

/// What bash offers for the last of these words.
fn bash_offers(line: &[&str]) -> Vec<String> {
    let script = words("completions bash").stdout;
    let quoted: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
    let (last, previous) = (line.len() - 1, line[line.len() - 2]);
    let program = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={last}; _blis blis '{}' '{previous}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        quoted.join(" "),
        line[last]
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &program])
        .output()
        .expect("bash can be run");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{told}");
    let offered = String::from_utf8(output.stdout).expect("text");
    offered.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(bash_offers(&["blis", "chec"]), ["check"]);
    assert_eq!(bash_offers(&["blis", "run", "--conc"]), ["--concurrency"]);
    assert_eq!(bash_offers(&["blis", "check", "--conc"]), [""; 0]);
    assert_eq!(bash_offers(&["blis", "run", "--format", "m"]), ["markdown"]);
    assert_eq!(bash_offers(&["blis", "completions", "z"]), ["zsh"]);
}

#[test]
fn every_shell_has_a_script_and_others_are_refused() {
    for (shell, start) in [
        ("bash", "_blis() {"),
        ("zsh", "#compdef blis"),
        ("fish", "# Print an optspec"),
        ("elvish", "\nuse builtin;"),
        (
            "powershell",
            "\nusing namespace System.Management.Automation",
        ),
    ] {
        let ran = words(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.starts_with(start), "{shell}: {}", ran.stdout);
    }
    let refused = words("completions tcsh");
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("bash, elvish, fish, powershell, zsh"),
        "{refused:?}"
    );
}

#[test]
fn the_pages_of_all_commands_are_written() {
    let home = tempfile::tempdir().expect("a directory");
    let pages = home.path().join("share/man1");
    for _ in 0..2 {
        let ran = blis(["man".as_ref(), "--out".as_ref(), pages.as_os_str()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    }
    let help = words("--help").stdout;
    let (_, commands) = help.split_once("Commands:\n").expect("the commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in &names {
        let page = std::fs::read_to_string(pages.join(format!("blis-{name}.1")));
        let page = page.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(page, words(&format!("man {name}")).stdout);
        assert!(
            page.contains(&format!(
                "\n.SH SYNOPSIS\n\\fBblis {}\\fR",
                name.replace('-', "\\-")
            )),
            "{page}"
        );
    }
    let files = std::fs::read_dir(&pages).expect("the directory").count();
    assert_eq!(files, names.len() + 1);
    let whole = std::fs::read_to_string(pages.join("blis.1")).expect("the page");
    assert_eq!(whole, words("man").stdout);
}

#[test]
fn a_page_of_nothing_is_refused() {
    let ran = words("man guess");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.starts_with(
            "blis: there is no command guess; give one of run, max-rps, observe, serve,"
        ),
        "{ran:?}"
    );
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("file");
    std::fs::write(&file, "mine").expect("a file");
    let ran = blis(["man".as_ref(), "--out".as_ref(), file.as_os_str()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("could not be written to"), "{ran:?}");
}
