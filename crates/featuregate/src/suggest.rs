//! "Did you mean": the known name that is most similar to an unknown one.

/// Returns the name that `text` may be a misspelling of: at most one edit for every three letters.
pub(crate) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (text.chars().count() / 3).clamp(1, 4);
    names
        .filter(|name| name.len().abs_diff(text.len()) <= 4 * allowed)
        .map(|name| (distance(text, name), name))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Returns the number of letters to insert, drop or replace, ignoring case.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_recognised_and_a_different_word_is_not() {
        let names = ["WatchListClient", "InOrderInformers", "AllBeta"];
        for (text, expected) in [
            ("WatchListClient", Some("WatchListClient")),
            ("watchlistclient", Some("WatchListClient")),
            ("WatchListCleint", Some("WatchListClient")),
            ("InOrderInformer", Some("InOrderInformers")),
            ("AlBeta", Some("AllBeta")),
            ("SomethingElse", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names.into_iter()), expected, "{text}");
        }
    }
}
