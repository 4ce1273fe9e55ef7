//! Fields that a kind does not declare, fields that stand twice, and values of the wrong type, as a kube-apiserver
//! 1.36 answers them.

use http::header;
use http_body_util::BodyExt;
use kube_client::{Client, client::Body};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;

use crate::fixtures::{config_map, config_maps, request};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const TWICE: &str = r#"{"metadata":{"name":"a","foo":1},"x":2,"data":{"a":"1","a":"2"}}"#;

/// The response: the code, the warnings, the body.
struct Answer {
    code: u16,
    warnings: Vec<String>,
    body: Value,
}

impl Answer {
    fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

async fn send(client: &Client, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
    let request = request(method, path).header(header::CONTENT_TYPE, content_type);
    let answer = client
        .send(request.body(Body::from(body.as_bytes().to_vec())).expect("a valid request"))
        .await
        .expect("an answer");
    let code = answer.status().as_u16();
    let warnings = answer.headers().get_all(header::WARNING).iter();
    let warnings = warnings.map(|warning| warning.to_str().expect("text").to_owned()).collect();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    Answer { code, warnings, body: serde_json::from_slice(&body).expect("JSON") }
}

/// FV-T1.
#[tokio::test(start_paused = true)]
async fn the_client_says_whether_unknown_fields_are_refused_told_or_dropped() {
    let server = ApiServer::start();
    let client = server.client();
    let create = async |query: &str| {
        send(&client, "POST", &format!("{MAPS}?dryRun=All{query}"), "application/json", TWICE).await
    };
    for warned in [create("").await, create("&fieldValidation=").await, create("&fieldValidation=Warn").await]
    {
        assert_eq!(warned.code, 201);
        let expected = [
            r#"299 - "unknown field \"metadata.foo\"""#,
            r#"299 - "unknown field \"x\"""#,
            r#"299 - "duplicate field \"data.a\"""#,
        ];
        assert_eq!(warned.warnings, expected);
        assert_eq!(warned.body["data"], json!({"a": "2"}));
        assert!(warned.body.get("x").is_none() && warned.body["metadata"].get("foo").is_none());
    }
    let ignored = create("&fieldValidation=Ignore").await;
    assert_eq!((ignored.code, ignored.warnings.len()), (201, 0));
    let refused = create("&fieldValidation=Strict").await;
    assert_eq!((refused.code, refused.warnings.len()), (400, 0));
    assert_eq!(
        refused.message(),
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \
         \"metadata.foo\", unknown field \"x\", duplicate field \"data.a\""
    );
    let nonsense = create("&fieldValidation=Nope").await;
    assert_eq!(nonsense.code, 422);
    assert_eq!(
        nonsense.message(),
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Nope\": supported values: \
         \"\", \"Ignore\", \"Strict\", \"Warn\""
    );
}

/// FV-T2.
#[tokio::test(start_paused = true)]
async fn yaml_is_held_to_the_same_with_the_line_of_what_stands_twice() {
    let server = ApiServer::start();
    let client = server.client();
    let yaml = "metadata:\n  name: a\n  foo: 1\n  name: b\ndata: {a: \"1\"}\nx: 1\n";
    let create = async |query: &str, yaml: &str| {
        send(&client, "POST", &format!("{MAPS}?dryRun=All{query}"), "application/yaml", yaml).await
    };
    let warned = create("", yaml).await;
    assert_eq!((warned.code, &warned.body["metadata"]["name"]), (201, &json!("b")));
    let expected = [
        r#"299 - "line 4: key \"name\" already set in map""#,
        r#"299 - "unknown field \"metadata.foo\"""#,
        r#"299 - "unknown field \"x\"""#,
    ];
    assert_eq!(warned.warnings, expected);
    let refused = create("&fieldValidation=Strict", yaml).await;
    assert_eq!(
        refused.message(),
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal \
         errors:\n  line 4: key \"name\" already set in map, unknown field \"metadata.foo\", unknown field \"x\""
    );
    let mistyped = create("", "metadata: {name: a}\ndata: {a: 1}\n").await;
    assert_eq!(
        mistyped.message(),
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct \
         field ConfigMap.data of type string"
    );
}

/// FV-T3.
#[tokio::test(start_paused = true)]
async fn patches_are_held_to_the_same() {
    let server = ApiServer::start();
    let client = server.client();
    config_maps(&client).create(&<_>::default(), &config_map("m")).await.unwrap();
    let patch = async |form: &str, patch: &str, query: &str| {
        let form = format!("application/{form}+json");
        send(&client, "PATCH", &format!("{MAPS}/m?dryRun=All{query}"), &form, patch).await
    };
    for form in ["merge-patch", "strategic-merge-patch"] {
        let twice = r#"{"x":1,"x":2,"data":{"b":"1","b":"2"}}"#;
        let warned = patch(form, twice, "").await;
        assert_eq!((warned.code, &warned.body["data"]["b"]), (200, &json!("2")));
        let expected = [
            r#"299 - "duplicate field \"x\"""#,
            r#"299 - "duplicate field \"data.b\"""#,
            r#"299 - "unknown field \"x\"""#,
        ];
        assert_eq!(warned.warnings, expected, "{form}");
        let refused = patch(form, twice, "&fieldValidation=Strict").await;
        assert_eq!((refused.code, &refused.body["details"]["causes"][0]["field"]), (422, &json!("patch")));
        let because =
            "strict decoding error: duplicate field \"x\", duplicate field \"data.b\", unknown field \"x\"";
        assert!(refused.message().ends_with(because), "{}", refused.message());
        assert_eq!(patch(form, r#"{"data":{"b":3}}"#, "").await.code, 422);
    }
    let refused =
        patch("strategic-merge-patch", r#"{"x":1,"metadata":{"foo":2}}"#, "&fieldValidation=Strict").await;
    let start =
        " \"\" is invalid: patch: Invalid value: \"map[metadata:map[foo:2] x:1]\": strict decoding error";
    assert!(refused.message().starts_with(start), "{}", refused.message());

    let odd = r#"[{"op":"add","path":"/data/x","value":"1","foo":3,"op":"add"}]"#;
    let warned = patch("json-patch", odd, "").await;
    let expected = [
        r#"299 - "json patch duplicate field \"[0].op\"""#,
        r#"299 - "json patch unknown field \"[0].foo\"""#,
    ];
    assert_eq!((warned.code, warned.warnings), (200, expected.map(str::to_owned).to_vec()));
    let mistyped = patch("json-patch", r#"[{"op":"add","path":"/data","value":1}]"#, "").await;
    let because =
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string";
    assert!(mistyped.message().ends_with(because), "{}", mistyped.message());
    let renamed = patch("merge-patch", r#"{"kind":"Foo"}"#, "").await;
    let because = "no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"";
    assert!(renamed.message().ends_with(because), "{}", renamed.message());
    assert_eq!(patch("strategic-merge-patch", r#"{"kind":"Foo"}"#, "").await.body["kind"], "ConfigMap");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_object_is_told_with_its_first_bytes() {
    let server = ApiServer::start();
    let client = server.client();
    let create = async |body: &str| send(&client, "POST", MAPS, "application/json", body).await;
    let unrecognized = |because: &str| {
        format!(
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: {because}"
        )
    };
    for (body, because) in [
        ("{", "unexpected end of JSON input ({)"),
        ("", "unexpected end of JSON input (<empty>)"),
        (
            r#"{"metadata":{"name":"x"},"spec":{"a":1}} x"#,
            r#"invalid character 'x' after top-level value ({"metadata":{"name":"x"},"spec ...)"#,
        ),
        (
            "[]",
            r#"json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b5d)"#,
        ),
    ] {
        let refused = create(body).await;
        assert_eq!((refused.code, refused.message()), (400, unrecognized(because).as_str()), "{body}");
    }
    let other = create(r#"{"kind":"Foo","apiVersion":"example.com/v1","metadata":{"name":"a"}}"#).await;
    assert_eq!(
        other.message(),
        "Foo in version \"v1\" cannot be handled as a ConfigMap: no kind \"Foo\" is registered for version \
         \"example.com/v1\" in scheme \"pkg/runtime/scheme.go:111\""
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_any_verb_leaves_the_object_alone() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let pods = "/api/v1/namespaces/default/pods";
    let json = "application/json";
    let pod = r#"{"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"a","image":"b"}]}}"#;
    let one = format!("{pods}/p");
    let before = send(&client, "POST", pods, json, pod).await.body;
    let eviction = r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}"#;
    let status = r#"{"metadata":{"name":"p"},"status":{"phase":"Running"}}"#;
    let merge = "application/merge-patch+json";
    for (method, path, form, body, code) in [
        ("POST", pods.to_owned(), json, &*pod.replace("\"p\"", "\"q\""), 201),
        ("POST", format!("{one}/eviction"), json, eviction, 201),
        ("PUT", format!("{one}/status"), json, status, 200),
        ("PATCH", format!("{one}/status"), merge, r#"{"status":{"phase":"Failed"}}"#, 200),
        ("PATCH", one.clone(), merge, r#"{"metadata":{"labels":{"a":"b"}}}"#, 200),
        ("DELETE", one.clone(), json, "", 200),
        ("DELETE", pods.to_owned(), json, "", 200),
    ] {
        let answer = send(&client, method, &format!("{path}?dryRun=All"), form, body).await;
        assert_eq!(answer.code, code, "{method} {path}: {}", answer.message());
        assert_eq!(send(&client, "GET", &one, json, "").await.body, before, "{method} {path}");
    }
    assert_eq!(send(&client, "GET", &format!("{pods}/q"), json, "").await.code, 404);
}
