//! Where our server differs from kube-apiserver on purpose: the cases that it does not keep, each with a reason.

/// A case that is expected to fail on our server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// `group/name` of the case.
    pub(crate) case: &'static str,
    pub(crate) reason: &'static str,
}

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[];

/// Why this case is not kept, if that is intended.
pub(crate) fn reason(case: &str) -> Option<&'static str> {
    DIFFERENCES.iter().find(|difference| difference.case == case).map(|difference| difference.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite;

    #[test]
    fn every_difference_names_a_case() {
        let names: Vec<_> = suite::all().map(|(group, case)| format!("{group}/{}", case.name)).collect();
        for difference in DIFFERENCES {
            assert!(names.iter().any(|name| name == difference.case), "{}", difference.case);
        }
    }
}
