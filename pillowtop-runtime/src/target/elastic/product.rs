//! Which product and version a server is, from its response to `GET /`.

use pillowtop_core::field_types::{Product, Target, Version};
use serde::Deserialize;

/// A search server, as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// Product and version, which decide how mappings are sent.
    pub target: Target,
    /// The version as the server writes it.
    pub version_text: String,
    /// The cluster's name.
    pub cluster_name: String,
    /// An OpenSearch that pretends to be Elasticsearch 7.10.2
    /// (`compatibility.override_main_response_version`): the version is a lower bound until the
    /// versions of its nodes are read.
    pub is_disguised: bool,
}

/// Why a server cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is another product.
    NotASearchServer(String),
    /// Its product and version.
    TooOld(String),
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    cluster_name: String,
    version: RootVersion,
    #[serde(default)]
    tagline: String,
}

#[derive(Deserialize)]
struct RootVersion {
    number: String,
    #[serde(default)]
    distribution: Option<String>,
}

/// Reads `GET /`. `product_header` is `X-Elastic-Product`.
pub(super) fn read(body: &[u8], product_header: Option<&str>) -> Result<FoundServer, Unusable> {
    let not = |reason: &str| Unusable::NotASearchServer(reason.to_owned());
    let root: Root = serde_json::from_slice(body)
        .map_err(|_| not("the response to `GET /` has no `version.number` and `tagline`"))?;
    let version: Version = root.version.number.parse().map_err(Unusable::NotASearchServer)?;
    let is_opensearch = match root.version.distribution.as_deref() {
        Some(distribution) => distribution == "opensearch",
        None => root.tagline.contains("OpenSearch"),
    };
    let found = |target, is_disguised| FoundServer {
        target,
        version_text: root.version.number.clone(),
        cluster_name: root.cluster_name.clone(),
        is_disguised,
    };
    if is_opensearch {
        // OpenSearch 7 does not exist yet, and 7.10.2 never will.
        let is_disguised = root.version.number.starts_with("7.10.2");
        let version = if is_disguised { Version::new(1, 0) } else { version };
        if version < Version::new(1, 0) {
            return Err(Unusable::TooOld(format!("OpenSearch {}", root.version.number)));
        }
        return Ok(found(Target { product: Product::OpenSearch, version }, is_disguised));
    }
    if root.tagline != "You Know, for Search" {
        return Err(not("its tagline is that of neither product"));
    }
    if version < Version::new(7, 0) {
        return Err(Unusable::TooOld(format!("Elasticsearch {}", root.version.number)));
    }
    if version >= Version::new(7, 14) && product_header != Some("Elasticsearch") {
        return Err(not(
            "it reports Elasticsearch 7.14 or later, but does not send `X-Elastic-Product: Elasticsearch`",
        ));
    }
    Ok(found(Target { product: Product::Elasticsearch, version }, false))
}

/// The lowest version of the nodes, from `GET /_nodes?filter_path=nodes.*.version`: nodes never
/// pretend.
pub(super) fn lowest_node_version(body: &serde_json::Value) -> Option<Version> {
    let nodes = body.get("nodes")?.as_object()?;
    nodes.values().filter_map(|node| node.get("version")?.as_str()?.parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OPENSEARCH: &str = r#"{"name":"n1","cluster_name":"test-19571","cluster_uuid":"wbl23rFgSoOFa27Uav-D8A",
        "version":{"distribution":"opensearch","number":"3.6.0","build_type":"zip","build_snapshot":false,
        "lucene_version":"10.4.0","minimum_wire_compatibility_version":"2.19.0",
        "minimum_index_compatibility_version":"2.0.0"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;
    const DISGUISED: &str = r#"{"name":"n1","cluster_name":"c","cluster_uuid":"x",
        "version":{"number":"7.10.2","build_type":"tar","build_snapshot":false,"lucene_version":"9.7.0",
        "minimum_wire_compatibility_version":"7.10.0","minimum_index_compatibility_version":"7.0.0"},
        "tagline":"The OpenSearch Project: https://opensearch.org/"}"#;
    const ELASTICSEARCH: &str = r#"{"name":"n1","cluster_name":"test-19572","cluster_uuid":"0iMAamiSRLG8Iz6rvEoQBg",
        "version":{"number":"7.10.2","build_flavor":"oss","build_type":"zip","build_snapshot":false,
        "lucene_version":"8.7.0","minimum_wire_compatibility_version":"6.8.0",
        "minimum_index_compatibility_version":"6.0.0-beta1"},"tagline":"You Know, for Search"}"#;

    #[track_caller]
    fn check(body: &str, header: Option<&str>, expected: Target) {
        assert_eq!(read(body.as_bytes(), header).map(|found| found.target), Ok(expected));
    }

    #[test]
    fn products_are_told_apart() {
        check(OPENSEARCH, None, Target::opensearch(3, 6));
        check(ELASTICSEARCH, None, Target::elasticsearch(7, 10));
        check(&ELASTICSEARCH.replace("7.10.2", "9.4.3"), Some("Elasticsearch"), Target::elasticsearch(9, 4));
        check(
            &ELASTICSEARCH.replace("7.10.2", "8.15.0-SNAPSHOT"),
            Some("Elasticsearch"),
            Target::elasticsearch(8, 15),
        );
    }

    #[test]
    fn a_disguised_opensearch_is_known_by_its_tagline_and_its_nodes() {
        check(DISGUISED, None, Target::opensearch(1, 0));
        assert!(read(DISGUISED.as_bytes(), None).unwrap().is_disguised);
        assert_eq!(
            lowest_node_version(&json!({"nodes": {"a": {"version": "2.11.1"}, "b": {"version": "2.9.0"}}})),
            Some(Version::new(2, 9))
        );
        assert_eq!(lowest_node_version(&json!({})), None);
    }

    #[test]
    fn other_servers_and_old_ones_are_refused() {
        let reason = |body: &str, header| read(body.as_bytes(), header).unwrap_err();
        assert_eq!(
            reason(&ELASTICSEARCH.replace("7.10.2", "6.8.23"), None),
            Unusable::TooOld("Elasticsearch 6.8.23".to_owned())
        );
        assert_eq!(
            reason(&OPENSEARCH.replace("3.6.0", "0.9.0"), None),
            Unusable::TooOld("OpenSearch 0.9.0".to_owned())
        );
        for (body, header) in [
            (ELASTICSEARCH.replace("7.10.2", "8.1.0"), None),
            (ELASTICSEARCH.replace("You Know, for Search", "Welcome"), None),
            (r#"{"couchdb":"Welcome","version":"3.3.3"}"#.to_owned(), None),
            ("<html>".to_owned(), None),
        ] {
            assert!(matches!(reason(&body, header), Unusable::NotASearchServer(_)), "{body}");
        }
    }
}
