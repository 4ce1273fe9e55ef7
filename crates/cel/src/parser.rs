//! From words to an [`Expr`]. Operators bind as in CEL's grammar; macros are told from calls here.

use crate::{
    ast::{Call, Element, Expr, Kind, Literal},
    lexer::{Placed, Token, Unreadable, tokens},
    macros,
};

/// How many parts of an expression may stand in each other: what looks at it goes down as deep. Upstream takes 250.
const DEEPEST: usize = 64;
/// The longest expression, in characters: upstream's limit.
const LONGEST: usize = 100_000;

/// Words that no variable or field may be called by.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Two-sided operators with how strongly they bind, and what they are called.
const BINARY: [(&str, usize, &str); 12] = [
    ("<", 0, "_<_"),
    ("<=", 0, "_<=_"),
    (">", 0, "_>_"),
    (">=", 0, "_>=_"),
    ("==", 0, "_==_"),
    ("!=", 0, "_!=_"),
    ("in", 0, "@in"),
    ("+", 1, "_+_"),
    ("-", 1, "_-_"),
    ("*", 2, "_*_"),
    ("/", 2, "_/_"),
    ("%", 2, "_%_"),
];

type Parsed<T = Expr> = Result<T, Unreadable>;

/// Reads an expression; also how many parts it has.
pub(crate) fn parse(source: &str) -> Parsed<(Expr, usize)> {
    if source.chars().nth(LONGEST).is_some() {
        let length = source.chars().count();
        let because = format!("expression code point size exceeds limit: size: {length}, limit {LONGEST}");
        return Err(Unreadable { at: 0, because });
    }
    let mut parser = Parser { tokens: tokens(source)?, next: 0, parts: 0, depth: 0 };
    let expr = parser.choice()?;
    match parser.peek() {
        Token::End => Ok((expr, parser.parts)),
        _ => parser.unexpected("<EOF>"),
    }
}

pub(crate) struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    /// How many parts were made.
    parts: usize,
    /// How many brackets and the like are open.
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token // the last one is never taken
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if token != Token::End {
            self.next += 1;
        }
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(next) if *next == sign)
    }

    /// Takes a sign, if it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.is(sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.takes(sign) { Ok(()) } else { self.unexpected(&format!("'{sign}'")) }
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = match self.peek() {
            Token::Name(name) | Token::Quoted(name) => name.clone(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::End => "<EOF>".to_owned(),
            Token::Literal(Literal::Int(number)) => number.to_string(),
            Token::Literal(Literal::String(text)) => format!("'{text}'"),
            Token::Literal(_) => "literal".to_owned(),
        };
        let because = format!("Syntax error: mismatched input '{found}' expecting {wanted}");
        Err(Unreadable { at: self.at(), because })
    }

    /// Makes a part of parts that are as deep as `depth`.
    pub(crate) fn part(&mut self, at: usize, depth: usize, kind: Kind) -> Parsed {
        if depth >= DEEPEST {
            return Err(too_deep(at));
        }
        self.parts += 1;
        Ok(Expr { id: self.parts - 1, at, depth: depth + 1, kind })
    }

    pub(crate) fn call(
        &mut self,
        at: usize,
        function: &str,
        target: Option<Expr>,
        arguments: Vec<Expr>,
    ) -> Parsed {
        let depth = deepest(arguments.iter().chain(&target));
        let call = Call { function: function.to_owned(), target: target.map(Box::new), arguments };
        self.part(at, depth, Kind::Call(call))
    }

    /// Goes one bracket deeper for as long as `read` takes.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(too_deep(self.at()));
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    /// `a ? b : c`: the weakest operator.
    fn choice(&mut self) -> Parsed {
        let condition = self.logic("||")?;
        let at = self.at();
        if !self.takes("?") {
            return Ok(condition);
        }
        let (yes, no) = self.deeper(|parser| {
            let yes = parser.logic("||")?;
            parser.expect(":")?;
            Ok((yes, parser.choice()?))
        })?;
        let parts = [condition, yes, no];
        let depth = deepest(&parts);
        self.part(at, depth, Kind::Choice(Box::new(parts)))
    }

    /// `a || b || c`, each of which may be `d && e && f`.
    fn logic(&mut self, sign: &str) -> Parsed {
        let operand = |parser: &mut Self| if sign == "||" { parser.logic("&&") } else { parser.binary(0) };
        let first = operand(self)?;
        if !self.is(sign) {
            return Ok(first);
        }
        let at = self.at();
        let mut parts = vec![first];
        while self.takes(sign) {
            parts.push(operand(self)?);
        }
        let depth = deepest(&parts);
        self.part(at, depth, if sign == "||" { Kind::Or(parts) } else { Kind::And(parts) })
    }

    /// Parses binary operators that bind at least as strongly as `weakest`.
    fn binary(&mut self, weakest: usize) -> Parsed {
        let mut left = self.unary()?;
        loop {
            let word = match self.peek() {
                Token::Sign(sign) => *sign,
                Token::Name(name) if name == "in" => "in",
                _ => return Ok(left),
            };
            let known = BINARY.iter().find(|(known, strength, _)| *known == word && *strength >= weakest);
            let Some((_, strength, function)) = known else { return Ok(left) };
            let at = self.at();
            self.next += 1;
            let right = self.binary(strength + 1)?;
            left = self.call(at, function, None, vec![left, right])?;
        }
    }

    /// `!a` and `-a`, as often as they stand there.
    fn unary(&mut self) -> Parsed {
        let at = self.at();
        let sign = if self.is("!") { "!" } else { "-" };
        let count = std::iter::from_fn(|| self.takes(sign).then_some(())).count();
        if count == 0 {
            return self.member();
        }
        let is_number = matches!(self.peek(), Token::Literal(Literal::Int(_) | Literal::Double(_)));
        if sign == "-" && is_number {
            let number = match self.take() {
                Token::Literal(Literal::Int(number)) => Literal::Int(number.wrapping_neg()),
                Token::Literal(Literal::Double(number)) => Literal::Double(-number),
                _ => Literal::Null, // looked at above
            };
            let number = self.part(at, 0, Kind::Literal(number))?;
            let number = self.members(number)?;
            return if count % 2 == 1 { Ok(number) } else { self.call(at, "-_", None, vec![number]) };
        }
        let operand = self.member()?;
        // Twice is as good as not at all.
        let function = if sign == "!" { "!_" } else { "-_" };
        if count % 2 == 1 { self.call(at, function, None, vec![operand]) } else { Ok(operand) }
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// Parses the suffixes of `expr`: `.field`, `.?field`, `.method(…)`, `[index]` and `[?index]`.
    fn members(&mut self, mut expr: Expr) -> Parsed {
        loop {
            let at = self.at();
            if self.takes(".?") {
                let field = self.field()?;
                let depth = expr.depth;
                expr = self.part(at, depth, Kind::OptionalSelect(Box::new(expr), field))?;
            } else if self.takes(".") {
                let field = self.field()?;
                let open = self.at();
                expr = if self.is("(") {
                    let arguments = self.arguments()?;
                    macros::member(self, open, expr, &field, arguments)?
                } else {
                    let depth = expr.depth;
                    self.part(at, depth, Kind::Select(Box::new(expr), field))?
                };
            } else if self.is("[") || self.is("[?") {
                let function = if self.take() == Token::Sign("[?") { "_[?_]" } else { "_[_]" };
                let index = self.deeper(Self::choice)?;
                self.expect("]")?;
                expr = self.call(at, function, None, vec![expr, index])?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn field(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Token::Name(name) if name != "in" => {
                self.next += 1;
                Ok(name)
            }
            Token::Quoted(_) => {
                Err(Unreadable { at: self.at(), because: "unsupported syntax: '`'".to_owned() })
            }
            _ => self.unexpected("IDENTIFIER"),
        }
    }

    /// Parses arguments with the round brackets around them.
    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.takes(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.deeper(Self::choice)?);
            if !self.takes(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        match self.peek().clone() {
            Token::Literal(Literal::Int(i64::MIN)) => {
                Err(Unreadable { at, because: "invalid int literal".to_owned() })
            }
            Token::Literal(literal) => {
                self.next += 1;
                self.part(at, 0, Kind::Literal(literal))
            }
            Token::Name(name) if RESERVED.contains(&name.as_str()) => {
                let because = format!("reserved identifier: {name}");
                Err(Unreadable { at, because })
            }
            Token::Name(name) => {
                self.next += 1;
                self.named(at, name)
            }
            // From the outermost scope, which is the only one that names are declared in.
            Token::Sign(".") => {
                self.next += 1;
                let name = self.field()?;
                self.named(at, name)
            }
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.deeper(Self::choice)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("[" | "[?") => self.list(at),
            Token::Sign("{" | "{?") => self.map(at),
            _ => self.unexpected(
                "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, \
                                  NUM_UINT, STRING, BYTES, IDENTIFIER}",
            ),
        }
    }

    fn named(&mut self, at: usize, name: String) -> Parsed {
        let open = self.at();
        if !self.is("(") {
            return self.part(at, 0, Kind::Name(name));
        }
        let arguments = self.arguments()?;
        macros::global(self, open, &name, arguments)
    }

    fn list(&mut self, at: usize) -> Parsed {
        let mut is_optional = self.take() == Token::Sign("[?");
        let mut elements = Vec::new();
        while is_optional || !self.is("]") {
            is_optional |= self.takes("?");
            elements.push(Element { value: self.deeper(Self::choice)?, is_optional });
            is_optional = false;
            if !self.takes(",") {
                break;
            }
        }
        self.expect("]")?;
        let depth = deepest(elements.iter().map(|element| &element.value));
        self.part(at, depth, Kind::List(elements))
    }

    fn map(&mut self, at: usize) -> Parsed {
        let mut is_optional = self.take() == Token::Sign("{?");
        let mut entries = Vec::new();
        while is_optional || !self.is("}") {
            is_optional |= self.takes("?");
            let key = self.deeper(Self::choice)?;
            self.expect(":")?;
            entries.push((key, Element { value: self.deeper(Self::choice)?, is_optional }));
            is_optional = false;
            if !self.takes(",") {
                break;
            }
        }
        self.expect("}")?;
        let depth = deepest(entries.iter().flat_map(|(key, element)| [key, &element.value]));
        self.part(at, depth, Kind::Map(entries))
    }
}

/// How deep the deepest of `parts` is.
pub(crate) fn deepest<'a>(parts: impl IntoIterator<Item = &'a Expr>) -> usize {
    parts.into_iter().map(|part| part.depth).max().unwrap_or(0)
}

fn too_deep(at: usize) -> Unreadable {
    Unreadable { at, because: format!("expression recursion limit exceeded: {DEEPEST}") }
}
