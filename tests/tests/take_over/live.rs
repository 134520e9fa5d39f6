//! What was taken over is created on a real server, whose own words of it are equal in normal form.

use pillowtop_core::Definition;
use pillowtop_core::normal_form::differences;
use pillowtop_core::settings::hashed_part;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{Cluster, ClusterError, ClusterOptions, IndexUse, creation_body};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::json;

use crate::built::{TakenOver, taken_over};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_what_was_taken_over() {
    let url = std::env::var(ELASTIC_URL_VARIABLE)
        .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
    let all = tokio::task::spawn_blocking(taken_over).await.unwrap();
    let prefix = format!("takeover{}", std::process::id());
    let endpoint = Endpoint::parse(&url, None, None).unwrap();
    let cluster =
        Cluster::connect(endpoint, ClusterOptions { prefix: Some(prefix), ..ClusterOptions::default() })
            .await
            .unwrap();
    let (mut created, mut lacking, mut wrong) = (0, Vec::new(), Vec::new());
    for taken in all {
        let name = &taken.existing.name;
        let definition = definition(taken);
        let body = match creation_body(&definition, cluster.target(), None, None, false) {
            Ok(body) => body,
            Err(lacks) => {
                lacking.push(lacks.to_string());
                continue;
            }
        };
        match cluster.create_index(&definition, IndexUse::Following).await {
            Ok(index) => {
                created += 1;
                let live = cluster.live_mapping(&index.name).await.unwrap();
                let paths = differences(&body["mappings"], &live).unwrap();
                wrong.extend(paths.iter().map(|path| format!("{name}: {path}")));
                cluster.check_mapping(&definition, &index.name).await.unwrap();
                cluster.delete_index(&index.name).await.unwrap();
            }
            Err(ClusterError::Refused { reason, .. })
                if ABSENT.iter().any(|absent| reason.contains(absent)) =>
            {
                lacking.push(format!("{name}: {reason}"));
            }
            Err(ClusterError::Refused { reason, .. }) => wrong.push(format!("{name}: refused: {reason}")),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(created > 0 && created + lacking.len() == all.len(), "{created} created, {lacking:#?}");
}

/// Why the tests' own servers refuse what their products take: types and settings of plugins and
/// commercial parts that they are installed without, or that came later. And `OpenSearch` wants a
/// value for a `constant_keyword`, which Elasticsearch takes from the first document.
const ABSENT: [&str; 7] = [
    "No handler for type [",
    "Unknown analyzer type [of_a_plugin]",
    "Unknown normalizer type [folded]",
    "Unknown Similarity type [own]",
    "unknown setting [index.knn",
    "unknown setting [index.mapping.source.mode]",
    "missing required parameter [value]",
];

/// The definition of a mapping, with the settings that it cannot do without.
fn definition(taken: &TakenOver) -> Definition {
    let kept = |name: &str| taken.settings.get(name).cloned();
    let mut settings = hashed_part(&taken.settings);
    settings["number_of_replicas"] = json!(0);
    if let Some(mapping) = kept("mapping") {
        settings["mapping"] = mapping;
    }
    // Elasticsearch alone has these, and the tests' one does not have them all.
    for name in ["mode", "routing_path", "time_series", "sort"] {
        settings.as_object_mut().unwrap().remove(name);
    }
    let name = taken.existing.name.as_str();
    Definition::of_mapping(name, name, settings, taken.derived.clone())
}
