//! [`Adoption`]: the check whether an owner may adopt at all, made once and only before an adoption.

use std::{error, fmt, future::Future, pin::Pin, sync::Arc};

use tokio::sync::OnceCell;
use trimtab_cache::Metadata;

use crate::request::{RequestError, Requests};

type BoxError = Box<dyn error::Error + Send + Sync>;
type Checked = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// An owner that may not adopt, with the reason as the `source`.
///
/// Clones share the reason: one refusal stops every adoption of a sync.
#[derive(Debug, Clone)]
pub struct AdoptionDenied {
    owner: Arc<str>,
    reason: Arc<dyn error::Error + Send + Sync>,
}

impl fmt::Display for AdoptionDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may not adopt", self.owner)
    }
}

impl error::Error for AdoptionDenied {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.reason)
    }
}

/// A check and, once it was made, its result.
pub(crate) struct Adoption {
    check: Box<dyn Fn() -> Checked + Send + Sync>,
    result: OnceCell<Result<(), AdoptionDenied>>,
}

impl Adoption {
    pub(crate) fn new<F, E>(check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let check = move || -> Checked {
            let checking = check();
            Box::pin(async { checking.await.map_err(Into::into) })
        };
        Self { check: Box::new(check), result: OnceCell::new() }
    }

    /// Returns the result of the check, which is made at most once.
    pub(crate) async fn allowed(&self, owner: &str) -> Result<(), AdoptionDenied> {
        let check = || async {
            let denied = |reason: BoxError| AdoptionDenied { owner: owner.into(), reason: reason.into() };
            (self.check)().await.map_err(denied)
        };
        self.result.get_or_init(check).await.clone()
    }
}

/// The reason for which an owner that was read from the server may not adopt.
#[derive(Debug, thiserror::Error)]
enum Recheck {
    #[error("reading the owner again")]
    Read(#[source] RequestError),
    #[error("the owner is gone: its name now belongs to UID {0:?}")]
    Replaced(String),
    #[error("the owner is being deleted")]
    BeingDeleted,
}

/// Returns the recheck of Kubernetes' own controllers: reads the owner at `path` from the server, not from
/// a cache, which may still show an owner that is being deleted or was replaced.
pub(crate) fn recheck(requests: Requests, path: String, name: String, uid: String) -> Adoption {
    Adoption::new(move || {
        let (requests, path, name, uid) = (requests.clone(), path.clone(), name.clone(), uid.clone());
        async move {
            let owner = requests.read(&path, &name).await.map_err(Recheck::Read)?;
            if owner.uid() != uid {
                Err(Recheck::Replaced(owner.uid().to_owned()))
            } else if owner.is_being_deleted() {
                Err(Recheck::BeingDeleted)
            } else {
                Ok(())
            }
        }
    })
}
