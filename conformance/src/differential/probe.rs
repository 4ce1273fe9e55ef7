//! [`Probe`]: a request that both servers are sent, with the objects that it is about.

use serde::{Deserialize, Serialize};

/// The namespace of the objects that requests make.
pub(crate) const NAMESPACE: &str = "differential";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) content_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) accept: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) body: String,
}

impl Ask {
    /// A request without a body.
    pub(crate) fn bare(method: &str, path: impl Into<String>) -> Self {
        let [content_type, accept, body] = [const { String::new() }; 3];
        Self { method: method.to_owned(), path: path.into(), content_type, accept, body }
    }

    /// A request with a body.
    pub(crate) fn sent(
        method: &str,
        path: impl Into<String>,
        content_type: &str,
        body: impl Into<String>,
    ) -> Self {
        let (content_type, body) = (content_type.to_owned(), body.into());
        Self { content_type, body, ..Self::bare(method, path) }
    }

    /// A creation from JSON.
    pub(crate) fn create(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::sent("POST", path, "application/json", body.to_string())
    }

    /// The same request for an object of another name.
    fn renamed(&self, from: &str, to: &str) -> Self {
        Self { path: self.path.replace(from, to), body: self.body.replace(from, to), ..self.clone() }
    }
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for text in [&self.accept, &self.content_type, &self.body] {
            if !text.is_empty() {
                write!(f, " {text}")?;
            }
        }
        Ok(())
    }
}

/// A request, and the requests that make the objects which it is about. No two probes are about the same
/// object, so that each can be sent by itself, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub(crate) family: String,
    /// The name that the objects have, and no others.
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) given: Vec<Ask>,
    pub(crate) ask: Ask,
}

impl Probe {
    /// The name of the objects of this request: always of one length, since lengths have limits.
    pub(crate) fn name(seed: u64, number: usize) -> String {
        format!("d{seed:02}-{number:04}a")
    }

    /// The same probe about other objects, for another attempt.
    pub(crate) fn again(&self, attempt: usize) -> Self {
        // `d01-0042a` becomes `e01-0042c`: as long, and used by no other probe.
        let letter = |from: u8, number: usize| char::from(from + u8::try_from(number).unwrap_or_default());
        let stem = &self.name[1..self.name.len() - 1];
        let name = format!("{}{stem}{}", letter(b'd', attempt / 25 % 22), letter(b'a', attempt % 25 + 1));
        let renamed = |ask: &Ask| ask.renamed(&self.name, &name);
        Self {
            family: self.family.clone(),
            given: self.given.iter().map(renamed).collect(),
            ask: renamed(&self.ask),
            name,
        }
    }

    /// The same probe with another request.
    pub(crate) fn asking(&self, ask: Ask) -> Self {
        Self { ask, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_attempt_is_about_another_object_of_the_same_length() {
        let name = Probe::name(1, 42);
        let ask = Ask::bare("GET", format!("/api/v1/namespaces/{name}"));
        let probe = Probe { family: "x".into(), given: vec![ask.clone()], ask, name };
        for attempt in [0, 24, 25, 99] {
            let again = probe.again(attempt);
            assert_ne!(again.name, probe.name);
            assert_eq!(again.name.len(), probe.name.len());
            assert_eq!(again.ask.path, format!("/api/v1/namespaces/{}", again.name));
            assert_eq!(again.given[0], again.ask);
        }
    }
}
