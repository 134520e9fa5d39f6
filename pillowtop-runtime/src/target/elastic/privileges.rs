//! Privileges that the user lacks, where the server tells.
//!
//! Elasticsearch has an API for it. The security plugin of OpenSearch 3 checks a request without
//! executing it (`perform_permission_check`); older ones tell nothing.

use pillowtop_core::field_types::{Product, Version};
use pillowtop_core::lenient::strings;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::Request;

/// The privileges that pillowtop needs on its indices, as Elasticsearch calls them.
const PRIVILEGES: [&str; 3] = ["manage", "read", "write"];
/// An index that does not exist, below the prefix: whatever is sent to it changes nothing.
const NOWHERE: &str = "pillowtop-permission-check";

impl Cluster {
    /// The pattern of pillowtop's indices, and the privileges on it that the user lacks, as far as
    /// the server tells.
    pub(super) async fn missing_privileges(&self) -> Result<(String, Vec<String>), ClusterError> {
        let pattern = self.prefixed("*");
        let target = self.target();
        let missing = match target.product {
            Product::Elasticsearch => self.missing_in_elasticsearch(&pattern).await?,
            Product::OpenSearch if target.version >= Version::new(3, 0) => {
                self.missing_in_opensearch().await?
            }
            Product::OpenSearch => Vec::new(),
        };
        Ok((pattern, missing))
    }

    async fn missing_in_elasticsearch(&self, pattern: &str) -> Result<Vec<String>, ClusterError> {
        let body = json!({"index": [{"names": [pattern], "privileges": PRIVILEGES}]});
        let path = ["_security", "user", "_has_privileges"];
        let request = Request::post(&path).json(&body).repeatable();
        let found = self.told(request, "reading the privileges of the user").await?.unwrap_or_default();
        let granted = found.get("index").and_then(|index| index.get(pattern));
        let lacks = |privilege: &&&str| granted.and_then(|all| all.get(**privilege)) == Some(&json!(false));
        Ok(PRIVILEGES.iter().filter(lacks).map(|privilege| (*privilege).to_owned()).collect())
    }

    async fn missing_in_opensearch(&self) -> Result<Vec<String>, ClusterError> {
        let doing = "reading the privileges of the user";
        let plugin = Request::get(&["_plugins", "_security", "authinfo"]);
        if self.told(plugin, doing).await?.is_none() {
            return Ok(Vec::new());
        }
        let nowhere = self.prefixed(NOWHERE);
        let (mapping, search, document) = (
            [nowhere.as_str(), "_mapping"],
            [nowhere.as_str(), "_search"],
            [nowhere.as_str(), "_doc", "none"],
        );
        let requests = [
            Request::put(&mapping).json(&json!({})),
            Request::get(&search),
            Request::delete(&document).repeatable(),
        ];
        let query = [("perform_permission_check", "true")];
        let mut missing = Vec::new();
        for request in requests {
            let found: Value = self.told(request.query(&query), doing).await?.unwrap_or_default();
            if found.get("accessAllowed") == Some(&json!(false)) {
                missing.extend(strings(found.get("missingPrivileges")).into_iter().map(str::to_owned));
            }
        }
        missing.sort();
        missing.dedup();
        Ok(missing)
    }
}
