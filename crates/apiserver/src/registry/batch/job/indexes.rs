//! Lists of the indexes of a Job, such as `1,3-5`.

/// Counts the indexes of a list, each of which is less than `completions`.
///
/// # Errors
///
/// Upstream's reason, of a list that is malformed or not in order.
pub(super) fn count(indexes: &str, completions: i64) -> Result<i64, String> {
    let mut last: Option<i64> = None;
    let mut total = 0;
    for interval in indexes.split(',').filter(|_| !indexes.is_empty()) {
        let (first, end) = parse(interval, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

/// Returns the lowest index that two lists have in common. Intervals that are malformed are left out.
pub(super) fn overlap(one: &str, other: &str, completions: i64) -> Option<i64> {
    let intervals = |indexes: &str| -> Vec<(i64, i64)> {
        indexes.split(',').filter_map(|interval| parse(interval, completions).ok()).collect()
    };
    let (one, other) = (intervals(one), intervals(other));
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some((first, end)), Some((other_first, other_end))) = (one.peek(), other.peek()) {
        if first <= other_end && other_first <= end {
            return Some(*first.max(other_first));
        }
        if first <= other_first {
            one.next()
        } else {
            other.next()
        };
    }
    None
}

/// Returns the first and the last index of an interval.
fn parse(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let limits: Vec<&str> = interval.split('-').collect();
    if limits.len() > 2 {
        return Err(format!(
            "the fragment {interval:?} violates the requirement that an index interval can have at most two parts \
             separated by '-'"
        ));
    }
    let index = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!("cannot convert string to integer for index: {text:?}")),
        Ok(index) if index >= completions => Err(format!("too large index: {text:?}")),
        Ok(index) => Ok(index),
    };
    let first = index(limits.first().copied().unwrap_or_default())?;
    let Some(end) = limits.get(1) else { return Ok((first, first)) };
    let end = index(end)?;
    if first >= end {
        return Err(format!("non-increasing order, previous: {first}, current: {end}"));
    }
    Ok((first, end))
}

#[cfg(test)]
mod tests {
    use super::{count, overlap};

    #[test]
    fn lists_overlap_where_both_have_an_index() {
        assert_eq!(overlap("0,2-4,9", "1,5-8", 10), None);
        assert_eq!(overlap("0,2-4", "1,3-8", 10), Some(3));
        assert_eq!(overlap("x,7", "1-2-3,7", 10), Some(7));
        assert_eq!(overlap("", "1", 10), None);
    }

    #[test]
    fn indexes_are_in_order_and_less_than_the_completions() {
        assert_eq!(count("", 3), Ok(0));
        assert_eq!(count("0,2-4", 5), Ok(4));
        for (indexes, because) in [
            ("-a", "cannot convert string to integer for index: \"\""),
            ("5", "too large index: \"5\""),
            ("2,1", "non-increasing order, previous: 2, current: 1"),
            ("3-3", "non-increasing order, previous: 3, current: 3"),
        ] {
            assert_eq!(count(indexes, 5).unwrap_err(), because, "{indexes}");
        }
        assert!(count("1-2-3", 5).unwrap_err().contains("at most two parts"));
    }
}
