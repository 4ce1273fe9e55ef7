//! [`Definition`]: a CustomResourceDefinition of a group that no other case has.

use crate::answer::{Answer, Mismatch};
use crate::objects::extended;
use crate::site::Site;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a server may take to follow a definition.
const PATIENCE: Duration = Duration::from_secs(30);

/// A definition that is being filled in: `Widget`s, whose spec has a `colour` and whose status has a `phase`
/// unless their schemas are replaced.
pub(super) struct Definition {
    group: String,
    scope: String,
    fields: Value,
    versions: Vec<Value>,
}

/// A definition that is served.
pub(super) struct Widgets {
    /// The path of the definition.
    pub(super) definition: String,
    /// The path of the objects, in the case's namespace.
    pub(super) objects: String,
    pub(super) api_version: String,
}

/// An object with one string.
pub(super) fn string_field(name: &str) -> Value {
    json!({"type": "object", "properties": {name: {"type": "string"}}})
}

impl Definition {
    pub(super) const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    pub(super) fn new(site: &Site) -> Self {
        let spec = json!({"type": "object", "properties": {"colour": {"type": "string"}}});
        let status = string_field("phase");
        Self {
            group: format!("{}.example.com", site.namespace()),
            scope: "Namespaced".to_owned(),
            fields: json!({"spec": spec, "status": status}),
            versions: vec![json!({"name": "v1", "served": true, "storage": true})],
        }
    }

    pub(super) fn scope(mut self, scope: &str) -> Self {
        self.scope = scope.to_owned();
        self
    }

    /// The schema of a field of the object.
    pub(super) fn field(mut self, name: &str, schema: Value) -> Self {
        self.fields[name] = schema;
        self
    }

    /// The fields of the spec.
    pub(super) fn spec(self, fields: Value) -> Self {
        self.field("spec", json!({"type": "object", "properties": fields}))
    }

    /// More about the first version.
    pub(super) fn version(mut self, more: Value) -> Self {
        self.versions[0] = extended(self.versions[0].take(), more);
        self
    }

    /// A second version with the same schema.
    pub(super) fn also(mut self, name: &str) -> Self {
        self.versions.push(json!({"name": name, "served": true, "storage": false}));
        self
    }

    pub(super) fn body(&self) -> Value {
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": self.fields}});
        let mut versions = self.versions.clone();
        versions.iter_mut().for_each(|version| version["schema"] = schema.clone());
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("widgets.{}", self.group)},
            "spec": {
                "group": self.group,
                "scope": self.scope,
                "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wg"], "categories": ["all"]},
                "versions": versions,
            },
        })
    }

    /// Creates it, and waits until its objects are served.
    pub(super) async fn make(self, site: &Site) -> Result<Widgets, Mismatch> {
        let body = self.body();
        self.make_as(site, body).await
    }

    /// Creates it with a body that was changed.
    pub(super) async fn make_as(self, site: &Site, body: Value) -> Result<Widgets, Mismatch> {
        let made = site.create_global(Self::PATH, body).await?;
        let api_version = format!("{}/v1", self.group);
        let objects = if self.scope == "Cluster" {
            format!("/apis/{api_version}/widgets")
        } else {
            format!("/apis/{api_version}/namespaces/{}/widgets", site.namespace())
        };
        site.until_found(&objects, "a list").await?;
        // kube-apiserver serves a kind a moment before discovery has it.
        let known = |answer: &Answer| answer.status == 200 && !answer.list("/resources").is_empty();
        site.eventually(&format!("/apis/{api_version}"), known, "discovery").await?;
        Ok(Widgets {
            definition: format!("{}/{}", Self::PATH, made.text("/metadata/name")),
            objects,
            api_version,
        })
    }
}

impl Widgets {
    pub(super) fn object(&self, name: &str) -> String {
        format!("{}/{name}", self.objects)
    }

    /// Creates an object; the body lacks kind, apiVersion and, if it has no metadata, the name.
    pub(super) async fn create(&self, site: &Site, name: &str, body: Value) -> Result<Answer, Mismatch> {
        self.post(site, name, body, "").await?.code(201)
    }

    /// Creates an object in dry runs until it is refused: kube-apiserver follows a definition in its own
    /// time.
    pub(super) async fn until_refused(&self, site: &Site, body: Value) -> Result<Answer, Mismatch> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.post(site, "trial", body.clone(), "?dryRun=All").await?;
            if answer.status == 422 || Instant::now() >= deadline {
                return answer.code(422);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for an object's creation, with a query.
    pub(super) async fn post(
        &self,
        site: &Site,
        name: &str,
        mut body: Value,
        query: &str,
    ) -> Result<Answer, Mismatch> {
        body["apiVersion"] = json!(self.api_version);
        body["kind"] = json!("Widget");
        if body["metadata"].is_null() {
            body["metadata"] = json!({"name": name});
        }
        site.post(&format!("{}{query}", self.objects), body).await
    }
}
