//! Expressions, from source to value.

use serde_json::{Value as Json, json};
use trimtab_cel::{Activation, DeclType, Meter, Program, Variable};

/// Evaluates an expression about an object of a schema, which returns a `bool`.
fn ask(schema: &Json, object: &Json, source: &str) -> Result<Option<bool>, String> {
    let declared = DeclType::from_schema(schema, true).expect("a schema with a type");
    let variable = Variable::new("self", &declared);
    let program = Program::compile(source, &[variable]).map_err(|error| error.to_string())?;
    let activation = Activation::new().bind("self", object, &declared);
    let output = program.evaluate(activation, &mut Meter::default());
    output.map(|output| output.as_bool()).map_err(|error| error.to_string())
}

fn schema() -> Json {
    let text = json!({"type": "string", "maxLength": 64});
    json!({"type": "object", "properties": {
        "text": text, "other": text, "number": {"type": "integer"}, "float": {"type": "number"},
        "flag": {"type": "boolean"}, "at": {"type": "string", "format": "date-time"},
        "span": {"type": "string", "format": "duration"}, "bytes": {"type": "string", "format": "byte"},
        "either": {"x-kubernetes-int-or-string": true, "maxLength": 8},
        "list": {"type": "array", "maxItems": 10, "items": {"type": "integer"}},
        "words": {"type": "array", "maxItems": 10, "items": text},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 10, "items": {"type": "integer"}},
        "labels": {"type": "object", "maxProperties": 10, "additionalProperties": text},
        "a-b": {"type": "object", "properties": {"namespace": text}},
        "parts": {"type": "array", "maxItems": 10, "items": {"type": "object", "properties": {"name": text}}},
        "nothing": {"type": "string", "nullable": true, "maxLength": 3},
    }})
}

fn object() -> Json {
    json!({
        "metadata": {"name": "thing"}, "text": "Grüße", "number": 7, "float": 2, "flag": true,
        "at": "2024-05-06T07:08:09Z", "span": "1h30m", "bytes": "aGk=", "either": "50%", "list": [1, 2, 3],
        "words": ["b", "a"], "set": [3, 1], "labels": {"x": "1", "y": "2"}, "a-b": {"namespace": "n"},
        "parts": [{"name": "p"}, {"name": "q"}], "nothing": null,
    })
}

/// Each holds of [`object`].
#[test]
fn what_holds_holds() {
    let (schema, object) = (schema(), object());
    for source in [
        "self.number == 7 && self.number >= 7 && -self.number < 0 && self.number % 4 == 3",
        "self.float == 2.0 && self.float / 4.0 == 0.5 && self.number > 6.5",
        "self.text.size() == 5 && size(self.text) == 5 && self.text + '!' == 'Grüße!'",
        "self.metadata.name == 'thing' && !has(self.metadata.generateName)",
        "has(self.flag) && !has(self.other) && self.flag",
        "has(self.other) ? self.other == 'x' : true",
        "self.at > timestamp('2024-01-01T00:00:00Z') && self.at.getMonth() == 4 && self.at.getHours('02:00') == 9",
        "self.at + self.span == timestamp('2024-05-06T08:38:09Z') && self.span == duration('90m')",
        "self.at - timestamp('2024-05-06T07:08:08Z') == duration('1s') && string(self.span) == '5400s'",
        "self.bytes == b'hi' && string(self.bytes) == 'hi' && bytes('hi') == self.bytes",
        "type(self.either) == string && self.either.endsWith('%') && int(self.either.replace('%', '')) == 50",
        "self.list.all(n, n > 0) && self.list.exists(n, n == 2) && self.list.exists_one(n, n == 3)",
        "self.list.map(n, n * 2) == [2, 4, 6] && self.list.map(n, n > 1, n * 2) == [4, 6]",
        "self.list.filter(n, n > 1).size() == 2 && 3 in self.list && !(4 in self.list) && self.list[2] == 3",
        "self.list.isSorted() && !self.words.isSorted() && self.list.sum() == 6 && self.list.min() == 1 && self.list.max() == 3",
        "self.list.indexOf(3) == 2 && self.words.lastIndexOf('z') == -1 && self.words.join('-') == 'b-a'",
        "self.set == [1, 3] && self.set + [3, 4] == [3, 1, 4]",
        "self.labels.all(key, self.labels[key].matches('^[0-9]$')) && 'x' in self.labels && self.labels.x == '1'",
        "self.labels.all(k, v, k != v) && self.labels.transformMap(k, v, v + k) == {'x': '1x', 'y': '2y'}",
        "self.list.transformList(i, n, n - i) == [1, 1, 1] && [1, 2].exists(i, n, i == n - 1)",
        "self.a__dash__b.__namespace__ == 'n' && self.parts.exists(part, part.name == 'q')",
        "!has(self.nothing) && !self.?nothing.hasValue() && dyn(null) == null",
        "self.?other.hasValue() == false && self.?other.orValue('x') == 'x' && self.?text.optMap(t, t.size()).value() == 5",
        "self.labels[?'z'].orValue('none') == 'none' && [?self.?other, 'a'] == ['a'] && {?'k': self.?other}.size() == 0",
        "optional.of(1).or(optional.none()).value() == 1 && !optional.ofNonZeroValue('').hasValue()",
        "[[1], [2, 3]].all(l, l.all(n, n < 4))",
        "'a,b,,c'.split(',') == ['a', 'b', '', 'c'] && 'abc'.split('', 2) == ['a', 'bc'] && 'abc'.charAt(1) == 'b'",
        "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hello'.indexOf('l', 3) == 3 && 'a'.indexOf('b') == -1",
        "'Hello'.lowerAscii() == 'hello' && ' x '.trim() == 'x' && 'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
        "'%s is %d of %.1f'.format([dyn('x'), 3, 2.55]) in ['x is 3 of 2.5', 'x is 3 of 2.6'] && strings.quote('a\"') == '\"a\\\\\"\"'",
        "'abc 123'.find('[0-9]+') == '123' && '1 2 3'.findAll('[0-9]') == ['1', '2', '3'] && '1 2'.findAll('[0-9]', 1) == ['1']",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1500m').add(1) == quantity('2500m') && quantity('2k').asInteger() == 2000",
        "isQuantity('1Mi') && !isQuantity('1MiB') && quantity('1.5').sub(quantity('0.5')).isInteger() && sign(quantity('-1')) == -1",
        "url('https://x.io:80/a?b=c').getHostname() == 'x.io' && isURL('/a') && url('https://x.io/?b=c&b=d').getQuery()['b'] == ['c', 'd']",
        "ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('::ffff:1.2.3.4') && cidr('10.0.0.0/8').containsIP('10.2.3.4')",
        "cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16')) && cidr('10.1.2.3/8').masked().ip() == ip('10.0.0.0') && ip.isCanonical('::1')",
        "sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 2], [2, 1, 1])",
        "true || 1 / 0 == 1",
        "[1, 0].exists(n, 1 / n == 1)",
        "!self.list.all(n, n < 2 && 1 / 0 == 1)",
        "dyn(1) == dyn(1u) && 1 < 2u && 1.5 > 1",
        "dyn(1) == dyn(1.0) && {'a': 1} == {'a': 1} && {} == {} && [] == []",
        "string(1) + string(true) + string(1.5) == '1true1.5' && double('1.5') == 1.5 && uint(3) == 3u && int(3.9) == 3",
        "type(1) == int && type([]) == list && type({}) == map && type(null) == null_type",
        "self . number == 7 // a comment",
    ] {
        assert_eq!(ask(&schema, &object, source), Ok(Some(true)), "{source}");
    }
}

#[test]
fn what_does_not_go_together_is_told_where_it_stands() {
    let refused = |source: &str| ask(&schema(), &object(), source).expect_err(source);
    assert_eq!(
        refused("self.z == 100"),
        "ERROR: <input>:1:5: undefined field 'z'\n | self.z == 100\n | ....^"
    );
    for (source, because) in [
        ("self.number == 'x'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.number + 1.0 == 2.0", "found no matching overload for '_+_' applied to '(int, double)'"),
        ("number == 1", "undeclared reference to 'number' (in container '')"),
        ("cel.bind(n, 1, n == 1)", "undeclared reference to 'bind'"),
        ("self.text.foo()", "undeclared reference to 'foo' (in container '')"),
        ("self.number.size() == 1", "found no matching overload for 'size' applied to 'int.()'"),
        ("self.number.x", "type 'int' does not support field selection"),
        ("self.number.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
        ("[1, 'a'] == []", "expected type 'int' but found 'string'"),
        ("self.number && true", "expected type 'bool' but found 'int'"),
        ("self.flag ? 1 : 'a'", "found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        ("has(self)", "invalid argument to has() macro"),
        ("self.text.matches('[')", "invalid matches argument"),
        ("duration('soon') == self.span", "invalid duration argument"),
        ("self.list.all(1, true)", "argument must be a simple name"),
        ("self.", "Syntax error: mismatched input '<EOF>' expecting IDENTIFIER"),
        ("self.number == 1 1", "Syntax error: mismatched input '1' expecting <EOF>"),
        ("package == 1", "reserved identifier: package"),
    ] {
        let told = refused(source);
        assert!(told.contains(because), "{source}: {told}");
    }
    assert_eq!(
        refused("self.a == 1 &&\n self.b == 2").matches("ERROR: <input>").count(),
        2,
        "each line is told"
    );
}

#[test]
fn what_goes_wrong_is_told_in_upstream_s_words() {
    let failed = |source: &str| ask(&schema(), &object(), source).expect_err(source);
    for (source, because) in [
        ("self.other == 'x'", "no such key: other"),
        ("self.list[3] == 1", "index out of bounds: 3"),
        ("self.number / (self.number - 7) == 1", "division by zero"),
        ("self.number % (self.number - 7) == 1", "modulus by zero"),
        ("self.number + 9223372036854775807 > 0", "integer overflow"),
        ("self.either < 5", "no such overload"),
        ("self.labels['z'] == ''", "no such key: z"),
        ("uint(self.number) - 8u == 0u", "unsigned integer overflow"),
        ("dyn(self.number).split(',') == []", "no such overload: split(int, string)"),
        ("self.?other.value() == 'x'", "optional.none() dereference"),
        ("'abc'.substring(2, 1) == ''", "invalid substring range. start: 2, end: 1"),
        ("[].min() == 1", "min called on empty list"),
        ("int(self.text) == 1", "type conversion error from 'string' to 'int'"),
    ] {
        assert_eq!(failed(source), because, "{source}");
    }
}

/// Guarantee 1. A thread of the size that servers have, in a build without optimisation.
#[test]
fn nesting_is_bounded() {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(|| {
        let deep = |open: &str, inner: &str, close: &str, times: usize| {
            format!("{}{inner}{}", open.repeat(times), close.repeat(times))
        };
        let empty = json!({"type": "object"});
        for source in [
            deep("(", "1", ")", 100_000 / 2 - 1),
            deep("[", "1", "]", 10_000),
            deep("{1:", "1", "}", 10_000),
            deep("size([", "1", "])", 10_000),
            format!("1{}", " + 1".repeat(20_000)),
            format!("self{}", ".a".repeat(20_000)),
            format!("self{}", "[0]".repeat(20_000)),
            format!("true{}", " ? true : true".repeat(5_000)),
            format!("[1]{}", ".map(x, x)".repeat(5_000)),
        ] {
            let told = ask(&empty, &json!({}), &source).expect_err("too deep");
            assert!(told.contains("expression recursion limit exceeded"), "{}", &told[..200.min(told.len())]);
        }
        assert!(
            ask(&empty, &json!({}), &deep("(", "1", ")", 50_001))
                .is_err_and(|told| told.contains("size exceeds limit"))
        );
        assert!(ask(&empty, &json!({}), &format!("{}true", "!".repeat(90_000))).is_ok());
        assert!(ask(&empty, &json!({}), &format!("true{}", " && true".repeat(10_000))).is_ok());
        let at_the_limit = format!("{}[1]{}", "[".repeat(50), "]".repeat(50));
        assert!(ask(&empty, &json!({}), &format!("{at_the_limit} == {at_the_limit}")).is_ok());
    });
    thread.expect("a thread").join().expect("no overflow");
}

/// Guarantee 2.
#[test]
fn what_costs_too_much_is_given_up() {
    let schema = json!({"type": "object", "properties": {
        "l": {"type": "array", "items": {"type": "integer"}},
        "big": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
    }});
    let declared = DeclType::from_schema(&schema, true).expect("a schema with a type");
    let variable = Variable::new("self", &declared);
    let big: Vec<Json> = (0..2_000).map(|n| json!({"a": "x".repeat(500), "b": n.to_string()})).collect();
    let object = json!({"l": (0..20_000).collect::<Vec<_>>(), "big": big});
    for source in [
        "self.l.all(x, self.l.all(y, x + y >= 0))",
        "self.l.exists(x, self.l.exists(y, 1 / 0 == x + y))",
        "self.l.all(x, self.big == self.big)",
        "self.l.map(x, self.l + self.l).size() > 0",
        "self.l.all(x, x in self.l)",
        &format!("['x']{}.size() > 0", ".map(x, x + x)".repeat(60)),
        &format!(
            "['xxxxxxxxxxxxxxxx']{}.size() > 0",
            ".map(x, x.replace('x', 'xxxxxxxxxxxxxxxx'))".repeat(20)
        ),
        "self.l.all(x, 'a'.matches(string(x) + '|(a{1,9}){1,9}'))",
    ] {
        let program = Program::compile(source, &[variable]).expect(source);
        let activation = Activation::new().bind("self", &object, &declared);
        let error = program.evaluate(activation, &mut Meter::default()).expect_err(source);
        assert!(error.is_cost_limit(), "{source}: {error}");
    }
}

/// Estimates that upstream makes for the same rules.
#[test]
fn costs_are_estimated() {
    let unbounded = json!({"type": "object", "properties": {
        "l": {"type": "array", "items": {"type": "string"}}, "n": {"type": "integer"},
        "short": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 10}},
    }});
    let most = |source: &str| {
        let declared = DeclType::from_schema(&unbounded, true).expect("a schema with a type");
        let variable = Variable::new("self", &declared);
        Program::compile(source, &[variable]).expect(source).max_cost()
    };
    assert_eq!(most("true"), 0);
    assert_eq!(most("has(self.n)"), 1);
    assert_eq!(most("self.short.size() == 3"), 2 + 1 + 1);
    assert_eq!(most("self.short.all(s, s == 'abc')"), 2 + 1 + 10 * (3 + 1 + 1));
    assert!(most("self.l.all(x, self.l.all(y, x == y))") > 1_000_000_000);
}

/// Guarantee 3, for functions of dynamic values: the first library that takes the value evaluates the call.
#[test]
fn dynamic_calls_find_their_library() {
    for source in [
        "dyn('abc').indexOf('c') == 2 && dyn([1, 2]).indexOf(2) == 1",
        "dyn(duration('90m')).getHours() == 1 && dyn(timestamp('2024-05-06T07:08:09Z')).getHours() == 7",
        "dyn(semver('1.2.3')).isLessThan(semver('1.3.0')) && dyn(quantity('1')).isLessThan(quantity('2'))",
    ] {
        assert_eq!(ask(&schema(), &object(), source), Ok(Some(true)), "{source}");
    }
    let error = ask(&schema(), &object(), "dyn(1).getHours() == 1").expect_err("an integer has no hours");
    assert_eq!(error, "no such overload: getHours(int)");
}

/// Upstream validates the first argument behind the name, which is the text of a global call, and compiles all patterns.
#[test]
fn constant_patterns_are_compiled_with_the_program() {
    let refused = |source: &str| ask(&schema(), &object(), source).expect_err(source);
    assert!(refused("matches('[', self.text)").contains("1:9: invalid matches argument"));
    assert!(refused("self.text.matches('[')").contains("1:19: invalid matches argument"));
    for source in ["matches(self.text, '[')", "self.text.find('[') == ''", "self.text.findAll('[', 1) == []"]
    {
        assert!(refused(source).starts_with("error parsing regexp: "), "{source}");
    }
}

/// The program of an expression is not made if a constant in it cannot be converted.
#[test]
fn errors_of_constants_are_errors_of_the_program() {
    for (source, because) in [
        ("int('x') == 1", "type conversion error from 'string' to 'int'"),
        ("uint(-1) == 1u", "unsigned integer overflow"),
        ("int(9.3e18) == 1", "integer overflow"),
        ("timestamp(int('9999999999999')) == self.at", "timestamp overflow"),
        ("string(b'\\xff') == ''", "invalid UTF-8 in bytes, cannot convert to string"),
    ] {
        let declared = DeclType::from_schema(&schema(), true).expect("a schema with a type");
        let error = Program::compile(source, &[Variable::new("self", &declared)]).expect_err(source);
        assert_eq!((error.to_string().as_str(), error.is_of_program()), (because, true), "{source}");
    }
    let error = ask(&schema(), &object(), "int(self.text) == 1").expect_err("no number");
    assert_eq!(error, "type conversion error from 'string' to 'int'");
}

#[test]
fn outputs_convert_to_json() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}, "at": {
        "type": "string", "format": "date-time"}, "l": {"type": "array", "items": {"type": "string"}}}});
    let declared = DeclType::from_schema(&schema, false).expect("a schema with a type");
    let object = json!({"n": 3, "at": "2024-05-06T07:08:09Z", "l": ["a"]});
    for (source, expected) in [
        ("self.n + 1", json!(4)),
        ("self", object.clone()),
        ("self.l", json!(["a"])),
        ("self.l.map(x, x + '!')", json!(["a!"])),
        ("{'k': self.at}", json!({"k": "2024-05-06T07:08:09Z"})),
        ("self.?l[?5]", Json::Null),
        ("quantity('1000m')", json!("1")),
    ] {
        let program = Program::compile(source, &[Variable::new("self", &declared)]).expect(source);
        let activation = Activation::new().bind("self", &object, &declared);
        let output = program.evaluate(activation, &mut Meter::default()).expect(source);
        assert_eq!(output.to_json(), Some(expected), "{source}: {}", output.type_name());
    }
}

#[test]
fn a_meter_has_a_limit_of_its_own() {
    let declared = DeclType::from_schema(&schema(), true).expect("a schema with a type");
    let object = object();
    let program =
        Program::compile("self.list.all(n, n > 0)", &[Variable::new("self", &declared)]).expect("valid");
    let run = |limit| {
        let mut meter = Meter::new(limit);
        let output = program.evaluate(Activation::new().bind("self", &object, &declared), &mut meter);
        (output.map(|output| output.as_bool()).map_err(|error| error.is_cost_limit()), meter.cost())
    };
    let (output, cost) = run(1_000);
    assert_eq!(output, Ok(Some(true)));
    assert_eq!(run(cost), (Ok(Some(true)), cost));
    assert_eq!(run(cost - 1).0, Err(true));
}
