//! Which functions and operators there are, and what they take: CEL's own and those that Kubernetes adds.

use std::{collections::HashMap, sync::LazyLock};

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

/// A function a line: the receiver and a colon if it is called with a dot, the name, what it takes, what it gives. Open
/// types are single letters.
const TABLE: &str = "
    _==_ (A, A) bool
    _!=_ (A, A) bool
    @in (A, list<A>) bool
    @in (A, map<A, B>) bool
    !_ (bool) bool
    -_ (int) int
    -_ (double) double
    _[_] (list<A>, int) A
    _[_] (map<A, B>, A) B
    _[_] (optional<list<A>>, int) optional<A>
    _[_] (optional<map<A, B>>, A) optional<B>
    _[?_] (list<A>, int) optional<A>
    _[?_] (map<A, B>, A) optional<B>
    _[?_] (optional<list<A>>, int) optional<A>
    _[?_] (optional<map<A, B>>, A) optional<B>
    _+_ (int, int) int
    _+_ (uint, uint) uint
    _+_ (double, double) double
    _+_ (string, string) string
    _+_ (bytes, bytes) bytes
    _+_ (list<A>, list<A>) list<A>
    _+_ (duration, duration) duration
    _+_ (duration, timestamp) timestamp
    _+_ (timestamp, duration) timestamp
    _-_ (int, int) int
    _-_ (uint, uint) uint
    _-_ (double, double) double
    _-_ (duration, duration) duration
    _-_ (timestamp, duration) timestamp
    _-_ (timestamp, timestamp) duration
    _*_ (int, int) int
    _*_ (uint, uint) uint
    _*_ (double, double) double
    _/_ (int, int) int
    _/_ (uint, uint) uint
    _/_ (double, double) double
    _%_ (int, int) int
    _%_ (uint, uint) uint

    size (string) int
    size (bytes) int
    size (list<A>) int
    size (map<A, B>) int
    string: size () int
    bytes: size () int
    list<A>: size () int
    map<A, B>: size () int
    type (A) type
    dyn (A) dyn
    bool (bool) bool
    bool (string) bool
    int (int) int
    int (uint) int
    int (double) int
    int (string) int
    int (timestamp) int
    int (duration) int
    uint (uint) uint
    uint (int) uint
    uint (double) uint
    uint (string) uint
    double (double) double
    double (int) double
    double (uint) double
    double (string) double
    string (string) string
    string (bool) string
    string (int) string
    string (uint) string
    string (double) string
    string (bytes) string
    string (timestamp) string
    string (duration) string
    string (quantity) string
    string (url) string
    string (ip) string
    string (cidr) string
    bytes (bytes) bytes
    bytes (string) bytes
    timestamp (timestamp) timestamp
    timestamp (string) timestamp
    timestamp (int) timestamp
    duration (duration) duration
    duration (string) duration
    duration (int) duration

    string: contains (string) bool
    string: startsWith (string) bool
    string: endsWith (string) bool
    string: matches (string) bool
    matches (string, string) bool
    string: charAt (int) string
    string: indexOf (string) int
    string: indexOf (string, int) int
    string: lastIndexOf (string) int
    string: lastIndexOf (string, int) int
    string: lowerAscii () string
    string: upperAscii () string
    string: replace (string, string) string
    string: replace (string, string, int) string
    string: split (string) list<string>
    string: split (string, int) list<string>
    string: substring (int) string
    string: substring (int, int) string
    string: trim () string
    string: format (list<dyn>) string
    strings.quote (string) string
    list<string>: join () string
    list<string>: join (string) string
    string: find (string) string
    string: findAll (string) list<string>
    string: findAll (string, int) list<string>

    list<int>: isSorted () bool
    list<uint>: isSorted () bool
    list<double>: isSorted () bool
    list<bool>: isSorted () bool
    list<string>: isSorted () bool
    list<bytes>: isSorted () bool
    list<duration>: isSorted () bool
    list<timestamp>: isSorted () bool
    list<int>: sum () int
    list<uint>: sum () uint
    list<double>: sum () double
    list<duration>: sum () duration
    list<int>: min () int
    list<uint>: min () uint
    list<double>: min () double
    list<bool>: min () bool
    list<string>: min () string
    list<bytes>: min () bytes
    list<duration>: min () duration
    list<timestamp>: min () timestamp
    list<int>: max () int
    list<uint>: max () uint
    list<double>: max () double
    list<bool>: max () bool
    list<string>: max () string
    list<bytes>: max () bytes
    list<duration>: max () duration
    list<timestamp>: max () timestamp
    list<A>: indexOf (A) int
    list<A>: lastIndexOf (A) int
    sets.contains (list<A>, list<A>) bool
    sets.equivalent (list<A>, list<A>) bool
    sets.intersects (list<A>, list<A>) bool

    optional.of (A) optional<A>
    optional.ofNonZeroValue (A) optional<A>
    optional.none () optional<A>
    optional<A>: hasValue () bool
    optional<A>: value () A
    optional<A>: or (optional<A>) optional<A>
    optional<A>: orValue (A) A

    timestamp: getFullYear () int
    timestamp: getFullYear (string) int
    timestamp: getMonth () int
    timestamp: getMonth (string) int
    timestamp: getDate () int
    timestamp: getDate (string) int
    timestamp: getDayOfMonth () int
    timestamp: getDayOfMonth (string) int
    timestamp: getDayOfWeek () int
    timestamp: getDayOfWeek (string) int
    timestamp: getDayOfYear () int
    timestamp: getDayOfYear (string) int
    timestamp: getHours () int
    timestamp: getHours (string) int
    timestamp: getMinutes () int
    timestamp: getMinutes (string) int
    timestamp: getSeconds () int
    timestamp: getSeconds (string) int
    timestamp: getMilliseconds () int
    timestamp: getMilliseconds (string) int
    duration: getHours () int
    duration: getMinutes () int
    duration: getSeconds () int
    duration: getMilliseconds () int

    quantity (string) quantity
    isQuantity (string) bool
    quantity: isInteger () bool
    quantity: asInteger () int
    quantity: asApproximateFloat () double
    quantity: sign () int
    quantity: add (quantity) quantity
    quantity: add (int) quantity
    quantity: sub (quantity) quantity
    quantity: sub (int) quantity
    quantity: isGreaterThan (quantity) bool
    quantity: isLessThan (quantity) bool
    quantity: compareTo (quantity) int

    url (string) url
    isURL (string) bool
    url: getScheme () string
    url: getHost () string
    url: getHostname () string
    url: getPort () string
    url: getEscapedPath () string
    url: getQuery () map<string, list<string>>

    ip (string) ip
    isIP (string) bool
    ip.isCanonical (string) bool
    ip: family () int
    ip: isUnspecified () bool
    ip: isLoopback () bool
    ip: isLinkLocalMulticast () bool
    ip: isLinkLocalUnicast () bool
    ip: isGlobalUnicast () bool
    cidr (string) cidr
    isCIDR (string) bool
    cidr: containsIP (ip) bool
    cidr: containsIP (string) bool
    cidr: containsCIDR (cidr) bool
    cidr: containsCIDR (string) bool
    cidr: ip () ip
    cidr: masked () cidr
    cidr: prefixLength () int
";

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
