//! Sample documents: half a year of a small clinic project, told as what happens in its database.
//!
//! The story is the same on every machine. It has projects, applications with their builds, users,
//! groups, households, pregnancies and children with their visit forms; updates, deletions of every
//! kind, documents that leave a filter or are dropped, and some that cannot be indexed. [`changes`]
//! is the story as a feed tells it, [`steps`] as a database hears it, [`documents`] what is there
//! at its end, and [`summary`] what a correct index holds then.

mod generator;
mod story;

mod applications;
mod people;
mod projects;

mod submission;

mod cases;
mod forms;

mod oddities;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;

use pillowtop::Pillow;
use serde_json::{Value, json};

use self::cases::{Kind, Record, save_case};
use self::forms::{closing_questions, registration_questions, visit_questions};
use self::generator::{Generator, Moment};
use self::people::Worker;
pub use self::story::Step;
use self::story::{Outcome, Story};
use self::submission::Submission;
use crate::{Application, Case, Domain, Form, Group, SearchableCase, User};

/// The project that the story is about.
pub const DOMAIN: &str = "riverside-clinics";
/// The names of the pillows.
const CASE: &str = Case::PILLOW.name;
const FORM: &str = Form::PILLOW.name;
const USER: &str = User::PILLOW.name;
const PROJECT: &str = Domain::PILLOW.name;
const GROUP: &str = Group::PILLOW.name;
const APP: &str = Application::PILLOW.name;
const CASE_SEARCH: &str = SearchableCase::PILLOW.name;
/// How many families there are.
const FAMILIES: u32 = 30;

/// What a correct index of one pillow holds after the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The pillow's name.
    pub pillow: &'static str,
    /// The ids of the documents that are in it.
    pub indexed: BTreeSet<String>,
    /// The ids of those that decode, and that a server refuses.
    pub rejected: BTreeSet<String>,
    /// The ids of those that do not decode.
    pub undecodable: BTreeSet<String>,
}

impl Summary {
    /// How many dead letters there are: rejected and undecodable documents.
    pub fn dead_letters(&self) -> usize {
        self.rejected.len() + self.undecodable.len()
    }
}

/// What the indices hold after the story, in the order of [`crate::registry`].
pub fn summary() -> Vec<Summary> {
    let story = tell();
    let endings = story.endings();
    let of = |pillow: &'static str, outcome: Outcome| {
        endings
            .iter()
            .filter(|(_, event)| event.outcomes.contains(&(pillow, outcome)))
            .map(|(id, _)| (*id).to_owned())
            .collect()
    };
    [CASE, FORM, USER, PROJECT, GROUP, APP, CASE_SEARCH]
        .map(|pillow| Summary {
            pillow,
            indexed: of(pillow, Outcome::Indexed),
            rejected: of(pillow, Outcome::Rejected),
            undecodable: of(pillow, Outcome::Undecodable),
        })
        .to_vec()
}

/// What happens in the database, in order.
pub fn steps() -> Vec<Step> {
    tell().events().iter().map(|event| event.step.clone()).collect()
}

/// The documents that are in the database after the story, without `_rev`, sorted by id.
pub fn documents() -> Vec<Value> {
    let story = tell();
    story.endings().into_values().filter_map(|event| saved(&event.step).cloned()).collect()
}

fn saved(step: &Step) -> Option<&Value> {
    match step {
        Step::Save(document) => Some(document),
        Step::Delete(_) => None,
    }
}

/// Each version of each document that has a type, by that, as [`changes`] brings them.
pub fn versions_by_type() -> BTreeMap<String, Vec<Value>> {
    let mut by_type: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in changes() {
        let mut change: Value = serde_json::from_str(&line).unwrap_or_default();
        let document = change["doc"].take();
        if let Some(doc_type) = document["doc_type"].as_str() {
            by_type.entry(doc_type.to_owned()).or_default().push(document);
        }
    }
    by_type
}

/// The story as lines of `_changes?include_docs=true`, as one who follows from the beginning sees
/// them: each version of each document. (A feed that is read after the story has the last line of
/// each document only, which comes to the same index.)
pub fn changes() -> Vec<String> {
    let mut generations = BTreeMap::<String, u32>::new();
    let mut lines = Vec::new();
    for (position, event) in tell().events().iter().enumerate() {
        let id = event.id();
        let generation = generations.entry(id.to_owned()).or_default();
        *generation += 1;
        let mut document = match &event.step {
            Step::Save(document) => document.clone(),
            Step::Delete(id) => json!({"_id": id, "_deleted": true}),
        };
        let revision = format!("{generation}-{}", digest(&format!("{generation}{document}")));
        document["_rev"] = json!(revision);
        let number = position + 1;
        let mut row = json!({
            "seq": format!("{number}-g1AAAACTeJzLYWBg{}", &digest(&number.to_string())[..16]), "id": id,
            "changes": [{"rev": revision}], "doc": document,
        });
        if matches!(event.step, Step::Delete(_)) {
            row["deleted"] = json!(true);
        }
        lines.push(row.to_string());
    }
    lines
}

/// 32 hexadecimal digits that look like a digest and are the same everywhere.
fn digest(text: &str) -> String {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(text.as_bytes());
    Generator::new(hasher.finish()).id()
}

/// FNV-1a: the standard library's hasher may change with the release.
struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn tell() -> Story {
    let mut story = Story::default();
    let mut generator = Generator::new(20_240_108);
    let design = json!({
        "_id": "_design/clinic", "language": "javascript",
        "views": {"by_type": {"map": "function (doc) { emit([doc.domain, doc.doc_type], null); }"}},
    });
    story.save_each(&[], design);
    projects::begin(&mut story, &mut generator);
    let application = applications::build(&mut story, &mut generator);
    let workers = people::arrive(&mut story, &mut generator);
    let mut now = Moment::START.plus(86_400);
    let (mut records, mut forms) = (Vec::new(), Vec::new());
    for _ in 0..FAMILIES {
        now = now.plus(3_600 + generator.below(36_000));
        let worker = generator.pick(&workers).clone();
        follow_family(&mut story, &mut generator, &worker, now, &mut records, &mut forms);
    }
    now = now.plus(86_400);
    people::change(&mut story, &workers);
    projects::change(&mut story, &mut generator);
    applications::change(&mut story, &mut generator, application);
    oddities::leave(&mut story, &records);
    oddities::withdraw(&mut story, &forms);
    if let (Some(worker), Some(record)) = (workers.last(), records.last()) {
        oddities::drop_out(&mut story, &mut generator, worker, now);
        oddities::puzzle(&mut story, &mut generator, worker, record, now);
        oddities::die(&mut story, &mut generator, worker, record, now);
    }
    story
}

/// A household is registered, then a pregnancy in it, at times a child; each is visited, some are
/// closed.
fn follow_family(
    story: &mut Story,
    generator: &mut Generator,
    worker: &Worker,
    mut now: Moment,
    records: &mut Vec<Record>,
    forms: &mut Vec<Value>,
) {
    let mut mother: Option<Record> = None;
    for kind in [Kind::Household, Kind::Pregnancy, Kind::Child] {
        if kind == Kind::Child && generator.chance(40) {
            continue;
        }
        let mut record = Record::new(generator, kind, worker, now);
        let parent = mother.as_ref().filter(|_| kind == Kind::Child);
        let submission = Submission::registration(generator, worker, now);
        let questions = registration_questions(&submission, &record, parent);
        let mut submit = |story: &mut Story, form: Value| {
            story.save(FORM, Outcome::Indexed, form.clone());
            forms.push(form);
        };
        submit(story, submission.document(generator, questions));
        record.register(&submission, worker.village, parent);
        save_case(story, Outcome::Indexed, record.document());
        for _ in 0..generator.below(4) {
            now = now.plus(600_000 + generator.below(900_000));
            let submission = Submission::visit(generator, worker, now);
            let (questions, properties) = visit_questions(generator, &submission, &record);
            submit(story, submission.document(generator, questions));
            record.set(&submission, &properties);
            save_case(story, Outcome::Indexed, record.document());
        }
        if generator.chance(15) {
            now = now.plus(86_400);
            let reason = *generator.pick(&["moved away", "déménagé", "end of care", "बाहर गए"]);
            let submission = Submission::closing(generator, worker, now);
            let questions = closing_questions(&submission, &record, reason);
            submit(story, submission.document(generator, questions));
            record.close(&submission, reason);
            save_case(story, Outcome::Indexed, record.document());
        }
        if kind == Kind::Pregnancy {
            mother = Some(record.clone());
        }
        records.push(record);
    }
}
