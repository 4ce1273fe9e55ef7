//! Signers: who approves and signs requests for certificates, and who vouches for a signer's certificates.

use base64::{Engine, prelude::BASE64_STANDARD};
use kube_client::Client;
use serde_json::{Value, json};

use crate::{
    escalation::{rule, with_ada},
    fixtures::{refusal, request, send_json},
};

/// A certificate request in PEM and base64 whose subject is in `organization`.
fn signing_request(organization: &str) -> String {
    // Made by `openssl req -new -newkey ec -subj /O=system:masters/CN=ada`, and with /O=ops.
    let masters = "MIHiMIGJAgEAMCcxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMQwwCgYDVQQDDANhZGEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATjDxI3ezj2E4LnBofNK+cpY4gvGh9nr9HyZZuf10zEO590pTVRpm6tortao5gHvvkk+VmFuCGiSH0yJRPwyqc/oAAwCgYIKoZIzj0EAwIDSAAwRQIhAJ7TG9FxLnlxgoaUb4Yyz05BlRGWom5uipyz/+oZS1eIAiBlBJKCcguHK18wxTY0qMoJNkSqLTMvxH+8jlWuuC0Qgw==";
    let ops = "MIHVMH4CAQAwHDEMMAoGA1UECgwDb3BzMQwwCgYDVQQDDANhZGEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQcSQ1GBAMTRTrhivLUEvQhPnk6pneHjTVtV8NmP8V4AyC5ikTKiCfT7bB9KNgjW/PYfSDn9vha5t9XBdw/ea4AoAAwCgYIKoZIzj0EAwIDRwAwRAIgaqGvAaJB3l1VQ5lR+KPtKNAdeBYQklBo09IqBDJ6gVcCIDFKS3j828rWBAum1Sg4OeEL6J0GZKbgGunOqA3tEUtH";
    let der = if organization == "system:masters" { masters } else { ops };
    BASE64_STANDARD
        .encode(format!("-----BEGIN CERTIFICATE REQUEST-----\n{der}\n-----END CERTIFICATE REQUEST-----\n"))
}

fn csr(name: &str, signer: &str, organization: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "request": signing_request(organization), "signerName": signer, "usages": ["client auth"],
            "username": "system:admin", "groups": ["system:masters"], "uid": "1", "extra": {"a": ["b"]},
        },
        "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Mine"}]},
    })
}

const CSRS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

#[tokio::test(start_paused = true)]
async fn a_signing_request_is_its_sender_s_whatever_its_body_says() {
    let rules = json!([rule(
        &["create", "get", "update", "patch"],
        "certificates.k8s.io",
        &["certificatesigningrequests"]
    )]);
    let (_server, _admin, ada) = with_ada(rules).await;
    let created =
        send_json(&ada, "POST", CSRS, &csr("one", "example.com/signer", "ops")).await.expect("created");
    assert_eq!(created["spec"]["username"], "ada");
    assert_eq!(created["spec"]["groups"], json!(["system:authenticated"]));
    assert_eq!((created["spec"].get("uid"), created["spec"].get("extra")), (None, None));
    assert_eq!(created["status"], json!({}), "nobody approves by creating");
    let mut changed = created;
    changed["spec"]["groups"] = json!(["system:masters"]);
    let changed =
        send_json(&ada, "PUT", &format!("{CSRS}/one"), &changed).await.expect("nothing of it changes");
    assert_eq!(changed["spec"]["groups"], json!(["system:authenticated"]));
    let masters = csr("two", "kubernetes.io/kube-apiserver-client", "system:masters");
    let refused = refusal(send_json(&ada, "POST", CSRS, &masters).await);
    assert_eq!(
        refused.message,
        "certificatesigningrequests.certificates.k8s.io \"two\" is forbidden: use of \
         kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    );
}

#[tokio::test(start_paused = true)]
async fn an_approval_takes_the_right_to_approve_for_the_signer() {
    let csrs = [
        "certificatesigningrequests",
        "certificatesigningrequests/approval",
        "certificatesigningrequests/status",
    ];
    let mut approve = rule(&["approve"], "certificates.k8s.io", &["signers"]);
    approve["resourceNames"] = json!(["example.com/*"]);
    let rules = json!([rule(&["create", "get", "update", "patch"], "certificates.k8s.io", &csrs), approve]);
    let (_server, _admin, ada) = with_ada(rules).await;
    for (name, signer) in [("hers", "example.com/signer"), ("theirs", "example.org/signer")] {
        send_json(&ada, "POST", CSRS, &csr(name, signer, "ops")).await.expect("created");
    }
    let approved = |name: &str| {
        let condition = json!({"type": "Approved", "status": "True", "reason": "Why", "message": "not"});
        let mut approved = csr(name, "ignored/here", "ops");
        approved["status"]["conditions"] = json!([condition]);
        approved
    };
    let refused =
        refusal(send_json(&ada, "PUT", &format!("{CSRS}/theirs/approval"), &approved("theirs")).await);
    assert_eq!(
        refused.message,
        "certificatesigningrequests.certificates.k8s.io \"theirs\" is forbidden: user not permitted to approve \
         requests with signerName \"example.org/signer\""
    );
    send_json(&ada, "PUT", &format!("{CSRS}/hers/approval"), &approved("hers")).await.expect("of her domain");
    let refused =
        refusal(send_json(&ada, "PUT", &format!("{CSRS}/theirs/status"), &approved("theirs")).await);
    assert!(
        refused.message.contains("updates may not add a condition of type \"Approved\""),
        "{}",
        refused.message
    );
    let signed = json!({"status": {"certificate": "Y2VydA=="}});
    let patch = request("PATCH", &format!("{CSRS}/hers/status"))
        .header("content-type", "application/merge-patch+json");
    let patch = patch.body(signed.to_string().into_bytes()).expect("a request");
    let refused = refusal(ada.request::<Value>(patch).await);
    assert!(
        refused.message.contains("not permitted to sign requests with signerName"),
        "{}",
        refused.message
    );
}

const BUNDLES: &str = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";

/// A certificate of an authority.
const AUTHORITY: &str = include_str!("../data/authority.pem");

fn bundle(name: &str, signer: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"signerName": signer, "trustBundle": AUTHORITY}})
}

async fn patch(client: &Client, name: &str, patch: &Value) -> kube_client::Result<Value> {
    let patched = request("PATCH", &format!("{BUNDLES}/{name}"))
        .header("content-type", "application/merge-patch+json")
        .body(patch.to_string().into_bytes());
    client.request(patched.expect("a request")).await
}

/// Upstream's plug-in `ClusterTrustBundleAttest`.
#[tokio::test(start_paused = true)]
async fn a_trust_bundle_takes_the_right_to_attest_for_its_signer() {
    let mut attest = rule(&["attest"], "certificates.k8s.io", &["signers"]);
    attest["resourceNames"] = json!(["example.com/*"]);
    let bundles =
        rule(&["create", "get", "update", "patch"], "certificates.k8s.io", &["clustertrustbundles"]);
    let (_server, admin, ada) = with_ada(json!([bundles, attest])).await;
    let theirs = bundle("example.org:signer:a", "example.org/signer");
    let refused = refusal(send_json(&ada, "POST", BUNDLES, &theirs).await);
    assert_eq!(
        refused.message,
        "clustertrustbundles.certificates.k8s.io \"example.org:signer:a\" is forbidden: user not permitted to attest \
         for signerName \"example.org/signer\""
    );
    send_json(&admin, "POST", BUNDLES, &theirs).await.expect("an administrator attests for all");
    send_json(&ada, "POST", BUNDLES, &bundle("example.com:signer:a", "example.com/signer"))
        .await
        .expect("hers");
    let mut unsigned = bundle("a", "");
    unsigned["spec"] = json!({"trustBundle": AUTHORITY});
    send_json(&ada, "POST", BUNDLES, &unsigned).await.expect("of no signer");

    let labelled = json!({"metadata": {"labels": {"a": "b"}}});
    let refused = refusal(patch(&ada, "example.org:signer:a", &labelled).await);
    assert!(refused.message.contains("not permitted to attest"), "{}", refused.message);
    let collected = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    patch(&ada, "example.org:signer:a", &collected).await.expect("the garbage collector's fields");
    patch(&ada, "example.com:signer:a", &labelled).await.expect("of her domain");
}
