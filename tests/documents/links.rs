//! Whether links and paths of source files lead somewhere.

use std::path::Path;

use super::markdown::{anchors, inline_code, links};

/// The folders whose files are named in inline code.
const FOLDERS: [&str; 5] = ["docs/", "live/", "sim/", "specs/", "src/"];

/// What leads nowhere in a document.
pub fn problems(root: &Path, document: &Path, source: &str) -> Vec<String> {
    let dead = links(source)
        .into_iter()
        .filter(|link| !link_leads_somewhere(root, document, source, link))
        .map(|link| format!("the link to {link} leads nowhere"));
    let missing = inline_code(source)
        .into_iter()
        .filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder)))
        .filter(|path| !path.contains(['*', ' ']) && !root.join(path).exists())
        .map(|path| format!("there is no {path}"));
    dead.chain(missing).collect()
}

fn link_leads_somewhere(root: &Path, document: &Path, source: &str, link: &str) -> bool {
    // What is elsewhere is not asked for: the tests use no network.
    if link.starts_with("https://") {
        return true;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = document.parent().unwrap_or(Path::new(""));
    let target = root.join(folder).join(path);
    // A picture is no text, and has no anchors.
    if anchor.is_empty() && target.exists() {
        return true;
    }
    let text = match path {
        "" => Some(source.to_owned()),
        _ if target.is_dir() => Some(String::new()),
        _ => std::fs::read_to_string(&target).ok(),
    };
    text.is_some_and(|text| anchor.is_empty() || anchors(&text).contains(anchor))
}

#[test]
fn what_leads_nowhere_is_found() {
    let check = |source| problems(super::root(), Path::new("docs/any.md"), source);
    let good =
        "# A b: `c`\n[x](#a-b-c) [y](../README.md) [z](https://x.test) `src/main.rs` `sim/src/*`";
    assert!(check(good).is_empty(), "{:?}", check(good));
    let bad = "# A\n[x](#b) [y](none.md) [z](../README.md#none) `src/none.rs` `sim/none/`";
    assert_eq!(check(bad).len(), 5, "{:?}", check(bad));
}
