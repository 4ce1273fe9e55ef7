//! The rule for the page of upstream's behaviours: the tests that it names are there.

use super::Finding;

/// `is_there` answers for the name of a test function.
pub(super) fn check(file: &str, text: &str, is_there: impl Fn(&str) -> bool) -> Vec<Finding> {
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("| "));
    let missing = rows.flat_map(|(index, row)| {
        let names = tests(row).filter(|name| !is_there(name));
        names.map(move |name| {
            Finding::new(file, index + 1, format!("names the test {name}, which is not there"))
        })
    });
    missing.collect()
}

/// The functions that the last cell of a row names.
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
    fn a_test_that_is_not_there_is_found_and_nothing_else() {
        let page =
            "| id | upstream | tests here |\n| WQ-T1 | `not_this_one` | `queue::is_there`, `was_renamed` |\n";
        let found = check("docs/page.md", page, |name| name == "is_there");
        assert_eq!(
            found,
            [Finding::new("docs/page.md", 2, "names the test was_renamed, which is not there")]
        );
    }
}
