//! [`Step`]: one action of a user of the cluster.

use std::fmt;

use http::Method;
use kube_client::Resource;
use serde::Serialize;
use serde_json::Value;

use crate::call::Call;

/// A request of the workload. It is carried out at once and without faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(crate) method: Method,
    /// The path, with the query if there is one.
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Step {
    /// Creates an object, in its namespace or in `default`.
    pub fn create<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Self {
        let body = serde_json::to_value(object).unwrap_or_default();
        Self::create_at(&collection::<K>(object.meta().namespace.as_deref().unwrap_or("default")), &body)
    }

    /// Creates an object of any kind in the collection with this path, such as
    /// `/apis/example.com/v1/namespaces/default/databases`.
    pub fn create_at(collection: &str, object: &Value) -> Self {
        Self::new(Method::POST, collection.to_owned(), "application/json", object.to_string())
    }

    /// Merges `patch` into an object. The namespace of a cluster-scoped kind is empty.
    pub fn patch<K: Resource<DynamicType = ()>>(namespace: &str, name: &str, patch: &Value) -> Self {
        Self::patch_at(&format!("{}/{name}", collection::<K>(namespace)), patch)
    }

    /// Merges `patch` into the object with this path.
    pub fn patch_at(path: &str, patch: &Value) -> Self {
        Self::new(Method::PATCH, path.to_owned(), "application/merge-patch+json", patch.to_string())
    }

    /// Deletes an object. The namespace of a cluster-scoped kind is empty.
    pub fn delete<K: Resource<DynamicType = ()>>(namespace: &str, name: &str) -> Self {
        Self::delete_at(&format!("{}/{name}", collection::<K>(namespace)))
    }

    /// Deletes the object with this path.
    pub fn delete_at(path: &str) -> Self {
        Self::new(Method::DELETE, path.to_owned(), "application/json", String::new())
    }

    pub(crate) fn new(method: Method, path: String, content_type: &'static str, body: String) -> Self {
        Self { method, path, content_type, body }
    }

    pub(crate) fn call(&self) -> Call {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        Call::of(&self.method, path, query)
    }

    /// Returns the whole numbers in the body that are not negative, by JSON pointer.
    pub(crate) fn numbers(&self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        find_numbers("", &serde_json::from_str(&self.body).unwrap_or_default(), &mut found);
        found
    }

    /// Replaces the number at this JSON pointer in the body, if there is one.
    pub(crate) fn set_number(&mut self, pointer: &str, number: u64) {
        let mut body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        if let Some(found) = body.pointer_mut(pointer).filter(|found| found.is_u64()) {
            *found = number.into();
            self.body = body.to_string();
        }
    }
}

fn find_numbers(pointer: &str, value: &Value, found: &mut Vec<(String, u64)>) {
    match value {
        Value::Number(number) => found.extend(number.as_u64().map(|number| (pointer.to_owned(), number))),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_numbers(&format!("{pointer}/{index}"), item, found);
            }
        }
        Value::Object(fields) => {
            // A name with a character that separates parts of a plan's text is skipped.
            let plain = fields.iter().filter(|(name, _)| !name.contains([' ', ';', ',', '=']));
            for (name, field) in plain {
                let name = name.replace('~', "~0").replace('/', "~1");
                find_numbers(&format!("{pointer}/{name}"), field, found);
            }
        }
        _ => {}
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = || {
            serde_json::from_str::<Value>(&self.body).ok()?["metadata"]["name"].as_str().map(str::to_owned)
        };
        match (&self.method, name()) {
            (&Method::POST, Some(name)) => write!(f, "{}/{name}", self.call()),
            (&Method::PATCH, _) => write!(f, "{} {}", self.call(), self.body),
            _ => write!(f, "{}", self.call()),
        }
    }
}

fn collection<K: Resource<DynamicType = ()>>(namespace: &str) -> String {
    K::url_path(&(), Some(namespace).filter(|namespace| !namespace.is_empty()))
}
