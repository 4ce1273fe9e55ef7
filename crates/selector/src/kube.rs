//! Conversions from and to the selectors of `kube-core` and `k8s-openapi`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube_core::{
    Expression, Selector as KubeSelector,
    params::{ListParams, WatchParams},
};

use crate::{
    FieldSelector, FieldSelectorError, Operator, Requirement, Selector, SelectorError, quote::quoted,
};

/// The selector of an object's spec. One without labels and expressions matches everything.
impl TryFrom<&LabelSelector> for Selector {
    type Error = SelectorError;

    fn try_from(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let labels = selector.match_labels.iter().flatten();
        let labels = labels.map(|(key, value)| Requirement::new(key, Operator::Equals, [value]));
        let expressions = selector.match_expressions.iter().flatten().map(Requirement::try_from);
        labels.chain(expressions).collect()
    }
}

impl TryFrom<LabelSelector> for Selector {
    type Error = SelectorError;

    fn try_from(selector: LabelSelector) -> Result<Self, SelectorError> {
        Self::try_from(&selector)
    }
}

impl TryFrom<&LabelSelectorRequirement> for Requirement {
    type Error = SelectorError;

    fn try_from(expression: &LabelSelectorRequirement) -> Result<Self, SelectorError> {
        let operator = match expression.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => {
                let message = format!("{} is not a valid label selector operator", quoted(other));
                return Err(SelectorError::new(message));
            }
        };
        Self::new(&expression.key, operator, expression.values.iter().flatten())
    }
}

/// The selector for an object's spec.
///
/// Fails for the operators `>` and `<`, which a `LabelSelector` does not have.
impl TryFrom<&Selector> for LabelSelector {
    type Error = SelectorError;

    fn try_from(selector: &Selector) -> Result<Self, SelectorError> {
        let mut expressions: Vec<_> = KubeSelector::try_from(selector)?.into_iter().collect();
        let mut previous = None;
        for expression in &mut expressions {
            if let Expression::Equal(key, value) = expression {
                if previous.as_ref() == Some(key) {
                    // `matchLabels` is a map: a second value of a label would replace the first.
                    *expression = Expression::In(key.clone(), [value.clone()].into());
                } else {
                    previous = Some(key.clone());
                }
            }
        }
        Ok(expressions.into_iter().collect::<KubeSelector>().into())
    }
}

/// Fails for the operators `>` and `<`, which kube-core does not have.
impl TryFrom<&Selector> for KubeSelector {
    type Error = SelectorError;

    fn try_from(selector: &Selector) -> Result<Self, SelectorError> {
        match selector.requirements() {
            Some(requirements) => requirements.iter().map(Expression::try_from).collect(),
            None => {
                let nothing = || "nothing".to_owned();
                let contradiction = [Expression::Exists(nothing()), Expression::DoesNotExist(nothing())];
                Ok(contradiction.into_iter().collect())
            }
        }
    }
}

/// Fails for a key, a value or a number of values that Kubernetes refuses.
impl TryFrom<KubeSelector> for Selector {
    type Error = SelectorError;

    fn try_from(selector: KubeSelector) -> Result<Self, SelectorError> {
        selector.into_iter().map(Requirement::try_from).collect()
    }
}

/// Fails for a key, a value or a number of values that Kubernetes refuses.
impl TryFrom<Expression> for Requirement {
    type Error = SelectorError;

    fn try_from(expression: Expression) -> Result<Self, SelectorError> {
        let none: [String; 0] = [];
        match expression {
            Expression::In(key, values) => Self::new(key, Operator::In, values),
            Expression::NotIn(key, values) => Self::new(key, Operator::NotIn, values),
            Expression::Equal(key, value) => Self::new(key, Operator::Equals, [value]),
            Expression::NotEqual(key, value) => Self::new(key, Operator::NotEquals, [value]),
            Expression::Exists(key) => Self::new(key, Operator::Exists, none),
            Expression::DoesNotExist(key) => Self::new(key, Operator::DoesNotExist, none),
        }
    }
}

/// Fails for the operators `>` and `<`, which kube-core does not have.
impl TryFrom<&Requirement> for Expression {
    type Error = SelectorError;

    fn try_from(requirement: &Requirement) -> Result<Self, SelectorError> {
        let key = requirement.key().to_owned();
        let values = || requirement.values().iter().cloned().collect();
        let value = || requirement.values().concat();
        Ok(match requirement.operator() {
            Operator::In => Self::In(key, values()),
            Operator::NotIn => Self::NotIn(key, values()),
            Operator::Equals => Self::Equal(key, value()),
            Operator::NotEquals => Self::NotEqual(key, value()),
            Operator::Exists => Self::Exists(key),
            Operator::DoesNotExist => Self::DoesNotExist(key),
            Operator::GreaterThan | Operator::LessThan => {
                let message = format!("{requirement} has an operator that only the text form has");
                return Err(SelectorError::new(message));
            }
        })
    }
}

macro_rules! from_params {
    ($($params:ident)*) => {
        $(
            /// The label selector of a request; everything if the request has none.
            impl TryFrom<&$params> for Selector {
                type Error = SelectorError;

                fn try_from(params: &$params) -> Result<Self, SelectorError> {
                    params.label_selector.as_deref().unwrap_or_default().parse()
                }
            }

            /// The field selector of a request; everything if the request has none.
            impl TryFrom<&$params> for FieldSelector {
                type Error = FieldSelectorError;

                fn try_from(params: &$params) -> Result<Self, FieldSelectorError> {
                    params.field_selector.as_deref().unwrap_or_default().parse()
                }
            }
        )*
    };
}

from_params! { ListParams WatchParams }
