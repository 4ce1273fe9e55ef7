//! [`Selector`]: requirements on an object's labels.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{error::SelectorError, parse, requirement::Requirement};
use crate::Operator;

/// A label selector: a list of requirements, all of which an object's labels must meet.
///
/// Parsed from the text that `kubectl -l` and the API's `labelSelector` take: `app=web`, `tier!=db`,
/// `env in (prod,canary)`, `env notin (dev)`, `owner`, `!owner`, `shards>2`, joined by commas. Without requirements
/// it matches everything. Requirements are sorted by key, so that selectors with the same requirements are equal.
///
/// ```
/// use trimtab_selector::Selector;
///
/// let selector: Selector = "app=web,env in (prod,canary),!paused".parse()?;
/// let labels = [("app", "web"), ("env", "prod")];
/// let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
/// assert!(selector.matches(value));
/// # Ok::<(), trimtab_selector::SelectorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    /// `None` matches nothing.
    requirements: Option<Vec<Requirement>>,
}

/// The printed form of the selector that matches nothing: a contradiction.
const NOTHING: &str = "nothing,!nothing";

impl Selector {
    /// Returns the selector that matches every object.
    pub const fn everything() -> Self {
        Self { requirements: Some(Vec::new()) }
    }

    /// Returns the selector that matches no object. Kubernetes reads a missing `LabelSelector` as this one.
    pub const fn nothing() -> Self {
        Self { requirements: None }
    }

    /// Selects the objects that have all these labels with these values.
    ///
    /// # Errors
    ///
    /// If a key or a value is not valid for a label.
    pub fn from_labels(
        labels: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<Self, SelectorError> {
        labels.into_iter().map(|(key, value)| Requirement::new(key, Operator::Equals, [value])).collect()
    }

    /// Returns whether the selector has no requirements, so that it matches every object.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(Vec::is_empty)
    }

    /// Returns whether this is [`nothing`](Self::nothing). Other selectors that contradict themselves are not
    /// recognised.
    pub fn is_nothing(&self) -> bool {
        self.requirements.is_none()
    }

    /// Returns the requirements, sorted by key; `None` if this is [`nothing`](Self::nothing).
    pub fn requirements(&self) -> Option<&[Requirement]> {
        self.requirements.as_deref()
    }

    /// Adds a requirement. [`nothing`](Self::nothing) does not change.
    pub fn add(&mut self, requirement: Requirement) {
        self.extend([requirement]);
    }

    /// Returns the one value that the selector requires of `label`; `None` if it does not require exactly one.
    ///
    /// Only the first requirement on `label` counts, as in upstream's `RequiresExactMatch`.
    pub fn exact_match(&self, label: &str) -> Option<&str> {
        let first = self.requirements.iter().flatten().find(|one| one.key() == label)?;
        match (first.operator(), first.values()) {
            (Operator::In | Operator::Equals, [value]) => Some(value),
            _ => None,
        }
    }

    /// Returns whether labels meet all requirements; `value` returns the value of a label, or `None` if it is absent.
    pub fn matches<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.as_ref().is_some_and(|all| all.iter().all(|one| one.matches(value(one.key()))))
    }

    /// Returns whether the labels of a map meet all requirements.
    pub fn matches_map(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches(|key| labels.get(key).map(String::as_str))
    }
}

/// [`Selector::everything`].
impl Default for Selector {
    fn default() -> Self {
        Self::everything()
    }
}

impl Extend<Requirement> for Selector {
    fn extend<I: IntoIterator<Item = Requirement>>(&mut self, requirements: I) {
        if let Some(held) = &mut self.requirements {
            held.extend(requirements);
            held.sort_by(|one, other| one.key().cmp(other.key()));
        }
    }
}

impl FromIterator<Requirement> for Selector {
    fn from_iter<I: IntoIterator<Item = Requirement>>(requirements: I) -> Self {
        let mut selector = Self::everything();
        selector.extend(requirements);
        selector
    }
}

impl From<Requirement> for Selector {
    fn from(requirement: Requirement) -> Self {
        Self::from_iter([requirement])
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    /// Parses the text form, as Kubernetes' `labels.Parse` does.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text == NOTHING {
            return Ok(Self::nothing());
        }
        parse::requirements(text).map(Self::from_iter)
    }
}

/// The text form, as Kubernetes prints it; it parses to an equal selector.
///
/// [`Selector::nothing`] has no text form upstream. It is printed as a contradiction.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(requirements) = &self.requirements else {
            return f.write_str(NOTHING);
        };
        for (index, requirement) in requirements.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}
