//! [`Check`] and the responses of `/healthz`, `/livez` and `/readyz`, in the texts of Kubernetes' `healthz` package.

use std::{collections::BTreeSet, error::Error as StdError, fmt, fmt::Write, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use http::StatusCode;

type Outcome = Result<(), String>;

/// A named check of the process: it passes, or fails with a reason.
#[derive(Clone)]
pub struct Check {
    name: Arc<str>,
    timeout: Duration,
    run: Arc<dyn Fn() -> BoxFuture<'static, Outcome> + Send + Sync>,
}

impl Check {
    /// Creates a check that calls `run` for every request, with a [`timeout`](Self::timeout) of 5 s.
    pub fn new<F, E>(name: &str, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let run = move || run().map(|outcome| outcome.map_err(|error| error.into().to_string())).boxed();
        Self { name: name.into(), timeout: Duration::from_secs(5), run: Arc::new(run) }
    }

    /// Creates a check of a condition: it fails with `reason` if the condition is `false`. `condition` must not block.
    pub fn when(
        name: &str,
        reason: &'static str,
        condition: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let run = move || std::future::ready(if condition() { Ok(()) } else { Err(reason) });
        Self::new(name, run)
    }

    /// Creates the check `ping`, which passes whenever the process responds.
    #[must_use]
    pub fn ping() -> Self {
        Self::when("ping", "", || true)
    }

    /// Sets the time after which the check fails.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Returns the check's name, which is its path below `/healthz`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the check on a task of its own, so that a panic is a failure.
    async fn outcome(&self) -> Outcome {
        let mut task = tokio::spawn((self.run)());
        match tokio::time::timeout(self.timeout, &mut task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("the check panicked".to_owned()),
            Err(_) => {
                task.abort();
                Err(format!("no result within {:?}", self.timeout))
            }
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    is_verbose: bool,
    excluded: BTreeSet<String>,
}

impl Parameters {
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "verbose" => parameters.is_verbose = true,
                "exclude" => _ = parameters.excluded.insert(value),
                _ => {}
            }
        }
        parameters
    }
}

/// Responds to a GET of `/kind`, such as `/readyz`. The checks run concurrently.
pub(crate) async fn all(kind: &str, checks: &[Check], parameters: Parameters) -> (StatusCode, String) {
    let Parameters { is_verbose, mut excluded } = parameters;
    let chosen: Vec<_> = checks.iter().map(|check| (check, excluded.remove(check.name()))).collect();
    let runs = chosen.iter().map(|(check, is_excluded)| async move {
        if *is_excluded { None } else { Some(check.outcome().await) }
    });
    let outcomes = join_all(runs).await;
    let mut lines = String::new();
    let mut failed = Vec::new();
    for ((check, _), outcome) in chosen.iter().zip(outcomes) {
        let name = check.name();
        _ = match outcome {
            None => writeln!(lines, "[+]{name} excluded: ok"),
            Some(Ok(())) => writeln!(lines, "[+]{name} ok"),
            Some(Err(reason)) => {
                tracing::warn!(check = name, reason, kind, "a health check failed");
                failed.push(name);
                writeln!(lines, "[-]{name} failed: reason withheld")
            }
        };
    }
    if !excluded.is_empty() {
        let names: Vec<_> = excluded.iter().map(|name| format!("{name:?}")).collect();
        _ = writeln!(
            lines,
            "warn: some health checks cannot be excluded: no matches for {}",
            names.join(",")
        );
    }
    match (failed.is_empty(), is_verbose) {
        (false, _) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{lines}{kind} check failed\n")),
        (true, false) => (StatusCode::OK, "ok".to_owned()),
        (true, true) => (StatusCode::OK, format!("{lines}{kind} check passed\n")),
    }
}

/// Responds to a GET of one check.
pub(crate) async fn one(checks: &[Check], name: &str) -> (StatusCode, String) {
    let Some(check) = checks.iter().find(|check| check.name() == name) else {
        return (StatusCode::NOT_FOUND, format!("no check is called {name:?}\n"));
    };
    match check.outcome().await {
        Ok(()) => (StatusCode::OK, "ok".to_owned()),
        Err(reason) => (StatusCode::INTERNAL_SERVER_ERROR, format!("internal server error: {reason}\n")),
    }
}
