//! The groups of differences that are left, each with a reason.

/// The reasons, each with parts of the names of its groups.
const KNOWN: &str = include_str!("known.txt");

/// Returns the reason of a group, if it is known.
pub(crate) fn reason(group: &str) -> Option<&'static str> {
    parts().find(|(_, part)| group.contains(part)).map(|(reason, _)| reason)
}

/// Returns each part of a name with its reason.
fn parts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut reason = "";
    let lines = KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(move |line| match line.strip_prefix("- ") {
        Some(because) => {
            reason = because;
            None
        }
        None => Some((reason, line)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_name_tells_the_reason() {
        assert!(reason("200 object: ~.paths").is_some_and(|reason| reason.contains("this server has")));
        assert_eq!(reason("200 object: ~.spec"), None);
    }

    #[test]
    fn each_part_has_a_reason_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (reason, part) in parts() {
            assert!(!reason.is_empty() && part.trim().len() > 3 && seen.insert(part), "{part}");
        }
    }
}
