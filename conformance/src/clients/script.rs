//! What every kubectl is asked to do, line by line.

/// Which versions of kubectl a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    All,
    /// Only with upstream's controllers beside the server.
    Controllers,
}

/// One call of kubectl, and what it must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Words separated by blanks; `NAMESPACE` stands for the session's.
    pub(super) arguments: &'static str,
    pub(super) input: &'static str,
    pub(super) code: i32,
    pub(super) says: &'static [&'static str],
    pub(super) only: For,
}

const fn step(name: &'static str, arguments: &'static str, says: &'static [&'static str]) -> Step {
    Step { name, arguments, input: "", code: 0, says, only: For::All }
}

impl Step {
    const fn reading(self, input: &'static str) -> Self {
        Self { input, ..self }
    }

    const fn ending(self, code: i32) -> Self {
        Self { code, ..self }
    }

    const fn only(self, only: For) -> Self {
        Self { only, ..self }
    }
}

const NAMESPACE: &str = r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "NAMESPACE"}}"#;

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: 'app:1', env: [{name: COLOUR, value: blue}]}]
";

const WEB_CHANGED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: 'app:2'}]
";

const SETTINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
";

const SETTINGS_RED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red}
";

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.NAMESPACE.example.com}
spec:
  group: NAMESPACE.example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wg]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Colour, type: string, jsonPath: .spec.colour}]
    schema:
      openAPIV3Schema:
        type: object
        description: A thing.
        properties:
          spec:
            type: object
            description: What is wanted.
            properties: {colour: {type: string, description: Its colour.}}
";

const WIDGET: &str = "
apiVersion: NAMESPACE.example.com/v1
kind: Widget
metadata: {name: a}
spec: {colour: blue}
";

/// In this order; each step finds what the ones before it left.
pub(super) const STEPS: &[Step] = &[
    step("version", "version", &["Server Version:", "v1.36"]),
    step("apply a namespace", "apply -f -", &["namespace/NAMESPACE created"]).reading(NAMESPACE),
    step("apply: created", "apply -f -", &["deployment.apps/web created"]).reading(WEB),
    step("apply: unchanged", "apply -f -", &["deployment.apps/web unchanged"]).reading(WEB),
    step("diff: the same", "diff -f -", &[]).reading(WEB),
    step("diff: another", "diff -f -", &["+      - image: app:2", "-  replicas: 2"])
        .reading(WEB_CHANGED)
        .ending(1),
    step("apply: configured", "apply -f -", &["deployment.apps/web configured"]).reading(WEB_CHANGED),
    step(
        "apply dropped what was left out",
        "get deployment web -o jsonpath={.spec.template.spec.containers[0]}",
        &["app:2"],
    ),
    step("rollout status", "rollout status deployment/web --timeout=60s", &["successfully rolled out"])
        .only(For::Controllers),
    step("rollout history", "rollout history deployment/web", &["REVISION"]).only(For::Controllers),
    step("get", "get deployments,pods", &["READY", "UP-TO-DATE", "web"]),
    step("get -o wide", "get deployments -o wide", &["CONTAINERS", "IMAGES", "SELECTOR", "app=web"]),
    step("get -o yaml", "get deployment web -o yaml", &["kind: Deployment", "replicas: 3"]),
    step("get -o json", "get deployment web -o json", &["\"kind\": \"Deployment\""]),
    step("get -o name", "get deployments -o name", &["deployment.apps/web"]),
    step("get -o jsonpath", "get deployment web -o jsonpath={.spec.replicas}", &["3"]),
    step(
        "get -o custom-columns",
        "get deployments -o custom-columns=N:.metadata.name,R:.spec.replicas",
        &["web", "3"],
    ),
    step("get --sort-by", "get pods --sort-by=.metadata.name -A", &["NAMESPACE"]).only(For::Controllers),
    step("get --chunk-size", "get configmaps -A --chunk-size=1", &["kube-root-ca.crt"]),
    step("get what is not there", "get pod none", &["Error from server (NotFound): pods \"none\" not found"])
        .ending(1),
    step("describe", "describe deployment web", &["Name:", "app=web", "RollingUpdateStrategy:"]),
    step("describe a node", "describe node node-1", &["Name:", "node-1", "Ready"]),
    step("scale", "scale deployment/web --replicas=4", &["deployment.apps/web scaled"]),
    step("scaled", "get deployment web -o jsonpath={.spec.replicas}", &["4"]),
    step(
        "patch",
        "patch deployment web -p {\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}}}",
        &["deployment.apps/web patched"],
    ),
    step(
        "patch --type=merge",
        "patch deployment web --type=merge -p {\"spec\":{\"minReadySeconds\":0}}",
        &["deployment.apps/web patched"],
    ),
    step(
        "patch --type=json",
        "patch deployment web --type=json \
         -p [{\"op\":\"add\",\"path\":\"/metadata/labels/z\",\"value\":\"z\"}]",
        &["deployment.apps/web patched"],
    ),
    step("set image", "set image deployment/web main=app:3", &["deployment.apps/web image updated"]),
    step(
        "rollout status of the new image",
        "rollout status deployment/web --timeout=60s",
        &["successfully rolled out"],
    )
    .only(For::Controllers),
    step("rollout undo", "rollout undo deployment/web", &["deployment.apps/web rolled back"])
        .only(For::Controllers),
    step("rollout restart", "rollout restart deployment/web", &["deployment.apps/web restarted"]),
    step("wait", "wait --for=condition=Available deployment/web --timeout=60s", &["condition met"])
        .only(For::Controllers),
    step("apply a config map", "apply -f -", &["configmap/settings created"]).reading(SETTINGS),
    step("edit", "edit configmap settings", &["configmap/settings edited"]),
    step("edited", "get configmap settings -o jsonpath={.data.colour}", &["green"]),
    step("label", "label configmap settings a=b", &["configmap/settings labeled"]),
    step("get by label", "get configmaps -l a=b -o name", &["configmap/settings"]),
    step("annotate", "annotate configmap settings a=b", &["configmap/settings annotate"]),
    step("replace", "replace -f -", &["configmap/settings replaced"]).reading(SETTINGS),
    step(
        "apply --dry-run=server",
        "apply --dry-run=server -f -",
        &["configmap/settings configured (server dry run)"],
    )
    .reading(SETTINGS_RED),
    step(
        "apply --server-side",
        "apply --server-side --force-conflicts -f -",
        &["configmap/settings serverside-applied"],
    )
    .reading(SETTINGS),
    step(
        "apply --server-side: conflict",
        "apply --server-side --field-manager=other -f -",
        &["Apply failed with", "with \"kubectl\"", ".data.colour"],
    )
    .reading(SETTINGS_RED)
    .ending(1),
    step(
        "apply --server-side: forced",
        "apply --server-side --field-manager=other --force-conflicts -f -",
        &["configmap/settings serverside-applied"],
    )
    .reading(SETTINGS_RED),
    step(
        "apply --server-side: a new Deployment",
        "apply --server-side --force-conflicts -f -",
        &["deployment.apps/web serverside-applied"],
    )
    .reading(WEB_CHANGED),
    step(
        "get --show-managed-fields",
        "get configmap settings --show-managed-fields -o yaml",
        &["manager: other", "f:colour"],
    ),
    step("create", "create configmap made --from-literal=a=b", &["configmap/made created"]),
    step("create -f", "create -f -", &["AlreadyExists"]).reading(SETTINGS).ending(1),
    step(
        "api-resources",
        "api-resources",
        &["deployments", "deploy", "apps/v1", "customresourcedefinitions"],
    ),
    step("api-versions", "api-versions", &["apps/v1", "coordination.k8s.io/v1"]),
    step("explain", "explain pods.spec.containers", &["image", "imagePullPolicy"]),
    step("explain --recursive", "explain deployments --recursive", &["rollingUpdate", "maxSurge"]),
    step("auth can-i", "auth can-i create pods", &["yes"]),
    step("auth can-i --list", "auth can-i --list", &["*.*"]),
    step("apply a definition", "apply -f -", &["widgets.NAMESPACE.example.com created"]).reading(DEFINITION),
    step(
        "wait for a definition",
        "wait --for=condition=Established crd/widgets.NAMESPACE.example.com --timeout=30s",
        &["condition met"],
    ),
    step("apply a custom object", "apply -f -", &["created"]).reading(WIDGET),
    step("get a custom object", "get wg", &["COLOUR", "blue"]),
    step("explain a custom kind", "explain widgets.spec", &["colour"]),
    step("delete a definition", "delete crd widgets.NAMESPACE.example.com", &["deleted"]),
    step(
        "delete --cascade=orphan",
        "delete deployment web --cascade=orphan",
        &["deployment.apps \"web\" deleted"],
    ),
    step("apply again after orphaning", "apply -f -", &["deployment.apps/web created"]).reading(WEB),
    step("adopted", "rollout status deployment/web --timeout=60s", &["successfully rolled out"])
        .only(For::Controllers),
    step(
        "delete --cascade=foreground",
        "delete deployment web --cascade=foreground --timeout=60s",
        &["deployment.apps \"web\" deleted"],
    ),
    step("its Pods are gone", "wait --for=delete pod -l app=web --timeout=60s", &[]).only(For::Controllers),
    step(
        "delete --cascade=background",
        "delete configmap settings --cascade=background",
        &["configmap \"settings\" deleted"],
    ),
    step("delete --all", "delete configmaps,secrets --all", &["kube-root-ca.crt"]),
    step(
        "delete a namespace",
        "delete namespace NAMESPACE --timeout=90s",
        &["namespace \"NAMESPACE\" deleted"],
    ),
    step("the namespace is gone", "get namespace NAMESPACE", &["NotFound"]).ending(1),
    step("get --raw", "get --raw /readyz", &["ok"]),
];
