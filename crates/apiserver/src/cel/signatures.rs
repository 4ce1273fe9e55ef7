//! Which functions and operators there are, and what they take: CEL's own and those that Kubernetes adds.

mod table;

use std::{collections::HashMap, sync::LazyLock};

use self::table::TABLE;
use super::typed::Type;

/// One way to call a function.
#[derive(Debug)]
pub(super) struct Signature {
    /// Whether the first of what it takes stands before the dot.
    pub(super) is_member: bool,
    pub(super) takes: Vec<Type>,
    pub(super) gives: Type,
    /// How many types are open: `Type::Open(0)` and so on.
    pub(super) open: usize,
}

/// The ways to call a function, in order.
pub(super) fn of(function: &str) -> Option<&'static [Signature]> {
    static ALL: LazyLock<HashMap<&str, Vec<Signature>>> = LazyLock::new(|| {
        let mut all: HashMap<&str, Vec<Signature>> = HashMap::new();
        for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, signature) = read(line);
            all.entry(name).or_default().push(signature);
        }
        all
    });
    ALL.get(function).map(Vec::as_slice)
}

pub(super) const QUANTITY: &str = "kubernetes.Quantity";
pub(super) const URL: &str = "kubernetes.URL";
pub(super) const IP: &str = "net.IP";
pub(super) const CIDR: &str = "net.CIDR";
pub(super) const SEMVER: &str = "kubernetes.Semver";
pub(super) const FORMAT: &str = "kubernetes.NamedFormat";

/// Types that `<`, `<=`, `>` and `>=` order, each among themselves; numbers also among each other.
const ORDERED: [Type; 8] = [
    Type::Bool,
    Type::Int,
    Type::Uint,
    Type::Double,
    Type::String,
    Type::Bytes,
    Type::Timestamp,
    Type::Duration,
];

/// The ways to compare two values.
pub(super) fn orders() -> &'static [Signature] {
    static ALL: LazyLock<Vec<Signature>> = LazyLock::new(|| {
        let numbers = |of: &Type| matches!(of, Type::Int | Type::Uint | Type::Double);
        let pairs = ORDERED.iter().flat_map(|one| ORDERED.iter().map(move |other| (one, other)));
        let pairs = pairs.filter(|(one, other)| one.is(other) || numbers(one) && numbers(other));
        let signature = |(one, other): (&Type, &Type)| Signature {
            is_member: false,
            takes: vec![one.clone(), other.clone()],
            gives: Type::Bool,
            open: 0,
        };
        pairs.map(signature).collect()
    });
    &ALL
}

/// Reads a line of the table, which is as it should be.
fn read(line: &'static str) -> (&'static str, Signature) {
    let (before, rest) = line.split_once('(').expect("a signature has brackets");
    let (receiver, name) = match before.rsplit_once(':') {
        Some((receiver, name)) => (Some(receiver.trim()), name.trim()),
        None => (None, before.trim()),
    };
    let (taken, gives) = rest.split_once(')').expect("brackets are closed");
    let mut takes: Vec<Type> = receiver.map(of_type).into_iter().collect();
    takes.extend(split(taken).into_iter().map(of_type));
    let types = [receiver.unwrap_or_default(), taken, gives];
    let names = |letter: char| types.iter().any(|text| text.contains(letter));
    let open = usize::from(names('A')) + usize::from(names('B'));
    (name, Signature { is_member: receiver.is_some(), takes, gives: of_type(gives.trim()), open })
}

/// What stands between commas that are in no brackets.
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
        let mut next = || inner.next().expect("as many types as the outer one takes");
        return match outer {
            "list" => Type::list(next()),
            "optional" => Type::optional(next()),
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
        "type" => Type::OfTypes,
        "quantity" => Type::Named(QUANTITY),
        "url" => Type::Named(URL),
        "ip" => Type::Named(IP),
        "cidr" => Type::Named(CIDR),
        "semver" => Type::Named(SEMVER),
        "format" => Type::Named(FORMAT),
        _ => Type::Dyn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_as_it_is_written() {
        let get_query = &of("getQuery").expect("a function")[0];
        assert!(get_query.is_member && get_query.open == 0);
        assert_eq!(get_query.gives.to_string(), "map(string, list(string))");
        let index = of("_[_]").expect("an operator");
        assert_eq!((index.len(), index[1].takes.len(), index[1].open), (4, 2, 2));
        assert!(TABLE.lines().all(|line| !line.contains("list<dyn>") || line.contains("format")));
        assert!(of("nothing").is_none());
        assert_eq!(orders().len(), 8 + 6);
    }
}
