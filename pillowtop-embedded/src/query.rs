//! Queries: the search library's language, with what the mapping knows put in: formats of dates,
//! aliases, prefixes, and `path:*` for paths that have a value.

use pillowtop_core::date::{DateFormats, Moment};
use tantivy::Index;
use tantivy::query::{Query, QueryParser};
use tantivy::query_grammar::{
    Delimiter, UserInputAst, UserInputBound, UserInputLeaf, UserInputLiteral, parse_query,
};

use super::mapping::{FIELD_NAMES, Kind, Plan};
use super::value::date_units;

/// Reads a query; an error is a clause for people.
pub(crate) fn read(plan: &Plan, index: &Index, query: &str) -> Result<Box<dyn Query>, String> {
    let mut ast = parse_query(query).map_err(|_| "it cannot be read".to_owned())?;
    rewrite(plan, index, &mut ast)?;
    let mut parser = QueryParser::for_index(index, plan.default_fields.clone());
    parser.allow_regexes();
    parser.build_query_from_user_input_ast(ast).map_err(|error| error.to_string())
}

fn rewrite(plan: &Plan, index: &Index, ast: &mut UserInputAst) -> Result<(), String> {
    match ast {
        UserInputAst::Clause(clauses) => {
            clauses.iter_mut().try_for_each(|(_, clause)| rewrite(plan, index, clause))
        }
        UserInputAst::Boost(inner, _) => rewrite(plan, index, inner),
        UserInputAst::Leaf(leaf) => {
            if let Some(new) = rewritten(plan, index, leaf)? {
                **leaf = new;
            }
            Ok(())
        }
    }
}

fn rewritten(plan: &Plan, index: &Index, leaf: &mut UserInputLeaf) -> Result<Option<UserInputLeaf>, String> {
    let field = match leaf {
        UserInputLeaf::Literal(literal) => literal.field_name.as_mut(),
        UserInputLeaf::Range { field, .. }
        | UserInputLeaf::Set { field, .. }
        | UserInputLeaf::Regex { field, .. } => field.as_mut(),
        UserInputLeaf::Exists { field } => Some(field),
        UserInputLeaf::All => None,
    };
    let Some(field) = field else { return Ok(None) };
    if let Some(target) = plan.aliases.get(field) {
        target.clone_into(field);
    }
    let path = field.clone();
    let dates = plan.leaf(&path).and_then(|leaf| match &leaf.kind {
        Kind::Date { formats, nanos } => Some(Dates { path: &path, formats, nanos: *nanos }),
        _ => None,
    });
    match (leaf, dates) {
        (UserInputLeaf::Exists { field }, _) => Ok(Some(exists(field))),
        (UserInputLeaf::Literal(literal), Some(dates)) => dates.equal(&literal.phrase).map(Some),
        (UserInputLeaf::Range { lower, upper, .. }, Some(dates)) => dates.range(lower, upper).map(Some),
        (UserInputLeaf::Set { .. }, Some(_)) => {
            Err(format!("field `{path}` is a date, and lists of dates are not supported; join them with OR"))
        }
        (UserInputLeaf::Literal(literal), None) => Ok(prefix(plan, index, &path, literal)),
        _ => Ok(None),
    }
}

fn exists(path: &str) -> UserInputLeaf {
    UserInputLeaf::Literal(UserInputLiteral {
        field_name: Some(FIELD_NAMES.to_owned()),
        phrase: path.to_owned(),
        delimiter: Delimiter::DoubleQuotes,
        slop: 0,
        prefix: false,
    })
}

/// `name:jo*` on text and keywords.
fn prefix(plan: &Plan, index: &Index, path: &str, literal: &UserInputLiteral) -> Option<UserInputLeaf> {
    let start = literal.phrase.strip_suffix('*').filter(|_| literal.delimiter == Delimiter::None)?;
    let leaf = plan.leaf(path).filter(|leaf| matches!(leaf.kind, Kind::Text | Kind::Keyword))?;
    let mut analyzer = index.tokenizer_for_field(leaf.field?).ok()?;
    let mut tokens = Vec::new();
    analyzer.token_stream(start).process(&mut |token| tokens.push(token.text.clone()));
    let [token] = tokens.as_slice() else { return None };
    let pattern = format!("{}.*", regex::escape(token));
    Some(UserInputLeaf::Regex { field: Some(path.to_owned()), pattern })
}

/// A date field of a query.
struct Dates<'a> {
    path: &'a str,
    formats: &'a DateFormats,
    nanos: bool,
}

impl Dates<'_> {
    fn moment(&self, text: &str) -> Result<Moment, String> {
        let iso = || DateFormats::new("strict_date_optional_time").parse(text);
        self.formats.parse(text).or_else(|_| iso()).map_err(|_| {
            format!(
                "`{text}` is not a date of field `{}`, whose format is `{}`",
                self.path,
                self.formats.declared()
            )
        })
    }

    fn units(&self, nanos_since_1970: i128) -> String {
        let beyond = if nanos_since_1970 < 0 { i64::MIN } else { i64::MAX };
        date_units(nanos_since_1970, self.nanos).unwrap_or(beyond).to_string()
    }

    /// The whole range that the string stands for: `2024-02` is all of February.
    fn equal(&self, text: &str) -> Result<UserInputLeaf, String> {
        let moment = self.moment(text)?;
        let lower = UserInputBound::Inclusive(self.units(moment.start));
        let upper = UserInputBound::Exclusive(self.units(moment.end.max(moment.start + self.unit())));
        Ok(UserInputLeaf::Range { field: Some(self.path.to_owned()), lower, upper })
    }

    fn unit(&self) -> i128 {
        if self.nanos { 1 } else { 1_000_000 }
    }

    fn range(&self, lower: &UserInputBound, upper: &UserInputBound) -> Result<UserInputLeaf, String> {
        let end = |moment: Moment| self.units(moment.end.max(moment.start + self.unit()));
        let lower = match lower {
            UserInputBound::Inclusive(text) => {
                UserInputBound::Inclusive(self.units(self.moment(text)?.start))
            }
            UserInputBound::Exclusive(text) => UserInputBound::Inclusive(end(self.moment(text)?)),
            UserInputBound::Unbounded => UserInputBound::Unbounded,
        };
        let upper = match upper {
            UserInputBound::Inclusive(text) => UserInputBound::Exclusive(end(self.moment(text)?)),
            UserInputBound::Exclusive(text) => {
                UserInputBound::Exclusive(self.units(self.moment(text)?.start))
            }
            UserInputBound::Unbounded => UserInputBound::Unbounded,
        };
        Ok(UserInputLeaf::Range { field: Some(self.path.to_owned()), lower, upper })
    }
}
