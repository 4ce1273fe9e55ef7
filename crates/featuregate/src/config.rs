//! [`FeatureGatesConfig`]: gates in a component's configuration file (feature `serde`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The gates of a configuration file: a map from names to values, as upstream's field `featureGates`.
///
/// ```
/// use trimtab_featuregate::{FeatureGates, FeatureGatesConfig, Version};
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Config {
///     #[serde(default)]
///     feature_gates: FeatureGatesConfig,
/// }
///
/// let config: Config = serde_json::from_str(r#"{"featureGates": {"AllAlpha": true}}"#)?;
/// let gates = FeatureGates::builder("web", Version::new(1, 35)).build()?;
/// gates.set_from_file(config.feature_gates)?;
/// assert_eq!(gates.to_string(), "AllAlpha=true");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureGatesConfig {
    settings: BTreeMap<String, bool>,
}

impl IntoIterator for FeatureGatesConfig {
    type Item = (String, bool);
    type IntoIter = std::collections::btree_map::IntoIter<String, bool>;

    fn into_iter(self) -> Self::IntoIter {
        self.settings.into_iter()
    }
}

impl<N: Into<String>> FromIterator<(N, bool)> for FeatureGatesConfig {
    fn from_iter<I: IntoIterator<Item = (N, bool)>>(settings: I) -> Self {
        Self { settings: settings.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }
}
