//! The inputs that set gates: text, maps, environment variables, files.

use std::env;

use crate::{
    error::{Problem, SetError},
    parse,
    registry::FeatureGates,
    source::Source,
    spec::{Stage, Versions},
    version::Version,
};

/// The prefix of the variables that client-go reads.
const KUBE_PREFIX: &str = "KUBE_FEATURE_";

impl FeatureGates {
    /// Sets gates from text, as the program itself: `A=true,B=false`.
    ///
    /// The grammar is upstream's: settings are separated by commas, and empty ones are skipped; spaces around
    /// names and values are ignored; booleans are spelt as in Go; of two settings of one gate the later
    /// counts. `AllAlpha` and `AllBeta` set every gate of their stage that is not set itself, in any order.
    ///
    /// # Errors
    ///
    /// All problems of this request and of earlier ones. No gate's value has changed; the request is kept, as
    /// [`SetError`] explains.
    pub fn set(&self, text: &str) -> Result<(), SetError> {
        self.set_text(Source::Set, text)
    }

    /// Sets gates from the text of `--feature-gates`. For several flags, call it once per flag, in order.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_from_flag(&self, text: &str) -> Result<(), SetError> {
        self.set_text(Source::Flag, text)
    }

    /// Sets gates by name, or by [`Gate`](crate::Gate).
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_from_map(
        &self,
        settings: impl IntoIterator<Item = (impl AsRef<str>, bool)>,
    ) -> Result<(), SetError> {
        self.set_map(Source::Set, settings)
    }

    /// Sets gates from a configuration file; see the feature `serde`.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_from_file(
        &self,
        settings: impl IntoIterator<Item = (impl AsRef<str>, bool)>,
    ) -> Result<(), SetError> {
        self.set_map(Source::File, settings)
    }

    /// Sets gates from this process's environment variables: from `<prefix><Name>` if the registry has a
    /// prefix and that variable exists, otherwise from `KUBE_FEATURE_<Name>`.
    ///
    /// # Errors
    ///
    /// Names each gate whose variable cannot be used: it is empty or not a boolean, or the gate is locked to
    /// the other value or does not exist yet. Those variables are ignored, as in client-go. **All other
    /// variables have been applied**, so a caller may log the error and continue. If the other variables
    /// violate a dependency, no gate has changed.
    pub fn set_from_env(&self) -> Result<(), SetError> {
        self.set_from_variables(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Does the same as [`set_from_env`](Self::set_from_env), with `variable` as the lookup of variables.
    ///
    /// # Errors
    ///
    /// As [`set_from_env`](Self::set_from_env).
    pub fn set_from_variables(&self, variable: impl Fn(&str) -> Option<String>) -> Result<(), SetError> {
        let names: Vec<_> = self.lock().state.rows.iter().map(|row| row.name.clone()).collect();
        let own = self.shared.environment_prefix.as_deref();
        let prefixes = || own.into_iter().chain([KUBE_PREFIX]);
        let (mut settings, mut problems) = (Vec::new(), Vec::new());
        for name in &names {
            let Some(text) = prefixes().find_map(|prefix| variable(&[prefix, name].concat())) else {
                continue;
            };
            match parse::boolean(text.trim()) {
                Some(value) => settings.push((&**name, value)),
                None => problems.push(Problem::invalid_value(name, &text)),
            }
        }
        let outcome = self.change(|state| {
            settings.retain(|(name, value)| match state.refusal_of(name, *value) {
                Some(problem) => {
                    problems.push(problem);
                    false
                }
                None => true,
            });
            state.request(Source::Environment, settings).map(|_| ())
        });
        problems.extend(outcome.err().into_iter().flat_map(SetError::into_problems));
        SetError::check(problems)
    }

    /// Overrides the default of a gate, in the spec that holds at present.
    ///
    /// Explicit requests, earlier or later ones, still take precedence. Later copies keep the override.
    ///
    /// # Errors
    ///
    /// If the gate is unknown, does not exist yet or is locked, or if defaults are [closed](Self::close).
    pub fn override_default(&self, gate: impl AsRef<str>, value: bool) -> Result<(), SetError> {
        self.override_at(gate.as_ref(), value, None)
    }

    /// Overrides the default of a gate, in the spec that holds at `version`.
    ///
    /// # Errors
    ///
    /// As [`override_default`](Self::override_default), at `version` instead of the present versions.
    pub fn override_default_at(
        &self,
        gate: impl AsRef<str>,
        value: bool,
        version: Version,
    ) -> Result<(), SetError> {
        self.override_at(gate.as_ref(), value, Some(version))
    }

    fn override_at(&self, name: &str, value: bool, version: Option<Version>) -> Result<(), SetError> {
        let stage = self.change(|state| {
            let at = version.map_or(state.versions, Versions::emulating);
            state.override_default(name, value, at).map_err(|problem| vec![problem])?;
            Ok(state.find(name).map(|row| state.rows[row].stage(at)))
        })?;
        self.warn_of_old_gates(stage.map(|stage| (name, stage)));
        Ok(())
    }

    /// Drops all requests for one gate, accepted or not. The gate has its default again.
    ///
    /// # Errors
    ///
    /// If the gates are frozen.
    pub fn reset(&self, gate: impl AsRef<str>) -> Result<(), SetError> {
        self.change(|state| state.reset(gate.as_ref()).map_err(|problem| vec![problem]))
    }

    /// Evaluates all requests again, at the present emulation version.
    ///
    /// # Errors
    ///
    /// All problems of the requests.
    pub fn validate(&self) -> Result<(), SetError> {
        self.scoped().lock().state.validate().map_err(SetError::new)
    }

    /// Returns whether a value of this gate itself was requested, not only through `AllAlpha` or `AllBeta`.
    pub fn is_explicitly_set(&self, gate: impl AsRef<str>) -> bool {
        let gates = self.scoped();
        let locked = gates.lock();
        locked.state.find(gate.as_ref()).is_some_and(|row| locked.state.is_explicit(row))
    }

    pub(crate) fn set_text(&self, source: Source, text: &str) -> Result<(), SetError> {
        let (mut settings, mut malformed) = (Vec::new(), Vec::new());
        for setting in parse::settings(text) {
            match setting {
                Ok(setting) => settings.push(setting),
                Err(problem) => malformed.push(problem),
            }
        }
        if malformed.is_empty() {
            return self.set_map(source, settings);
        }
        // No setting of a malformed text is kept, but its other problems are reported as well.
        let gates = self.scoped();
        let locked = gates.lock();
        malformed
            .extend(settings.into_iter().filter_map(|(name, value)| locked.state.refusal_of(name, value)));
        drop(locked);
        SetError::check(malformed)
    }

    fn set_map(
        &self,
        source: Source,
        settings: impl IntoIterator<Item = (impl AsRef<str>, bool)>,
    ) -> Result<(), SetError> {
        let settings: Vec<_> = settings.into_iter().collect();
        let pairs = settings.iter().map(|(name, value)| (name.as_ref(), *value));
        let old_gates = self.change(|state| {
            let rows = state.request(source, pairs)?.into_iter().map(|row| &state.rows[row]);
            let stages = rows.map(|row| (row.name.clone(), row.stage(state.versions)));
            Ok(stages.filter(|(_, stage)| is_old(*stage)).collect::<Vec<_>>())
        })?;
        self.warn_of_old_gates(old_gates.iter().map(|(name, stage)| (&**name, *stage)));
        Ok(())
    }

    /// Logs the set gates that are stable or deprecated, because they will be removed.
    pub(crate) fn warn_of_old_gates<'a>(&self, gates: impl IntoIterator<Item = (&'a str, Stage)>) {
        for (gate, stage) in gates {
            if is_old(stage) {
                tracing::warn!(
                    component = self.name(), gate, %stage,
                    "setting a feature gate that will be removed in a future release"
                );
            }
        }
    }
}

fn is_old(stage: Stage) -> bool {
    matches!(stage, Stage::Ga | Stage::Deprecated)
}
