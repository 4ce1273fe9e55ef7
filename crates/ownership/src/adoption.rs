//! [`Adoption`]: whether an owner may adopt at all, asked once and only if it wants to.

use std::{error, fmt, future::Future, pin::Pin, sync::Arc};

use kube_client::Client;
use tokio::sync::OnceCell;
use trimtab_cache::Metadata;

use crate::dependent::read;

type BoxError = Box<dyn error::Error + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

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

/// A question and, once it was asked, its answer.
pub(crate) struct Adoption {
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
    answer: OnceCell<Result<(), AdoptionDenied>>,
}

impl Adoption {
    pub(crate) fn new<F, E>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let ask = move || -> Answer {
            let asked = ask();
            Box::pin(async { asked.await.map_err(Into::into) })
        };
        Self { ask: Box::new(ask), answer: OnceCell::new() }
    }

    /// The answer, which is asked for at most once.
    pub(crate) async fn allowed(&self, owner: &str) -> Result<(), AdoptionDenied> {
        let ask = || async {
            let denied = |reason: BoxError| AdoptionDenied { owner: owner.into(), reason: reason.into() };
            (self.ask)().await.map_err(denied)
        };
        self.answer.get_or_init(ask).await.clone()
    }
}

/// Why the owner, read afresh, may not adopt.
#[derive(Debug, thiserror::Error)]
enum Recheck {
    #[error("reading the owner again")]
    Read(#[source] Box<kube_client::Error>),
    #[error("the owner is gone: its name now belongs to UID {0:?}")]
    Replaced(String),
    #[error("the owner is being deleted")]
    BeingDeleted,
}

/// The recheck that Kubernetes' own controllers do: reads the owner at `path` from the server, not
/// from a cache, which may still show an owner that is being deleted or was replaced.
pub(crate) fn recheck(client: Client, path: String, name: String, uid: String) -> Adoption {
    Adoption::new(move || {
        let (client, path, name, uid) = (client.clone(), path.clone(), name.clone(), uid.clone());
        async move {
            let owner = read(&client, &path, &name).await.map_err(|error| Recheck::Read(Box::new(error)))?;
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
