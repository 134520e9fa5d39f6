//! The servers themselves, really started: they answer, keep their data over a restart and a kill,
//! and are gone afterwards.

use serde_json::{Value, json};

use crate::{
    Cluster, ClusterOptions, CouchOptions, CouchServer, CouchStorage, PRODUCT_VARIABLE, Product, Server,
    request,
};

/// Sends a request that must succeed; the JSON of the answer.
#[track_caller]
fn ask(server: &Server, method: &str, path: &str, body: &str) -> Value {
    let response = request(server.port(), method, path, body).unwrap();
    assert!(response.status < 300, "{method} {path}: {} {}", response.status, response.body);
    serde_json::from_str(&response.body).unwrap()
}

fn exists(pid: u32) -> bool {
    crate::process::signal(pid, "0").is_ok()
}

#[test]
fn a_cluster_takes_bulks_and_keeps_them_over_restart_and_kill() {
    let key = std::env::var(PRODUCT_VARIABLE).unwrap_or_else(|_| "opensearch3".to_owned());
    let product = Product::from_key(&key).unwrap();
    let options = ClusterOptions::default().setting("node.attr.tested", "yes");
    let mut cluster = Cluster::start(product, &options).unwrap();
    let home = ask(&cluster, "GET", "/", "");
    assert!(product.label().ends_with(home["version"]["number"].as_str().unwrap()), "{home}");
    let nodes = ask(&cluster, "GET", "/_nodes/_all/settings", "");
    assert!(nodes.to_string().contains(r#""tested":"yes""#), "{nodes}");

    let index = json!({"settings": {"number_of_replicas": 0, "analysis": {"normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}}}},
        "mappings": {"dynamic": "strict", "properties": {"n": {"type": "long"}, "p": {"type": "scaled_float", "scaling_factor": 100}}}});
    ask(&cluster, "PUT", "/things", &index.to_string());
    let bulk = "{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_id\":\"2\"}}\n{\"n\":2,\"p\":1.5}\n{\"index\":{\"_id\":\"3\"}}\n{\"unknown\":1}\n";
    let response = ask(&cluster, "POST", "/things/_bulk", bulk);
    let statuses: Vec<_> =
        (0..3).map(|at| response["items"][at]["index"]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 400]);

    let first = cluster.pid().unwrap();
    cluster.restart().unwrap();
    assert!(!exists(first));
    ask(&cluster, "PUT", "/things/_doc/4", r#"{"n":4}"#);
    cluster.kill().unwrap();
    assert!(cluster.pid().is_none() && cluster.pause().is_err());
    cluster.restart().unwrap();
    assert_eq!(ask(&cluster, "GET", "/things/_doc/4", "")["_source"]["n"], 4);
    ask(&cluster, "POST", "/things/_refresh", "");
    assert_eq!(ask(&cluster, "GET", "/things/_count", "")["count"], 3);

    let (last, data) = (cluster.pid().unwrap(), cluster.log().parent().unwrap().to_path_buf());
    drop(cluster);
    assert!(!exists(last) && !data.is_dir());
}

#[test]
fn the_couch_server_keeps_sequences_and_instances_over_restart_and_kill() {
    let options = CouchOptions { storage: CouchStorage::Disk, ..CouchOptions::default() };
    let mut couch = CouchServer::start(&options).unwrap();
    assert_eq!(ask(&couch, "GET", "/", "")["couchdb"], "Welcome");
    ask(&couch, "PUT", "/things", "");
    ask(&couch, "PUT", "/things/a", r#"{"n":1}"#);
    let before = ask(&couch, "GET", "/things", "");
    let seen = ask(&couch, "GET", "/things/_changes?include_docs=true", "");
    assert_eq!(seen["results"][0]["doc"]["n"], 1);
    assert_eq!(seen["pending"], 0);
    let since = seen["last_seq"].as_str().unwrap();

    couch.kill().unwrap();
    couch.restart().unwrap();
    assert_eq!(ask(&couch, "GET", "/things", ""), before);
    ask(&couch, "PUT", "/things/b", r#"{"n":2}"#);
    let news = ask(&couch, "GET", &format!("/things/_changes?since={since}"), "");
    assert_eq!(news["results"].as_array().unwrap().len(), 1);
    assert_eq!(news["results"][0]["id"], "b");

    // Deleted and created anew: told by the creation time; the old sequence replays everything, as
    // CouchDB's does.
    ask(&couch, "DELETE", "/things", "");
    ask(&couch, "PUT", "/things", "");
    assert_ne!(ask(&couch, "GET", "/things", "")["instance_start_time"], before["instance_start_time"]);
    ask(&couch, "PUT", "/things/c", "{}");
    let replayed = ask(&couch, "GET", &format!("/things/_changes?since={since}"), "");
    assert_eq!(replayed["results"][0]["id"], "c");
}

#[test]
fn the_couch_server_answers_as_couchdb_where_pouchdb_does_not() {
    let couch = CouchServer::start(&CouchOptions::default()).unwrap();
    ask(&couch, "PUT", "/things", "");
    let docs =
        json!({"docs": [{"_id": "a", "n": 1, "deep": {"x": 1, "y": 2}}, {"_id": "b", "n": 2}, {"_id": "c"}]});
    ask(&couch, "POST", "/things/_bulk_docs", &docs.to_string());
    let revision = ask(&couch, "GET", "/things/b", "")["_rev"].as_str().unwrap().to_owned();
    ask(&couch, "DELETE", &format!("/things/b?rev={revision}"), "");

    let page = ask(&couch, "GET", "/things/_changes?limit=1&seq_interval=2", "");
    assert_eq!((page["pending"].as_u64(), page["results"].as_array().unwrap().len()), (Some(2), 1));
    let none = ask(&couch, "GET", "/things/_changes?limit=0", "");
    assert_eq!((none["pending"].as_u64(), none["results"].as_array().unwrap().len()), (Some(3), 0));
    assert_eq!(request(couch.port(), "GET", "/things/_changes?since=99", "").unwrap().status, 400);
    assert_eq!(request(couch.port(), "GET", "/things/_changes?heartbeat=0", "").unwrap().status, 400);

    let selector = r#"{"selector":{"n":1},"fields":["_id","deep.x"]}"#;
    let found = ask(&couch, "POST", "/things/_changes?filter=_selector&include_docs=true", selector);
    assert_eq!(found["results"][0]["doc"], json!({"_id": "a", "deep": {"x": 1}}));
    let nested = r#"{"selector":{"$or":[{"n":{"$exists":true,"$ne":null}},{"_deleted":true}]}}"#;
    let found = ask(&couch, "POST", "/things/_changes?filter=_selector", nested);
    let ids: Vec<_> = found["results"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["a", "b"]);

    let end =
        request(couch.port(), "GET", "/things/_changes?feed=continuous&timeout=100&since=now", "").unwrap();
    assert!(
        end.body.starts_with("\n{\"last_seq\":\"") && end.body.ends_with(",\"pending\":0}\n"),
        "{}",
        end.body
    );

    let gone = request(couch.port(), "GET", "/things/b", "").unwrap();
    assert_eq!((gone.status, gone.body.trim()), (404, r#"{"error":"not_found","reason":"deleted"}"#));
    let many = ask(&couch, "POST", "/things/_bulk_get", r#"{"docs":[{"id":"b"},{"id":"x"}]}"#);
    assert_eq!(many["results"][0]["docs"][0]["ok"]["_deleted"], true);
    assert_eq!(many["results"][1]["docs"][0]["error"]["reason"], "missing");
    ask(&couch, "PUT", "/things/_local/l", "{}");
    assert_eq!(ask(&couch, "PUT", "/things/_local/l", "{}")["rev"], "0-1");
}

#[test]
fn a_paused_server_answers_again_when_resumed_and_an_admin_is_asked_for() {
    let admin = Some(("root".to_owned(), "secret".to_owned()));
    let mut couch = CouchServer::start(&CouchOptions { admin, ..CouchOptions::default() }).unwrap();
    assert_eq!(request(couch.port(), "PUT", "/things", "").unwrap().status, 401);
    couch.pause().unwrap();
    let wait = std::time::Duration::from_millis(300);
    assert!(crate::http::request_within(couch.port(), "GET", "/_up", "", wait).is_err());
    couch.resume().unwrap();
    assert_eq!(request(couch.port(), "GET", "/_up", "").unwrap().status, 200);
    couch.stop().unwrap();
    couch.stop().unwrap();
    assert!(request(couch.port(), "GET", "/_up", "").is_err());
}
