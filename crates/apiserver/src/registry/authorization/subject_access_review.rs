//! `SubjectAccessReview`s.

use crate::registry::{Kind, Strategy, strategy::Review};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews")
        .create_only()
        .cluster()
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { review: Some(Review::SubjectAccess), ..Strategy::PLAIN };
