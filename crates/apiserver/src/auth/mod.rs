//! Authentication and authorization: bearer tokens, impersonation, and RBAC.
//!
//! Both are off by default: then everybody is an administrator, and headers that say otherwise choose no
//! more than a name. What a client in this process is allowed to do goes by the [`User`] that it was made for.

pub(crate) mod attributes;
pub(crate) mod escalation;
mod policy;
pub(crate) mod rules;
mod secret;
pub(crate) mod signers;
pub(crate) mod tokens;
mod user;

use std::{borrow::Cow, sync::Arc};

use http::{HeaderMap, header};
use parking_lot::Mutex;

pub(crate) use self::secret::Secret;
pub use self::user::User;
use self::{
    attributes::{Attributes, Target},
    policy::Policy,
    rules::{GROUP, Rule},
    tokens::Tokens,
};
use crate::{
    api::{
        request_info::RequestInfo,
        status::{Result, Status},
    },
    registry::{Context, route::Route},
};

/// Settings and state of authentication and authorization.
#[derive(Debug)]
pub(crate) struct Access {
    /// Whether RBAC's objects decide. If not, everything is allowed.
    enforced: bool,
    pub(crate) tokens: Tokens,
    /// The policy of the stored objects, until one of them changes.
    policy: Mutex<Option<Arc<Policy>>>,
}

impl Access {
    /// `enforced` turns RBAC on; `tokens` are known from the start.
    pub(crate) fn new(enforced: bool, tokens: Vec<(Secret, User)>) -> Self {
        Self { enforced, tokens: Tokens::new(tokens), policy: Mutex::default() }
    }

    /// Forgets what the objects said, if `group` is theirs.
    pub(crate) fn changed(&self, group: &str) {
        if group == GROUP {
            *self.policy.lock() = None;
        }
    }

    /// Returns the sender of a request: the user of its client, or the one in its headers.
    pub(crate) fn identify(
        &self,
        context: &Context,
        headers: &HeaderMap,
        client: Option<&User>,
    ) -> Result<User> {
        let sender = match (client, bearer(headers)) {
            (Some(user), _) => user.clone(),
            (None, Some(token)) if self.asks_for_tokens() => {
                let own = [tokens::AUDIENCE.to_owned()];
                self.tokens.user(context, token, &own).map_err(|_| Status::unauthorized())?.0
            }
            (None, None) if self.enforced => User::anonymous(),
            // Where everything is allowed to everybody who is known, nobody is anonymous, as upstream.
            (None, None) if self.tokens.are_set() => return Err(Status::unauthorized()),
            (None, _) => User::admin(),
        };
        match user::impersonated(headers)? {
            None => Ok(sender),
            Some(wanted) => {
                for attributes in attributes::of_impersonation(&wanted) {
                    self.check(context, &sender, &attributes)?;
                }
                Ok(wanted.completed())
            }
        }
    }

    /// Refuses what `user` may not do: 403.
    pub(crate) fn check(&self, context: &Context, user: &User, attributes: &Attributes<'_>) -> Result<()> {
        if self.allows(context, user, attributes) { Ok(()) } else { Err(attributes.forbidden(user)) }
    }

    /// Refuses a request that its sender may not make.
    pub(crate) fn check_request(&self, context: &Context, user: &User, info: &RequestInfo) -> Result<()> {
        if self.enforced { self.check(context, user, &attributes::of_request(info)) } else { Ok(()) }
    }

    /// Whether `user` may do this.
    pub(crate) fn allows(&self, context: &Context, user: &User, attributes: &Attributes<'_>) -> bool {
        !self.enforced || user.is_master() || self.policy(context).allows(user, attributes)
    }

    /// All that `user` may do in `namespace`.
    pub(crate) fn rules(&self, context: &Context, user: &User, namespace: &str) -> Vec<Rule> {
        if !self.enforced || user.is_master() {
            return Rule::everything().into();
        }
        self.policy(context).rules(user, namespace).cloned().collect()
    }

    fn policy(&self, context: &Context) -> Arc<Policy> {
        let mut policy = self.policy.lock();
        policy.get_or_insert_with(|| Arc::new(Policy::read(&context.store))).clone()
    }

    /// Whether a request without a known token is not an administrator's.
    fn asks_for_tokens(&self) -> bool {
        self.enforced || self.tokens.are_set()
    }
}

/// The sender of a request that writes, and the request's target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) access: &'a Access,
    pub(crate) context: &'a Context,
    pub(crate) user: &'a User,
    pub(crate) route: &'a Route,
}

impl Caller<'_> {
    /// Returns whether the sender may do this.
    fn is_allowed(&self, attributes: &Attributes<'_>) -> bool {
        self.access.allows(self.context, self.user, attributes)
    }

    /// Refuses an update that creates its object, if its sender may not create it: 403.
    pub(crate) fn check_create(&self) -> Result<()> {
        let Route { kind, namespace, name, .. } = self.route;
        let (group, plural) = (&*kind.group, &*kind.plural);
        let target =
            Target::Resource { group, plural, subresource: "", namespace, name: Cow::Borrowed(name) };
        self.access.check(self.context, self.user, &Attributes { verb: "create".into(), target })
    }
}

/// The bearer token of a request; one that is no text is none that anybody has.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.as_bytes().trim_ascii();
    let space = header.iter().position(|byte| *byte == b' ')?;
    let (scheme, token) = header.split_at(space);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| std::str::from_utf8(token).unwrap_or_default().trim())
}
