//! Rules for one Rust source file.

use super::finding::Finding;
use std::path::Path;

/// Names that do not describe a file's content.
const EMPTY_NAMES: [&str; 4] = ["utils", "common", "types", "helpers"];

/// Text that must not be committed; each is written in two halves, so that this file has no finding itself.
const LEFTOVERS: [(&str, &str); 4] = [
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimple", "mented!("), "unfinished code"),
    (concat!("#[ig", "nore"), "an ignored test: move it to a command, or delete it"),
    (concat!("allow(dead", "_code"), "dead code: delete it"),
];

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = Path::new(file);
    if path
        .iter()
        .any(|name| EMPTY_NAMES.iter().any(|empty| Path::new(name).file_stem() == Some(empty.as_ref())))
    {
        found.push(Finding::new(file, 0, "the name does not describe the file's content"));
    }
    let in_source = path.iter().any(|name| name == "src");
    if in_source && !text.starts_with("//!") {
        found.push(Finding::new(file, 1, "does not open with a `//!` line about its content"));
    }
    for (line, code) in code_lines(text) {
        for (leftover, problem) in LEFTOVERS {
            if code.contains(leftover) {
                found.push(Finding::new(file, line, problem));
            }
        }
    }
    if in_source && file.starts_with("crates/") {
        found.extend(silent_on_cancellation(file, text));
    }
    found
}

/// Returns the lines that are not comments, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with("//"))
}

/// Finds public async functions without docs about cancellation.
fn silent_on_cancellation(file: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut documented = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("///") {
            documented |= line.contains("# Cancel safety");
        } else if line.starts_with("#[") {
            // Attributes are between the docs and the function.
        } else {
            if line.starts_with("pub async fn") && !documented {
                found.push(Finding::new(
                    file,
                    index + 1,
                    "a public async function without a `# Cancel safety` section",
                ));
            }
            documented = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &str, text: &str) -> Vec<(usize, String)> {
        check(file, text).into_iter().map(|finding| (finding.line, finding.problem)).collect()
    }

    #[test]
    fn a_tidy_file_has_no_findings() {
        assert_eq!(problems("crates/a/src/queue.rs", "//! The queue.\n\nfn a() {}\n"), []);
    }

    #[test]
    fn a_source_file_opens_with_a_line_about_its_content() {
        assert_eq!(problems("crates/a/src/queue.rs", "use std::fmt;\n")[0].0, 1);
        assert_eq!(problems("crates/a/tests/queue.rs", "use std::fmt;\n"), [], "only sources");
    }

    #[test]
    fn empty_names_are_found_as_files_and_as_folders() {
        for file in
            ["crates/a/src/utils.rs", "crates/a/tests/common/mod.rs", "xtask/src/types.rs", "a/helpers.rs"]
        {
            assert_eq!(problems(file, "//! x\n").len(), 1, "{file}");
        }
        assert_eq!(problems("crates/a/src/typeset.rs", "//! x\n"), []);
    }

    #[test]
    fn leftovers_are_found_in_code_and_not_in_comments() {
        for (leftover, what) in LEFTOVERS {
            assert_eq!(
                problems("a.rs", &format!("//! x\nfn a() {{}}\n {leftover}\n")),
                [(3, what.to_owned())]
            );
            assert_eq!(problems("a.rs", &format!("// {leftover}\n")), []);
        }
    }

    #[test]
    fn public_async_functions_document_cancellation() {
        let silent = "//! x\n/// Waits.\npub async fn get() {}\n";
        assert_eq!(problems("crates/a/src/a.rs", silent)[0].0, 3);
        let telling = "//! x\n/// Waits.\n///\n/// # Cancel safety\n///\n/// Takes no key.\n#[inline]\npub async fn get() {}\n";
        assert_eq!(problems("crates/a/src/a.rs", telling), []);
        let elsewhere = format!("{telling}\n/// Waits too.\npub async fn take() {{}}\n");
        assert_eq!(
            problems("crates/a/src/a.rs", &elsewhere)[0].0,
            11,
            "the docs of one function do not count for the next"
        );
    }
}
