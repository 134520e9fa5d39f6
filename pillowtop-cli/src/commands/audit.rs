//! `audit`: what the mapping of a pillow does to documents, told before a server does.

mod tally;

mod print;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pillowtop_conformance::{Conformance, Finding, Rehearsal, Report};
use pillowtop_core::field_types::Target;
use pillowtop_core::{DatabaseName, Definition};
use pillowtop_runtime::member::{Decider, Decision};
use pillowtop_runtime::row::Row;

use crate::arguments::Audit;
use crate::context::Context;
use crate::documents::{Input, is_url};
use crate::exit::{Failure, Outcome};
use tally::Tally;

const REPORT_EVERY: Duration = Duration::from_secs(2);

pub(crate) async fn run(context: &Context, arguments: &Audit) -> Result<Outcome, Failure> {
    let pillow = context.index(&arguments.name)?;
    let definition = pillow.definition();
    let conformance = Conformance::new(&definition.mappings, &definition.settings);
    let targets = targets_of(definition, &conformance, arguments)?;
    let database =
        definition.document.database.map_or_else(|| DatabaseName::from("audit"), DatabaseName::from);
    let mut auditor = Auditor {
        decider: Decider {
            pillow: Arc::clone(pillow),
            target: definition.index_name(None, 1),
            database,
            prefixes_ids: false,
            keeps_bodies: false,
        },
        rehearsal: conformance.rehearse(&targets),
        targets,
        tally: Tally::default(),
    };
    if pillow.lookup().is_some() {
        context.ui.note("an audit calls no lookup: each document is transformed as if nothing was found");
    }
    let document = &definition.document;
    let mut input = match arguments.limit {
        Some(limit) if is_url(&arguments.docs) => {
            Input::of_types(context, &arguments.docs, document.type_field, document.types, limit).await?
        }
        _ => Input::open(context, &arguments.docs).await?,
    };
    let mut quota = Quota { left: BTreeMap::new(), type_field: document.type_field };
    if let Some(limit) = arguments.limit {
        quota.left = document.types.iter().map(|doc_type| (*doc_type, limit)).collect();
    }
    let mut reported = Instant::now();
    'reading: while let Some(rows) = input.next().await? {
        for row in rows {
            if quota.is_used_up() {
                break 'reading;
            }
            if quota.takes(&row) {
                auditor.row(&row);
            }
        }
        if reported.elapsed() >= REPORT_EVERY {
            context.ui.note(&format!("auditing: {} documents", auditor.tally.documents.read));
            reported = Instant::now();
        }
    }
    let Auditor { tally, targets, .. } = auditor;
    if tally.documents.read == 0 {
        context.ui.note(&format!("there are no documents in {}", input.shown()));
    }
    print::print(context, definition, &conformance, &targets, &tally);
    Ok(if tally.is_rejecting() { Outcome::Differs } else { Outcome::Done })
}

/// The servers that have all types of a mapping: the one that is named, or those that are known.
fn targets_of(
    definition: &Definition,
    conformance: &Conformance,
    arguments: &Audit,
) -> Result<Vec<Target>, Failure> {
    let targets = match arguments.target {
        Some(target) if !conformance.is_for(target) => {
            return Err(Failure::usage(format!(
                "{target} does not support every field type of pillow `{}`",
                definition.pillow
            ))
            .hint("leave `--target` out to check against all servers that have them"));
        }
        Some(target) => vec![target],
        None => Target::CHECKED.into_iter().filter(|target| conformance.is_for(*target)).collect(),
    };
    if targets.is_empty() {
        return Err(Failure::new(format!(
            "no known server supports every field type of pillow `{}`",
            definition.pillow
        ))
        .hint("name one by `--target`"));
    }
    Ok(targets)
}

/// How many documents of each type are still to be read; nothing without a limit.
struct Quota {
    left: BTreeMap<&'static str, u64>,
    type_field: &'static str,
}

impl Quota {
    fn is_used_up(&self) -> bool {
        !self.left.is_empty() && self.left.values().all(|left| *left == 0)
    }

    /// Whether a row is read: one of another type is, too.
    fn takes(&mut self, row: &Row) -> bool {
        let doc_type = row.document_text(self.type_field);
        let Some(left) = doc_type.and_then(|doc_type| self.left.get_mut(&*doc_type)) else { return true };
        let takes = *left > 0;
        *left = left.saturating_sub(1);
        takes
    }
}

struct Auditor<'a> {
    decider: Decider,
    rehearsal: Rehearsal<'a>,
    targets: Vec<Target>,
    tally: Tally,
}

impl Auditor<'_> {
    fn row(&mut self, row: &Row) {
        let documents = &mut self.tally.documents;
        documents.read += 1;
        match self.decider.decide_one(row).decision {
            Decision::Ignore | Decision::Remove => documents.of_other_types += 1,
            Decision::Filtered => documents.filtered += 1,
            Decision::Delete => documents.deleted += 1,
            Decision::DeadLetter(letter) => self.tally.add_undecodable(row.id.as_str(), &letter.reason),
            Decision::Index { source, routing } => {
                let source = String::from_utf8_lossy(&source);
                let reports = self.rehearsal.index_routed(row.id.as_str(), routing.as_deref(), &source);
                self.report(row.id.as_str(), reports);
            }
        }
    }

    /// The strictest of what the targets do, and which of them do it.
    fn report(&mut self, id: &str, reports: Vec<Report>) {
        self.tally.documents.indexed += 1;
        self.tally.documents.rejected += u64::from(reports.iter().any(Report::is_rejected));
        if let Some(first) = reports.first() {
            self.tally.saw(&first.seen);
        }
        let count = reports.len();
        let mut findings: BTreeMap<(String, String), (Finding, Vec<Target>)> = BTreeMap::new();
        for (report, target) in reports.into_iter().zip(&self.targets) {
            for finding in report.findings {
                let key = (finding.path.clone(), finding.value.clone());
                match findings.get_mut(&key) {
                    Some((known, targets)) if known.effect == finding.effect => {
                        if !targets.contains(target) {
                            targets.push(*target);
                        }
                    }
                    // `Rejected` is the first of the effects.
                    Some((known, _)) if known.effect < finding.effect => {}
                    _ => {
                        findings.insert(key, (finding, vec![*target]));
                    }
                }
            }
        }
        for (mut finding, targets) in findings.into_values() {
            if targets.len() < count {
                let named: Vec<String> = targets.iter().map(ToString::to_string).collect();
                finding.reason = format!("{} (only on {})", finding.reason, named.join(", "));
            }
            self.tally.add(id, &finding);
        }
    }
}
