//! Documents of an index, as they were sent to it.

use pillowtop_runtime::http::{Endpoint, Method, describe_error};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// What a server returns at most without its setting `index.max_result_window`.
const MOST: u64 = 10_000;

#[derive(Deserialize)]
struct Response {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_source", default)]
    source: Map<String, Value>,
}

/// The first documents of an index, at most `limit`.
pub(crate) async fn search_documents(
    endpoint: &Endpoint,
    index: &str,
    limit: u64,
) -> Result<Vec<Map<String, Value>>, Failure> {
    let mut url = endpoint.url(&[index, "_search"]);
    url.query_pairs_mut().append_pair("size", &limit.min(MOST).to_string());
    let failed = |reason: String| Failure::new(format!("searching `{index}` of {endpoint}: {reason}"));
    let request = endpoint.request(Method::GET, url);
    let response = endpoint.send(request).await.map_err(|error| failed(error.to_string()))?;
    let status = response.status();
    let text = response.text().await.map_err(|error| failed(describe_error(error)))?;
    if !status.is_success() {
        let reason: String = text.trim().chars().take(200).collect();
        return Err(failed(format!("status {status}: {reason}")));
    }
    let found: Response = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(found.hits.hits.into_iter().map(|hit| hit.source).collect())
}
