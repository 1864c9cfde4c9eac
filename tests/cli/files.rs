//! Files that a spec refers to: found beside it, copied with its results, named when they cannot be used.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, at, binary, finished};

const SPEC: &str = "\
blis: 1
name: files
run: {horizon: 10s}
clients:
  one: {arrival: {trace: ../data/a.csv}, do: ask}
  two: {arrival: {trace: a.csv}, do: ask}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 1, time: {empirical: {file: times.csv}}}
";

/// A folder `specs` with a spec and two of its files, and a third one in `data`.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        fs::write(home.path().join(path), text).expect("it can be written");
    };
    for folder in ["specs", "data"] {
        fs::create_dir(home.path().join(folder)).expect("a folder");
    }
    write("specs/spec.yaml", SPEC);
    write("specs/a.csv", "time\n1\n2\n");
    write("specs/times.csv", "value\n5ms\n7ms\n");
    write("data/a.csv", "time\n3\n3\n4\n");
    home
}

fn run(home: &Path, line: &str) -> Ran {
    finished(binary().args(line.split_whitespace()).current_dir(home))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{:?}: {error}", path.as_ref()))
}

#[test]
fn a_run_directory_runs_again_to_the_same_result() {
    let home = home();
    let first = run(home.path(), "run --json --spec specs/spec.yaml --out one");
    assert_eq!(first.code, Some(0), "{first:?}");
    let document = first.json();
    assert_eq!(at(&document, "requests.intended"), 5);
    let one = home.path().join("one");
    let spec = read(one.join("spec.yaml"));
    let sha = Value::from(blis_sim::spec::sha256(&spec));
    assert_eq!(at(&document, "spec.resolved_sha256"), &sha);
    let files = at(&document, "spec.files").as_object().expect("files");
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(names, ["files/a-2.csv", "files/a.csv", "files/times.csv"]);
    for (name, sha) in files {
        let text = read(one.join(name));
        assert_eq!(sha, &Value::from(blis_sim::spec::sha256(&text)), "{name}");
        assert!(spec.contains(name.as_str()), "{name} is not in {spec}");
    }
    // Nothing of the directory refers to what is outside of it.
    fs::remove_dir_all(home.path().join("specs")).expect("removed");
    fs::remove_dir_all(home.path().join("data")).expect("removed");
    let again = run(home.path(), "run --json --spec one/spec.yaml --out two");
    let mut again_document = again.json();
    let mut document = document;
    for document in [&mut document, &mut again_document] {
        // The text that was given is another one; what was run is the same.
        document["spec"]["sha256"] = Value::Null;
        for setting in document["configuration"]
            .as_object_mut()
            .expect("settings")
            .values_mut()
        {
            setting["source"] = Value::Null;
        }
    }
    assert_eq!(document, again_document);
    assert_eq!(read(home.path().join("two/spec.yaml")), spec);
}

#[test]
fn results_without_files_take_the_place_of_results_with_files() {
    let home = home();
    assert_eq!(
        run(home.path(), "run --spec specs/spec.yaml --out out").code,
        Some(0)
    );
    let plain = run(
        home.path(),
        "run --horizon 1s --rate 10/s --out out --force",
    );
    assert!(matches!(plain.code, Some(0 | 5)), "{plain:?}");
    let mut left: Vec<String> = fs::read_dir(home.path().join("out"))
        .expect("the directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["report.md", "result.json", "spec.schema.json", "spec.yaml"]
    );
    let back = run(home.path(), "run --spec specs/spec.yaml --out out --force");
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(read(home.path().join("out/files/a.csv")), "time\n3\n3\n4\n");
}

#[test]
fn a_folder_in_the_place_of_the_result_is_not_of_a_run() {
    let home = home();
    assert_eq!(
        run(home.path(), "run --spec specs/spec.yaml --out out").code,
        Some(0)
    );
    let out = home.path().join("out");
    let spec = read(out.join("spec.yaml"));
    let copy = read(out.join("files/a.csv"));
    fs::remove_file(out.join("result.json")).expect("removed");
    fs::create_dir_all(out.join("result.json/taken")).expect("a folder in its place");
    let failed = run(
        home.path(),
        "run --seed 9 --spec specs/spec.yaml --out out --force",
    );
    assert_eq!(failed.code, Some(2), "{failed:?}");
    assert!(
        failed.stderr.contains("--out out holds files, "),
        "{}",
        failed.stderr
    );
    assert_eq!(read(out.join("files/a.csv")), copy);
    assert_eq!(read(out.join("spec.yaml")), spec);
}

#[test]
fn paths_of_a_spec_from_stdin_begin_at_the_working_directory() {
    let home = home();
    let mut command = binary();
    command
        .args(["run", "--json", "--spec", "-", "--allow-files", "../data"])
        .current_dir(home.path().join("specs"))
        .write_stdin(SPEC);
    let ran = finished(&mut command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(at(&ran.json(), "requests.intended"), 5);
}

#[test]
fn a_file_that_cannot_be_used_is_named_at_its_place() {
    let home = home();
    let refused = |path: &str, bytes: Option<&[u8]>, expected: &[&str]| {
        let path = home.path().join(path);
        let before = fs::read(&path).expect("it is there");
        match bytes {
            Some(bytes) => fs::write(&path, bytes).expect("written"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let ran = run(home.path(), "run --spec specs/spec.yaml --out never");
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for expected in expected {
            assert!(
                ran.stderr.contains(expected),
                "no {expected} in {}",
                ran.stderr
            );
        }
        assert!(!home.path().join("never").exists());
        fs::write(&path, before).expect("written back");
    };
    let place = "specs/spec.yaml:5:26";
    refused(
        "data/a.csv",
        None,
        &[
            "the file `../data/a.csv` cannot be read",
            place,
            "relative to the directory of the spec",
        ],
    );
    refused(
        "data/a.csv",
        Some(b"time\n1\n\xff\n"),
        &["the file `../data/a.csv` is not UTF-8 in line 3", place],
    );
    refused(
        "data/a.csv",
        Some(b"time\n2\n1\n"),
        &[
            "../data/a.csv, line 3: `1` is before the row above it, at 2s",
            place,
        ],
    );
    refused(
        "specs/times.csv",
        Some(b"value\n5ms\n7m"),
        &["times.csv, line 3: `7m` has no line break"],
    );
}

#[test]
fn a_file_of_more_than_the_limit_is_not_read() {
    let home = home();
    let path = home.path().join("data/a.csv");
    fs::remove_file(&path).expect("removed");
    let sparse = fs::File::create(&path).expect("a file");
    sparse.set_len((256 << 20) + 1).expect("a size");
    let ran = run(home.path(), "check specs/spec.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("is too large"), "{ran:?}");
    assert!(ran.stderr.contains("less than 256 MiB in total"), "{ran:?}");
}

/// What `blis check` says of a spec whose arrivals are in this file, run in its folder.
#[cfg(unix)]
fn checked(folder: &Path, file: &str, more: &[&str]) -> Ran {
    let spec = format!(
        "blis: 1\nname: reach\nrun: {{horizon: 10s}}\nclients: {{c: {{arrival: {{trace: {file}}}, do: a}}}}\n\
         actions: {{a: {{path: [reply]}}}}\n"
    );
    fs::write(folder.join("spec.yaml"), spec).expect("a spec");
    let mut command = binary();
    let args = [&["check", "spec.yaml"], more].concat();
    finished(command.args(args).current_dir(folder))
}

#[cfg(unix)]
#[test]
fn a_spec_reads_no_file_outside_its_folder_and_shows_nothing_of_it() {
    let home = tempfile::tempdir().expect("a folder");
    let (inside, outside) = (home.path().join("specs"), home.path().join("private"));
    for folder in [&inside, &outside] {
        fs::create_dir(folder).expect("a folder");
    }
    fs::write(outside.join("secret.csv"), "time\nCANARY\n").expect("a file");
    fs::write(outside.join("good.csv"), "time\n1\n").expect("a file");
    fs::write(inside.join("env"), "CANARY=1\n").expect("a file");
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, inside.join(name)).expect("a link");
    };
    link(&outside.join("good.csv"), "link.csv");
    link(&outside, "folder");
    link(&inside.join("env"), "own-link");
    let pipe = std::process::Command::new("mkfifo")
        .arg(inside.join("pipe"))
        .status();
    assert!(pipe.expect("mkfifo is there").success());
    let elsewhere = "is neither in the directory of the spec nor";
    let private = outside.join("good.csv").display().to_string();
    #[rustfmt::skip]
    let refused = [
        ("../private/good.csv", elsewhere),
        ("../private/secret.csv", elsewhere),
        (private.as_str(), elsewhere),
        ("link.csv", elsewhere),
        ("folder/good.csv", elsewhere),
        ("/etc/passwd", elsewhere),
        ("/proc/self/environ", "is not a regular file"),
        ("/dev/stdin", "is not a regular file"),
        ("pipe", "is not a regular file"),
        (".", "is not a regular file"),
        ("env", "this is not the header of such a table"),
        ("own-link", "this is not the header of such a table"),
    ];
    for (file, said) in refused {
        let ran = checked(&inside, file, &[]);
        assert_eq!(ran.code, Some(2), "{file}: {ran:?}");
        assert!(ran.stderr.contains(said), "{file}: {}", ran.stderr);
        assert!(!format!("{ran:?}").contains("CANARY"), "{file}: {ran:?}");
        assert!(!ran.stderr.contains("root:"), "{file}: {}", ran.stderr);
    }
    for file in ["../private/good.csv", "link.csv", "folder/good.csv"] {
        let ran = checked(&inside, file, &["--allow-files", "../private"]);
        assert_eq!(ran.code, Some(0), "{file}: {ran:?}");
    }
    let ran = checked(&inside, "/proc/self/environ", &["--allow-files", "/"]);
    assert!(ran.stderr.contains("is not a regular file"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn copies_of_files_are_for_the_eyes_of_the_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let ran = run(home.path(), "run --spec specs/spec.yaml --out out");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mode = |name: &str| {
        let metadata = fs::metadata(home.path().join("out").join(name)).expect("a file");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("files/a.csv"), 0o600);
    assert_eq!(mode("files/times.csv"), 0o600);
    // By the mask of the user, as any other file.
    assert_ne!(mode("result.json") & 0o400, 0);
}
