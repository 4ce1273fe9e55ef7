//! [`ComponentRegistry`]: several components in one process, with related versions. Upstream's
//! `ComponentGlobalsRegistry`.

mod error;
mod flags;
mod version;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::{
    error::ComponentError,
    version::{EffectiveVersion, VersionError},
};
use crate::{error::SetError, registry::FeatureGates, spec::Stage, version::Version};

/// Maps a version of one component to a version of another.
type Mapping = Arc<dyn Fn(Version) -> Option<Version> + Send + Sync>;

/// The components of a process, with their emulation versions and gates.
///
/// Flags are collected first ([`add_emulated_versions`](Self::add_emulated_versions) and others).
/// [`set`](Self::set) then applies them together, versions before gates.
///
/// ```
/// use trimtab_featuregate::{ComponentRegistry, EffectiveVersion, FeatureGates, Version};
///
/// let kube = Version::new(1, 35);
/// let gates = FeatureGates::builder("kube", kube).build()?;
/// let components = ComponentRegistry::new();
/// components.register("kube", EffectiveVersion::new(kube), Some(gates))?;
/// components.add_emulated_versions("kube=1.34")?;
/// components.add_feature_gates("kube:AllAlpha=true")?;
/// components.set()?;
/// assert_eq!(components.feature_gates("kube").map(|gates| gates.emulation_version()), Some(Version::new(1, 34)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct ComponentRegistry {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    components: BTreeMap<Box<str>, Component>,
    emulated: Vec<(Box<str>, Version)>,
    min_compatibility: Vec<(Box<str>, Version)>,
    /// Settings in the order of the flags. The empty prefix is the default component.
    feature_gates_by_prefix: BTreeMap<Box<str>, Vec<Box<str>>>,
    set: bool,
}

#[derive(Clone)]
struct Component {
    version: EffectiveVersion,
    gates: Option<FeatureGates>,
    mappings: BTreeMap<Box<str>, Mapping>,
    /// The version follows another component's, so no flag can set it.
    mapped: bool,
}

impl ComponentRegistry {
    /// The component of flags without a component name.
    pub const DEFAULT: &str = "kube";

    /// Returns a registry without components.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, and sets the emulation version of its gates.
    ///
    /// # Errors
    ///
    /// If a component of this name exists, or if the requested gates are not valid at that version.
    pub fn register(
        &self,
        component: &str,
        version: EffectiveVersion,
        gates: Option<FeatureGates>,
    ) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        if inner.components.contains_key(component) {
            return Err(ComponentError::registered(component));
        }
        if let Some(gates) = &gates {
            version.apply_to(gates).map_err(|error| ComponentError::gates(component, error))?;
        }
        let entry = Component { version, gates, mappings: BTreeMap::new(), mapped: false };
        inner.components.insert(component.into(), entry);
        Ok(())
    }

    /// Returns the version of a component.
    pub fn effective_version(&self, component: &str) -> Option<EffectiveVersion> {
        self.lock().components.get(component).map(|component| component.version)
    }

    /// Returns the gates of a component.
    pub fn feature_gates(&self, component: &str) -> Option<FeatureGates> {
        self.lock().components.get(component)?.gates.clone()
    }

    /// Returns every component's version, by name.
    pub fn versions(&self) -> Vec<(String, EffectiveVersion)> {
        let inner = self.lock();
        inner.components.iter().map(|(name, component)| (name.to_string(), component.version)).collect()
    }

    /// Makes the emulation version and the min compatibility version of `to` follow those of `from`. From now
    /// on flags cannot set the version of `to`.
    ///
    /// # Errors
    ///
    /// If one of the components is unknown, if `to` follows a component already, if the mappings form a
    /// cycle, or if a mapping returns `None` for the present version. Nothing has changed then.
    pub fn set_version_mapping(
        &self,
        from: &str,
        to: &str,
        mapping: impl Fn(Version) -> Option<Version> + Send + Sync + 'static,
    ) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        let mut components = inner.components.clone();
        let follower = components.get_mut(to).ok_or_else(|| ComponentError::unknown(to))?;
        if std::mem::replace(&mut follower.mapped, true) {
            return Err(ComponentError::mapped_twice(to));
        }
        let leader = components.get_mut(from).ok_or_else(|| ComponentError::unknown(from))?;
        leader.mappings.insert(to.into(), Arc::new(mapping));
        let present = BTreeMap::from([(Box::from(from), leader.version.emulation())]);
        for (name, version) in follow(&components, &present)? {
            if let Some(component) = components.get_mut(&name) {
                component.version.set_emulation(version);
            }
        }
        inner.components = components;
        Ok(())
    }

    /// Applies the collected flags: emulation versions, min compatibility versions, gates.
    ///
    /// # Errors
    ///
    /// If a flag names an unknown component or one that follows another, or if the gates of a component
    /// refuse a value. Then nothing has changed in any component.
    pub fn set(&self) -> Result<(), ComponentError> {
        let mut inner = self.lock();
        inner.set = true;
        let mut components = inner.components.clone();
        for (name, version) in follow(&components, &inner.requested(&inner.emulated)?)? {
            if let Some(component) = components.get_mut(&name) {
                component.version.set_emulation(version);
            }
        }
        for (name, version) in follow(&components, &inner.requested(&inner.min_compatibility)?)? {
            if let Some(component) = components.get_mut(&name) {
                component.version.set_min_compatibility(version);
            }
        }
        let settings = inner.settings()?;
        // Applied to copies first, so that no component changes if another one refuses.
        for copied in [true, false] {
            for (name, component) in &components {
                let Some(gates) = &component.gates else { continue };
                let gates = if copied { gates.deep_copy() } else { gates.clone() };
                let apply = || {
                    component.version.apply_to(&gates)?;
                    settings.get(&**name).map_or(Ok(()), |settings| gates.set_from_flag(settings))
                };
                apply().map_err(|error: SetError| ComponentError::gates(name, error))?;
            }
        }
        inner.components = components;
        Ok(())
    }

    /// Calls [`set`](Self::set), unless it was called before. For code that may run after the start; logged,
    /// because gates may have been read already.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_fallback(&self) -> Result<(), ComponentError> {
        if self.lock().set {
            return Ok(());
        }
        tracing::warn!("setting the component registry late: call `set` right after the flags are parsed");
        self.set()
    }

    /// Returns all problems of the components' present versions and gates.
    ///
    /// Alpha gates that are on while an older version is emulated are logged, because this is not supported.
    pub fn validate(&self) -> Vec<ComponentError> {
        let components = self.lock().components.clone();
        let mut errors = Vec::new();
        for (name, Component { version, gates, .. }) in &components {
            errors.extend(version.validate().err().map(|error| ComponentError::version(name, error)));
            let Some(gates) = gates else { continue };
            errors.extend(gates.validate().err().map(|error| ComponentError::gates(name, error)));
            if version.emulation() < version.binary() {
                let snapshot = gates.snapshot().gates.into_iter();
                let alpha = snapshot.filter(|gate| gate.stage == Stage::Alpha && gate.enabled);
                let alpha: Vec<_> = alpha.map(|gate| gate.gate).collect();
                if !alpha.is_empty() {
                    tracing::warn!(component = &**name, gates = ?alpha, "alpha features are on at an emulated version");
                }
            }
        }
        errors
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Returns the settings of `--feature-gates`, by component.
    fn settings(&self) -> Result<BTreeMap<&str, String>, ComponentError> {
        let mut settings = BTreeMap::new();
        for (prefix, pieces) in &self.feature_gates_by_prefix {
            let name = if prefix.is_empty() { ComponentRegistry::DEFAULT } else { prefix };
            match self.components.get(name) {
                None => return Err(ComponentError::unknown(name)),
                Some(component) if component.gates.is_none() => {
                    return Err(ComponentError::without_gates(name));
                }
                Some(_) => settings.insert(name, pieces.join(",")),
            };
        }
        Ok(settings)
    }

    /// Returns the versions that flags request, if the flags may set them.
    fn requested(
        &self,
        versions: &[(Box<str>, Version)],
    ) -> Result<BTreeMap<Box<str>, Version>, ComponentError> {
        let mut requested = BTreeMap::new();
        for (name, version) in versions {
            match self.components.get(name) {
                None => return Err(ComponentError::unknown(name)),
                Some(component) if component.mapped => return Err(ComponentError::mapped(name)),
                Some(_) => requested.insert(name.clone(), *version),
            };
        }
        Ok(requested)
    }
}

/// Returns `versions` and the versions of all components that follow them.
fn follow(
    components: &BTreeMap<Box<str>, Component>,
    versions: &BTreeMap<Box<str>, Version>,
) -> Result<BTreeMap<Box<str>, Version>, ComponentError> {
    let mut all = BTreeMap::new();
    let mut next: VecDeque<_> = versions.iter().map(|(name, version)| (name.clone(), *version)).collect();
    while let Some((name, version)) = next.pop_front() {
        let component = components.get(&name).ok_or_else(|| ComponentError::unknown(&name))?;
        for (to, mapping) in &component.mappings {
            let mapped = mapping(version).ok_or_else(|| ComponentError::no_mapping(to, &name, version))?;
            next.push_back((to.clone(), mapped));
        }
        if all.insert(name.clone(), version).is_some() {
            return Err(ComponentError::circle(&name));
        }
    }
    Ok(all)
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, gates, mapped, mappings } = self;
        f.debug_struct("Component")
            .field("version", version)
            .field("gates", gates)
            .field("mapped", mapped)
            .field("mappings", &mappings.keys())
            .finish()
    }
}

#[cfg(all(test, not(trimtab_loom)))]
mod tests;
