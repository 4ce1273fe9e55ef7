//! [`Token`]s: the words of an expression.

use crate::ast::Literal;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Name(String),
    /// A name between backticks, which may have dots, dashes and slashes: only fields have such.
    Quoted(String),
    Literal(Literal),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// A word and where it stands, counted in characters.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) at: usize,
}

/// A syntax error and its position.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) at: usize,
    pub(crate) because: String,
}

/// All signs, those first that others begin like.
const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "{?", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":",
    "+", "-", "*", "/", "%", "<",
];

/// Takes a source apart.
pub(crate) fn tokens(source: &str) -> Result<Vec<Placed>, Unreadable> {
    let characters: Vec<char> = source.chars().collect();
    let mut lexer = Lexer { rest: &characters, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.next()?;
        let is_end = token == Token::End;
        tokens.push(Placed { token, at });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    rest: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.at += count;
    }

    fn starts_with(&self, text: &str) -> bool {
        let mut rest = self.rest.iter();
        text.chars().all(|c| rest.next() == Some(&c))
    }

    /// The characters from here on for which `holds`.
    fn run(&self, holds: impl Fn(char) -> bool) -> String {
        self.rest.iter().copied().take_while(|c| holds(*c)).collect()
    }

    fn skip_space(&mut self) {
        loop {
            let space = self.rest.iter().take_while(|c| c.is_whitespace()).count();
            let comment = match self.rest.get(space..space + 2) {
                Some(['/', '/']) => self.rest[space..].iter().take_while(|c| **c != '\n').count(),
                _ => 0,
            };
            if space + comment == 0 {
                return;
            }
            self.advance(space + comment);
        }
    }

    fn unreadable<T>(&self) -> Result<T, Unreadable> {
        let found: String = self.rest.iter().take_while(|c| !c.is_whitespace()).take(20).collect();
        Err(Unreadable {
            at: self.at,
            because: format!("Syntax error: token recognition error at: '{found}'"),
        })
    }

    fn next(&mut self) -> Result<Token, Unreadable> {
        let Some(first) = self.rest.first().copied() else { return Ok(Token::End) };
        if let Some(string) = self.string()? {
            return Ok(Token::Literal(string));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.run(|c| c.is_ascii_alphanumeric() || c == '_');
            self.advance(name.len());
            return Ok(match name.as_str() {
                "true" => Token::Literal(Literal::Bool(true)),
                "false" => Token::Literal(Literal::Bool(false)),
                "null" => Token::Literal(Literal::Null),
                _ => Token::Name(name),
            });
        }
        let is_point = first == '.' && self.rest.get(1).is_some_and(char::is_ascii_digit);
        if first.is_ascii_digit() || is_point {
            return self.number();
        }
        if first == '`' {
            let name: String = self.rest[1..].iter().take_while(|c| **c != '`').collect();
            let length = name.chars().count();
            let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-/ ".contains(c);
            if length == 0 || self.rest.get(length + 1) != Some(&'`') || !name.chars().all(is_name) {
                return self.unreadable();
            }
            self.advance(length + 2);
            return Ok(Token::Quoted(name));
        }
        for sign in SIGNS.into_iter().chain([">", "!"]) {
            if self.starts_with(sign) {
                // `a ?.b : c` has a question mark and a number or a name; `.?`, `[?` and `{?` stand together.
                self.advance(sign.len());
                return Ok(Token::Sign(sign));
            }
        }
        self.unreadable()
    }

    fn number(&mut self) -> Result<Token, Unreadable> {
        let invalid = |at, what: &str| Err(Unreadable { at, because: format!("invalid {what} literal") });
        let at = self.at;
        if self.starts_with("0x") || self.starts_with("0X") {
            let digits: String = self.rest[2..].iter().take_while(|c| c.is_ascii_hexdigit()).collect();
            self.advance(2 + digits.len());
            if self.take_u() {
                return match u64::from_str_radix(&digits, 16) {
                    Ok(number) => Ok(Token::Literal(Literal::Uint(number))),
                    Err(_) => invalid(at, "uint"),
                };
            }
            return match i64::from_str_radix(&digits, 16) {
                Ok(number) => Ok(Token::Literal(Literal::Int(number))),
                Err(_) => invalid(at, "int"),
            };
        }
        let mut text = self.run(|c| c.is_ascii_digit());
        let is_digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
        let mut is_float = false;
        if self.rest.get(text.len()) == Some(&'.') && is_digit(self.rest.get(text.len() + 1)) {
            is_float = true;
            text.push('.');
            text.extend(self.rest[text.len()..].iter().take_while(|c| c.is_ascii_digit()));
        }
        if matches!(self.rest.get(text.len()), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.rest.get(text.len() + 1), Some('+' | '-')));
            if is_digit(self.rest.get(text.len() + 1 + sign)) {
                is_float = true;
                let exponent = &self.rest[text.len()..];
                let digits = exponent[1 + sign..].iter().take_while(|c| c.is_ascii_digit()).count();
                text.extend(&exponent[..1 + sign + digits]);
            }
        }
        self.advance(text.len());
        if is_float {
            return match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Token::Literal(Literal::Double(number))),
                _ => invalid(at, "double"),
            };
        }
        if self.take_u() {
            return match text.parse() {
                Ok(number) => Ok(Token::Literal(Literal::Uint(number))),
                Err(_) => invalid(at, "uint"),
            };
        }
        match text.parse::<u64>() {
            // The smallest number is the negation of one that is too large: the parser puts them together.
            Ok(number) => match i64::try_from(number) {
                Ok(number) => Ok(Token::Literal(Literal::Int(number))),
                Err(_) if number == i64::MIN.unsigned_abs() => Ok(Token::Literal(Literal::Int(i64::MIN))),
                Err(_) => invalid(at, "int"),
            },
            Err(_) => invalid(at, "int"),
        }
    }

    fn take_u(&mut self) -> bool {
        let is_unsigned = matches!(self.rest.first(), Some('u' | 'U'));
        self.advance(usize::from(is_unsigned));
        is_unsigned
    }

    /// A string or bytes, if that is what comes.
    fn string(&mut self) -> Result<Option<Literal>, Unreadable> {
        let prefix = self.rest.iter().take(2).take_while(|c| "rRbB".contains(**c)).count();
        let quote = match self.rest.get(prefix) {
            Some(quote @ ('"' | '\'')) => *quote,
            _ => return Ok(None),
        };
        let letters = self.rest[..prefix].iter().collect::<String>().to_ascii_lowercase();
        let (is_raw, is_bytes) = (letters.contains('r'), letters.contains('b'));
        if letters.len() == 2 && !(is_raw && is_bytes) {
            return Ok(None);
        }
        let is_long = self.rest.get(prefix..prefix + 3) == Some(&[quote; 3]);
        let width = if is_long { 3 } else { 1 };
        let mut bytes = Vec::new();
        let mut text = String::new();
        let mut at = prefix + width;
        loop {
            let Some(next) = self.rest.get(at).copied() else { return self.unreadable() };
            if next == quote && (!is_long || self.rest.get(at..at + 3) == Some(&[quote; 3])) {
                break;
            }
            if next == '\n' && !is_long {
                return self.unreadable();
            }
            if next == '\\' && !is_raw {
                let Some((escaped, length)) = escape(&self.rest[at + 1..], is_bytes) else {
                    return self.unreadable();
                };
                match escaped {
                    Escaped::Byte(byte) => bytes.push(byte),
                    Escaped::Char(c) => {
                        text.push(c);
                        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                at += 1 + length;
            } else {
                text.push(next);
                bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
                at += 1;
            }
        }
        self.advance(at + width);
        Ok(Some(if is_bytes { Literal::Bytes(bytes) } else { Literal::String(text) }))
    }
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// Decodes an escape after its backslash; returns its length, too.
fn escape(rest: &[char], in_bytes: bool) -> Option<(Escaped, usize)> {
    let number = |from: usize, digits: usize, radix: u32| {
        let digits: String = rest.get(from..from + digits)?.iter().collect();
        u32::from_str_radix(&digits, radix).ok()
    };
    let coded = |code: u32, length: usize, is_byte: bool| {
        if in_bytes && is_byte {
            return Some((Escaped::Byte(u8::try_from(code).ok()?), length));
        }
        Some((Escaped::Char(char::from_u32(code)?), length))
    };
    let plain = |c: char| Some((Escaped::Char(c), 1));
    match rest.first()? {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        c @ ('\\' | '\'' | '"' | '`' | '?') => plain(*c),
        'x' | 'X' => coded(number(1, 2, 16)?, 3, true),
        'u' if !in_bytes => coded(number(1, 4, 16)?, 5, false),
        'U' if !in_bytes => coded(number(1, 8, 16)?, 9, false),
        '0'..='3' => coded(number(0, 3, 8)?, 3, true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Vec<Token> {
        tokens(source).expect("words").into_iter().map(|placed| placed.token).collect()
    }

    #[test]
    fn literals_are_what_they_say() {
        let literal = |source: &str| match read(source).swap_remove(0) {
            Token::Literal(literal) => literal,
            other => panic!("{source}: {other:?}"),
        };
        assert_eq!(literal(r#"'a\'b\n\u00e9\x41\101'"#), Literal::String("a'b\né\u{41}A".to_owned()));
        assert_eq!(literal(r#"r"\d+""#), Literal::String("\\d+".to_owned()));
        assert_eq!(literal("'''a'b\n'''"), Literal::String("a'b\n".to_owned()));
        assert_eq!(literal(r"b'\xff\303é'"), Literal::Bytes(vec![0xff, 0xc3, 0xc3, 0xa9]));
        assert_eq!(literal("0x1F"), Literal::Int(31));
        assert_eq!(literal("7u"), Literal::Uint(7));
        assert_eq!(literal("1.5e3"), Literal::Double(1500.0));
        assert_eq!(literal(".5"), Literal::Double(0.5));
    }

    #[test]
    fn what_is_no_word_is_told() {
        for source in [
            "'open",
            r"'\q'",
            "@",
            "#",
            "`",
            "'\n'",
            r"'\ud800'",
            "99999999999999999999",
            "1e999",
            "0x",
            "'''",
        ] {
            assert!(tokens(source).is_err(), "{source}");
        }
        assert_eq!(read("a.?b // comment\n").len(), 4);
    }
}
