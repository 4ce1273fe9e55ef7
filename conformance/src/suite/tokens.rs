//! Tokens of service accounts: `/token`.

use crate::case::{Case, Outcome, case};
use crate::objects::pod;
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_token_is_issued)
            .rule("A token lasts an hour, for the server's own audience, unless the request says otherwise.")
            .source("authentication.k8s.io/v1: TokenRequestSpec"),
        case(lifetimes_have_bounds)
            .rule("A lifetime is at least ten minutes and at most 2³² seconds.")
            .source("validation: ValidateTokenRequest"),
        case(a_malformed_request)
            .rule("A request that is malformed is 400.")
            .source("apimachinery: serializer"),
        case(a_token_is_bound)
            .rule("A token can be bound to a Pod of the account, and to nothing that is not there.")
            .source("registry/core/serviceaccount: TokenREST.Create"),
        case(a_token_is_for_its_audiences)
            .rule("A review authenticates a token for the audiences that it has, and tells its credential.")
            .source("apiserver: authenticator, WithAudiences; kubernetes/pkg/serviceaccount: Validator"),
        case(whose_token_it_is)
            .rule("A name in the body is the path's, and a UID the account's.")
            .source("registry/core/serviceaccount: TokenREST.Create"),
    ]
}

async fn a_token_is_issued(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    site.post("serviceaccounts/a/token", json!({"spec": {}}))
        .await?
        .code(201)?
        .is("/kind", "TokenRequest")?
        .is("/spec/expirationSeconds", 3600)?
        .has("/spec/audiences/0")?
        .has("/status/token")?
        .has("/status/expirationTimestamp")?;
    site.post("serviceaccounts/a/token", json!({"spec": {"audiences": ["x"], "expirationSeconds": 600}}))
        .await?
        .code(201)?
        .is("/spec/audiences", json!(["x"]))?
        .is("/spec/expirationSeconds", 600)?;
    Ok(())
}

async fn lifetimes_have_bounds(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    for (seconds, because) in [
        (599_i64, "may not specify a duration less than 10 minutes"),
        ((1 << 32) + 1, "may not specify a duration larger than 2^32 seconds"),
    ] {
        site.post("serviceaccounts/a/token", json!({"spec": {"expirationSeconds": seconds}}))
            .await?
            .code(422)?
            .cause("FieldValueInvalid", "spec.expirationSeconds")?
            .mentions("/message", because)?;
    }
    for seconds in [600_i64, 1 << 32] {
        site.post("serviceaccounts/a/token", json!({"spec": {"expirationSeconds": seconds}}))
            .await?
            .code(201)?;
    }
    Ok(())
}

async fn a_malformed_request(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    for spec in
        [json!({"audiences": "x"}), json!({"expirationSeconds": "600"}), json!({"boundObjectRef": []})]
    {
        site.post("serviceaccounts/a/token", json!({"spec": spec})).await?.refused(400, "BadRequest")?;
    }
    site.post("serviceaccounts/none/token", json!({"spec": {}})).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_token_is_bound(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    let mut body = pod("p");
    body["spec"]["serviceAccountName"] = json!("a");
    let made = site.create("pods", body).await?;
    let bound = |reference: Value| json!({"spec": {"boundObjectRef": reference}});
    let of_pod =
        |name: &str, uid: &str| bound(json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}));
    site.post("serviceaccounts/a/token", of_pod("p", made.text("/metadata/uid")))
        .await?
        .code(201)?
        .has("/status/token")?;
    site.post("serviceaccounts/a/token", of_pod("none", "")).await?.refused(404, "NotFound")?;
    site.post("serviceaccounts/a/token", of_pod("p", "another")).await?.refused(409, "Conflict")?.mentions(
        "/message",
        "the UID in the bound object reference (another) does not match the UID in record",
    )?;
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "m"});
    site.post("serviceaccounts/a/token", bound(map))
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "cannot bind token to object of type")?;
    site.create("serviceaccounts", json!({"metadata": {"name": "b"}})).await?;
    site.post("serviceaccounts/b/token", of_pod("p", ""))
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "running with different serviceaccount name")?;
    Ok(())
}

async fn a_token_is_for_its_audiences(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    let wanted = json!({"spec": {"audiences": ["vault", "other"]}});
    let issued = site.create("serviceaccounts/a/token", wanted).await?;
    let token = issued.at("/status/token").clone();
    let review = async |audiences: Value| {
        let body = json!({"spec": {"token": token, "audiences": audiences}});
        site.create("/apis/authentication.k8s.io/v1/tokenreviews", body).await
    };
    let name = format!("system:serviceaccount:{}:a", site.namespace());
    let known = review(json!(["vault", "none"])).await?;
    let known = known
        .is("/status/authenticated", true)?
        .is("/status/audiences", json!(["vault"]))?
        .is("/status/user/username", name)?;
    let credential = known.text("/status/user/extra/authentication.kubernetes.io~1credential-id/0");
    let is_told = credential.starts_with("JTI=") && credential.len() > 4;
    known.check(is_told, "the token's identifier")?;
    for audiences in [json!(["none"]), json!(null)] {
        let unknown = review(audiences).await?.lacks("/status/authenticated")?;
        unknown.mentions(
            "/status/error",
            "token audiences [\"vault\" \"other\"] is invalid for the target audiences",
        )?;
    }
    Ok(())
}

async fn whose_token_it_is(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    site.post("serviceaccounts/a/token", json!({"metadata": {"name": "b"}, "spec": {}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.name")?
        .mentions("/message", "must match the service account name if specified")?;
    let other = json!({"metadata": {"uid": "x"}, "spec": {}});
    site.post("serviceaccounts/a/token", other).await?.refused(409, "Conflict")?.mentions(
        "/message",
        "the UID in the token request (x) does not match the UID of the service account",
    )?;
    let nobody = json!({"metadata": {"name": "b"}, "spec": {}});
    site.post("serviceaccounts/none/token", nobody).await?.invalid("FieldValueInvalid", "metadata.name")?;
    Ok(())
}
