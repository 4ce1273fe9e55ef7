//! Reading a path.

/// A step of a path, or a value that it compares with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Field(String),
    /// `.*`: every value of a map, a list or a text.
    Wildcard,
    /// `..`: everything that has parts.
    Recursive,
    Slice(Slice),
    Union(Vec<Vec<Node>>),
    Filter {
        left: Vec<Node>,
        /// `None` if it is enough that `left` finds something.
        compared: Option<(String, Vec<Node>)>,
    },
    Text(String),
    Int(i64),
    Float(f64),
    Flag(bool),
    /// A word that means nothing here: whoever follows the path fails.
    Word,
}

/// `[start:end:step]`, or `[start]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    /// Whether `end` is the place after `start`, because the path names one item.
    pub(super) is_item: bool,
    pub(super) step: Option<i64>,
}

/// Reads what stands in the braces of a template; what follows them is not looked at.
pub(super) fn action(text: &str) -> Option<Vec<Node>> {
    let text: Vec<char> = text.chars().chain(['}']).collect();
    Reader { text: &text, place: 0 }.nodes()
}

struct Reader<'t> {
    text: &'t [char],
    place: usize,
}

impl Reader<'_> {
    fn nodes(&mut self) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            if self.skip("}") {
                return Some(nodes);
            }
            if self.skip("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.skip("..") {
                if nodes.last() == Some(&Node::Recursive) {
                    return None;
                }
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(is_word) {
                    nodes.push(self.field());
                }
                continue;
            }
            match self.next()? {
                ' ' | '@' | '$' => {}
                '[' => nodes.extend(self.bracket()?),
                quote @ ('"' | '\'') => nodes.push(self.quoted(quote)?),
                '.' => nodes.push(self.field()),
                first if first == '+' || first == '-' || first.is_numeric() => {
                    self.place -= 1;
                    nodes.push(self.number()?);
                }
                first if is_word(first) => {
                    self.place -= 1;
                    nodes.push(match self.until_terminator().as_str() {
                        "true" => Node::Flag(true),
                        "false" => Node::Flag(false),
                        _ => Node::Word,
                    });
                }
                _ => return None,
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.place).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.place += 1;
        Some(next)
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_next = word.chars().enumerate().all(|(at, c)| self.text.get(self.place + at) == Some(&c));
        if is_next {
            self.place += word.chars().count();
        }
        is_next
    }

    fn until_terminator(&mut self) -> String {
        let start = self.place;
        while self.peek().is_some_and(|next| !is_terminator(next)) {
            self.place += 1;
        }
        self.text[start..self.place].iter().collect()
    }

    /// A name up to the next terminator; a backslash makes one part of the name.
    fn field(&mut self) -> Node {
        let mut name = String::new();
        while let Some(next) = self.peek().filter(|next| !is_terminator(*next)) {
            self.place += 1;
            if next == '\\' {
                name.extend(self.next().filter(|escaped| *escaped != '\\'));
            } else {
                name.push(next);
            }
        }
        if name == "*" { Node::Wildcard } else { Node::Field(name) }
    }

    /// Parses the part after `[`: items by their places, a field by its quoted name, or several of those.
    fn bracket(&mut self) -> Option<Vec<Node>> {
        let start = self.place;
        while self.next().filter(|next| *next != '\n')? != ']' {}
        let inside: String = self.text[start..self.place - 1].iter().collect();
        let inside = if inside == "*" { ":".to_owned() } else { inside };
        if inside.contains(',') {
            let parts = inside.split(',').map(|part| action(&format!("[{}]", part.trim_matches(' '))));
            return Some(vec![Node::Union(parts.collect::<Option<_>>()?)]);
        }
        let name = inside.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
        if let Some(name) = name.filter(|name| !name.contains('\'')) {
            return action(&format!(".{name}"));
        }
        Some(vec![Node::Slice(slice(&inside)?)])
    }

    fn filter(&mut self) -> Option<Node> {
        let start = self.place;
        let (mut quote, mut is_closed) = (None, false);
        loop {
            match self.next()? {
                '\n' => return None,
                next @ ('"' | '\'') => match quote {
                    None => quote = Some(next),
                    Some(open) => {
                        let is_escaped = self.place >= 2 && self.text[self.place - 2] == '\\';
                        is_closed |= next == open && !is_escaped;
                    }
                },
                ')' if quote.is_some() == is_closed => break,
                _ => {}
            }
        }
        let condition: String = self.text[start..self.place - 1].iter().collect();
        if self.next()? != ']' {
            return None;
        }
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let compared = condition.find(is_operator).filter(|at| *at > 0).and_then(|at| {
            let (left, rest) = condition.split_at(at);
            let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len() - 1);
            (end > 0).then(|| (left, rest.split_at(end)))
        });
        Some(match compared {
            None => Node::Filter { left: action(&condition)?, compared: None },
            Some((left, (operator, right))) => {
                Node::Filter { left: action(left)?, compared: Some((operator.to_owned(), action(right)?)) }
            }
        })
    }

    fn number(&mut self) -> Option<Node> {
        let start = self.place;
        if matches!(self.peek(), Some('+' | '-')) {
            self.place += 1;
        }
        while self.peek().is_some_and(|next| next == '.' || next.is_numeric()) {
            self.place += 1;
        }
        let text: String = self.text[start..self.place].iter().collect();
        text.parse().map(Node::Int).or_else(|_| text.parse().map(Node::Float)).ok()
    }

    /// A text up to its closing quote, as Go unquotes it.
    fn quoted(&mut self, quote: char) -> Option<Node> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '\n' => return None,
                next if next == quote => return Some(Node::Text(text)),
                '\\' => text.push(self.escaped(quote)?),
                next => text.push(next),
            }
        }
    }

    fn escaped(&mut self, quote: char) -> Option<char> {
        Some(match self.next()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            next if next == quote => quote,
            _ => return None,
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let text: String = self.text.get(self.place..self.place + digits)?.iter().collect();
        self.place += digits;
        char::from_u32(u32::from_str_radix(&text, 16).ok()?)
    }
}

fn slice(text: &str) -> Option<Slice> {
    let mut parts = text.split(':').map(|part| match part {
        "" => Some(None),
        // A sign in front of nothing, or a plus, is no index.
        _ if part.starts_with('+') => None,
        _ => part.parse().ok().map(Some),
    });
    let start = parts.next()??;
    let (end, is_item) = match parts.next() {
        None => (Some(start.unwrap_or(0) + 1), true),
        Some(end) => (end?, false),
    };
    let step = parts.next().unwrap_or(Some(None))?;
    parts.next().is_none().then_some(Slice { start, end, is_item, step })
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}
