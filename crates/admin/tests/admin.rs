//! The paths of an admin server, requested from its router without a socket.

use std::{convert::Infallible, future::pending, time::Duration};

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;
use trimtab_admin::{Admin, Check, MeasuredPart, Section, metrics};
use trimtab_test_support::log::Log;

async fn ask(admin: &Admin, method: &str, path: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
    let response = admin.router().oneshot(request).await.expect("the router answers");
    let code = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, String::from_utf8_lossy(&body).into_owned())
}

async fn get(admin: &Admin, path: &str) -> (StatusCode, String) {
    ask(admin, "GET", path).await
}

fn failing() -> Admin {
    let broken = Check::new("database", || async { Err::<(), _>("connection refused") });
    Admin::builder().ready(Check::when("synced", "a list is missing", || true)).ready(broken).build()
}

#[tokio::test]
async fn a_healthy_process_says_ok_and_lists_its_checks_when_asked() {
    let admin = Admin::builder().ready(Check::when("synced", "", || true)).build();
    for path in ["/healthz", "/livez", "/readyz", "/readyz/synced", "/healthz/ping"] {
        assert_eq!(get(&admin, path).await, (StatusCode::OK, "ok".into()), "{path}");
    }
    assert_eq!(get(&admin, "/readyz?verbose").await.1, "[+]ping ok\n[+]synced ok\nreadyz check passed\n");
    assert_eq!(get(&admin, "/livez?verbose=true").await.1, "[+]ping ok\nlivez check passed\n");
}

#[tokio::test]
async fn a_failed_check_is_named_and_its_reason_is_on_its_own_path_only() {
    let admin = failing();
    let expected = "[+]ping ok\n[+]synced ok\n[-]database failed: reason withheld\nreadyz check failed\n";
    assert_eq!(get(&admin, "/readyz").await, (StatusCode::INTERNAL_SERVER_ERROR, expected.into()));
    let (code, text) = get(&admin, "/readyz/database").await;
    assert_eq!((code.as_u16(), &*text), (500, "internal server error: connection refused\n"));
    assert_eq!(get(&admin, "/healthz").await.0, StatusCode::OK, "readiness is no liveness");
}

#[tokio::test]
async fn checks_can_be_excluded_and_unknown_names_are_told() {
    let admin = failing();
    assert_eq!(get(&admin, "/readyz?exclude=database").await, (StatusCode::OK, "ok".into()));
    let (_, text) = get(&admin, "/readyz?verbose&exclude=database&exclude=nothing").await;
    assert_eq!(
        text,
        "[+]ping ok\n[+]synced ok\n[+]database excluded: ok\n\
         warn: some health checks cannot be excluded: no matches for \"nothing\"\nreadyz check passed\n"
    );
    assert_eq!(get(&admin, "/readyz/nothing").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_or_panics_has_failed() {
    let hangs = Check::new("hangs", pending::<Result<(), Infallible>>).timeout(Duration::from_secs(2));
    let panics = Check::new("panics", || async { panic!("on purpose") as Result<(), Infallible> });
    let admin = Admin::builder().live(hangs).live(panics).build();
    let begin = tokio::time::Instant::now();
    let (code, text) = get(&admin, "/healthz").await;
    assert_eq!(code, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains("[-]hangs failed") && text.contains("[-]panics failed"), "{text}");
    assert_eq!(begin.elapsed(), Duration::from_secs(2), "side by side");
    assert_eq!(get(&admin, "/healthz/panics").await.1, "internal server error: the check panicked\n");
}

#[tokio::test]
async fn everything_is_read_only_and_debug_is_off_unless_asked_for() {
    let admin = Admin::builder().section(Section::new("queues", || json!([]))).build();
    for path in ["/debug", "/debug.json", "/metrics", "/"] {
        assert_eq!(get(&admin, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let admin = Admin::builder().debug(true).build();
    for (method, path) in [("POST", "/healthz"), ("DELETE", "/debug"), ("PUT", "/readyz")] {
        assert_eq!(ask(&admin, method, path).await.0, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}

#[tokio::test]
async fn sections_are_a_page_and_json_with_everything_escaped() {
    let rows = json!([{"name": "<script>", "depth": 3}, {"name": "web", "oldest": null}]);
    let shown = rows.clone();
    let admin = Admin::builder()
        .debug(true)
        .section(Section::new("queues", move || rows.clone()))
        .section(Section::new("gates", || json!({"A": true})))
        .build();
    let (_, page) = get(&admin, "/debug").await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    assert!(
        page.contains("<th>name</th>") && page.contains("<th>oldest</th>"),
        "columns of all rows: {page}"
    );
    assert!(page.contains("<td class=\"n\">3</td>"), "{page}");
    let (_, text) = get(&admin, "/debug.json").await;
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(parsed, json!({"queues": shown, "gates": {"A": true}}));
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_buckets() {
    let recorder = metrics::builder().expect("valid buckets").build_recorder();
    let handle = recorder.handle();
    ::metrics::with_local_recorder(&recorder, || {
        ::metrics::counter!("workqueue_adds_total", "name" => "website").increment(2);
        ::metrics::histogram!("workqueue_queue_duration_seconds", "name" => "website").record(0.002);
    });
    let admin = Admin::builder().metrics(handle).build();
    let (code, text) = get(&admin, "/metrics").await;
    assert_eq!(code, StatusCode::OK);
    assert!(text.contains("workqueue_adds_total{name=\"website\"} 2"), "{text}");
    assert!(
        text.contains("workqueue_queue_duration_seconds_bucket{name=\"website\",le=\"0.0025\"} 1"),
        "{text}"
    );
}

/// A handle that is older than the recorder reports nothing: the part is named, once.
#[tokio::test]
async fn a_part_that_was_built_before_the_recorder_is_named_in_a_warning() {
    let early = ::metrics::counter!("reflector_lists_total", "name" => "shop", "resource" => "pods");
    let recorder = metrics::builder().expect("valid buckets").build_recorder();
    let handle = recorder.handle();
    ::metrics::with_local_recorder(&recorder, || {
        early.increment(1);
        ::metrics::counter!("reflector_lists_total", "name" => "shop", "resource" => "secrets").increment(1);
        ::metrics::counter!("reflector_lists_total_of_others", "resource" => "pods").increment(1);
    });
    let part = |resource: &str| {
        MeasuredPart::new(format!("informer of {resource}"), "reflector_lists_total")
            .label("resource", resource)
    };
    let admin =
        Admin::builder().metrics(handle).measured(move || vec![part("pods"), part("secrets")]).build();
    let (log, _guard) = Log::warnings();
    get(&admin, "/metrics").await;
    let warnings = log.take();
    assert!(
        matches!(&*warnings, [line] if line.contains("informer of pods") && line.contains("before")),
        "{warnings:?}"
    );
    get(&admin, "/metrics").await;
    assert_eq!(log.take(), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let error = Admin::builder().build().listen(address.clone(), pending()).await.expect_err("it is taken");
    assert_eq!(error.to_string(), format!("serving health and metrics on {address}"));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn the_columns_of_a_table_have_the_order_that_was_asked_for() {
    let rows = || json!([{"age": 1, "name": "a"}, {"zone": "b", "name": "c"}]);
    let section = Section::new("rows", rows).columns(&["name", "absent"]);
    let admin = Admin::builder().debug(true).section(section).build();
    let (_, page) = get(&admin, "/debug").await;
    assert!(page.contains("<th>name</th><th>age</th><th>zone</th></tr>"), "{page}");
}
