//! Field selectors: [`FieldSelector`], its requirements, its errors. Values are escaped in the text form.

use std::{fmt, str::FromStr};

use crate::{Operator, quote::quoted};

/// A field selector: a list of requirements, all of which an object's fields must meet.
///
/// Parsed from the text that `kubectl --field-selector` and the API's `fieldSelector` take: `metadata.name=web`,
/// `status.phase!=Running`, joined by commas. In a value, `\\`, `\,` and `\=` stand for a backslash, a comma and an
/// equals sign. Without requirements it matches everything.
///
/// The crate does not know by which fields a kind can be selected: check [`requirements`](Self::requirements).
///
/// ```
/// use trimtab_selector::FieldSelector;
///
/// let selector: FieldSelector = r"metadata.name=a\,b,status.phase!=Failed".parse()?;
/// assert_eq!(selector.exact_match("metadata.name"), Some("a,b"));
/// assert!(selector.matches(|field| if field == "metadata.name" { "a,b" } else { "" }));
/// # Ok::<(), trimtab_selector::FieldSelectorError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    requirements: Vec<FieldRequirement>,
}

/// One condition on one field: its value is this one, or is another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRequirement {
    field: String,
    value: String,
    is_equal: bool,
}

impl FieldSelector {
    /// Returns the selector that matches every object.
    pub const fn everything() -> Self {
        Self { requirements: Vec::new() }
    }

    /// Returns whether the selector has no requirements, so that it matches every object.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Returns the requirements, sorted by their printed form.
    pub fn requirements(&self) -> &[FieldRequirement] {
        &self.requirements
    }

    /// Returns the value that the selector requires of `field`; `None` if it does not require one.
    pub fn exact_match(&self, field: &str) -> Option<&str> {
        let found = self.requirements.iter().find(|one| one.is_equal && one.field == field);
        found.map(FieldRequirement::value)
    }

    /// Returns whether fields meet all requirements; `value` returns the value of a field, and the empty text if it is
    /// absent.
    pub fn matches<V: AsRef<str>>(&self, value: impl Fn(&str) -> V) -> bool {
        self.requirements.iter().all(|one| one.matches(value(&one.field).as_ref()))
    }

    /// Rewrites each requirement, for instance under a field's name in another version of the API.
    ///
    /// A requirement for which `change` returns `None` is dropped.
    ///
    /// # Errors
    ///
    /// The first error of `change`.
    pub fn try_map<E>(
        self,
        mut change: impl FnMut(FieldRequirement) -> Result<Option<FieldRequirement>, E>,
    ) -> Result<Self, E> {
        self.requirements.into_iter().filter_map(|one| change(one).transpose()).collect()
    }

    /// Keeps the requirements on fields that `is_kept` accepts.
    pub fn retain(&mut self, is_kept: impl FnMut(&FieldRequirement) -> bool) {
        self.requirements.retain(is_kept);
    }
}

impl FieldRequirement {
    /// Requires that the field has this value.
    ///
    /// # Errors
    ///
    /// If `field` has a character that separates fields from values.
    pub fn equals(field: impl Into<String>, value: impl Into<String>) -> Result<Self, FieldSelectorError> {
        Self::new(field.into(), value.into(), true)
    }

    /// Requires that the field has another value or none.
    ///
    /// # Errors
    ///
    /// If `field` has a character that separates fields from values.
    pub fn not_equals(
        field: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, FieldSelectorError> {
        Self::new(field.into(), value.into(), false)
    }

    fn new(field: String, value: String, is_equal: bool) -> Result<Self, FieldSelectorError> {
        if field.contains(['=', ',', '\\', '!']) {
            return Err(FieldSelectorError { text: field.clone(), kind: Kind::Field });
        }
        Ok(Self { field, value, is_equal })
    }

    /// Returns the field's path, as in `spec.nodeName`.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the value, without escapes.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// [`Operator::Equals`] or [`Operator::NotEquals`].
    pub fn operator(&self) -> Operator {
        if self.is_equal { Operator::Equals } else { Operator::NotEquals }
    }

    /// Returns whether a field's value meets the requirement; an absent field has the empty text.
    pub fn matches(&self, value: &str) -> bool {
        (self.value == value) == self.is_equal
    }
}

impl FromIterator<FieldRequirement> for FieldSelector {
    fn from_iter<I: IntoIterator<Item = FieldRequirement>>(requirements: I) -> Self {
        let mut requirements: Vec<_> = requirements.into_iter().collect();
        requirements.sort_by_cached_key(ToString::to_string);
        Self { requirements }
    }
}

impl From<FieldRequirement> for FieldSelector {
    fn from(requirement: FieldRequirement) -> Self {
        Self { requirements: vec![requirement] }
    }
}

impl FromStr for FieldSelector {
    type Err = FieldSelectorError;

    /// Parses the text form, as Kubernetes' `fields.ParseSelector` does. Empty terms are skipped.
    fn from_str(text: &str) -> Result<Self, FieldSelectorError> {
        let error = |kind| FieldSelectorError { text: text.to_owned(), kind };
        let mut terms: Vec<_> = terms(text).filter(|term| !term.is_empty()).collect();
        terms.sort_unstable(); // upstream reports the error of the least term
        terms.into_iter().map(|term| requirement(term).map_err(error)).collect()
    }
}

/// Splits at commas that are not escaped.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |next| {
        let ends_term = next == ',' && !is_escaped;
        is_escaped = next == '\\' && !is_escaped;
        ends_term
    })
}

fn requirement(term: &str) -> Result<FieldRequirement, Kind> {
    let operator = (0..term.len()).filter(|at| term.is_char_boundary(*at)).find_map(|at| {
        let operator = ["!=", "==", "="].into_iter().find(|operator| term[at..].starts_with(operator))?;
        Some((at, operator))
    });
    let (at, operator) = operator.ok_or_else(|| Kind::Operator(term.to_owned()))?;
    let value = unescape(&term[at + operator.len()..])?;
    Ok(FieldRequirement { field: term[..at].to_owned(), value, is_equal: operator != "!=" })
}

fn unescape(value: &str) -> Result<String, Kind> {
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(next) = rest.next() {
        match (next, rest.clone().next()) {
            ('\\', Some(escaped @ ('\\' | ',' | '='))) => {
                plain.push(escaped);
                rest.next();
            }
            ('\\', other) => return Err(Kind::Escape(other)),
            (',' | '=', _) => return Err(Kind::Unescaped(next)),
            _ => plain.push(next),
        }
    }
    Ok(plain)
}

/// The text form, with escapes; it parses to an equal selector.
impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FieldRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        f.write_str(if self.is_equal { "=" } else { "!=" })?;
        self.value.chars().try_for_each(|next| match next {
            '\\' | ',' | '=' => write!(f, "\\{next}"),
            _ => write!(f, "{next}"),
        })
    }
}

/// A text is not a field selector, or a field's path cannot be part of one.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldSelectorError {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A term without an operator.
    Operator(String),
    /// A backslash before a character that needs none, or at the end.
    Escape(Option<char>),
    /// A character that must be escaped in a value.
    Unescaped(char),
    /// A field's path with a character that separates it from the value.
    Field,
}

impl FieldSelectorError {
    /// Returns the message of Kubernetes' own parser.
    ///
    /// A server that rejects a selector answers with this message.
    pub fn message(&self) -> String {
        match &self.kind {
            Kind::Operator(term) => format!("invalid selector: '{}'; can't understand '{term}'", self.text),
            Kind::Escape(next) => {
                let next = next.map(String::from).unwrap_or_default();
                format!("invalid field selector: invalid escape sequence: \\{next}")
            }
            Kind::Unescaped(next) => {
                format!("invalid field selector: unescaped character in value: {}", u32::from(*next))
            }
            Kind::Field => format!("invalid field: {}", quoted(&self.text)),
        }
    }
}

impl fmt::Display for FieldSelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, kind } = self;
        match kind {
            Kind::Operator(term) => {
                write!(f, "invalid field selector {text:?}: {term:?} has no operator `=`, `==` or `!=`")
            }
            Kind::Escape(None) => {
                write!(f, "invalid field selector {text:?}: a value ends in an escape without a character")
            }
            Kind::Escape(Some(next)) => write!(
                f,
                "invalid field selector {text:?}: `\\{next}` is no escape; escaped are only `\\`, `,` and `=`"
            ),
            Kind::Unescaped(next) => {
                write!(f, "invalid field selector {text:?}: `{next}` in a value must be written `\\{next}`")
            }
            Kind::Field => {
                write!(f, "invalid field {text:?}: it has one of the characters `=`, `!`, `,`, `\\`")
            }
        }
    }
}

/// The same sentence as `Display`, because a `main` that returns the error prints `Debug`.
impl fmt::Debug for FieldSelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FieldSelectorError {}
