//! [`ManagerError`]: the first failure of a process; [`exit`] turns it into an exit code.

use std::{error::Error as StdError, fmt, process::ExitCode, time::Duration};

use trimtab_controller::{RunError, leaderelection::ConfigError, workqueue::limiter::BucketConfigError};

use crate::runnable::BoxError;

/// The reason why a manager could not be built, or why its process ended otherwise than by a shutdown.
///
/// `Debug` prints the same line as `Display`, so that the error is readable when `main` returns it.
pub struct ManagerError(Kind);

pub(crate) enum Kind {
    NoRuntime,
    Client(kube_client::Error),
    Election(ConfigError),
    Rate(BucketConfigError),
    /// Two parts of a kind have the same name.
    Duplicate {
        kind: &'static str,
        name: String,
    },
    #[cfg(feature = "args")]
    Usage(BoxError),
    #[cfg(feature = "args")]
    Kubeconfig(BoxError),
    Signals(std::io::Error),
    Failed {
        part: String,
        cause: BoxError,
    },
    Unfinished {
        part: String,
        grace_period: Duration,
    },
    Blocked(Vec<String>),
}

impl ManagerError {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(kind)
    }

    /// Creates the error of a part that has failed.
    pub(crate) fn failed(part: &str, cause: BoxError) -> Self {
        Self(Kind::Failed { part: part.to_owned(), cause })
    }

    /// Returns the name of the part that has failed first, such as `controller website`; `None` if the manager could not
    /// be built.
    pub fn part(&self) -> Option<&str> {
        match &self.0 {
            Kind::Failed { part, .. } | Kind::Unfinished { part, .. } => Some(part),
            _ => None,
        }
    }

    /// Returns whether a task blocks its thread and cannot be ended, so that only the end of the process ends it.
    pub fn must_exit(&self) -> bool {
        match &self.0 {
            Kind::Blocked(_) => true,
            Kind::Failed { cause, .. } => cause.downcast_ref().is_some_and(RunError::must_exit),
            _ => false,
        }
    }

    /// Returns whether the command line is wrong, for which the exit code is 2.
    pub fn is_usage(&self) -> bool {
        #[cfg(feature = "args")]
        return matches!(self.0, Kind::Usage(_));
        #[cfg(not(feature = "args"))]
        false
    }
}

impl fmt::Display for ManagerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::NoRuntime => f.write_str("a manager must be built inside a tokio runtime"),
            Kind::Client(cause) => write!(f, "the client cannot be built: {}", chain(cause)),
            Kind::Election(cause) => write!(f, "the leader election cannot be built: {cause}"),
            Kind::Rate(cause) => write!(f, "the rate limit of the client is invalid: {cause}"),
            Kind::Duplicate { kind, name } => {
                write!(f, "two {kind}s are called {name:?}; each needs a name of its own")
            }
            #[cfg(feature = "args")]
            Kind::Usage(cause) => write!(f, "{}", chain(&**cause)),
            #[cfg(feature = "args")]
            Kind::Kubeconfig(cause) => write!(f, "the kubeconfig cannot be used: {}", chain(&**cause)),
            Kind::Signals(cause) => write!(f, "signals cannot be received: {cause}"),
            Kind::Failed { part, cause } => write!(f, "{part}: {}", chain(&**cause)),
            Kind::Unfinished { part, grace_period } => {
                write!(f, "{part} did not end within the grace period of {grace_period:?} and was aborted")
            }
            Kind::Blocked(parts) => {
                write!(
                    f,
                    "the process must exit, because these parts block their threads: {}",
                    parts.join(", ")
                )
            }
        }
    }
}

impl fmt::Debug for ManagerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for ManagerError {}

/// Joins an error and its causes to one line. A cause whose text is part of the line already is left out.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line.replace('\n', " ")
}

/// Turns the result of a program into its exit code: 0, 1 after an error, and 2 if the command line is wrong.
///
/// The error goes to standard error as one line. If a task [blocks its thread](ManagerError::must_exit), the process
/// ends here, since the runtime would wait for that task.
pub fn exit<E: Into<Box<dyn StdError + Send + Sync>>>(result: Result<(), E>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let error: BoxError = error.into();
    eprintln!("error: {}", chain(&*error));
    match error.downcast_ref::<ManagerError>() {
        Some(error) if error.must_exit() => std::process::exit(1),
        Some(error) if error.is_usage() => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("binding 127.0.0.1:80")]
    struct Wrapped(#[source] std::io::Error);

    #[test]
    fn an_error_names_its_part_and_all_causes_on_one_line() {
        let cause = Wrapped(std::io::Error::other("permission\ndenied"));
        let error = ManagerError::failed("admin server", cause.into());
        assert_eq!(error.to_string(), "admin server: binding 127.0.0.1:80: permission denied");
        assert_eq!((error.part(), error.must_exit(), error.is_usage()), (Some("admin server"), false, false));
    }

    #[test]
    fn exit_codes_are_those_of_kubernetes_programs() {
        assert_eq!(exit(Ok::<(), ManagerError>(())), ExitCode::SUCCESS);
        assert_eq!(exit(Err(ManagerError::new(Kind::NoRuntime))), ExitCode::FAILURE);
        assert_eq!(exit(Err("text")), ExitCode::FAILURE);
        #[cfg(feature = "args")]
        assert_eq!(exit(Err(ManagerError::new(Kind::Usage("no such gate".into())))), ExitCode::from(2));
    }
}
