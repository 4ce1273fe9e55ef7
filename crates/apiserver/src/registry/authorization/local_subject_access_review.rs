//! `LocalSubjectAccessReview`s.

use crate::registry::{Kind, Strategy, strategy::Review};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews")
        .create_only()
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { review: Some(Review::LocalSubjectAccess), ..Strategy::PLAIN };
