//! Kubernetes label and field selectors: parse, match, print.
//!
//! ```
//! use trimtab_selector::{FieldSelector, Operator, Selector};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let selector: Selector = "app=web,env in (prod,canary),!paused".parse()?;
//! let labels = [("app", "web"), ("env", "prod")];
//! let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
//! assert!(selector.matches(value));
//! assert_eq!(selector.to_string(), "app=web,env in (canary,prod),!paused"); // sorted, as Kubernetes prints it
//! assert_eq!(selector.exact_match("app"), Some("web"));
//!
//! let fields: FieldSelector = "spec.nodeName=node-1,status.phase!=Failed".parse()?;
//! let unsupported = fields.requirements().iter().find(|one| one.field() == "spec.priority");
//! assert!(unsupported.is_none());
//! assert_eq!(fields.requirements()[1].operator(), Operator::NotEquals);
//! assert!(fields.matches(|field| if field == "spec.nodeName" { "node-1" } else { "" }));
//!
//! let error = "app in (web".parse::<Selector>().unwrap_err();
//! assert_eq!(error.position(), Some(11));
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! 1. A printed selector parses to an equal one.
//! 2. Two texts with the same requirements in another order parse to equal selectors.
//! 3. A selector that exists is valid: its keys, values and operators passed Kubernetes' validation.
//! 4. Upstream's exact error messages are available, for servers.
//!
//! # Not here
//!
//! Only a server knows the fields by which a kind can be selected: a caller checks
//! [`FieldSelector::requirements`].
//!
//! # Differences from apimachinery's `labels` and `fields`
//!
//! - `==` is read as `=`, and printed so.
//! - The selector that matches nothing prints as `nothing,!nothing`, and parses again. Upstream prints it as the
//!   empty text, which matches everything.
//! - A NUL character is refused; upstream stops reading there.
//! - Field requirements are sorted by their printed form; upstream sorts by the form that was parsed, which may
//!   have `==`.
//!
//! # Features
//!
//! No feature is on by default, and then there is no dependency.
//!
//! - `kube`: conversions from and to `kube_core::Selector`, `kube_core::Expression`, the `LabelSelector` of
//!   `k8s_openapi`, and from `ListParams` and `WatchParams`. These types are then part of this crate's interface.
//! - `serde`: selectors are strings in serialized data.

mod field;
#[cfg(feature = "kube")]
mod kube;
mod label;
mod operator;
mod quote;
#[cfg(feature = "serde")]
mod serialize;

pub use field::{FieldRequirement, FieldSelector, FieldSelectorError};
pub use label::{Requirement, Selector, SelectorError, is_label_value, is_qualified_name};
pub use operator::Operator;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
