//! [`Status`]: every refusal, with the code, the reason and the details that clients look at.

use http::StatusCode;
use serde_json::{Map, Value, json};
pub(crate) use trimtab_schema::FieldError as Cause;
use trimtab_schema::join_errors;

use super::{
    resource::{Resource, qualified},
    warning::Warnings,
};

/// The result of a request: a response, or a refusal.
pub(crate) type Result<T, E = Status> = std::result::Result<T, E>;

/// A `metav1.Status` that reports a failure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status(Box<Failure>);

#[derive(Debug, Clone, PartialEq)]
struct Failure {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Map<String, Value>,
    /// Whether there are details, even if they are empty.
    has_details: bool,
    /// Where an expired list goes on.
    continue_token: Option<String>,
    /// Warnings for the client.
    warnings: Warnings,
}

impl Status {
    /// A refusal with nothing but a message.
    pub(crate) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        let details = Map::new();
        Self(Box::new(Failure {
            code,
            reason,
            message: message.into(),
            details,
            has_details: false,
            continue_token: None,
            warnings: Warnings::default(),
        }))
    }

    /// 400: the request makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 400: the body is not even an object.
    pub(crate) fn unrecognized(kind: &str, because: &str, body: &[u8]) -> Self {
        const SHOWN: usize = 30;
        let (shown, more) = if body.len() > SHOWN { (&body[..SHOWN], " ...") } else { (body, "") };
        let shown = match shown {
            [] => "<empty>".to_owned(),
            [b'{', ..] => String::from_utf8_lossy(shown).into_owned(),
            other => other.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let message = format!(
            "the object provided is unrecognized (must be of type {kind}): {because} ({shown}{more})"
        );
        Self::bad_request(message)
    }

    /// 403, for an object.
    pub(crate) fn forbidden<'a>(kind: impl Into<Resource<'a>>, name: &str, because: &str) -> Self {
        let kind = kind.into();
        let what = kind.qualified();
        Self::new(StatusCode::FORBIDDEN, "Forbidden", format!("{what} {name:?} is forbidden: {because}"))
            .about(kind, name)
    }

    /// 403: somebody may not do what they want to do with objects of a resource.
    pub(crate) fn forbidden_resource(group: &str, plural: &str, name: &str, because: &str) -> Self {
        let what = qualified(plural, group);
        let named = if name.is_empty() { String::new() } else { format!(" {name:?}") };
        let message = format!("{what}{named} is forbidden: {because}");
        let mut status = Self::new(StatusCode::FORBIDDEN, "Forbidden", message);
        let told = [("name", name), ("group", group), ("kind", plural)];
        let told = told.into_iter().filter(|(_, value)| !value.is_empty());
        status.0.details.extend(told.map(|(key, value)| (key.to_owned(), value.into())));
        status
    }

    /// 401: the token is not known.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// 422 of a review. Upstream leaves out its kind.
    pub(crate) fn invalid_review(group: &str, cause: &Cause) -> Self {
        let message = format!(".{group} \"\" is invalid: {cause}");
        let mut status = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
        status = status.causes(std::slice::from_ref(cause));
        status.0.details.insert("group".to_owned(), group.into());
        status
    }

    /// 404: no such object.
    pub(crate) fn not_found<'a>(kind: impl Into<Resource<'a>>, name: &str) -> Self {
        let kind = kind.into();
        let message = format!("{} {name:?} not found", kind.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about(kind, name)
    }

    /// 404: the path names nothing.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// 405: the path does not take this verb.
    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// 409: the name is taken.
    pub(crate) fn already_exists<'a>(kind: impl Into<Resource<'a>>, name: &str) -> Self {
        let kind = kind.into();
        let message = format!("{} {name:?} already exists", kind.qualified());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).about(kind, name)
    }

    /// The same refusal, with something said before its message.
    pub(crate) fn preceded_by(mut self, prefix: &str) -> Self {
        self.0.message.insert_str(0, prefix);
        self
    }

    /// 409: the object is not what the writer believed.
    pub(crate) fn conflict<'a>(kind: impl Into<Resource<'a>>, name: &str, because: &str) -> Self {
        let kind = kind.into();
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {because}", kind.qualified());
        Self::new(StatusCode::CONFLICT, "Conflict", message).about(kind, name)
    }

    /// 409: the object is not the one that a deletion is meant for. Upstream says its kind here.
    pub(crate) fn precondition_failed<'a>(kind: impl Into<Resource<'a>>, name: &str, because: &str) -> Self {
        let kind = kind.into();
        let mut status = Self::conflict(kind, name, because);
        let what = qualified(kind.kind, kind.group);
        status.0.message = format!("Operation cannot be fulfilled on {what} {name:?}: {because}");
        status.0.details.insert("kind".to_owned(), kind.kind.into());
        status
    }

    /// 409: the object has changed since the writer read it.
    pub(crate) fn modified<'a>(kind: impl Into<Resource<'a>>, name: &str) -> Self {
        let kind = kind.into();
        let because =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, because)
    }

    /// 410: the history does not reach back that far.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// 410 of a watch.
    pub(crate) fn too_old(version: u64, oldest: u64) -> Self {
        Self::expired(format!("too old resource version: {version} ({oldest})"))
    }

    /// 408: the body did not come in time.
    pub(crate) fn too_slow() -> Self {
        let message = "the body of the request did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "Timeout", message)
    }

    /// 429: as many requests with large bodies are being served as there is memory for.
    pub(crate) fn too_many_requests() -> Self {
        let message = "too many requests with large bodies, please try again later";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).retry_after(1)
    }

    /// 413: the body is too large.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    /// 415: the body is in a format that the path does not take.
    pub(crate) fn unsupported_media_type(supported: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            supported.join(", ")
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// 415: the patch is in a form that the kind does not take.
    pub(crate) fn unsupported_patch() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", "415: Unsupported Media Type")
    }

    /// 406: the client takes none of the forms that the server has of the object.
    pub(crate) fn no_such_form(written: &[&str]) -> Self {
        let message = format!("only the following media types are accepted: {}", written.join(", "));
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message).with_details()
    }

    /// 406: the client takes none of the formats that the server writes.
    pub(crate) fn not_acceptable(written: &[&str]) -> Self {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {}", written.join(", "));
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message).with_details()
    }

    /// 500, with an error that upstream does not classify either.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// 422: the object breaks a rule of its kind.
    pub(crate) fn invalid<'a>(kind: impl Into<Resource<'a>>, name: &str, causes: &[Cause]) -> Self {
        let kind = kind.into();
        let kind = Resource { group: kind.storage_group, ..kind }; // the kind is known as that of its first group
        let what = qualified(kind.kind, kind.group);
        let mut status = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{what} {name:?} is invalid: {}", join_errors(causes)),
        )
        .about(kind, name)
        .causes(causes);
        status.0.details.insert("kind".to_owned(), kind.kind.into()); // here, and only here, not the plural
        status
    }

    /// 422: parameters that do not go together; `kind` is `ListOptions`, for example.
    pub(crate) fn invalid_options(kind: &str, causes: &[Cause]) -> Self {
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {}", join_errors(causes));
        let mut status = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).causes(causes);
        status.0.details.insert("group".to_owned(), "meta.k8s.io".into());
        status.0.details.insert("kind".to_owned(), kind.into());
        status
    }

    /// 504: the server has not reached that version.
    pub(crate) fn too_large_version(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version");
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).causes(&[cause]).retry_after(1)
    }

    /// Names the object that the refusal is about.
    #[must_use]
    pub(crate) fn about(mut self, kind: Resource<'_>, name: &str) -> Self {
        let details = &mut self.0.details;
        if !name.is_empty() {
            details.insert("name".to_owned(), name.into());
        }
        if !kind.group.is_empty() {
            details.insert("group".to_owned(), kind.group.into());
        }
        details.insert("kind".to_owned(), kind.plural.into());
        self
    }

    /// Writes the details even if they are empty.
    #[must_use]
    pub(crate) fn with_details(mut self) -> Self {
        self.0.has_details = true;
        self
    }

    /// Adds what is wrong in detail.
    #[must_use]
    pub(crate) fn causes(mut self, causes: &[Cause]) -> Self {
        let causes = causes.iter().map(Cause::to_json).collect();
        self.0.details.insert("causes".to_owned(), Value::Array(causes));
        self
    }

    /// Asks the client to come back in that many seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.details.insert("retryAfterSeconds".to_owned(), seconds.into());
        self
    }

    /// Tells where an expired list can go on.
    #[must_use]
    pub(crate) fn continue_with(mut self, token: String) -> Self {
        self.0.continue_token = Some(token);
        self
    }

    /// Tells the client something else, too.
    #[must_use]
    pub(crate) fn warn(mut self, warnings: Warnings) -> Self {
        self.0.warnings = warnings;
        self
    }

    /// Returns the warnings for the headers of the response.
    pub(crate) fn warnings(&self) -> &Warnings {
        &self.0.warnings
    }

    /// The HTTP code.
    pub(crate) fn code(&self) -> StatusCode {
        self.0.code
    }

    /// The word by which clients tell refusals apart.
    pub(crate) fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// When to come back, in seconds.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.0.details.get("retryAfterSeconds").and_then(Value::as_u64)
    }

    /// The body.
    pub(crate) fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.0.message, "code": self.0.code.as_u16(),
        });
        if !self.0.reason.is_empty() {
            status["reason"] = self.0.reason.into();
        }
        if self.0.has_details || !self.0.details.is_empty() {
            status["details"] = Value::Object(self.0.details.clone());
        }
        if let Some(token) = &self.0.continue_token {
            status["metadata"]["continue"] = token.clone().into();
        }
        status
    }
}

/// The `Status` of a deletion that has removed the object.
pub(crate) fn success(kind: Resource<'_>, name: &str, uid: &str) -> Value {
    let mut details = json!({"name": name, "kind": kind.plural, "uid": uid});
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
