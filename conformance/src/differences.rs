//! Where our server differs from kube-apiserver on purpose, each case
//! with a reason; and what it does not keep yet.

/// A case that is expected to fail on our server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// `group/name` of the case.
    pub(crate) case: &'static str,
    pub(crate) reason: &'static str,
}

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[Difference {
    case: "bad_input/invalid_utf8",
    reason: "text that is no UTF-8 is refused, where Go replaces it and stores something else than was sent",
}];

/// Defects: rules that our server is to keep, and does not yet. Whoever
/// mends one takes its line away; none is added.
pub(crate) const DEFECTS: &[&str] = &[];

/// Why this case is not kept, if that is intended.
pub(crate) fn reason(case: &str) -> Option<&'static str> {
    DIFFERENCES.iter().find(|difference| difference.case == case).map(|difference| difference.reason)
}

/// Whether this case is a known defect.
pub(crate) fn is_defect(case: &str) -> bool {
    DEFECTS.contains(&case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite;

    #[test]
    fn every_difference_and_defect_names_a_case() {
        let names: Vec<_> = suite::all().map(|(group, case)| format!("{group}/{}", case.name)).collect();
        let listed = DIFFERENCES.iter().map(|difference| difference.case).chain(DEFECTS.iter().copied());
        for case in listed {
            assert!(names.iter().any(|name| name == case), "{case}");
        }
    }
}
