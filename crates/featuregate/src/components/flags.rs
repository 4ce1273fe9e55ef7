//! The flags of a [`ComponentRegistry`]: `--emulated-version`, `--min-compatibility-version` and
//! `--feature-gates` with component names. They are collected here; [`set`](ComponentRegistry::set) applies
//! them.

use super::{ComponentError, ComponentRegistry};
use crate::Version;

impl ComponentRegistry {
    /// Collects the text of one `--emulated-version`: `kube=1.34,other=2.8`, or `1.34` for the default
    /// component.
    ///
    /// # Errors
    ///
    /// If a version is invalid, has a patch version, or is the second one for its component. No part of the
    /// text is kept then.
    pub fn add_emulated_versions(&self, text: &str) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        add_versions(&mut inner.emulated, text)
    }

    /// Collects the text of one `--min-compatibility-version`.
    ///
    /// # Errors
    ///
    /// As [`add_emulated_versions`](Self::add_emulated_versions).
    pub fn add_min_compatibility_versions(&self, text: &str) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        add_versions(&mut inner.min_compatibility, text)
    }

    /// Collects the text of one `--feature-gates`: `kube:A=true,other:B=false`, or `A=true` for the
    /// default component.
    ///
    /// # Errors
    ///
    /// If the flags name the default component in one place and leave its name out in another.
    pub fn add_feature_gates(&self, text: &str) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        let mut all = inner.feature_gates_by_prefix.clone();
        for piece in text.split(',').filter(|piece| !piece.is_empty()) {
            let (prefix, setting) = piece.split_once(':').unwrap_or(("", piece));
            all.entry(prefix.trim().into()).or_default().push(setting.trim().into());
        }
        if all.contains_key("") && all.contains_key(Self::DEFAULT) {
            return Err(ComponentError::two_names(Self::DEFAULT));
        }
        inner.feature_gates_by_prefix = all;
        Ok(())
    }

    /// Returns the help lines of `--feature-gates`, sorted: `kube:StreamingLists=true|false (BETA - …)`.
    pub fn known(&self) -> Vec<String> {
        let inner = self.lock();
        let gates =
            inner.components.iter().filter_map(|(name, component)| Some((name, component.gates.as_ref()?)));
        let lines = gates
            .flat_map(|(name, gates)| gates.known().into_iter().map(move |line| format!("{name}:{line}")));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        lines
    }

    /// Returns the versions that `--emulated-version` accepts, per component that flags may set:
    /// `kube=1.31..1.35(default:1.35)`.
    pub fn emulated_version_options(&self) -> Vec<String> {
        self.version_options(super::EffectiveVersion::emulation_range)
    }

    /// Returns the versions that `--min-compatibility-version` accepts.
    pub fn min_compatibility_version_options(&self) -> Vec<String> {
        self.version_options(super::EffectiveVersion::min_compatibility_range)
    }

    fn version_options(&self, range: impl Fn(&super::EffectiveVersion) -> String) -> Vec<String> {
        let inner = self.lock();
        let settable = inner.components.iter().filter(|(_, component)| !component.mapped);
        settable.map(|(name, component)| format!("{name}={}", range(&component.version))).collect()
    }
}

fn add_versions(all: &mut Vec<(Box<str>, Version)>, text: &str) -> Result<(), ComponentError> {
    let mut versions = all.clone();
    for piece in text.split(',').filter(|piece| !piece.is_empty()) {
        let (component, text) = piece.split_once('=').unwrap_or((ComponentRegistry::DEFAULT, piece));
        let component = component.trim();
        let parsed = text.trim().parse();
        let version = parsed.map_err(|error| ComponentError::parse_version(component, error))?;
        if let Some((_, first)) = versions.iter().find(|(other, _)| **other == *component) {
            return Err(ComponentError::version_twice(component, *first, version));
        }
        versions.push((component.into(), version));
    }
    *all = versions;
    Ok(())
}
