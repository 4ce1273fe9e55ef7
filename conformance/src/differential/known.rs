//! The groups of differences that are left, each with a reason.

/// The reasons, each with parts of the names of its groups.
const KNOWN: &str = include_str!("known.txt");

/// Returns the reason of a group, if it is known: that of its first difference. Each of its differences must have one.
pub(crate) fn reason(group: &str) -> Option<&'static str> {
    let mut reasons = differences(group).map(|difference| {
        let found = parts().find(|(_, part)| explains(part, difference));
        found.map(|(reason, _)| reason)
    });
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

/// Returns the single differences in the name of a group, such as `-.spec.a` of `200 object: -.spec.a; ~.status`.
fn differences(group: &str) -> impl Iterator<Item = &str> {
    let all = group.split_once(" object: ").map_or(group, |(_, places)| places);
    let is_one = ["message: ", "text: "].iter().any(|begin| all.starts_with(begin));
    let separator = if is_one { "\0" } else { "; " }; // a message may have semicolons of its own
    all.split(separator).filter(|difference| *difference != "…")
}

/// Returns whether a part of a name explains a difference. A part that begins as a place does (`-.`, `+.` or `~.`) is the
/// whole place; one that ends with `*` is the begin of one; any other is a text within a cause or a message.
fn explains(part: &str, difference: &str) -> bool {
    let is_place = |text: &str| ["-.", "+.", "~."].iter().any(|begin| text.starts_with(begin));
    match part.strip_suffix('*') {
        Some(begin) => difference.starts_with(begin),
        None if is_place(part) => difference == part,
        None => difference.contains(part) && !is_place(difference),
    }
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
    fn each_difference_of_a_group_needs_a_reason() {
        assert!(reason("200 object: ~.paths").is_some_and(|reason| reason.contains("this server has")));
        for unknown in ["200 object: ~.spec", "200 object: ~.paths.a", "200 object: ~.paths; ~.spec"] {
            assert_eq!(reason(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn each_part_has_a_reason_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (reason, part) in parts() {
            assert!(!reason.is_empty() && part.trim().len() > 3 && seen.insert(part), "{part}");
        }
    }
}
