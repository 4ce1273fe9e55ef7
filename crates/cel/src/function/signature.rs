//! [`Signature`]: one overload, parsed from its text.

use crate::typed::Type;

/// One overload of a function.
#[derive(Debug)]
pub(crate) struct Signature {
    /// Whether the first parameter is a receiver: it stands before the dot.
    pub(crate) is_member: bool,
    pub(crate) parameters: Vec<Type>,
    pub(crate) result: Type,
    /// The number of open types: `Type::Open(0)` and so on.
    pub(crate) open: usize,
}

impl Signature {
    /// Parses the text of an overload, such as `list<A>.(int) A`. The texts are constants of this crate.
    ///
    /// # Panics
    ///
    /// If the brackets are missing.
    pub(crate) fn parse(text: &str) -> Self {
        let (receiver, rest) = match text.split_once(".(") {
            Some((receiver, rest)) => (Some(receiver), rest),
            None => (None, text.strip_prefix('(').expect("an overload has brackets")),
        };
        let (parameters, result) = rest.split_once(')').expect("the brackets of an overload are closed");
        let open = ['A', 'B'].into_iter().filter(|letter| text.contains(*letter)).count();
        let receiver = receiver.map(of_type).into_iter();
        let parameters = receiver.chain(split(parameters).into_iter().map(of_type)).collect();
        Self { is_member: !text.starts_with('('), parameters, result: of_type(result.trim()), open }
    }
}

/// Splits a text at the commas that are in no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn of_type(text: &str) -> Type {
    if let Some((outer, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let mut inner = split(inner).into_iter().map(of_type);
        let mut next = || inner.next().expect("a generic type has its parameters");
        return match outer {
            "list" => Type::list(next()),
            "optional" => Type::optional(next()),
            "type" => Type::as_value(next()),
            _ => Type::map(next(), next()),
        };
    }
    match text {
        "A" => Type::Open(0),
        "B" => Type::Open(1),
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "duration" => Type::Duration,
        "timestamp" => Type::Timestamp,
        "quantity" => Type::Named(Type::QUANTITY),
        "url" => Type::Named(Type::URL),
        "ip" => Type::Named(Type::IP),
        "cidr" => Type::Named(Type::CIDR),
        "semver" => Type::Named(Type::SEMVER),
        "format" => Type::Named(Type::FORMAT),
        "dyn" => Type::Dyn,
        other => panic!("an overload names the type {other}, which does not exist"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overloads_are_parsed() {
        let query = Signature::parse("url.() map<string, list<string>>");
        assert!(query.is_member && query.open == 0 && query.parameters.len() == 1);
        assert_eq!(query.result.to_string(), "map(string, list(string))");
        let index = Signature::parse("(map<A, B>, A) B");
        assert_eq!((index.is_member, index.parameters.len(), index.open), (false, 2, 2));
    }
}
