//! [`Tokens`]: whom a bearer token stands for. Some are known from the start, others are issued to service
//! accounts, by `/token`, and end with their time or with the account.

use std::collections::HashMap;

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Secret, User};
use crate::{
    api::{key::Key, object},
    registry::Context,
};

/// The audience and the issuer of the server's own tokens.
pub(crate) const AUDIENCE: &str = "https://kubernetes.default.svc";

#[derive(Debug)]
pub(crate) struct Tokens {
    fixed: HashMap<Secret, User>,
    issued: Mutex<HashMap<Secret, Issued>>,
}

/// A token of a service account.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) account: Key,
    /// The account's UID: another one of the same name is not meant.
    pub(crate) uid: String,
    /// The identifier of the token, unique among all tokens.
    pub(crate) id: String,
    /// The object that the token is bound to, if any.
    pub(crate) bound: Option<Bound>,
    pub(crate) ends: Timestamp,
    /// The audiences of the token.
    pub(crate) audiences: Vec<String>,
}

/// Why a token lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The token is unknown or has expired.
    Unknown,
    /// The token is for these audiences, none of which was asked for.
    Audiences(Vec<String>),
}

/// The object whose deletion revokes a token.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// `pods`, for example.
    pub(crate) resource: &'static str,
    pub(crate) key: Key,
    pub(crate) uid: String,
}

impl Tokens {
    pub(crate) fn new(fixed: Vec<(Secret, User)>) -> Self {
        Self { fixed: fixed.into_iter().collect(), issued: Mutex::default() }
    }

    /// Returns whether tokens were given at the start.
    pub(crate) fn are_set(&self) -> bool {
        !self.fixed.is_empty()
    }

    /// Returns the user of `token`, and the audiences among `wanted` that it is for.
    pub(crate) fn user(
        &self,
        context: &Context,
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
            context.store.get(resource, key).is_some_and(|found| object::uid(&found.value()) == uid)
        };
        let has_ended = context.clock.now() >= ends
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

    pub(crate) fn issue(&self, token: Secret, issued: Issued, now: Timestamp) {
        let mut all = self.issued.lock();
        all.retain(|_, issued| issued.ends > now);
        all.insert(token, issued);
    }
}

/// The texts of a list.
pub(crate) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
