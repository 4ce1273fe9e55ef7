//! [`Failure`]: the reasons why the demo fails, with their exit codes.

use std::{fmt, process::ExitCode};

use trimtab_controller::RequestError;

/// The reason why the demo failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input cannot be used; nothing was applied. Exit code 2.
    Input(String),
    /// The cluster refused something, or ended in a wrong state. Exit code 1.
    Cluster(String),
    /// No ReplicaSet is among the manifests in these files, so there is nothing to run on. Exit code 1.
    NoSet(String),
    /// Ctrl-C. Exit code 130, as shells have it.
    Interrupted,
}

impl Failure {
    /// For `map_err`: adds the failed action to an error of the API server.
    pub(crate) fn api(doing: impl fmt::Display) -> impl FnOnce(kube_client::Error) -> Self {
        move |error| Self::Cluster(format!("{doing}: {}", RequestError::Client(error).message()))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Input(_) => 2,
            Self::Cluster(_) | Self::NoSet(_) => 1,
            Self::Interrupted => 130,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(reason) | Self::Cluster(reason) => f.write_str(reason),
            Self::NoSet(files) => {
                write!(f, "{files}: no ReplicaSet in it, and the demo needs one. Nothing was applied")
            }
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
