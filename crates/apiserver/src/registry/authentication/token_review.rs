//! `TokenReview`s.

use crate::registry::{Kind, Strategy, strategy::Review};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("authentication.k8s.io", "v1", "TokenReview", "tokenreviews")
        .create_only()
        .cluster()
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { review: Some(Review::Token), ..Strategy::PLAIN };
