//! Objects from manifests.

use trimtab_apiserver::{ApiServer, LoadError};

use crate::fixtures::send;

const DEFINITION_AND_OBJECT: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: example.com/v1, kind: Gadget, metadata: {name: one}}
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: shop}}
";

#[tokio::test(start_paused = true)]
async fn definitions_lists_and_objects_are_created_in_their_order() {
    let server = ApiServer::start();
    assert_eq!(server.load_text(DEFINITION_AND_OBJECT).await.expect("all is valid"), 4);
    for path in
        ["/apis/example.com/v1/namespaces/default/gadgets/one", "/api/v1/namespaces/shop/configmaps/two"]
    {
        send(&server.client(), "GET", path).await.expect(path);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_loaded_is_named_with_its_place() {
    let server = ApiServer::start();
    let unknown = server.load_text("---\n{}\n---\nkind: Nonsense\napiVersion: v1\n").await;
    assert!(matches!(unknown, Err(LoadError::Object { document: 1, .. })), "{unknown:?}");
    let unknown = server.load_text("kind: Nonsense\napiVersion: v1\n").await.expect_err("no such kind");
    assert_eq!(unknown.to_string(), "manifest: document 1: no kind \"Nonsense\" is served in \"v1\"");
    let refused = server.load_text("{apiVersion: v1, kind: Pod, metadata: {name: p}}").await;
    assert!(matches!(refused, Err(LoadError::Refused { document: 1, .. })), "{refused:?}");
    assert!(matches!(server.load_text("a: [").await, Err(LoadError::Parse { .. })));
    let missing = server.load("no/such/file.yaml").await.expect_err("no such file");
    assert!(missing.to_string().starts_with("no/such/file.yaml: "), "{missing}");
}
