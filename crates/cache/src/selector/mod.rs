//! [`Selector`]: which labels an object must have.

use std::{fmt, str::FromStr};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::Metadata;

mod parse;

pub use parse::SelectorError;

/// A label selector: a list of requirements, all of which an object's labels must meet.
///
/// Parsed from the text form that `kubectl -l` and the API's `labelSelector` take (`app=web`,
/// `tier!=db`, `env in (prod,canary)`, `env notin (dev)`, `owner`, `!owner`; joined by commas), or
/// converted from the [`LabelSelector`] of a spec. Without requirements it matches everything.
///
/// ```
/// use trimtab_cache::Selector;
///
/// let selector: Selector = "app=web,env in (prod,canary),!paused".parse()?;
/// let labels = [("app", "web"), ("env", "prod")];
/// let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
/// assert!(selector.matches(value));
/// # Ok::<(), trimtab_cache::SelectorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// `None` matches nothing.
    requirements: Option<Vec<Requirement>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    demand: Demand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    /// The label is there with one of these values.
    In(Vec<String>),
    /// The label is not there, or has another value.
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Selector {
    /// The selector that matches every object.
    pub const fn everything() -> Self {
        Self { requirements: Some(Vec::new()) }
    }

    /// The selector that matches no object: what Kubernetes makes of a selector that is not there.
    pub const fn nothing() -> Self {
        Self { requirements: None }
    }

    /// Whether this matches every object, whatever its labels.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether this is [`nothing`](Self::nothing). A selector that contradicts itself is not.
    pub fn is_nothing(&self) -> bool {
        self.requirements.is_none()
    }

    /// The values of which `label` must have one, each once; `None` if there is no such requirement.
    pub(crate) fn values_of(&self, label: &str) -> Option<impl Iterator<Item = &str>> {
        let mut of_label = self.requirements.iter().flatten().filter(|one| one.key == label);
        let values = of_label.find_map(|one| match &one.demand {
            Demand::In(values) => Some(values),
            Demand::NotIn(_) | Demand::Exists | Demand::Absent => None,
        })?;
        let once = |&number: &usize| !values[..number].contains(&values[number]);
        Some((0..values.len()).filter(once).map(|number| values[number].as_str()))
    }

    /// Whether whoever meets any of its requirements meets all.
    pub(crate) fn is_one_requirement(&self) -> bool {
        self.requirements.as_ref().is_some_and(|all| all.len() == 1)
    }

    /// Whether labels meet all requirements; `value` gives the value of a label that is there.
    pub fn matches<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.as_ref().is_some_and(|all| all.iter().all(|one| one.is_met(value(&one.key))))
    }

    /// Whether an object's labels meet all requirements.
    pub fn matches_object(&self, metadata: &impl Metadata) -> bool {
        self.matches(|key| metadata.label(key))
    }
}

impl Requirement {
    fn is_met(&self, value: Option<&str>) -> bool {
        match &self.demand {
            Demand::In(wanted) => value.is_some_and(|value| wanted.iter().any(|one| one == value)),
            Demand::NotIn(refused) => value.is_none_or(|value| refused.iter().all(|one| one != value)),
            Demand::Exists => value.is_some(),
            Demand::Absent => value.is_none(),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    /// Parses the text form, as Kubernetes' `labels.Parse` does, but for its `<` and `>`.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Ok(Self { requirements: Some(parse::requirements(text)?) })
    }
}

impl TryFrom<&LabelSelector> for Selector {
    type Error = SelectorError;

    /// Converts the selector of a spec. An empty one matches everything.
    fn try_from(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            requirements.push(parse::checked(key, Demand::In(vec![value.clone()]))?);
        }
        for expression in selector.match_expressions.iter().flatten() {
            let values = expression.values.clone().unwrap_or_default();
            requirements.push(parse::expression(&expression.key, &expression.operator, values)?);
        }
        Ok(Self { requirements: Some(requirements) })
    }
}

/// The text form, which parses again. [`Selector::nothing`] has none of its own, so it is written as
/// a contradiction, which matches nothing either.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(requirements) = &self.requirements else {
            return f.write_str("nothing,!nothing");
        };
        for (number, requirement) in requirements.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, demand } = self;
        match demand {
            Demand::In(values) if values.len() == 1 => write!(f, "{key}={}", values[0]),
            Demand::NotIn(values) if values.len() == 1 => write!(f, "{key}!={}", values[0]),
            Demand::In(values) => write!(f, "{key} in ({})", values.join(",")),
            Demand::NotIn(values) => write!(f, "{key} notin ({})", values.join(",")),
            Demand::Exists => f.write_str(key),
            Demand::Absent => write!(f, "!{key}"),
        }
    }
}

#[cfg(test)]
mod tests;
