//! The parser of label selectors: tokens, then requirements. Error messages are upstream's.

use super::{error::SelectorError, requirement::Requirement};
use crate::Operator;

/// Parses the requirements of a selector, in the order of the text.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut parser = Parser { text, position: 0 };
    let mut requirements = Vec::new();
    match parser.peek() {
        Token::End => return Ok(requirements),
        Token::Word(_) | Token::Symbol("!") => {}
        found => return Err(parser.reject(found, ", expected: !, identifier, or 'end of string'")),
    }
    loop {
        requirements.push(parser.requirement().map_err(SelectorError::in_requirement)?);
        match parser.peek() {
            Token::End => return Ok(requirements),
            comma @ Token::Symbol(",") => parser.take(comma),
            found => return Err(parser.reject(found, ", expected: ',' or 'end of string'")),
        }
        match parser.peek() {
            Token::Word(_) | Token::Symbol("!") => {}
            found => return Err(parser.reject(found, ", expected: identifier after ','")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A key, a value, or one of the operators that are words.
    Word(&'a str),
    Symbol(&'a str),
    End,
}

struct Parser<'a> {
    text: &'a str,
    /// The position behind the tokens that were taken, and behind the white space that `peek` skipped.
    position: usize,
}

impl<'a> Parser<'a> {
    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let mut operator = Operator::Exists;
        if let not @ Token::Symbol("!") = self.peek() {
            operator = Operator::DoesNotExist;
            self.take(not);
        }
        let key = match self.peek() {
            word @ Token::Word(key) => {
                Requirement::check_key(key).map_err(|error| error.at(self.text, self.position))?;
                self.take(word);
                key
            }
            found => return Err(self.reject(found, ", expected: identifier")),
        };
        let has_values =
            operator == Operator::Exists && !matches!(self.peek(), Token::End | Token::Symbol(","));
        if has_values {
            operator = self.operator()?;
        }
        self.peek(); // skips white space: an error about values is located at the first of them
        let start = self.position;
        let mut values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ if has_values => vec![self.value()?],
            _ => Vec::new(),
        };
        values.sort_unstable(); // upstream numbers the values in its errors in this order
        values.dedup();
        Requirement::new(key, operator, values).map_err(|error| error.at(self.text, start))
    }

    fn operator(&mut self) -> Result<Operator, SelectorError> {
        let found = self.peek();
        let operator = match found {
            Token::Word("in") => Operator::In,
            Token::Word("notin") => Operator::NotIn,
            Token::Symbol("=" | "==") => Operator::Equals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            _ => return Err(self.reject(found, ", expected: in, notin, =, ==, !=, gt, lt")),
        };
        self.take(found);
        Ok(operator)
    }

    /// Returns the one value of an exact match; it may be empty.
    fn value(&mut self) -> Result<&'a str, SelectorError> {
        match self.peek() {
            word @ Token::Word(value) => {
                self.take(word);
                Ok(value)
            }
            Token::End | Token::Symbol(",") => Ok(""),
            found => Err(self.reject(found, ", expected: identifier")),
        }
    }

    /// Returns the values of a set, with its parentheses. Between two commas is an empty value.
    fn values(&mut self) -> Result<Vec<&'a str>, SelectorError> {
        match self.peek() {
            open @ Token::Symbol("(") => self.take(open),
            found => return Err(self.reject(found, " expected: '('")), // upstream has no comma here
        }
        match self.peek() {
            Token::Word(_) | Token::Symbol("," | ")") => {}
            found => return Err(self.reject(found, ", expected: ',', ')' or identifier")),
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                word @ Token::Word(value) => {
                    self.take(word);
                    values.push(value);
                }
                Token::Symbol("," | ")") => values.push(""),
                found => return Err(self.reject(found, ", expected: ',', or identifier")),
            }
            match self.peek() {
                close @ Token::Symbol(")") => {
                    self.take(close);
                    return Ok(values);
                }
                comma @ Token::Symbol(",") => self.take(comma),
                found => return Err(self.reject(found, ", expected: ',' or ')'")),
            }
        }
    }

    /// Returns the next token. Skips the white space before it, and stays in front of it.
    fn peek(&mut self) -> Token<'a> {
        let rest = &self.text[self.position..];
        self.position += rest.len() - rest.trim_start_matches(is_white_space).len();
        let rest = &self.text[self.position..];
        match rest.as_bytes() {
            [] => Token::End,
            [b'=' | b'!', b'=', ..] => Token::Symbol(&rest[..2]),
            [first, ..] if is_symbol(char::from(*first)) => Token::Symbol(&rest[..1]),
            _ => {
                let end = rest.find(|next| is_symbol(next) || is_white_space(next));
                Token::Word(&rest[..end.unwrap_or(rest.len())])
            }
        }
    }

    /// Takes the token that `peek` returned.
    fn take(&mut self, token: Token<'a>) {
        self.position += token.text().len();
    }

    /// Returns an error about the token that `peek` returned.
    fn reject(&self, found: Token<'a>, expected: &str) -> SelectorError {
        SelectorError::new(format!("found '{}'{expected}", found.text())).at(self.text, self.position)
    }
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Symbol(text) => text,
            Self::End => "",
        }
    }
}

fn is_symbol(next: char) -> bool {
    matches!(next, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn is_white_space(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\r' | '\n')
}
