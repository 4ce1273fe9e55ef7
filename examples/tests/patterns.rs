//! The pages of `docs/patterns/`: each shows its program, and the output that the program prints.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const EXAMPLES: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the file's path below the root of the workspace.
fn path(below_root: &str) -> PathBuf {
    Path::new(EXAMPLES).join("..").join(below_root)
}

fn read(below_root: &str) -> String {
    let path = path(below_root);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .replace("\r\n", "\n")
}

/// Returns the names of the pages, without the index.
fn pages() -> Vec<String> {
    let files = fs::read_dir(path("docs/patterns")).expect("the folder of the pages");
    let names = files.map(|file| file.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut pages: Vec<_> = names
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "README")
        .collect();
    pages.sort();
    pages
}

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_patterns");
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Splits the text after its first block with this opening line: the block's lines, and the rest.
fn block<'a>(text: &'a str, opening: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(&format!("\n{opening}\n"))?;
    let end = rest.find("\n```\n")? + 1;
    Some((&rest[..end], &rest[end..]))
}

#[test]
fn each_page_shows_its_program_and_the_output_of_a_run() {
    let pages = pages();
    assert_eq!(pages.len(), 8, "{pages:?}");
    for name in pages {
        let page = read(&format!("docs/patterns/{name}.md"));
        let file = format!("examples/patterns/{}.rs", name.replace('-', "_"));
        let (program, rest) = block(&page, "```rust").unwrap_or_else(|| panic!("{name}: no program"));
        assert!(program == read(&file), "{name}: the page's program is not {file}");
        assert!(program.lines().count() < 80, "{file} has {} lines", program.lines().count());

        let (shown, _) = block(rest, "```text").unwrap_or_else(|| panic!("{name}: no output"));
        let run = run(&[&name]);
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(String::from_utf8_lossy(&run.stdout).replace("\r\n", "\n"), shown, "{name}");
    }
}

#[test]
fn an_unknown_pattern_is_refused_with_the_names_of_all() {
    for arguments in [&[][..], &["tombstone"], &["tombstones", "informer"]] {
        let run = run(arguments);
        assert_eq!(run.status.code(), Some(2));
        let message = String::from_utf8_lossy(&run.stderr);
        let found = format!("found {:?}", arguments.join(" "));
        assert!(message.contains(&found) && pages().iter().all(|name| message.contains(name)), "{message}");
    }
}
