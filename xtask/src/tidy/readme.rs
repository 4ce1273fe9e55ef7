//! Rules for the first example of a README: it can be pasted into a new package.

use super::finding::Finding;

/// A README as its first Rust example and the text before it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Readme {
    /// The lines of the first Rust block, as readers see them.
    pub(crate) example: String,
    /// The lines of the `toml` blocks before the example, from `[dependencies]` on.
    pub(crate) dependencies: Vec<String>,
    /// Whether the text before the example names the Rust version.
    pub(crate) names_rust: bool,
}

impl Readme {
    pub(crate) fn read(text: &str) -> Self {
        let mut readme = Self::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            readme.names_rust |= line.contains("Rust 1.");
            let Some(info) = line.strip_prefix("```") else { continue };
            let block: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            if info.split(',').next() == Some("rust") {
                readme.example = block.iter().map(|line| format!("{line}\n")).collect();
                break;
            }
            if info == "toml" {
                let dependencies = block.iter().skip_while(|line| line.trim() != "[dependencies]").skip(1);
                readme.dependencies.extend(dependencies.map(|line| line.trim().to_owned()));
            }
        }
        readme.dependencies.retain(|line| !line.is_empty() && !line.starts_with('#'));
        readme
    }

    /// Returns the problems that keep a reader from pasting the example, apart from those that a compiler finds.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.example.is_empty() {
            problems.push("has no Rust example".to_owned());
        }
        if self.dependencies.is_empty() {
            problems.push("has no `[dependencies]` block before its first example".to_owned());
        }
        if !self.names_rust {
            problems.push("does not name the Rust version before its first example".to_owned());
        }
        problems
    }
}

/// Finds hidden lines of rustdoc, which readers of a README see.
pub(super) fn check_hidden_lines(file: &str, text: &str) -> Vec<Finding> {
    let mut in_rust = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            in_rust = !in_rust && info.starts_with("rust");
        } else if in_rust && (line.trim() == "#" || line.trim_start().starts_with("# ")) {
            found.push(Finding::new(file, index + 1, "a line hidden with `# ` is visible in a README"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# queue\n\nNeeds Rust 1.89.\n\n```toml\n[dependencies]\nqueue = \"0.1\"\n```\n\n\
                          ```rust,no_run\nfn main() {\n}\n```\n\n```rust\nfn other() {}\n```\n";

    #[test]
    fn the_first_example_and_its_dependencies_are_read() {
        let readme = Readme::read(README);
        assert_eq!(readme.example, "fn main() {\n}\n");
        assert_eq!(readme.dependencies, ["queue = \"0.1\""]);
        assert_eq!(readme.problems(), [""; 0]);
    }

    #[test]
    fn a_readme_that_cannot_be_pasted_is_found() {
        assert_eq!(Readme::read("# queue\n").problems().len(), 3);
        assert_eq!(Readme::read(&README.replace("[dependencies]", "[package]")).problems().len(), 1);
        assert_eq!(Readme::read(&README.replace("Rust 1.89", "Rust")).problems().len(), 1);
        let late = format!("{}Needs Rust 1.89.\n", README.replace("Rust 1.89", "Rust"));
        assert_eq!(Readme::read(&late).problems().len(), 1, "the version must come before the example");
    }

    #[test]
    fn hidden_lines_are_found_in_rust_and_not_in_other_blocks() {
        let text =
            "```rust\n# fn main() {\nlet a = 1;\n#[derive(Debug)]\n# }\n```\n```toml\n# a comment\n```\n";
        let lines: Vec<_> = check_hidden_lines("README.md", text).iter().map(|found| found.line).collect();
        assert_eq!(lines, [2, 5]);
    }
}
