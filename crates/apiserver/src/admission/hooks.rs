//! Admission: closures that see every write before it is stored, as webhooks do.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::StatusCode;
use serde_json::Value;
use trimtab_schema::decode;

use crate::{
    User,
    api::{
        object,
        status::{Result, Status},
        subresource::Subresource,
    },
    registry::route::Route,
    store::Stored,
};

/// The operation of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An object is made.
    Create,
    /// An object becomes another one, whichever verb asked for it.
    Update,
    /// Deletion is asked for.
    Delete,
}

/// A write that waits to be admitted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admission<'a> {
    /// Its operation.
    pub operation: Operation,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: &'a str,
    /// The last part of the path, such as `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Empty for a cluster-scoped object.
    pub namespace: &'a str,
    /// Empty as long as a name is still to be generated.
    pub name: &'a str,
    /// Who writes.
    pub user: &'a User,
    /// Nothing will be stored.
    pub dry_run: bool,
    /// The new state, which a mutating hook may change; `None` for a deletion.
    pub object: Option<&'a mut Value>,
    /// The state before; `None` for a creation.
    pub old: Option<&'a Value>,
}

/// A write on its way through the hooks: upstream's attributes of admission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a> {
    pub(crate) operation: Operation,
    pub(crate) route: &'a Route,
    pub(crate) user: &'a User,
    pub(crate) dry_run: bool,
}

/// A hook's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    message: String,
    code: u16,
}

impl Denied {
    /// A refusal with code 400, which upstream gives a webhook's refusal without a code.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 400 }
    }

    /// The same with this HTTP code, such as 403; one below 400 counts as 400.
    #[must_use]
    pub fn code(self, code: u16) -> Self {
        Self { code, ..self }
    }
}

type Hook = Arc<dyn Fn(&mut Admission<'_>) -> Result<(), Denied> + Send + Sync>;

/// The hooks of a server, in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    mutating: Vec<(String, Hook)>,
    validating: Vec<(String, Hook)>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |hooks: &[(String, Hook)]| -> Vec<String> {
            hooks.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Hooks")
            .field("mutating", &names(&self.mutating))
            .field("validating", &names(&self.validating))
            .finish()
    }
}

impl Hooks {
    pub(crate) fn add_mutating(
        &mut self,
        name: &str,
        hook: impl Fn(&mut Admission<'_>) -> Result<(), Denied> + Send + Sync + 'static,
    ) {
        self.mutating.push((name.to_owned(), Arc::new(hook)));
    }

    pub(crate) fn add_validating(
        &mut self,
        name: &str,
        hook: impl Fn(&Admission<'_>) -> Result<(), Denied> + Send + Sync + 'static,
    ) {
        self.validating.push((name.to_owned(), Arc::new(move |admission| hook(admission))));
    }

    /// Lets the mutating hooks change what is about to be written, before the kind's rules look at it.
    pub(crate) fn mutate(
        &self,
        attributes: Attributes<'_>,
        object: &mut Value,
        old: Option<&Value>,
    ) -> Result<()> {
        if self.mutating.is_empty() {
            return Ok(());
        }
        let name = object::name(object).to_owned();
        run(&self.mutating, attributes, &name, Some(object), old)?;
        // What follows takes it for granted that fields are of their types: a hook's object is read like a client's.
        let unfit = |because: String| {
            Status::internal(format!("a mutating admission hook left no object: {because}"))
        };
        if !object.is_object() {
            return Err(unfit("it is not one in JSON".to_owned()));
        }
        let (read, complaints) = decode(attributes.route.kind.structure(), object.take())
            .map_err(|error| unfit(error.to_string()))?;
        *object = read;
        complaints.mistyped.map_or(Ok(()), |because| Err(unfit(because)))
    }

    /// Whether nobody looks.
    pub(crate) fn are_none(&self) -> bool {
        self.mutating.is_empty() && self.validating.is_empty()
    }

    /// The object as hooks see it: with its managers, if there is anybody to see them.
    pub(crate) fn seen(&self, stored: &Stored) -> Arc<Value> {
        if self.are_none() { stored.value() } else { stored.whole().into() }
    }

    /// Asks the validating hooks about what is about to be stored, with its managers; `object` is `None` for a deletion.
    /// Their changes are lost.
    pub(crate) fn validate(
        &self,
        attributes: Attributes<'_>,
        name: &str,
        object: Option<(&Value, Option<&str>)>,
        old: Option<&Value>,
    ) -> Result<()> {
        if self.validating.is_empty() {
            return Ok(()); // nothing is cloned for nobody
        }
        let mut object = object.map(|(object, managers)| object::whole(object, managers));
        run(&self.validating, attributes, name, object.as_mut(), old)
    }
}

fn run(
    hooks: &[(String, Hook)],
    attributes: Attributes<'_>,
    name: &str,
    mut object: Option<&mut Value>,
    old: Option<&Value>,
) -> Result<()> {
    if hooks.is_empty() {
        return Ok(());
    }
    let Attributes { operation, route, user, dry_run } = attributes;
    let resource = route.kind.resource();
    for (hook_name, hook) in hooks {
        let mut admission = Admission {
            operation,
            resource: &resource,
            subresource: route.subresource.map_or("", Subresource::word),
            namespace: &route.namespace,
            name,
            user,
            dry_run,
            object: object.as_deref_mut(),
            old,
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| hook(&mut admission)));
        let denied = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(denied)) => denied,
            // The requester's task is not to blame: in a process, it would take the client down with it.
            Err(_) => {
                return Err(Status::internal(format!("failed calling webhook {hook_name:?}: it panicked")));
            }
        };
        return Err(refusal(hook_name, &denied));
    }
    Ok(())
}

/// A hook's refusal in upstream's words.
fn refusal(hook: &str, denied: &Denied) -> Status {
    let because = match &*denied.message {
        "" => " without explanation".to_owned(),
        message => format!(": {message}"),
    };
    let code = StatusCode::from_u16(denied.code.max(400)).unwrap_or(StatusCode::BAD_REQUEST);
    let reason = match code {
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::UNPROCESSABLE_ENTITY => "Invalid",
        _ => "",
    };
    Status::new(code, reason, format!("admission webhook {hook:?} denied the request{because}"))
}
