//! `/token` of a service account: issues bearer tokens.

use std::ops::RangeInclusive;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Response, StatusCode};
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use super::{core::Core, decode, managed, request::Request};
use crate::{
    api::{
        clock,
        key::Key,
        object,
        resource::Resource,
        status::{Cause, Result, Status},
    },
    auth::{
        Secret,
        tokens::{AUDIENCE, Bound, Issued, texts},
    },
    registry::Context,
    wire::body::{self, ResponseBody},
};

/// The lifetimes of tokens, in seconds.
const LIFETIMES: RangeInclusive<i64> = 600..=1 << 32;
/// The default lifetime of a token.
const LIFETIME: i64 = 3600;
/// The kind of a request for a token.
const TOKEN_REQUEST: Resource<'static> = Resource::new("authentication.k8s.io", "TokenRequest", "");

/// Issues a token to a service account: its `/token`.
pub(super) fn request(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let context = &core.registry;
    let mut wanted = decode::other(request, "authentication.k8s.io", "v1", "TokenRequest")?;
    let (namespace, name) = (&request.route.namespace, &request.route.name);
    check_place(&wanted, namespace, name)?;
    let account = context.store.get("serviceaccounts", &Key::new(namespace, name));
    let account = account.ok_or_else(|| Status::not_found(&request.route.kind, name))?.value();
    let uid = object::uid(&account).to_owned();
    check_account(&wanted, name, &uid)?;
    if !wanted["spec"].is_object() {
        wanted["spec"] = json!({});
    }
    let seconds = wanted.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(LIFETIME);
    check_lifetime(seconds)?;
    let bound = bound(context, &wanted["spec"]["boundObjectRef"], namespace, name)?;
    let now = context.clock.now();
    let ends = now.saturating_add(SignedDuration::from_secs(seconds)).expect("saturates");
    if wanted["spec"]["audiences"].as_array().is_none_or(Vec::is_empty) {
        wanted["spec"]["audiences"] = json!([AUDIENCE]);
    }
    if wanted["spec"]["expirationSeconds"].is_null() {
        wanted["spec"]["expirationSeconds"] = seconds.into();
    }
    let sent = json!({"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], "spec": wanted["spec"]});
    let managers = managed::token_writer(&context.kinds, &request.manager, &context.clock.seconds())
        .created(&mut sent.clone());
    wanted["metadata"] = json!({
        "name": name, "namespace": namespace, "uid": uid, "creationTimestamp": context.clock.text(),
    });
    if let Some(managers) = managers.and_then(|managers| serde_json::from_str::<Value>(&managers).ok()) {
        wanted["metadata"]["managedFields"] = managers;
    }
    if wanted["spec"].get("boundObjectRef").is_none() {
        wanted["spec"]["boundObjectRef"] = Value::Null;
    }
    wanted["status"] = json!({"token": "", "expirationTimestamp": null});
    if !request.query.dry_run {
        let mut about = json!({"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}});
        if let Some(Bound { resource, key, uid }) = &bound {
            about[resource.trim_end_matches('s')] = json!({"name": key.name(), "uid": uid});
        }
        let id = Secret::new().reveal().to_owned(); // tells one token from another, and lets nobody in
        let claims = json!({
            "aud": wanted["spec"]["audiences"], "iss": AUDIENCE, "jti": id,
            "iat": now.as_second(), "nbf": now.as_second(), "exp": ends.as_second(), "kubernetes.io": about,
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let token = written(&claims, &Secret::new());
        wanted["status"] = json!({"token": token.reveal(), "expirationTimestamp": clock::seconds(ends)});
        let audiences = texts(&wanted["spec"]["audiences"]);
        let issued = Issued { account: Key::new(namespace, name), uid, id, bound, ends, audiences };
        core.access.tokens.issue(token, issued, now);
    }
    Ok(body::value(StatusCode::CREATED, &wanted))
}

/// Refuses a request whose metadata names another account than its path.
fn check_place(wanted: &Value, namespace: &str, name: &str) -> Result<()> {
    let places = [("name", object::name(wanted), name), ("namespace", object::namespace(wanted), namespace)];
    let Some((field, said, _)) = places.iter().find(|(_, said, meant)| !said.is_empty() && said != meant)
    else {
        return Ok(());
    };
    let because = format!("must match the service account {field} if specified");
    let cause = Cause::invalid(format!("metadata.{field}"), &json!(said), because);
    Err(Status::invalid(TOKEN_REQUEST, name, &[cause]))
}

/// Refuses a request for another account of the same name, by its UID.
fn check_account(wanted: &Value, name: &str, uid: &str) -> Result<()> {
    let said = object::uid(wanted);
    if said.is_empty() || said == uid {
        return Ok(());
    }
    let because = format!(
        "the UID in the token request ({said}) does not match the UID of the service account ({uid})"
    );
    Err(Status::conflict(Resource { plural: "TokenRequest", ..TOKEN_REQUEST }, name, &because))
}

/// The object that a token is to end with: a Pod of the account, a Node or a Secret.
fn bound(context: &Context, wanted: &Value, namespace: &str, account: &str) -> Result<Option<Bound>> {
    if wanted.is_null() {
        return Ok(None);
    }
    let text = |field: &str| wanted[field].as_str().unwrap_or_default();
    let (version, kind, name) = (text("apiVersion"), text("kind"), text("name"));
    let (resource, key) = match (version, kind) {
        ("v1", "Pod") => ("pods", Key::new(namespace, name)),
        ("v1", "Secret") => ("secrets", Key::new(namespace, name)),
        ("v1", "Node") => ("nodes", Key::new("", name)),
        _ => {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let because = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
            return Err(Status::bad_request(because));
        }
    };
    let served = context.kinds.get("", "v1", resource).expect("a built-in kind");
    let found = context.store.get(resource, &key).ok_or_else(|| Status::not_found(&served, name))?.value();
    if kind == "Pod" && found["spec"]["serviceAccountName"] != account {
        return Err(Status::bad_request(format!(
            "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount name."
        )));
    }
    let uid = object::uid(&found).to_owned();
    if !text("uid").is_empty() && text("uid") != uid {
        let because = format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been \
             deleted and then recreated",
            text("uid")
        );
        return Err(Status::conflict(Resource { plural: kind, ..Resource::from(&served) }, name, &because));
    }
    Ok(Some(Bound { resource, key, uid }))
}

fn check_lifetime(seconds: i64) -> Result<()> {
    let because = if LIFETIMES.contains(&seconds) {
        return Ok(());
    } else if seconds < *LIFETIMES.start() {
        "may not specify a duration less than 10 minutes"
    } else {
        "may not specify a duration larger than 2^32 seconds"
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), because);
    Err(Status::invalid(TOKEN_REQUEST, "", &[cause]))
}

/// The claims in the form of a JSON web token, so that clients can read when it ends. Nobody checks the
/// signature: the server remembers what it has issued.
fn written(claims: &Value, signature: &Secret) -> Secret {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "none", "typ": "JWT"});
    let parts = [part(&header.to_string()), part(&claims.to_string()), part(signature.reveal())];
    Secret::chosen(parts.join("."))
}
