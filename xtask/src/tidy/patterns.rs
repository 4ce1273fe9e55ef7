//! The rule for the pages of `docs/patterns/`: their index, the pages and the crates' READMEs link to each other.

use super::finding::Finding;
use super::prose::links;

/// The folder of the pages.
pub(super) const FOLDER: &str = "docs/patterns";

/// The index, which is not a page.
const INDEX: &str = "README.md";

/// `files` are the names and texts of the folder's files. `readme` returns the text of a part's README.
pub(super) fn check(files: &[(String, String)], readme: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let index = files.iter().find(|(name, _)| name == INDEX).map_or("", |(_, text)| text);
    let mut found = Vec::new();
    for (page, text) in files.iter().filter(|(name, _)| name != INDEX) {
        if !links_to(index, page) {
            found.push(Finding::new(&format!("{FOLDER}/{INDEX}"), 0, format!("does not link to {page}")));
        }
        let parts: Vec<_> = parts(text).collect();
        if parts.is_empty() {
            let problem = "names no crate before its first section: link to its README";
            found.push(Finding::new(&format!("{FOLDER}/{page}"), 0, problem));
        }
        for part in parts {
            // A README that does not exist is a broken link, which is another rule's finding.
            let Some(readme) = readme(part) else { continue };
            let back = format!("../../{FOLDER}/{page}");
            if !links_to(&readme, &back) {
                found.push(Finding::new(
                    &format!("crates/{part}/README.md"),
                    0,
                    format!("does not link to {back}"),
                ));
            }
        }
    }
    found
}

fn links_to(text: &str, path: &str) -> bool {
    text.lines().flat_map(links).any(|link| link == path)
}

/// Returns the parts to whose READMEs the page links before its first section.
fn parts(page: &str) -> impl Iterator<Item = &str> {
    let opening = page.lines().take_while(|line| !line.starts_with("## "));
    opening.flat_map(links).filter_map(|link| link.strip_prefix("../../crates/")?.strip_suffix("/README.md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Queue\n\nCrate: [`queue`](../../crates/queue/README.md).\n\n## Elsewhere\n\n\
                        [`other`](../../crates/other/README.md)\n";

    fn problems(index: &str, page: &str, readme: &str) -> Vec<String> {
        let files = [("README.md", index), ("queue.md", page)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let found = check(&files, |part| (part == "queue").then(|| readme.to_owned()));
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pages_that_are_linked_in_both_directions_have_no_findings() {
        assert_eq!(problems("[q](queue.md)", PAGE, "[page](../../docs/patterns/queue.md#shape)"), [""; 0]);
    }

    #[test]
    fn a_readme_without_a_link_to_its_page_is_found() {
        let readme = "docs/patterns/queue.md, [q](../../docs/patterns/other.md)";
        let expected = ["crates/queue/README.md: does not link to ../../docs/patterns/queue.md"];
        assert_eq!(problems("[q](queue.md)", PAGE, readme), expected);
    }

    #[test]
    fn a_page_without_a_crate_and_an_index_without_a_page_are_found() {
        let page = "# Queue\n\n## Elsewhere\n\n[`queue`](../../crates/queue/README.md)\n";
        let expected = [
            "docs/patterns/README.md: does not link to queue.md",
            "docs/patterns/queue.md: names no crate before its first section: link to its README",
        ];
        assert_eq!(problems("queue.md", page, ""), expected);
    }
}
