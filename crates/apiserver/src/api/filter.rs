//! [`Filter`]: selects requests by their sender and target.

use super::{chance::is_drawn, verb::Verb};

/// The sender and the target of a request.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) verb: Verb,
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) user_agent: String,
}

/// Selects requests. [`Filter::any`] selects all of them, each method narrows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    verb: Option<Verb>,
    resource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    user_agent: Option<String>,
    probability: Option<f64>,
}

impl Filter {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only this verb.
    #[must_use]
    pub fn verb(self, verb: Verb) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// Only this resource: the plural name and the group, such as `pods` or `replicasets.apps`.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Self { resource: Some(resource.into()), ..self }
    }

    /// Only requests that name this namespace.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// Only requests whose path names this object. A creation names its object in the body only.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Only clients with this `User-Agent`, as given to
    /// [`ApiServer::client_as`](crate::ApiServer::client_as).
    #[must_use]
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        Self { user_agent: Some(user_agent.into()), ..self }
    }

    /// Only so many of the requests, or of the watches, that it would select: 0 is none of them, 1 is all.
    ///
    /// The server's seed decides which ones, for each fault anew. Where there is no fault, as in
    /// [`RequestLog::matching`](crate::RequestLog::matching), all of them count.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        Self { probability: Some(probability), ..self }
    }

    /// Whether a fault with this filter affects the request of `origin`, which is the `number`th that it could affect.
    pub(crate) fn selects(&self, origin: &Origin, seed: u64, fault: u64, number: u64) -> bool {
        self.matches(origin)
            && self.probability.is_none_or(|probability| is_drawn(probability, seed, fault, number))
    }

    pub(crate) fn matches(&self, origin: &Origin) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.verb.is_none_or(|verb| verb == origin.verb)
            && is(&self.resource, &origin.resource)
            && is(&self.namespace, &origin.namespace)
            && is(&self.name, &origin.name)
            && is(&self.user_agent, &origin.user_agent)
    }
}
