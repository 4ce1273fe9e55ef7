//! What does a stored Pod take, with its history and all that the server knows of it, beside its JSON?

use crate::measure::one_thread;
use crate::pods::{name, template};
use http::Request;
use trimtab_apiserver::ApiServer;
use trimtab_test_support::{
    bench::{quick, report_lower},
    process::resident_bytes,
};

/// Prints the resident memory of Pods as a multiple of their JSON.
pub(crate) fn run() {
    let count = if quick() { 10_000 } else { 50_000 };
    let template = template().to_string();
    one_thread().block_on(async {
        let server = ApiServer::start();
        let client = server.client();
        let create = async |number| {
            let pod = template.replacen(r#""name":"""#, &format!(r#""name":"{}""#, name(number)), 1);
            let request =
                Request::post("/api/v1/namespaces/default/pods").header("content-type", "application/json");
            let request = request.body(pod.into_bytes()).expect("a request");
            client.request_text(request).await.expect("created").len()
        };
        for number in 0..count / 10 {
            create(number).await; // what every server has after some work
        }
        let (before, mut json) = (resident_bytes(), 0);
        for number in count / 10..count {
            json += create(number).await;
        }
        report_lower("apiserver/memory", "× JSON", (resident_bytes() - before) as f64 / json as f64);
    });
}
