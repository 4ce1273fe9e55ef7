//! The ways in which gates are set: text, maps, variables, files.

use std::env;

use crate::{FeatureGates, SetError, Source, Stage, Version, error::Problem, parse, spec::Versions};

/// The prefix of variables that client-go reads.
const KUBE_PREFIX: &str = "KUBE_FEATURE_";

impl FeatureGates {
    /// Sets gates from the program's own text: `A=true,B=false`.
    ///
    /// Upstream's grammar: pieces between commas, of which empty ones are skipped; spaces around names
    /// and values; Go's spellings of a boolean; of two settings of one gate the later counts.
    /// `AllAlpha` and `AllBeta` set every gate of their stage that is not set itself, in any order.
    ///
    /// # Errors
    ///
    /// All that is wrong with what was asked for, now or before. No gate's value has changed; what was
    /// asked for is kept, as [`SetError`] says.
    pub fn set(&self, text: &str) -> Result<(), SetError> {
        self.set_text(Source::Set, text)
    }

    /// Sets gates from the text of `--feature-gates`. Several flags are set one after the other.
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

    /// Sets gates from what a configuration file says; see the feature `serde`.
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

    /// Sets gates from this process's environment: from `<prefix><Name>`, if the registry was built with
    /// a prefix and there is such a variable, else from `KUBE_FEATURE_<Name>`.
    ///
    /// # Errors
    ///
    /// Names each gate whose variable could not be used: it is empty or no boolean, or the gate is
    /// locked to the other value or does not exist yet. Those variables are ignored, as client-go does
    /// it; **all others have been used**, so a caller that wants to go on logs the error and does. If
    /// what they ask for breaks what gates need, no gate has changed.
    pub fn set_from_env(&self) -> Result<(), SetError> {
        self.set_from_variables(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// As [`set_from_env`](Self::set_from_env), with `variable` to look variables up.
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

    /// Gives a gate another default, for the step of its life that holds at present.
    ///
    /// What was or will be asked for explicitly still wins. Copies made later keep it.
    ///
    /// # Errors
    ///
    /// If there is no such gate or not yet, it is locked, or defaults are [closed](Self::close).
    pub fn override_default(&self, gate: impl AsRef<str>, value: bool) -> Result<(), SetError> {
        self.override_at(gate.as_ref(), value, None)
    }

    /// Gives a gate another default, for the step of its life that holds at `version`.
    ///
    /// # Errors
    ///
    /// As [`override_default`](Self::override_default), with `version` in place of the present.
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

    /// Forgets everything that was asked for one gate, good or bad: it has its default again.
    ///
    /// # Errors
    ///
    /// If the gates are frozen.
    pub fn reset(&self, gate: impl AsRef<str>) -> Result<(), SetError> {
        self.change(|state| state.reset(gate.as_ref()).map_err(|problem| vec![problem]))
    }

    /// Judges again everything that was asked for, at the version that is emulated now.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn validate(&self) -> Result<(), SetError> {
        self.scoped().lock().state.validate().map_err(SetError::new)
    }

    /// Whether somebody asked for a value of this very gate: not through `AllAlpha` or `AllBeta`.
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
        // Nothing is kept of a malformed text; but what else is wrong with it is told all the same.
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

    /// Gates that are stable or deprecated can be set, but will be removed.
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
