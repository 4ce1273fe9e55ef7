//! The reviews: questions about users and permissions, asked by creating an object that is never stored.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{core::Core, request::Request};
use crate::{
    api::{
        object,
        status::{Cause, Result, Status},
    },
    auth::{
        User,
        attributes::{Attributes, Target},
        rules::Rule,
        tokens::{AUDIENCE, Rejected, texts},
    },
    registry::strategy::Review,
    wire::body::{self, ResponseBody},
};

/// The group of the reviews about permissions.
const AUTHORIZATION: &str = "authorization.k8s.io";

/// Answers a review that passed the checks of every body.
pub(super) fn serve(core: &Core, request: &Request, mut review: Value) -> Result<Response<ResponseBody>> {
    let user = &request.user;
    let status = match request.route.kind.strategy.review {
        Some(Review::SelfSubjectAccess) => access(core, user, &review)?,
        Some(Review::SubjectAccess) => access(core, &subject(&review)?, &review)?,
        Some(Review::LocalSubjectAccess) => {
            check_namespace(&review, &request.route.namespace)?;
            access(core, &subject(&review)?, &review)?
        }
        Some(Review::SelfSubjectRules) => rules(core, user, &review)?,
        Some(Review::SelfSubject) => {
            review["metadata"] = json!({"creationTimestamp": core.registry.clock.text()});
            json!({"userInfo": user.to_json()})
        }
        Some(Review::Token) | None => token(core, &review)?,
    };
    let group = &request.kind().group;
    if let Some(metadata) = review["metadata"].as_object().filter(|_| group == AUTHORIZATION) {
        let is_set =
            |field: &&String| !matches!(field.as_str(), "managedFields" | "namespace" | "creationTimestamp");
        if metadata.keys().any(|field| is_set(&field)) {
            let managers = request.writer(core, &core.registry.clock.seconds()).created(&mut review);
            let shown = object::metadata_in_go(&review["metadata"], managers.as_deref());
            return Err(Status::invalid_review(
                AUTHORIZATION,
                &Cause::invalid_json("metadata", &shown, "must be empty"),
            ));
        }
    }
    if request.kind().strategy.review != Some(Review::SelfSubject) {
        let managers = request.writer(core, &core.registry.clock.seconds()).created(&mut review);
        if let Some(managers) = managers.and_then(|managers| serde_json::from_str::<Value>(&managers).ok()) {
            review["metadata"]["managedFields"] = managers;
        }
    }
    review["status"] = status;
    Ok(body::value(StatusCode::CREATED, &review))
}

fn invalid(field: &str, value: &Value, because: &str) -> Status {
    Status::invalid_review(AUTHORIZATION, &Cause::invalid(field, value, because))
}

/// Whether `user` may do what the review asks about.
fn access(core: &Core, user: &User, review: &Value) -> Result<Value> {
    let spec = &review["spec"];
    let text = |value: &'_ Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    if resource.is_object() == path.is_object() {
        let because = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        return Err(invalid("spec.resourceAttributes", &Value::Null, because));
    }
    let allowed = if path.is_object() {
        let (verb, path) = (text(path, "verb"), text(path, "path"));
        core.access.allows(
            &core.registry,
            user,
            &Attributes { verb: verb.into(), target: Target::Path(&path) },
        )
    } else {
        let [verb, group, plural, subresource, namespace, name] =
            ["verb", "group", "resource", "subresource", "namespace", "name"]
                .map(|field| text(resource, field));
        let target = Target::Resource {
            group: &group,
            plural: &plural,
            subresource: &subresource,
            namespace: &namespace,
            name: name.into(),
        };
        core.access.allows(&core.registry, user, &Attributes { verb: verb.into(), target })
    };
    Ok(json!({"allowed": allowed}))
}

/// Returns the user that a review asks about.
fn subject(review: &Value) -> Result<User> {
    let spec = &review["spec"];
    let user = spec["user"].as_str().unwrap_or_default();
    let groups = texts(&spec["groups"]);
    if user.is_empty() && groups.is_empty() {
        let because = "at least one of user or group must be specified";
        return Err(invalid("spec.user", &json!(""), because));
    }
    Ok(User { groups, ..User::new(user) }) // only what was said: upstream adds no group either
}

fn check_namespace(review: &Value, namespace: &str) -> Result<()> {
    let asked = &review["spec"]["resourceAttributes"]["namespace"];
    if asked.as_str() == Some(namespace) {
        return Ok(());
    }
    let asked = if asked.is_null() { &json!("") } else { asked };
    Err(invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"))
}

/// All that `user` may do in a namespace.
fn rules(core: &Core, user: &User, review: &Value) -> Result<Value> {
    let namespace = review["spec"]["namespace"].as_str().unwrap_or_default();
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let rules = core.access.rules(&core.registry, user, namespace);
    let (resources, paths): (Vec<&Rule>, Vec<&Rule>) =
        rules.iter().partition(|rule| rule.is_about_resources());
    let shown = |rules: Vec<&Rule>| -> Vec<Value> { rules.into_iter().map(Rule::to_json).collect() };
    Ok(json!({
        "resourceRules": shown(resources), "nonResourceRules": shown(paths), "incomplete": false,
    }))
}

/// Reviews a token.
fn token(core: &Core, review: &Value) -> Result<Value> {
    let token = review["spec"]["token"].as_str().unwrap_or_default();
    if token.is_empty() {
        return Err(Status::bad_request("token is required for TokenReview in authentication"));
    }
    let mut audiences = texts(&review["spec"]["audiences"]);
    if audiences.is_empty() {
        audiences.push(AUDIENCE.to_owned());
    }
    Ok(match core.access.tokens.user(&core.registry, token, &audiences) {
        Ok((user, audiences)) => {
            json!({"authenticated": true, "user": user.to_json(), "audiences": audiences})
        }
        Err(Rejected::Unknown) => json!({"user": {}, "error": "invalid bearer token"}),
        Err(Rejected::Audiences(others)) => {
            let list =
                |list: &[String]| list.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(" ");
            let because = format!(
                "[invalid bearer token, token audiences [{}] is invalid for the target audiences [{}]]",
                list(&others),
                list(&audiences)
            );
            json!({"user": {}, "error": because})
        }
    })
}
