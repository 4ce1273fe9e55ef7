//! [`Tokens`]: whom a bearer token stands for. Some are known from the start, others are issued to service
//! accounts, by `/token`, and end with their time or with the account.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Response, StatusCode};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::User;
use crate::{
    clock,
    core::Core,
    http::{
        body::{self, ResponseBody},
        status::{Cause, Result, Status},
    },
    object,
    storage::Key,
    verbs::Request,
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
    fixed: HashMap<String, User>,
    issued: Mutex<HashMap<String, Issued>>,
}

/// A token of a service account.
#[derive(Debug, Clone)]
struct Issued {
    account: Key,
    /// The account's UID: another one of the same name is not meant.
    uid: String,
    ends: Timestamp,
}

impl Tokens {
    pub(super) fn new(fixed: Vec<(String, User)>) -> Self {
        Self { fixed: fixed.into_iter().collect(), issued: Mutex::default() }
    }

    /// Whether tokens were given at the start.
    pub(super) fn are_set(&self) -> bool {
        !self.fixed.is_empty()
    }

    /// Whom `token` stands for now.
    pub(super) fn user(&self, core: &Core, token: &str) -> Option<User> {
        if let Some(user) = self.fixed.get(token) {
            return Some(user.clone());
        }
        let Issued { account, uid, ends } = self.issued.lock().get(token)?.clone();
        let found = core.store.get("serviceaccounts", &account)?;
        if core.clock.now() >= ends || object::uid(&found.value()) != uid {
            return None;
        }
        let user = User::service_account(account.namespace().unwrap_or_default(), account.name());
        Some(User { uid, ..user })
    }

    fn issue(&self, token: String, issued: Issued, now: Timestamp) {
        let mut all = self.issued.lock();
        all.retain(|_, issued| issued.ends > now);
        all.insert(token, issued);
    }
}

/// Issues a token to a service account: its `/token`.
pub(crate) fn request(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let mut wanted = request.decode()?;
    if !wanted["spec"].is_object() {
        wanted["spec"] = json!({});
    }
    let (namespace, name) = (&request.route.namespace, &request.route.name);
    let account = core.store.get("serviceaccounts", &Key::new(namespace, name));
    let account = account.ok_or_else(|| Status::not_found(&request.route.kind, name))?;
    let seconds = wanted.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(LIFETIME);
    check_lifetime(seconds)?;
    let now = core.clock.now();
    let ends = now.saturating_add(SignedDuration::from_secs(seconds)).expect("saturates");
    let uid = object::uid(&account.value()).to_owned();
    if wanted["spec"]["audiences"].as_array().is_none_or(Vec::is_empty) {
        wanted["spec"]["audiences"] = json!([AUDIENCE]);
    }
    let id = core.random.uid();
    let claims = json!({
        "aud": wanted["spec"]["audiences"], "iss": AUDIENCE, "jti": id,
        "iat": now.as_second(), "nbf": now.as_second(), "exp": ends.as_second(),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let token = written(&claims, &core.random.uid());
    core.access.tokens.issue(token.clone(), Issued { account: Key::new(namespace, name), uid, ends }, now);
    wanted["apiVersion"] = "authentication.k8s.io/v1".into();
    wanted["kind"] = "TokenRequest".into();
    wanted["metadata"] =
        json!({"name": name, "namespace": namespace, "creationTimestamp": core.clock.text()});
    wanted["spec"]["expirationSeconds"] = seconds.into();
    wanted["status"] = json!({"token": token, "expirationTimestamp": clock::seconds(ends)});
    Ok(body::value(StatusCode::CREATED, &wanted))
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
fn written(claims: &Value, signature: &str) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "none", "typ": "JWT"});
    [part(&header.to_string()), part(&claims.to_string()), part(signature)].join(".")
}
