//! Health: `/healthz`, `/livez` and `/readyz`, in a word or check by check.

use bytes::Bytes;
use http::Response;

use super::document::{not_found, typed};
use crate::api::parameters::Parameters;

/// The checks of all three, by upstream's names, which monitors look for. There it has to be waited for after
/// the start; here, whatever answers a request is there from the start on.
const CHECKS: [&str; 33] = [
    "ping",
    "log",
    "etcd",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];
/// The check of readiness, which stands after the first of the others.
const OF_READINESS: [&str; 2] = ["etcd-readiness", "informer-sync"];

/// The answer to a GET of `/kind` or of one check below it.
pub(super) fn answer(kind: &str, check: &[&str], parameters: &Parameters) -> Response<Bytes> {
    let (first, rest) = CHECKS.split_at(3);
    let ready = kind == "readyz";
    let [of_readiness, last]: [&[&str]; 2] = if ready { [&OF_READINESS, &["shutdown"]] } else { [&[], &[]] };
    let checks = first.iter().chain(of_readiness).chain(rest).chain(last);
    let check = check.join("/");
    if !check.is_empty() && !checks.clone().any(|name| *name == check) {
        return not_found();
    }
    let is_verbose = parameters.first("verbose").is_some();
    let body = if is_verbose && check.is_empty() {
        let excluded: Vec<&str> = parameters.all("exclude").collect();
        let unknown = excluded.iter().filter(|name| !checks.clone().any(|check| check == *name));
        let unknown: Vec<String> = unknown.map(|name| format!("{name:?}")).collect();
        let line = |name: &&str| {
            let word = if excluded.contains(name) { "excluded: ok" } else { "ok" };
            format!("[+]{name} {word}\n")
        };
        let mut lines: String = checks.map(line).collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            lines += &format!("warn: some health checks cannot be excluded: no matches for {unknown}\n");
        }
        format!("{lines}{kind} check passed\n")
    } else {
        "ok".to_owned()
    };
    typed("text/plain; charset=utf-8", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(kind: &str, check: &[&str], uri: &'static str) -> (u16, String) {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let answer = answer(kind, check, &Parameters::of(query));
        let body = String::from_utf8(answer.body().to_vec()).expect("text");
        (answer.status().as_u16(), body)
    }

    #[test]
    fn a_check_can_be_left_out() {
        let (_, verbose) = get("livez", &[], "/livez?verbose&exclude=log&exclude=no");
        assert!(verbose.contains("[+]ping ok\n[+]log excluded: ok\n"), "{verbose}");
        assert!(
            verbose.contains("cannot be excluded: no matches for \"no\"\nlivez check passed"),
            "{verbose}"
        );
    }

    #[test]
    fn health_is_told_in_a_word_or_check_by_check() {
        assert_eq!(get("healthz", &[], "/healthz"), (200, "ok".to_owned()));
        assert_eq!(get("livez", &["ping"], "/livez/ping"), (200, "ok".to_owned()));
        let hook = ["poststarthook", "rbac", "bootstrap-roles"];
        assert_eq!(get("healthz", &hook, "/").0, 200);
        assert_eq!(get("livez", &["nothing"], "/livez/nothing").0, 404);
        assert_eq!((get("livez", &["shutdown"], "/").0, get("readyz", &["shutdown"], "/").0), (404, 200));
        let (_, verbose) = get("readyz", &[], "/readyz?verbose");
        assert!(
            verbose.starts_with(
                "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n"
            ) && verbose.ends_with("[+]shutdown ok\nreadyz check passed\n"),
            "{verbose}"
        );
    }
}
