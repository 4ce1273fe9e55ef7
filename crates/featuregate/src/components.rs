//! [`ComponentRegistry`]: several components in one process, with versions that hang together.
//! Upstream's `ComponentGlobalsRegistry`.

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
use crate::{FeatureGates, SetError, Stage, Version};

/// From a version of one component to the version of another that goes with it.
type Mapping = Arc<dyn Fn(Version) -> Option<Version> + Send + Sync>;

/// The components of a process: the version that each emulates, and its gates.
///
/// Flags are collected first ([`add_emulated_versions`](Self::add_emulated_versions) and the like) and
/// take effect together with [`set`](Self::set), versions before gates.
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
    /// Settings in the order of the flags; the empty prefix is the default component.
    feature_gates_by_prefix: BTreeMap<Box<str>, Vec<Box<str>>>,
    set: bool,
}

#[derive(Clone)]
struct Component {
    version: EffectiveVersion,
    gates: Option<FeatureGates>,
    mappings: BTreeMap<Box<str>, Mapping>,
    /// The version follows another component's: no flag sets it.
    mapped: bool,
}

impl ComponentRegistry {
    /// The component that flags mean when they name none.
    pub const DEFAULT: &str = "kube";

    /// A registry without components.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, and makes its gates emulate its version.
    ///
    /// # Errors
    ///
    /// If there is a component of this name, or its gates cannot be had at that version.
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

    /// The version of a component.
    pub fn effective_version(&self, component: &str) -> Option<EffectiveVersion> {
        self.lock().components.get(component).map(|component| component.version)
    }

    /// The gates of a component.
    pub fn feature_gates(&self, component: &str) -> Option<FeatureGates> {
        self.lock().components.get(component)?.gates.clone()
    }

    /// Every component's version, by name.
    pub fn versions(&self) -> Vec<(String, EffectiveVersion)> {
        let inner = self.lock();
        inner.components.iter().map(|(name, component)| (name.to_string(), component.version)).collect()
    }

    /// Makes the version of `to` follow that of `from`: both the emulated and the min compatibility
    /// version. From here on flags cannot set the version of `to`.
    ///
    /// # Errors
    ///
    /// If one of them is unknown, `to` follows a component already, the mappings go round in a circle,
    /// or one has no answer for the present version. Nothing has changed then.
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

    /// Makes what the flags said take effect: emulated versions, min compatibility versions, gates.
    ///
    /// # Errors
    ///
    /// If a flag names a component that is unknown or follows another, or a component's gates refuse.
    /// Nothing has changed then, in any component.
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
        // On copies first, so that no component is set if another refuses.
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

    /// [`set`](Self::set), unless that was called before. For code that cannot be sure; logged, since
    /// gates may have been read by then.
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

    /// Everything that is wrong with the components' versions and gates as they are.
    ///
    /// Alpha gates that are on while an older version is emulated are logged: that is not supported.
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
    /// What `--feature-gates` said, by component.
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

    /// The versions that flags asked for, of components that flags may set.
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

/// `versions`, and those of all components that follow them.
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
