//! Well-known text as the servers read it: words in any case, `BBOX`, and nothing read after the
//! end.

use super::super::numeric::{cut, java_double};
use super::geometry::{Flaw, Geometry, Position, Read, unreadable};

/// Reads a string.
pub(super) fn read(text: &str) -> Read<Geometry> {
    Reader { rest: text }.geometry()
}

struct Reader<'a> {
    rest: &'a str,
}

/// What stands next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Sign(char),
    End,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Token<'a> {
        let of_word = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.') || letter > '\u{7f}'
        };
        self.rest = self.rest.trim_start_matches(|letter: char| letter <= ' ');
        let Some(first) = self.rest.chars().next() else { return Token::End };
        let rest = if of_word(first) {
            self.rest.trim_start_matches(of_word)
        } else {
            &self.rest[first.len_utf8()..]
        };
        let taken = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        if of_word(first) { Token::Word(taken) } else { Token::Sign(first) }
    }

    fn peek(&self) -> Token<'a> {
        Reader { rest: self.rest }.next()
    }

    fn expect(&mut self, sign: char) -> Read<()> {
        match self.next() {
            Token::Sign(found) if found == sign => Ok(()),
            other => unreadable(format!("expected `{sign}`, found {}", shown(other))),
        }
    }

    fn number(&mut self) -> Read<f64> {
        match self.next() {
            Token::Word(word) => {
                java_double(word).map_err(|_| Flaw::Unreadable(format!("`{}` is not a number", cut(word))))
            }
            other => unreadable(format!("expected a number, found {}", shown(other))),
        }
    }

    fn geometry(&mut self) -> Read<Geometry> {
        let kind = match self.next() {
            Token::Word(word) => word.to_ascii_lowercase(),
            other => return unreadable(format!("expected a type of shape, found {}", shown(other))),
        };
        let known = [
            "point",
            "multipoint",
            "linestring",
            "multilinestring",
            "polygon",
            "multipolygon",
            "bbox",
            "circle",
            "geometrycollection",
        ];
        if !known.contains(&kind.as_str()) {
            return unreadable(format!("`{}` is not a type of a shape", cut(&kind)));
        }
        if let Token::Word(word) = self.peek()
            && word.eq_ignore_ascii_case("empty")
        {
            self.next();
            return Ok(Geometry::Empty { is_point: kind == "point" });
        }
        match kind.as_str() {
            "point" => {
                self.expect('(')?;
                let position = self.position()?;
                self.expect(')')?;
                Ok(Geometry::Points(vec![position]))
            }
            "multipoint" => Ok(Geometry::Points(self.positions()?)),
            "linestring" => Ok(Geometry::Lines(vec![self.positions()?])),
            "multilinestring" => Ok(Geometry::Lines(self.list(Self::positions)?)),
            "polygon" => Ok(Geometry::Polygons(vec![self.list(Self::positions)?])),
            "multipolygon" => Ok(Geometry::Polygons(self.list(|reader| reader.list(Self::positions))?)),
            "bbox" => self.envelope(),
            "circle" => Ok(Geometry::Circle),
            _ => Ok(Geometry::Collection(self.list(Self::geometry)?)),
        }
    }

    fn envelope(&mut self) -> Read<Geometry> {
        self.expect('(')?;
        let west = self.number()?;
        self.expect(',')?;
        let east = self.number()?;
        self.expect(',')?;
        let top = self.number()?;
        self.expect(',')?;
        let bottom = self.number()?;
        self.expect(')')?;
        Ok(Geometry::Envelope { west, east, top, bottom })
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.expect('(')?;
        let mut parts = vec![each(self)?];
        loop {
            match self.next() {
                Token::Sign(',') => parts.push(each(self)?),
                Token::Sign(')') => return Ok(parts),
                other => return unreadable(format!("expected `,` or `)`, found {}", shown(other))),
            }
        }
    }

    fn positions(&mut self) -> Read<Vec<Position>> {
        self.list(Self::position)
    }

    fn position(&mut self) -> Read<Position> {
        let (x, y) = (self.number()?, self.number()?);
        let has_height = matches!(self.peek(), Token::Word(_));
        if has_height {
            self.number()?;
        }
        Ok(Position { x, y, has_height })
    }
}

fn shown(token: Token<'_>) -> String {
    match token {
        Token::Word(word) => format!("`{}`", cut(word)),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end".to_owned(),
    }
}
