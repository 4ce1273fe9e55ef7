//! [`LeaseClient`]: the three requests of an election, each with a time limit.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{Api, Client, api::PostParams};
use tokio::time::{error::Elapsed, timeout};

use crate::config::Config;

/// Why a request told nothing about the lease.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("the server refused or could not be reached")]
    Api(#[source] Box<kube_client::Error>),
    #[error("no answer in time")]
    Timeout(#[from] Elapsed),
}

impl From<kube_client::Error> for RequestError {
    fn from(error: kube_client::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

impl RequestError {
    /// Somebody else wrote first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(error) if matches!(&**error, kube_client::Error::Api(status) if status.code == 409))
    }
}

/// One lease on the server.
///
/// A `kube_client::Client` retries 429 and 503 for minutes and waits for a silent server for ever, so
/// no request is trusted to come back: each ends after half a renew deadline, which leaves time for a
/// second one before leadership ends.
pub(crate) struct LeaseClient {
    api: Api<Lease>,
    name: String,
    timeout: Duration,
}

impl LeaseClient {
    pub(crate) fn new(client: Client, config: &Config) -> Self {
        Self {
            api: Api::namespaced(client, &config.namespace),
            name: config.name.clone(),
            timeout: config.renew_deadline / 2,
        }
    }

    /// The lease, if there is one.
    pub(crate) async fn get(&self) -> Result<Option<Lease>, RequestError> {
        match timeout(self.timeout, self.api.get(&self.name)).await? {
            Ok(lease) => Ok(Some(lease)),
            Err(kube_client::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn create(&self, lease: &Lease) -> Result<Lease, RequestError> {
        Ok(timeout(self.timeout, self.api.create(&PostParams::default(), lease)).await??)
    }

    /// Replaces the lease; a conflict if it is not the one that `lease` was made from.
    pub(crate) async fn update(&self, lease: &Lease) -> Result<Lease, RequestError> {
        Ok(timeout(self.timeout, self.api.replace(&self.name, &PostParams::default(), lease)).await??)
    }
}
