//! [`Tokens`]: whom a bearer token stands for. Some are known from the start, others are issued to service
//! accounts, by `/token`, and end with their time or with the account.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Response, StatusCode};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Secret, User};
use crate::{
    clock,
    core::Core,
    http::{
        body::{self, ResponseBody},
        status::{Cause, Result, Status},
    },
    kinds::Kind,
    object,
    storage::Key,
    verbs::{self, Request},
};

/// Whom tokens are for, and who issues them.
pub(super) const AUDIENCE: &str = "https://kubernetes.default.svc";

/// How long an issued token is good for, in seconds, unless the request says otherwise.
const LIFETIME: i64 = 3600;
/// The shortest lifetime that upstream issues.
const SHORTEST: i64 = 600;
/// The longest: upstream's 2³².
const LONGEST: i64 = 1 << 32;

#[derive(Debug)]
pub(super) struct Tokens {
    fixed: HashMap<Secret, User>,
    issued: Mutex<HashMap<Secret, Issued>>,
}

/// A token of a service account.
#[derive(Debug, Clone)]
struct Issued {
    account: Key,
    /// The account's UID: another one of the same name is not meant.
    uid: String,
    /// The identifier of the token, unique among all tokens.
    id: String,
    /// The object that the token is bound to, if any.
    bound: Option<Bound>,
    ends: Timestamp,
    /// Whom the token is for.
    audiences: Vec<String>,
}

/// Why a token lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rejected {
    /// Nobody has it, or it has ended.
    Unknown,
    /// It is for these audiences, and none of them was asked for.
    Audiences(Vec<String>),
}

/// An object that a token ends with.
#[derive(Debug, Clone)]
struct Bound {
    /// `pods`, for example.
    resource: &'static str,
    key: Key,
    uid: String,
}

impl Tokens {
    pub(super) fn new(fixed: Vec<(Secret, User)>) -> Self {
        Self { fixed: fixed.into_iter().collect(), issued: Mutex::default() }
    }

    /// Whether tokens were given at the start.
    pub(super) fn are_set(&self) -> bool {
        !self.fixed.is_empty()
    }

    /// Whom `token` stands for now, and which of `wanted` it is for.
    pub(super) fn user(
        &self,
        core: &Core,
        token: &str,
        wanted: &[String],
    ) -> Result<(User, Vec<String>), Rejected> {
        let common = |audiences: &[String]| -> Vec<String> {
            audiences.iter().filter(|audience| wanted.contains(audience)).cloned().collect()
        };
        // A token that is known from the start is the server's own.
        if let Some(user) = self.fixed.get(token) {
            let own = [AUDIENCE.to_owned()];
            let common = common(&own);
            return if common.is_empty() { Err(Rejected::Unknown) } else { Ok((user.clone(), common)) };
        }
        let issued = self.issued.lock().get(token).cloned().ok_or(Rejected::Unknown)?;
        let Issued { account, uid, id, bound, ends, audiences } = issued;
        let is_there = |resource: &str, key: &Key, uid: &str| {
            core.store.get(resource, key).is_some_and(|found| object::uid(&found.value()) == uid)
        };
        let has_ended = core.clock.now() >= ends
            || !is_there("serviceaccounts", &account, &uid)
            || bound.as_ref().is_some_and(|bound| !is_there(bound.resource, &bound.key, &bound.uid));
        if has_ended {
            return Err(Rejected::Unknown);
        }
        let common = common(&audiences);
        if common.is_empty() {
            return Err(Rejected::Audiences(audiences));
        }
        let mut user = User::service_account(account.namespace().unwrap_or_default(), account.name());
        let mut tell = |what: &str, value: String| {
            user.extra.insert(format!("authentication.kubernetes.io/{what}"), vec![value]);
        };
        tell("credential-id", format!("JTI={id}"));
        if let Some(Bound { resource: "pods", key, uid }) = bound {
            tell("pod-name", key.name().to_owned());
            tell("pod-uid", uid);
        }
        Ok((User { uid, ..user }, common))
    }

    fn issue(&self, token: Secret, issued: Issued, now: Timestamp) {
        let mut all = self.issued.lock();
        all.retain(|_, issued| issued.ends > now);
        all.insert(token, issued);
    }
}

/// Issues a token to a service account: its `/token`.
pub(crate) fn request(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let mut wanted = verbs::read_other(request, "authentication.k8s.io", "v1", "TokenRequest")?;
    let (namespace, name) = (&request.route.namespace, &request.route.name);
    let account = core.store.get("serviceaccounts", &Key::new(namespace, name));
    let account = account.ok_or_else(|| Status::not_found(&request.route.kind, name))?;
    check_place(&wanted, namespace, name)?;
    if !wanted["spec"].is_object() {
        wanted["spec"] = json!({});
    }
    let seconds = wanted.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(LIFETIME);
    check_lifetime(seconds)?;
    let bound = bound(core, &wanted["spec"]["boundObjectRef"], namespace, name)?;
    let now = core.clock.now();
    let ends = now.saturating_add(SignedDuration::from_secs(seconds)).expect("saturates");
    let uid = object::uid(&account.value()).to_owned();
    if wanted["spec"]["audiences"].as_array().is_none_or(Vec::is_empty) {
        wanted["spec"]["audiences"] = json!([AUDIENCE]);
    }
    wanted["metadata"] =
        json!({"name": name, "namespace": namespace, "creationTimestamp": core.clock.text()});
    wanted["spec"]["expirationSeconds"] = seconds.into();
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

/// The texts of a list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// A request that says whose token it wants has to say what its path says.
fn check_place(wanted: &Value, namespace: &str, name: &str) -> Result<()> {
    let places = [("name", object::name(wanted), name), ("namespace", object::namespace(wanted), namespace)];
    let wrong = places.iter().filter(|(_, said, meant)| !said.is_empty() && said != meant);
    let causes: Vec<Cause> = wrong
        .map(|(field, said, _)| {
            let because = format!("must match the service account {field} if specified");
            Cause::invalid(format!("metadata.{field}"), &json!(said), because)
        })
        .collect();
    let kind = Kind::plain("authentication.k8s.io", "v1", "TokenRequest", "");
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(&kind, name, &causes)) }
}

/// The object that a token is to end with: a Pod of the account, a Node or a Secret.
fn bound(core: &Core, wanted: &Value, namespace: &str, account: &str) -> Result<Option<Bound>> {
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
    let served = core.kinds.get("", "v1", resource).expect("a built-in kind");
    let found = core.store.get(resource, &key).ok_or_else(|| Status::not_found(&served, name))?.value();
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
        return Err(Status::conflict(
            &Kind { plural: kind.to_owned(), ..Kind::clone(&served) },
            name,
            &because,
        ));
    }
    Ok(Some(Bound { resource, key, uid }))
}

fn check_lifetime(seconds: i64) -> Result<()> {
    let because = match seconds {
        ..SHORTEST => "may not specify a duration less than 10 minutes",
        LONGEST.. => "may not specify a duration larger than 2^32 seconds",
        _ => return Ok(()),
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), because);
    Err(Status::invalid_review("authentication.k8s.io", &cause))
}

/// The claims in the form of a JSON web token, so that clients can read when it ends. Nobody checks the
/// signature: the server remembers what it has issued.
fn written(claims: &Value, signature: &Secret) -> Secret {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "none", "typ": "JWT"});
    let parts = [part(&header.to_string()), part(&claims.to_string()), part(signature.reveal())];
    Secret::chosen(parts.join("."))
}
