//! Requests with a deadline, and their failures.

use std::{
    error, fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_client::{Client, api::GetParams, core::Request};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

/// The time that a request may take unless set otherwise. kube-client sets no limit of its own.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A client whose requests end after some time.
#[derive(Clone)]
pub(crate) struct Requests {
    client: Client,
    /// In milliseconds, shared by clones.
    deadline: Arc<AtomicU64>,
}

/// A request that failed, or got no reply in time.
#[derive(Debug)]
pub(crate) enum RequestError {
    Client(Box<kube_client::Error>),
    Deadline(Duration),
}

impl Requests {
    pub(crate) fn new(client: Client, deadline: Duration) -> Self {
        let requests = Self { client, deadline: Arc::default() };
        requests.set_deadline(deadline);
        requests
    }

    pub(crate) fn set_deadline(&self, deadline: Duration) {
        let millis = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        self.deadline.store(millis, Relaxed); // set before the first request: it orders nothing
    }

    /// Sends a request and decodes the reply.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: Result<http::Request<Vec<u8>>, kube_client::core::request::Error>,
    ) -> Result<T, RequestError> {
        let request = request.map_err(kube_client::Error::BuildRequest)?;
        let deadline = Duration::from_millis(self.deadline.load(Relaxed));
        match timeout(deadline, self.client.request(request)).await {
            Ok(reply) => Ok(reply?),
            Err(_) => Err(RequestError::Deadline(deadline)),
        }
    }

    /// Reads the metadata of one object from the server.
    pub(crate) async fn read(&self, path: &str, name: &str) -> Result<ObjectMeta, RequestError> {
        #[derive(Deserialize)]
        struct Partial {
            metadata: ObjectMeta,
        }

        let request = Request::new(path).get_metadata(name, &GetParams::default());
        Ok(self.send::<Partial>(request).await?.metadata)
    }
}

impl RequestError {
    /// Returns the HTTP status code of the reply, if there was one.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Client(error) => match &**error {
                kube_client::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Deadline(_) => None,
        }
    }
}

impl From<kube_client::Error> for RequestError {
    fn from(error: kube_client::Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Deadline(deadline) => write!(f, "no reply within {deadline:?}"),
        }
    }
}

impl error::Error for RequestError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Client(error) => error.source(), // `Display` tells the error itself
            Self::Deadline(_) => None,
        }
    }
}
