//! How long does it take from the builder to the first answer, in a process that has other things to do?

use crate::measure::one_thread;
use trimtab_apiserver::ApiServer;
use trimtab_test_support::{
    bench::{quick, report_lower},
    process::cpu,
};

/// Prints milliseconds: of the first server of the process, which makes what all share, and of the later ones.
pub(crate) fn run() {
    let servers = if quick() { 10 } else { 100 };
    let mut times: Vec<f64> = (0..servers).map(|_| start()).collect();
    report_lower("apiserver/start", "ms", times[0]);
    times.sort_by(f64::total_cmp);
    report_lower("apiserver/start/next", "ms", times[servers / 2]);
}

fn start() -> f64 {
    one_thread().block_on(async {
        let before = cpu();
        let server = ApiServer::builder().start();
        let request = http::Request::get("/api/v1/namespaces/default").body(Vec::new()).expect("a request");
        let answer = server.client().request_text(request).await.expect("an answer");
        let time = (cpu() - before).as_secs_f64() * 1e3;
        assert!(answer.contains(r#""phase":"Active""#), "{answer}");
        time
    })
}
