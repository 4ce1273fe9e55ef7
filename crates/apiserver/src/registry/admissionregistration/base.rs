//! The rules that the kinds of the group share.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{
    Cell, Column, Strategy, cells, column,
    defaults::{self, Fields},
};

/// The rules that all kinds of the group share.
pub(super) const BASE: Strategy = Strategy {
    counts_generations: true,
    updates_unconditionally: false,
    takes_bare_finalizers: true,
    status_reset_fields: &[&["metadata"], &["spec"]],
    ..Strategy::PLAIN
};

/// Sets the defaults of a configuration of webhooks.
pub(super) fn set_webhook_defaults(configuration: &mut Fields, mutating: bool) {
    for webhook in defaults::items(configuration, "webhooks") {
        if let Some(service) =
            defaults::object(webhook, "clientConfig").and_then(|config| defaults::object(config, "service"))
        {
            defaults::fill(service, [("port", json!(443))]);
        }
        defaults::fill(
            webhook,
            [
                ("failurePolicy", json!("Fail")),
                ("matchPolicy", json!("Equivalent")),
                ("namespaceSelector", json!({})),
                ("objectSelector", json!({})),
                ("timeoutSeconds", json!(10)),
            ],
        );
        if mutating {
            defaults::fill(webhook, [("reinvocationPolicy", json!("Never"))]);
        }
        defaults::items(webhook, "rules").for_each(|rule| defaults::fill(rule, [("scope", json!("*"))]));
    }
}

/// Sets the defaults of an admission policy, or of a binding of one.
pub(super) fn set_policy_defaults(spec: &mut Fields, binding: bool) {
    if !binding {
        defaults::fill(spec, [("failurePolicy", json!("Fail"))]);
    }
    for field in ["matchConstraints", "matchResources"] {
        if let Some(matched) = defaults::object(spec, field) {
            defaults::fill(
                matched,
                [
                    ("namespaceSelector", json!({})),
                    ("objectSelector", json!({})),
                    ("matchPolicy", json!("Equivalent")),
                ],
            );
            for rules in ["resourceRules", "excludeResourceRules"] {
                defaults::items(matched, rules)
                    .for_each(|rule| defaults::fill(rule, [("scope", json!("*"))]));
            }
        }
    }
}

pub(super) fn binding_columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("PolicyName", "/spec/policyName"),
        column::computed("ParamRef", param_ref),
    ])
}

pub(super) fn webhook_columns() -> Vec<Column> {
    column::with_age(vec![Column::new("Webhooks", "integer", Cell::Computed(webhooks))])
}

pub(super) fn webhooks(configuration: &Value, _: Timestamp) -> Value {
    cells::array(configuration, "/webhooks").len().into()
}

pub(super) fn param_kind(policy: &Value, _: Timestamp) -> Value {
    match policy.pointer("/spec/paramKind") {
        None => cells::UNSET.into(),
        Some(kind) => format!("{}/{}", cells::text(kind, "/apiVersion"), cells::text(kind, "/kind")).into(),
    }
}

pub(super) fn param_ref(binding: &Value, _: Timestamp) -> Value {
    let Some(reference) = binding.pointer("/spec/paramRef") else { return cells::UNSET.into() };
    match (cells::text(reference, "/namespace"), cells::text(reference, "/name"), reference.get("selector")) {
        ("", "", Some(selector)) => cells::label_selector(selector).into(),
        (_, "", _) => cells::UNSET.into(),
        ("", name, _) => format!("*/{name}").into(),
        (namespace, name, _) => format!("{namespace}/{name}").into(),
    }
}
