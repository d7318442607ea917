//! The text of an instruction to its statements, in one pass and without recursion; what a statement
//! means is not asked here.

use super::error::{Awaited, ParseError, ParseProblem, Place};
use super::{OR_SAY, Operator, PaymentInstruction, Statement, is_carried};

/// Reads every statement of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, ParseError> {
    if text.len() > PaymentInstruction::BYTES_MAX {
        return Err(ParseError::new(Place::START, ParseProblem::TooLong));
    }
    let mut tokens = Tokens { rest: text, place: Place::START };
    let mut statements = Vec::new();
    while let Some(first) = tokens.next()? {
        if statements.len() >= PaymentInstruction::STATEMENTS_MAX {
            return Err(ParseError::new(first.place, ParseProblem::TooMany));
        }
        statements.push(statement(&first, &mut tokens)?);
    }
    if statements.is_empty() {
        return Err(tokens.ended(Awaited::Statement));
    }
    Ok(statements)
}

/// Reads a statement behind its first token.
fn statement(first: &Token<'_>, tokens: &mut Tokens<'_>) -> Result<Statement, ParseError> {
    let Kind::Name = first.kind else { return Err(first.unexpected()) };
    let second = tokens.must(Awaited::Operator)?;
    let Kind::Operator(operator) = second.kind else { return Err(second.unexpected()) };
    let value = tokens.string()?;
    let mut last = tokens.must(Awaited::Semicolon)?;
    let mut or_say = None;
    if let Kind::OrSay = last.kind {
        or_say = Some(tokens.string()?);
        last = tokens.must(Awaited::Semicolon)?;
    }
    let Kind::Semicolon = last.kind else { return Err(last.unexpected()) };
    Ok(Statement { name: first.text.to_owned(), operator, value, or_say })
}

#[derive(Clone, Copy)]
enum Kind {
    Name,
    OrSay,
    Operator(Operator),
    /// The text of the token is what stands between the quotes.
    String,
    Semicolon,
}

struct Token<'a> {
    kind: Kind,
    text: &'a str,
    place: Place,
}

impl Token<'_> {
    fn unexpected(&self) -> ParseError {
        let text = match self.kind {
            Kind::String => "'...'",
            Kind::Name | Kind::OrSay | Kind::Operator(_) | Kind::Semicolon => self.text,
        };
        ParseError::new(self.place, ParseProblem::UnexpectedToken(text.to_owned()))
    }
}

/// What is left of a text, and where it stands.
struct Tokens<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Tokens<'a> {
    /// The next token, `None` at the end of the text.
    fn next(&mut self) -> Result<Option<Token<'a>>, ParseError> {
        self.take_while(|character| " \t\r\n".contains(character));
        let place = self.place;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let (kind, text) = match first {
            'A'..='Z' | 'a'..='z' => {
                let text = self.take_while(|character| character.is_ascii_alphabetic());
                if text.len() > Statement::NAME_BYTES_MAX {
                    return Err(ParseError::new(place, ParseProblem::NameTooLong));
                }
                (if text == OR_SAY { Kind::OrSay } else { Kind::Name }, text)
            }
            '\'' => (Kind::String, self.quoted(place)?),
            ';' => (Kind::Semicolon, self.take(1)),
            _ => {
                let mut spellings = Operator::SPELLINGS.iter();
                let found = spellings.find(|(spelling, _)| self.rest.starts_with(spelling));
                let Some((spelling, operator)) = found else {
                    return Err(ParseError::new(place, ParseProblem::UnexpectedCharacter(first)));
                };
                (Kind::Operator(*operator), self.take(spelling.len()))
            }
        };
        Ok(Some(Token { kind, text, place }))
    }

    /// The next token, when the text must not end yet.
    fn must(&mut self, awaited: Awaited) -> Result<Token<'a>, ParseError> {
        self.next()?.ok_or_else(|| self.ended(awaited))
    }

    /// The next token, which must be a string.
    fn string(&mut self) -> Result<String, ParseError> {
        let token = self.must(Awaited::Quote)?;
        let Kind::String = token.kind else { return Err(token.unexpected()) };
        Ok(token.text.to_owned())
    }

    /// What stands between the quotes.
    fn quoted(&mut self, place: Place) -> Result<&'a str, ParseError> {
        self.take(1);
        let inside = self.take_while(|character| character != '\'' && is_carried(character));
        match self.rest.chars().next() {
            None => return Err(self.ended(Awaited::Quote)),
            Some('\'') => self.take(1),
            Some(other) => {
                return Err(ParseError::new(self.place, ParseProblem::UnexpectedCharacter(other)));
            }
        };
        if inside.len() > Statement::STRING_BYTES_MAX {
            return Err(ParseError::new(place, ParseProblem::StringTooLong));
        }
        Ok(inside)
    }

    fn ended(&self, awaited: Awaited) -> ParseError {
        ParseError::new(self.place, ParseProblem::UnexpectedEnd(awaited))
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !wanted(character));
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// Takes so many bytes, which end between two characters, and moves the place on.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        for character in taken.chars() {
            self.place = match character {
                '\n' => Place { line: self.place.line.saturating_add(1), column: 1 },
                _ => Place { column: self.place.column.saturating_add(1), ..self.place },
            };
        }
        taken
    }
}
