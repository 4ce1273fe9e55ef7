//! The rule for pages with tables of tests, upstream's behaviours and the patterns: the tests that they name exist.

use super::finding::Finding;

/// `exists` returns whether there is a test function of this name.
pub(super) fn check(file: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("| "));
    let missing = rows.flat_map(|(index, row)| {
        let names = tests(row).filter(|name| !exists(name));
        names.map(move |name| {
            Finding::new(file, index + 1, format!("names the test {name}, which does not exist"))
        })
    });
    missing.collect()
}

/// Returns the functions in the last cell of a row.
fn tests(row: &str) -> impl Iterator<Item = &str> {
    let cell = row.trim_end_matches(['|', ' ']).rsplit_once('|').map_or("", |(_, cell)| cell);
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|path| path.rsplit("::").next()).filter(|name| {
        name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_that_does_not_exist_is_found() {
        let page = "| id | upstream | tests here |\n| WQ-T1 | `not_this_one` | `queue::it_exists`, `was_renamed` |\n";
        let found = check("docs/page.md", page, |name| name == "it_exists");
        assert_eq!(
            found,
            [Finding::new("docs/page.md", 2, "names the test was_renamed, which does not exist")]
        );
    }
}
