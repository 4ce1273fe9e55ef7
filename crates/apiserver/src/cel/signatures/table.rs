//! The functions and operators, as [`super::of`] reads them.

/// A function a line: the receiver and a colon if it is called with a dot, the name, what it takes, what it gives. Open
/// types are single letters.
pub(super) const TABLE: &str = "
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

    semver (string) semver
    semver (string, bool) semver
    isSemver (string) bool
    isSemver (string, bool) bool
    semver: major () int
    semver: minor () int
    semver: patch () int
    semver: isGreaterThan (semver) bool
    semver: isLessThan (semver) bool
    semver: compareTo (semver) int

    format.named (string) optional<format>
    format.dns1123Label () format
    format.dns1123Subdomain () format
    format.dns1035Label () format
    format.qualifiedName () format
    format.dns1123LabelPrefix () format
    format.dns1123SubdomainPrefix () format
    format.dns1035LabelPrefix () format
    format.labelValue () format
    format.uri () format
    format.uuid () format
    format.byte () format
    format.date () format
    format.datetime () format
    format: validate (string) optional<list<string>>

    list<A>: first () optional<A>
    list<A>: last () optional<A>
    list<A>: distinct () list<A>
    list<list<A>>: flatten () list<A>
    list<A>: reverse () list<A>
    list<A>: slice (int, int) list<A>
    list<int>: sort () list<int>
    list<uint>: sort () list<uint>
    list<double>: sort () list<double>
    list<bool>: sort () list<bool>
    list<duration>: sort () list<duration>
    list<timestamp>: sort () list<timestamp>
    list<string>: sort () list<string>
    list<bytes>: sort () list<bytes>
    list<A>: @sortByAssociatedKeys (list<int>) list<A>
    list<A>: @sortByAssociatedKeys (list<uint>) list<A>
    list<A>: @sortByAssociatedKeys (list<double>) list<A>
    list<A>: @sortByAssociatedKeys (list<bool>) list<A>
    list<A>: @sortByAssociatedKeys (list<duration>) list<A>
    list<A>: @sortByAssociatedKeys (list<timestamp>) list<A>
    list<A>: @sortByAssociatedKeys (list<string>) list<A>
    list<A>: @sortByAssociatedKeys (list<bytes>) list<A>
    lists.range (int) list<int>
    optional.unwrap (list<optional<A>>) list<A>
    list<optional<A>>: unwrapOpt () list<A>
";
