//! What `es-manage apply` would do, in order, with the reason for each step.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{Definition, IndexName, PillowName};
use pillowtop_runtime::target::elastic::{Extension, IndexStatus, SettingChange};
use serde_json::{Value, json};

use super::alias_move::Move;
use super::alias_move::sources;
use super::flip;
use super::prune::{self, prunable};
use super::state::{Look, PillowStatus, State};
use crate::context::Context;
use crate::exit::Failure;
use crate::servers::Servers;

/// One step. Some are for somebody else: `apply` passes them over.
pub(super) enum Step<'a> {
    /// An index has to be built before anything else.
    Build { pillow: &'a PillowName, reason: String },
    /// Nothing can be done now.
    Wait { pillow: &'a PillowName, reason: String },
    /// An additive mapping is put on the live index.
    Extend { definition: &'a Definition, index: &'a IndexStatus, changes: Vec<String> },
    /// Every document is indexed again, so that it has the new fields.
    Backfill { definition: &'a Definition, index: &'a IndexStatus },
    /// Dynamic settings are changed.
    Settings { pillow: &'a PillowName, index: &'a IndexName, changes: Vec<SettingChange> },
    /// The index is compared with its databases.
    Verify { pillow: &'a PillowName, index: &'a IndexName },
    /// Searches move.
    Flip(Box<Move>),
    /// Nothing has to be done.
    Keep { pillow: &'a PillowName, index: &'a IndexName },
    /// An index is deleted that nothing refers to.
    Prune { index: &'a IndexStatus, used: String },
}

/// The steps, in the order in which they are done.
pub(super) struct Plan<'a> {
    pub(super) steps: Vec<Step<'a>>,
}

impl Plan<'_> {
    /// What tells this plan from another one: everything that would be done, without the reasons.
    pub(super) fn id(&self) -> String {
        let done: Vec<Value> = self.steps.iter().filter(|step| step.is_done()).map(Step::identity).collect();
        format!("{:012x}", hash_text(&to_canonical(&json!(done))) & 0xffff_ffff_ffff)
    }

    /// Whether `apply` would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        !self.steps.iter().any(Step::is_done)
    }
}

impl Step<'_> {
    /// Whether `apply` does it.
    fn is_done(&self) -> bool {
        !matches!(self, Self::Build { .. } | Self::Wait { .. } | Self::Keep { .. })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Build { .. } => "build",
            Self::Wait { .. } => "wait",
            Self::Extend { .. } => "put mapping",
            Self::Backfill { .. } => "backfill",
            Self::Settings { .. } => "put settings",
            Self::Verify { .. } => "verify",
            Self::Flip(_) => "flip",
            Self::Keep { .. } => "keep",
            Self::Prune { .. } => "prune",
        }
    }

    fn order(&self) -> u8 {
        match self {
            Self::Build { .. } | Self::Wait { .. } => 0,
            Self::Extend { .. } => 1,
            Self::Backfill { .. } => 2,
            Self::Settings { .. } => 3,
            Self::Verify { .. } => 4,
            Self::Flip(_) => 5,
            Self::Keep { .. } => 6,
            Self::Prune { .. } => 7,
        }
    }

    fn pillow(&self) -> &PillowName {
        match self {
            Self::Build { pillow, .. }
            | Self::Wait { pillow, .. }
            | Self::Settings { pillow, .. }
            | Self::Verify { pillow, .. }
            | Self::Keep { pillow, .. } => pillow,
            Self::Extend { definition, .. } | Self::Backfill { definition, .. } => &definition.pillow,
            Self::Flip(planned) => &planned.pillow,
            Self::Prune { index, .. } => &index.pillow,
        }
    }

    /// What it is done to.
    fn subject(&self) -> String {
        match self {
            Self::Build { .. } | Self::Wait { .. } => "-".to_owned(),
            Self::Extend { index, .. } | Self::Backfill { index, .. } | Self::Prune { index, .. } => {
                index.name.to_string()
            }
            Self::Settings { index, .. } | Self::Verify { index, .. } | Self::Keep { index, .. } => {
                index.to_string()
            }
            Self::Flip(planned) => {
                let plan = &planned.plan;
                format!("{}: {} to {}", plan.alias, sources(&plan.from), plan.to)
            }
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Build { reason, .. } | Self::Wait { reason, .. } => reason.clone(),
            Self::Extend { changes, .. } => {
                format!("all changes are additive, so no new index is needed: {}", changes.join(", "))
            }
            Self::Backfill { index, .. } => {
                let documents = index.documents.map_or_else(String::new, |count| format!("{count} "));
                format!("{documents}documents lack the new fields until they are indexed again")
            }
            Self::Settings { changes, .. } => {
                let change = |change: &SettingChange| {
                    let live = change.live.as_deref().unwrap_or("the default");
                    format!("{}: {live} to {}", change.name, change.wanted)
                };
                changes.iter().map(change).collect::<Vec<_>>().join(", ")
            }
            Self::Verify { .. } => "it was not compared with its databases since it was complete".to_owned(),
            Self::Flip(_) => "the index of the committed mapping is complete and followed".to_owned(),
            Self::Keep { .. } => "it has the committed mapping and is searched".to_owned(),
            Self::Prune { used, .. } => format!("nothing refers to it, and it was last used at {used}"),
        }
    }

    /// What of it must be the same when it is done as when it was shown.
    fn identity(&self) -> Value {
        let uuid = match self {
            Self::Extend { index, .. } | Self::Backfill { index, .. } | Self::Prune { index, .. } => {
                Some(index.uuid.as_str())
            }
            _ => None,
        };
        let hash = match self {
            Self::Extend { definition, .. } | Self::Backfill { definition, .. } => {
                Some(definition.hash.to_string())
            }
            _ => None,
        };
        let changes = match self {
            Self::Extend { .. } | Self::Settings { .. } => Some(self.reason()),
            _ => None,
        };
        json!([self.kind(), self.pillow(), self.subject(), uuid, hash, changes])
    }

    /// A row of the table.
    pub(super) fn cells(&self) -> [String; 4] {
        [self.kind().to_owned(), self.pillow().to_string(), self.subject(), self.reason()]
    }

    /// The same for scripts.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "step": self.kind(), "pillow": self.pillow(), "subject": self.subject(), "reason": self.reason(),
            "is_done_by_apply": self.is_done(),
        })
    }
}

/// Makes the plan for some pillows; what is pruned depends on all that are registered.
pub(super) async fn make<'a>(
    context: &'a Context,
    servers: &Servers,
    look: &Look<'a>,
    definitions: &[&'a Definition],
    older_than: &str,
) -> Result<Plan<'a>, Failure> {
    let mut steps = Vec::new();
    for definition in definitions {
        let status = look.at(definition);
        steps.extend(steps_of(context, servers, look, &status).await?);
    }
    let registered: Vec<&Definition> =
        context.registry.pillows().iter().map(|pillow| pillow.definition()).collect();
    let decided = prune::decide(look.overview, &registered, look.prefix, older_than);
    steps.extend(prunable(&decided).into_iter().map(|(index, used)| Step::Prune { index, used }));
    steps.sort_by_key(Step::order);
    Ok(Plan { steps })
}

async fn steps_of<'a>(
    context: &Context,
    servers: &Servers,
    look: &Look<'a>,
    status: &PillowStatus<'a>,
) -> Result<Vec<Step<'a>>, Failure> {
    let (definition, pillow) = (status.definition, &status.definition.pillow);
    let reason = status.reason.clone().unwrap_or_default();
    match (status.state, status.index) {
        (State::Unmanaged, _) => Ok(vec![Step::Wait { pillow, reason }]),
        (State::Building(_), _) if status.owners.is_empty() => {
            let reason = format!("its load was interrupted: `{} preindex {pillow}`", context.program);
            Ok(vec![Step::Build { pillow, reason }])
        }
        (State::Building(_), _) => {
            let reason = format!("its index is being built by {}", status.owners.join(", "));
            Ok(vec![Step::Wait { pillow, reason }])
        }
        (_, None) => missing(context, servers, look, status).await,
        (State::Backfilling(_), Some(index)) => Ok(vec![Step::Backfill { definition, index }]),
        (_, Some(index)) => {
            let mut steps = Vec::new();
            let changes = servers.cluster()?.setting_changes(definition, &index.name).await?;
            if !changes.is_empty() {
                steps.push(Step::Settings { pillow, index: &index.name, changes });
            }
            let planned = flip::plan(context, servers, definition).await?;
            let refusals: Vec<String> = planned.refusals().iter().map(ToString::to_string).collect();
            if planned.plan.is_done() {
                steps.push(Step::Keep { pillow, index: &index.name });
            } else if planned.is_about_comparison() {
                if !refusals.is_empty() {
                    steps.push(Step::Verify { pillow, index: &index.name });
                }
                steps.push(Step::Flip(Box::new(planned)));
            } else {
                let reason = format!("searches do not move to `{}`: {}", index.name, refusals.join("; "));
                steps.push(Step::Wait { pillow, reason });
            }
            Ok(steps)
        }
    }
}

/// What is done about a missing index: the one that is searched is extended if that is enough.
async fn missing<'a>(
    context: &Context,
    servers: &Servers,
    look: &Look<'a>,
    status: &PillowStatus<'a>,
) -> Result<Vec<Step<'a>>, Failure> {
    let definition = status.definition;
    let pillow = &definition.pillow;
    let build = |reason: String| {
        let reason = format!("{reason}: `{} preindex {pillow}`", context.program);
        Ok(vec![Step::Build { pillow, reason }])
    };
    let searched = match status.searched.as_slice() {
        [only] => look.overview.index(only),
        _ => None,
    };
    let Some(index) = searched else {
        return build(status.reason.clone().unwrap_or_default());
    };
    match servers.cluster()?.extension(definition, index).await? {
        Extension::NeedsIndex(reason) => build(format!("`{}` cannot be extended: {reason}", index.name)),
        Extension::Additive(changes) => {
            let changes = changes.into_iter().map(|change| change.path).collect();
            Ok(vec![Step::Extend { definition, index, changes }, Step::Backfill { definition, index }])
        }
    }
}
