//! [`Warnings`]: what a client is told beside its answer, in `Warning` headers.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use parking_lot::Mutex;

/// The most bytes that all warnings of an answer have: upstream's limit.
const LIMIT: usize = 4096;

/// The warnings of one request, in the order in which they came up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Adds warnings; each is told once.
    pub(crate) fn add(&self, texts: impl IntoIterator<Item = String>) {
        let mut told = self.0.lock();
        for text in texts {
            if !told.contains(&text) && told.iter().map(String::len).sum::<usize>() < LIMIT {
                told.push(text);
            }
        }
    }

    /// Writes the warnings into the headers of an answer.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        const WARNING: HeaderName = header::WARNING;
        for text in self.0.lock().iter() {
            let mut quoted = String::from("299 - \"");
            for c in text.chars().filter(|c| !c.is_control()) {
                if matches!(c, '"' | '\\') {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
            quoted.push('"');
            if let Ok(value) = HeaderValue::try_from(quoted) {
                headers.append(WARNING, value);
            }
        }
    }
}

impl PartialEq for Warnings {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || *self.0.lock() == *other.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_quoted_told_once_and_bounded() {
        let warnings = Warnings::default();
        warnings.add(["unknown field \"spec.\\x\"".to_owned(), "again\n".to_owned(), "again\n".to_owned()]);
        warnings.add((0..100_000).map(|n| format!("warning {n}")));
        let mut headers = HeaderMap::new();
        warnings.write(&mut headers);
        let told: Vec<&str> =
            headers.get_all("warning").iter().filter_map(|value| value.to_str().ok()).collect();
        assert_eq!(told[..2], [r#"299 - "unknown field \"spec.\\x\"""#, r#"299 - "again""#]);
        assert!(told.len() < 1000);
    }
}
