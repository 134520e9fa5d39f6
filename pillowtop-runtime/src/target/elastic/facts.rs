//! What a cluster has that prevents its use: reported before anything is changed.

use std::collections::BTreeSet;

use pillowtop_core::field_types::Product;
use pillowtop_core::lenient::strings;
use pillowtop_core::{AliasName, Definition, IndexName};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::overview::Overview;
use super::readback::additions;
use super::request::Request;
use super::status::{IndexHealth, IndexStatus};
use crate::pattern::matches;

/// Something in a cluster that has to be known before an index is built or an alias is moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterFact {
    /// The name of an alias is taken by an index.
    #[error(
        "`{0}` is an index, so no alias can have this name; give the pillow another alias, or reindex that index under another name and delete it"
    )]
    AliasIsIndex(AliasName),
    /// The name of an alias is taken by a data stream.
    #[error("`{0}` is a data stream, which takes no updates; give the pillow another alias")]
    AliasIsDataStream(AliasName),
    /// An index is closed.
    #[error("index `{0}` is closed; open it: `POST /{0}/_open`")]
    Closed(IndexName),
    /// An index does not accept writes.
    #[error("index `{index}` is read-only (`index.blocks.{}`); remove the block", blocks.join("`, `index.blocks."))]
    Blocked {
        /// The index.
        index: IndexName,
        /// Its blocks.
        blocks: Vec<String>,
    },
    /// An index has no primary for a shard.
    #[error("index `{0}` is red: a shard has no active primary; see `GET /_cluster/allocation/explain`")]
    Red(IndexName),
    /// Some index of the cluster has no primary for a shard.
    #[error("the cluster is red: a shard of some index has no active primary")]
    RedCluster,
    /// A policy may change an index.
    #[error(
        "index `{index}` is managed by policy `{policy}`, which may roll over, shrink or delete it; detach it"
    )]
    Managed {
        /// The index.
        index: IndexName,
        /// The policy of ILM or ISM.
        policy: String,
    },
    /// An index template would make another index than is asked for.
    #[error("index template `{template}` matches new indices of `{alias}` and adds {}; give it another pattern", adds.join(", "))]
    Template {
        /// The template.
        template: String,
        /// The search alias of the indices.
        alias: AliasName,
        /// What it adds.
        adds: Vec<String>,
    },
    /// An index template matches, and does no harm.
    #[error("index template `{template}` matches new indices of `{alias}`")]
    HarmlessTemplate {
        /// The template.
        template: String,
        /// The search alias of the indices.
        alias: AliasName,
    },
    /// The user may not do what is needed.
    #[error("the user lacks the privileges {} on `{pattern}`", privileges.join(", "))]
    Privileges {
        /// The names.
        pattern: String,
        /// What is missing.
        privileges: Vec<String>,
    },
}

impl ClusterFact {
    /// Whether nothing may be built or moved because of it. The others are only told.
    pub fn forbids(&self) -> bool {
        !matches!(self, Self::RedCluster | Self::HarmlessTemplate { .. })
    }
}

/// The index of a pillow's committed mapping.
fn concerned<'a>(
    overview: &'a Overview,
    definition: &Definition,
    prefix: Option<&str>,
) -> Option<&'a IndexStatus> {
    let hashed = definition.hashed_alias(prefix);
    overview.indices.iter().find(|index| index.aliases.contains(&hashed))
}

/// What prevents the use of an index, by what is known of it.
fn facts_of(index: &IndexStatus) -> Vec<ClusterFact> {
    let mut facts = Vec::new();
    match index.health {
        IndexHealth::Closed => facts.push(ClusterFact::Closed(index.name.clone())),
        IndexHealth::Red => facts.push(ClusterFact::Red(index.name.clone())),
        IndexHealth::Green | IndexHealth::Yellow => {}
    }
    if !index.blocks.is_empty() {
        facts.push(ClusterFact::Blocked { index: index.name.clone(), blocks: index.blocks.clone() });
    }
    if let Some(policy) = &index.policy {
        facts.push(ClusterFact::Managed { index: index.name.clone(), policy: policy.clone() });
    }
    facts
}

impl Cluster {
    /// What prevents the use of this cluster for some pillows, in a fixed number of requests. What
    /// a server or a user's permissions do not tell is left out.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn facts(
        &self,
        definitions: &[&Definition],
        overview: &Overview,
    ) -> Result<Vec<ClusterFact>, ClusterError> {
        let mut facts = self.taken_names(definitions).await?;
        for definition in definitions {
            facts.extend(concerned(overview, definition, self.prefix()).into_iter().flat_map(facts_of));
        }
        facts.extend(self.attached_policies(definitions, overview).await?);
        facts.extend(self.matching_templates(definitions).await?);
        let (pattern, privileges) = self.missing_privileges().await?;
        if !privileges.is_empty() {
            facts.push(ClusterFact::Privileges { pattern, privileges });
        }
        let health = self.told(Request::get(&["_cluster", "health"]), "reading the health of the cluster");
        if health.await?.is_some_and(|health| health.get("status") == Some(&json!("red"))) {
            facts.push(ClusterFact::RedCluster);
        }
        Ok(facts)
    }

    /// Aliases whose name is taken by something else.
    async fn taken_names(&self, definitions: &[&Definition]) -> Result<Vec<ClusterFact>, ClusterError> {
        let names = definitions.iter().flat_map(|definition| {
            [definition.search_alias(self.prefix()), definition.hashed_alias(self.prefix())]
        });
        let names: BTreeSet<AliasName> = names.collect();
        // Without a wildcard a missing name would be an error.
        let patterns: Vec<String> =
            definitions.iter().map(|found| format!("{}*", found.search_alias(self.prefix()))).collect();
        let pattern = patterns.join(",");
        let path = ["_resolve", "index", pattern.as_str()];
        let request = Request::get(&path);
        let found = self.told(request, "resolving names").await?.unwrap_or_default();
        let taken = |kind: &str| -> BTreeSet<AliasName> {
            let entries = found.get(kind).and_then(Value::as_array).into_iter().flatten();
            let found = entries.filter_map(|entry| Some(AliasName::from(entry.get("name")?.as_str()?)));
            found.filter(|name| names.contains(name)).collect()
        };
        let indices = taken("indices").into_iter().map(ClusterFact::AliasIsIndex);
        Ok(indices.chain(taken("data_streams").into_iter().map(ClusterFact::AliasIsDataStream)).collect())
    }

    /// Policies of OpenSearch's Index State Management, which do not show in the settings.
    async fn attached_policies(
        &self,
        definitions: &[&Definition],
        overview: &Overview,
    ) -> Result<Vec<ClusterFact>, ClusterError> {
        let names: Vec<&str> = definitions
            .iter()
            .filter_map(|definition| concerned(overview, definition, self.prefix()))
            .map(|index| index.name.as_str())
            .collect();
        if self.target().product != Product::OpenSearch || names.is_empty() {
            return Ok(Vec::new());
        }
        let names = names.join(",");
        let path = ["_plugins", "_ism", "explain", names.as_str()];
        let found =
            self.told(Request::get(&path), "reading the policies of indices").await?.unwrap_or_default();
        let of_index = |(name, entry): (&String, &Value)| {
            let names = ["index.plugins.index_state_management.policy_id", "policy_id"];
            let policy = names.iter().find_map(|name| entry.get(name)?.as_str())?;
            Some(ClusterFact::Managed { index: name.as_str().into(), policy: policy.to_owned() })
        };
        Ok(found.as_object().into_iter().flatten().filter_map(of_index).collect())
    }

    /// Index templates, of both kinds, whose patterns match the names of new indices.
    async fn matching_templates(
        &self,
        definitions: &[&Definition],
    ) -> Result<Vec<ClusterFact>, ClusterError> {
        let legacy = self.told(Request::get(&["_template"]), "reading index templates").await?;
        let composable = self.told(Request::get(&["_index_template"]), "reading index templates").await?;
        let legacy = legacy.unwrap_or_default();
        let mut templates: Vec<(String, Value, Value)> = Vec::new();
        for (name, template) in legacy.as_object().into_iter().flatten() {
            templates.push((name.clone(), template["index_patterns"].clone(), template.clone()));
        }
        let list = composable.as_ref().and_then(|found| found.get("index_templates"));
        for entry in list.and_then(Value::as_array).into_iter().flatten() {
            let (name, template) = (entry["name"].as_str().unwrap_or_default(), &entry["index_template"]);
            let made = template.get("template").cloned().unwrap_or_else(|| json!({}));
            templates.push((name.to_owned(), template["index_patterns"].clone(), made));
        }
        let mut facts = Vec::new();
        for definition in definitions {
            let (alias, name) =
                (definition.search_alias(self.prefix()), definition.index_name(self.prefix(), 1));
            for (template, patterns, made) in &templates {
                if !is_matched(patterns, name.as_str()) {
                    continue;
                }
                let (template, alias, adds) = (template.clone(), alias.clone(), refused(made));
                facts.push(if adds.is_empty() {
                    ClusterFact::HarmlessTemplate { template, alias }
                } else {
                    ClusterFact::Template { template, alias, adds }
                });
            }
        }
        Ok(facts)
    }
}

/// What a template would add to an index that makes it unusable.
fn refused(template: &Value) -> Vec<String> {
    let settings = template.get("settings").cloned().unwrap_or_else(|| json!({}));
    // Names may be dotted, with or without `index.` in front.
    let settings = pillowtop_core::settings::normalize(&settings).unwrap_or_default();
    let live = json!({
        "settings": {"index": settings}, "aliases": template.get("aliases"), "mappings": template.get("mappings"),
    });
    additions(&json!({}), &live).refused
}

/// Whether one of some patterns matches a name.
fn is_matched(patterns: &Value, name: &str) -> bool {
    strings(Some(patterns)).into_iter().any(|pattern| matches(pattern, name))
}

#[cfg(test)]
mod scripted_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_matches_by_its_patterns() {
        let name = "staging-cases_0123456789ab_1";
        for (patterns, expected) in [
            (json!(["*"]), true),
            (json!("staging-*"), true),
            (json!(["other-*", "*_1"]), true),
            (json!(["staging"]), false),
            (json!([]), false),
            (Value::Null, false),
        ] {
            assert_eq!(is_matched(&patterns, name), expected, "{patterns}");
        }
    }

    #[test]
    fn what_makes_an_index_unusable_is_distinguished_from_what_does_no_harm() {
        let adds = |template: Value| refused(&template);
        assert!(adds(json!({"settings": {"index.default_pipeline": "p"}}))[0].contains("pipeline"));
        assert!(
            adds(json!({"settings": {"index": {"lifecycle": {"name": "hot"}}}}))[0].contains("lifecycle")
        );
        assert!(adds(json!({"aliases": {"cases": {}}}))[0].contains("alias"));
        assert_eq!(adds(json!({"settings": {"number_of_replicas": 2}})), Vec::<String>::new());
        assert_eq!(adds(json!({})), Vec::<String>::new());
    }
}
