//! Builders and objects that many of the tests start from.

use kube_client::Client;
use serde_json::{Value, json};
use trimtab_informer::{Informer, InformerBuilder};

/// A builder of informers that list page by page, which is easier to read in a test.
pub(crate) fn lists(client: Client) -> InformerBuilder {
    Informer::builder(client).streaming_lists(false)
}

/// A ConfigMap of that name and version, with one value of data.
pub(crate) fn object(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "namespace": "default", "name": name, "uid": format!("uid-{name}"), "resourceVersion": version,
            "managedFields": [{"manager": "test"}],
        },
        "data": {"version": version},
    })
}
