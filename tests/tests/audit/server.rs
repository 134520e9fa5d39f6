//! The server that `cargo xtask test` has started, asked what it does with documents.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_conformance::{Conformance, Effect};
use pillowtop_core::field_types::Target;
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::{Value, json};

/// Documents of one request.
const PAGE: usize = 300;

/// An index of a test's own.
pub(crate) struct Index {
    endpoint: Endpoint,
    pub(crate) target: Target,
    name: String,
}

/// What a server does with a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Why it was refused.
    pub(crate) error: Option<String>,
    /// The fields that were left out.
    pub(crate) ignored: BTreeSet<String>,
}

impl Index {
    /// An index with these mappings and settings.
    pub(crate) async fn create(test: &str, mappings: &Value, settings: &Value) -> Self {
        match Self::try_create(test, mappings, settings).await {
            Ok(index) => index,
            Err((target, reason)) => panic!("{target}: {reason}"),
        }
    }

    /// An index with these mappings and settings; the answer's reason when the server does not take
    /// them.
    pub(crate) async fn try_create(
        test: &str,
        mappings: &Value,
        settings: &Value,
    ) -> Result<Self, (Target, String)> {
        let url = std::env::var(ELASTIC_URL_VARIABLE)
            .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
        let endpoint = Endpoint::parse(&url, None, None).unwrap();
        let cluster = Cluster::connect(endpoint.clone(), ClusterOptions::default()).await.unwrap();
        let name = format!("audit-{test}-{}", std::process::id());
        let index = Self { endpoint, target: cluster.target(), name };
        let mut all = settings.clone();
        all["number_of_shards"] = json!(1);
        all["number_of_replicas"] = json!(0);
        let body = json!({"settings": {"index": all}, "mappings": mappings}).to_string();
        let (status, response) = index.ask("PUT", "", "application/json", body).await;
        if status == 200 { Ok(index) } else { Err((index.target, response["error"]["reason"].to_string())) }
    }

    /// Adds a field; the answer's reason when the server does not take it.
    pub(crate) async fn add_field(&self, name: &str, mapping: &Value) -> Result<(), String> {
        let body = json!({"properties": {name: mapping}}).to_string();
        match self.ask("PUT", "/_mapping", "application/json", body).await {
            (200, _) => Ok(()),
            (_, response) => Err(response["error"]["reason"].to_string()),
        }
    }

    /// Indexes documents, given by id and text, each for itself.
    pub(crate) async fn index(&self, documents: &[(String, String)]) -> BTreeMap<String, Done> {
        let mut done = BTreeMap::new();
        let is_longest = |id: &str| id.len() > MAX_INDEX_ID_BYTES;
        for page in documents
            .chunk_by(|one, other| !is_longest(&one.0) && !is_longest(&other.0))
            .flat_map(|run| run.chunks(PAGE))
        {
            let mut body = String::new();
            for (id, source) in page {
                let action = json!({"index": {"_id": id}}).to_string();
                body.extend([action.as_str(), "\n", source, "\n"]);
            }
            let (status, response) = self.ask("POST", "/_bulk", "application/x-ndjson", body).await;
            if status == 400 && page.len() == 1 {
                // A request with an id that is too long is refused as a whole.
                let error = Some(response["error"]["reason"].to_string());
                done.insert(page[0].0.clone(), Done { error, ignored: BTreeSet::new() });
                continue;
            }
            assert_eq!(status, 200, "{response}");
            let items = response["items"].as_array().unwrap();
            for (item, (id, _)) in items.iter().zip(page) {
                let item = &item["index"];
                let error = item.get("error").map(|error| {
                    let cause = &error["caused_by"]["reason"];
                    format!("{}: {} {}", error["type"], error["reason"], cause).chars().take(300).collect()
                });
                done.insert(id.clone(), Done { error, ignored: BTreeSet::new() });
            }
        }
        self.ask("POST", "/_refresh", "application/json", String::new()).await;
        let search = json!({"size": 10_000, "query": {"exists": {"field": "_ignored"}}, "_source": false});
        let (_, found) = self.ask("POST", "/_search", "application/json", search.to_string()).await;
        for hit in found["hits"]["hits"].as_array().into_iter().flatten() {
            let fields = hit["_ignored"].as_array().into_iter().flatten();
            let fields = fields.filter_map(|field| field.as_str().map(str::to_owned)).collect();
            if let Some(done) = hit["_id"].as_str().and_then(|id| done.get_mut(id)) {
                done.ignored = fields;
            }
        }
        done
    }

    /// Deletes the index.
    pub(crate) async fn delete(self) {
        self.ask("DELETE", "", "application/json", String::new()).await;
    }

    async fn ask(&self, method: &str, path: &str, kind: &str, body: String) -> (u16, Value) {
        let url = self.endpoint.url(&[]).join(&format!("/{}{path}", self.name)).unwrap();
        let mut request = self.endpoint.request(method.parse().unwrap(), url);
        if !body.is_empty() {
            request = request.header("content-type", kind).body(body);
        }
        let response = self.endpoint.send(request).await.unwrap();
        (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }
}

/// How often something was compared, and what differed.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) rejected: usize,
    pub(crate) accepted: usize,
    pub(crate) not_checked: usize,
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    /// Compares what is reported of each document, in their order, with what became of it.
    pub(crate) fn add(
        &mut self,
        conformance: &Conformance,
        target: Target,
        documents: &[(String, String)],
        done: &BTreeMap<String, Done>,
    ) {
        let mut rehearsal = conformance.rehearse(&[target]);
        for (id, source) in documents {
            let report = rehearsal.index(id, source).pop().unwrap();
            let has =
                |effects: &[Effect]| report.findings.iter().any(|found| effects.contains(&found.effect));
            let done = &done[id];
            let is_unsure = has(&[Effect::NotChecked]);
            let difference = match (&done.error, report.is_rejected()) {
                (Some(error), false) if !is_unsure => Some(format!("is refused: {error}")),
                (None, true) => Some("is taken".to_owned()),
                (None, false)
                    if !done.ignored.is_empty()
                        && !is_unsure
                        && !has(&[Effect::Malformed, Effect::Truncated]) =>
                {
                    Some(format!("is taken without {:?}", done.ignored))
                }
                _ => None,
            };
            match (&difference, report.is_rejected(), is_unsure) {
                (None, true, _) => self.rejected += 1,
                (None, false, false) => self.accepted += 1,
                (None, false, true) => self.not_checked += 1,
                (Some(difference), ..) => {
                    let source: String = source.chars().take(150).collect();
                    let stated: Vec<String> = report
                        .findings
                        .iter()
                        .map(|found| format!("{} `{}`: {}", found.effect, found.path, found.reason))
                        .collect();
                    self.differences.push(format!("{source} {difference}\n    said: {stated:?}"));
                }
            }
        }
    }

    /// Fails when anything differed.
    #[track_caller]
    pub(crate) fn finish(self, target: Target) {
        let Self { rejected, accepted, not_checked, differences } = self;
        let counts = format!("{target}: {rejected} rejected, {accepted} accepted, {not_checked} not checked");
        assert!(
            differences.is_empty(),
            "{counts}; {} differ:\n{}",
            differences.len(),
            differences.join("\n")
        );
        assert!(rejected > 0 && accepted > 0 && not_checked * 4 <= rejected + accepted, "{counts}");
    }
}
