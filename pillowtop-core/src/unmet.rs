//! The requirements of a mapping that a target or the settings do not meet, as the message of a
//! compile error: runs in const evaluation.

use crate::analysis::{NameKind, built_in};
use crate::edit_distance::{distance, nearest_of};
use crate::field_types::{Product, Target};
use crate::message::Message;
use crate::requirement::{Asks, LACK, Needs, Requirement};
use crate::tree::{Field, Member, Object};

/// The names that a pillow's settings define.
#[derive(Debug, Clone, Copy)]
pub struct DefinedNames<'a> {
    /// The settings file as people write it; none without settings.
    pub file: Option<&'a str>,
    /// The analyzers.
    pub analyzers: &'a [&'a str],
    /// The normalizers.
    pub normalizers: &'a [&'a str],
    /// The similarities.
    pub similarities: &'a [&'a str],
}

impl<'a> DefinedNames<'a> {
    /// A pillow without settings.
    pub const NONE: Self = Self { file: None, analyzers: &[], normalizers: &[], similarities: &[] };

    const fn of(&self, kind: NameKind) -> &'a [&'a str] {
        match kind {
            NameKind::Analyzer => self.analyzers,
            NameKind::Normalizer => self.normalizers,
            NameKind::Similarity => self.similarities,
        }
    }
}

/// Refuses a target that lacks something that a mapping asks for.
///
/// # Panics
///
/// In const evaluation, hence as a compile error, with all that is lacking and where.
#[track_caller]
pub const fn assert_target(mapping: &Object, target: Target) {
    assert_met(mapping, Question::Target(target));
}

/// Refuses names that neither the settings define nor a server.
///
/// # Panics
///
/// In const evaluation, hence as a compile error, with all such names and where they stand.
#[track_caller]
pub const fn assert_names(mapping: &Object, defined: DefinedNames<'_>) {
    assert_met(mapping, Question::Names(defined));
}

/// Refuses a mapping of which documents need a routing value, for a pillow that declares none.
///
/// # Panics
///
/// In const evaluation, hence as a compile error, with all that needs one and where.
#[track_caller]
pub const fn assert_without_routing(mapping: &Object) {
    assert_met(mapping, Question::Routing);
}

#[track_caller]
const fn assert_met(mapping: &Object, question: Question<'_>) {
    if question.is_answered_by(mapping.needs) {
        return;
    }
    let mut message = Message::EMPTY;
    tell_object(&mut message, mapping, None, &question);
    finish(&mut message, &question);
    assert!(message.is_empty(), "{}", message.as_str());
}

/// What is checked of each requirement.
#[derive(Clone, Copy)]
enum Question<'a> {
    Target(Target),
    Names(DefinedNames<'a>),
    /// Whether it works without a routing.
    Routing,
}

impl Question<'_> {
    const fn is_answered_by(&self, needs: Needs) -> bool {
        match self {
            Self::Target(target) => needs.versions.include(*target),
            Self::Names(_) => !needs.has_names,
            Self::Routing => !needs.has_routing,
        }
    }
}

/// A property's way from the root, upwards.
struct Path<'a> {
    above: Option<&'a Path<'a>>,
    name: &'static str,
}

const fn tell_object(
    message: &mut Message,
    object: &Object,
    path: Option<&Path<'_>>,
    question: &Question<'_>,
) {
    tell(message, object.requirements, path, question);
    let mut position = 0;
    while position < object.members.len() {
        match &object.members[position] {
            Member::Property { name, field, .. } => {
                tell_field(message, field, &Path { above: path, name }, question);
            }
            Member::Flatten(inner) => tell_object(message, inner, path, question),
        }
        position += 1;
    }
}

const fn tell_field(message: &mut Message, field: &Field, path: &Path<'_>, question: &Question<'_>) {
    if question.is_answered_by(field.needs) {
        return;
    }
    tell(message, field.requirements, Some(path), question);
    if let Some(object) = field.object {
        tell_object(message, object, Some(path), question);
    }
}

const fn tell(
    message: &mut Message,
    requirements: &[Requirement],
    path: Option<&Path<'_>>,
    question: &Question<'_>,
) {
    let mut position = 0;
    while position < requirements.len() {
        let requirement = &requirements[position];
        match (question, &requirement.asks) {
            (Question::Target(target), Asks::Server { versions, needs }) if !versions.include(*target) => {
                message.begin_line();
                tell_path(message, path, requirement.path);
                message.text(" ");
                message.text(requirement.what);
                message.text(LACK[0]);
                tell_target(message, *target);
                message.text(LACK[1]);
                message.text(needs);
                message.end_line();
            }
            (Question::Names(defined), Asks::Definition { kind, name })
                if !contains(defined.of(*kind), name) =>
            {
                message.begin_line();
                tell_path(message, path, requirement.path);
                message.text(" names the ");
                message.text(kind.word());
                message.text(" `");
                message.text(name);
                message.text("`, which is not built in, and ");
                match defined.file {
                    Some(file) => {
                        message.text("`");
                        message.text(file);
                        message.text("` does not define it");
                    }
                    None => message.text("the pillow has no `settings` to define it"),
                }
                if let Some(meant) = meant(defined, *kind, name) {
                    message.text(", did you mean `");
                    message.text(meant);
                    message.text("`?");
                }
                message.end_line();
            }
            (Question::Routing, Asks::Routing) => {
                message.begin_line();
                tell_path(message, path, requirement.path);
                message.text(" ");
                message.text(requirement.what);
                message.text(", and the pillow declares no routing");
                message.end_line();
            }
            _ => {}
        }
        position += 1;
    }
}

/// The name that is likely meant: first of those that the settings define, then of a server's own.
const fn meant<'a>(defined: &DefinedNames<'a>, kind: NameKind, name: &str) -> Option<&'a str> {
    let [of_server, of_plugins] = built_in(kind);
    match (nearest_of(name, defined.of(kind)), nearest_of(name, of_server)) {
        (None, None) => nearest_of(name, of_plugins),
        (None, found) | (found, _) => found,
    }
}

const fn tell_path(message: &mut Message, path: Option<&Path<'_>>, below: &str) {
    if path.is_none() && below.is_empty() {
        message.text("the mapping's root");
        return;
    }
    message.text("`");
    tell_names(message, path);
    if path.is_some() && !below.is_empty() {
        message.text(".");
    }
    message.text(below);
    message.text("`");
}

const fn tell_names(message: &mut Message, path: Option<&Path<'_>>) {
    let Some(path) = path else { return };
    if path.above.is_some() {
        tell_names(message, path.above);
        message.text(".");
    }
    message.text(path.name);
}

const fn tell_target(message: &mut Message, target: Target) {
    message.text(match target.product {
        Product::Elasticsearch => "Elasticsearch ",
        Product::OpenSearch => "OpenSearch ",
    });
    message.number(target.version.major);
    message.text(".");
    message.number(target.version.minor);
}

const fn finish(message: &mut Message, question: &Question<'_>) {
    message.finish(match question {
        Question::Target(_) => "\nhelp: map it otherwise, or drop this target",
        Question::Names(_) => "\nhelp: define it in the settings, or correct the name",
        Question::Routing => "\nhelp: write `#[pillow(routing = self.household_id)]`, with the field or the function that gives the routing value of a document: for a child, that of its parent",
    });
}

const fn contains(names: &[&str], name: &str) -> bool {
    let mut position = 0;
    while position < names.len() {
        if distance(names[position], name) == 0 {
            return true;
        }
        position += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Member;

    const VECTOR: Field = Field::leaf("dense_vector", &[]).requiring(&[Requirement::server(
        "",
        "is of type `dense_vector`",
        [0x0703, u16::MAX, u16::MAX, u16::MAX],
        "Elasticsearch 7.3 or later",
    )]);
    const WORDS: Field = Field::leaf("text", &[])
        .requiring(&[Requirement::analyzer("", "coma"), Requirement::normalizer("exact", "lower")]);
    const INNER: Object =
        Object::new(&[Member::property("vector", 1, VECTOR), Member::property("words", 2, WORDS)], &[], &[]);
    const ROOT: Object =
        Object::new(&[Member::property("inner", 3, Field::object("nested", &[], &INNER))], &[], &[]);

    fn message(question: Question<'_>) -> String {
        let mut message = Message::EMPTY;
        tell_object(&mut message, &ROOT, None, &question);
        finish(&mut message, &question);
        message.as_str().to_owned()
    }

    #[test]
    fn a_lack_is_reported_with_its_path() {
        assert_eq!(message(Question::Target(Target::elasticsearch(7, 3))), "");
        assert!(
            message(Question::Target(Target::opensearch(2, 19))).starts_with(
                "`inner.vector` is of type `dense_vector`, which OpenSearch 2.19 does not have: it needs Elasticsearch 7.3 or later\n"
            )
        );
        assert_target(&ROOT, Target::elasticsearch(8, 0));
    }

    #[test]
    fn undefined_names_are_reported_with_what_is_meant() {
        let defined = DefinedNames {
            file: Some("hq.json"),
            analyzers: &["comma"],
            normalizers: &[],
            similarities: &[],
        };
        let text = message(Question::Names(defined));
        assert!(text.contains("`inner.words` names the analyzer `coma`, which is not built in, and `hq.json` does not define it, did you mean `comma`?"), "{text}");
        assert!(text.contains("`inner.words.exact` names the normalizer `lower`"), "{text}");
        let defined = DefinedNames { analyzers: &["coma"], normalizers: &["lower"], ..defined };
        assert_names(&ROOT, defined);
    }

    #[test]
    fn a_message_that_would_not_end_says_that_there_is_more() {
        let mut message = Message::EMPTY;
        let path = Path { above: None, name: "a" };
        for _ in 0..500 {
            tell(&mut message, WORDS.requirements, Some(&path), &Question::Target(Target::opensearch(1, 0)));
            tell(&mut message, VECTOR.requirements, Some(&path), &Question::Target(Target::opensearch(1, 0)));
        }
        finish(&mut message, &Question::Target(Target::opensearch(1, 0)));
        assert!(message.as_str().contains("or later\n… and more\nhelp: "), "{}", message.as_str());
    }
}
