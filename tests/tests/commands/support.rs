//! A database and an index of a test's own on the servers that `cargo xtask test` has started, and
//! a check that shares no code with what it checks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pillowtop_tests::{COUCH_URL_VARIABLE, ELASTIC_URL_VARIABLE, Response};
use serde_json::{Value, json};

/// A database, a prefix of index names, and a configuration that names both.
pub(crate) struct World {
    name: String,
    couch: u16,
    elastic: u16,
    directory: tempfile::TempDir,
    program: &'static str,
}

/// The alias of each pillow.
pub(crate) const ALIASES: [(&str, &str); 7] = [
    ("case", "hqcases"),
    ("xform", "xforms"),
    ("user", "hqusers"),
    ("domain", "hqdomains"),
    ("group", "hqgroups"),
    ("app", "hqapps"),
    ("case_search", "case_search"),
];

impl World {
    /// An empty database, named after the test.
    pub(crate) fn new(test: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let name = format!("{}-{}", test.replace('_', "-"), std::process::id());
        let (couch, elastic) = (port(COUCH_URL_VARIABLE), port(ELASTIC_URL_VARIABLE));
        let world = Self { name, couch, elastic, directory, program: env!("CARGO_BIN_EXE_pillowtop") };
        let created = world.couch("PUT", "", &Value::Null);
        assert!(created.status < 300, "{created:?}");
        world.read_from(&json!(world.name).to_string());
        world
    }

    /// Another cluster, which has a server of its own.
    pub(crate) fn in_cluster(mut self, port: u16) -> Self {
        self.elastic = port;
        self.read_from(&json!(self.name).to_string());
        self
    }

    /// With another binary than the one of the example's pillows.
    pub(crate) fn with_program(self, program: &'static str) -> Self {
        Self { program, ..self }
    }

    /// Reads other databases: a name or a list, as TOML.
    pub(crate) fn read_from(&self, databases: &str) {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        self.configure(&url(self.couch), &url(self.elastic), databases);
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, couch: &str, elastic: &str, databases: &str) {
        let configuration = format!(
            "[couch]\nurl = \"{couch}\"\n\n[elastic]\nurl = \"{elastic}\"\nprefix = \"{}\"\n\n\
             [databases]\ncommcarehq = {databases}\n",
            self.name
        );
        fs_err::write(self.configuration(), configuration).expect("a configuration");
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.directory.path().join("pillowtop.toml")
    }

    /// What stands before every index, and the database's name.
    pub(crate) fn prefix(&self) -> &str {
        &self.name
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A request to the database; `path` begins with a slash or is empty.
    pub(crate) fn couch(&self, method: &str, path: &str, body: &Value) -> Response {
        self.couch_server(method, &format!("/{}{path}", self.name), body)
    }

    /// A request to the server of the database.
    pub(crate) fn couch_server(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        pillowtop_tests::request(self.couch, method, path, &body).expect("the couch server")
    }

    /// Where the servers listen: the couch server and the cluster.
    pub(crate) fn ports(&self) -> (u16, u16) {
        (self.couch, self.elastic)
    }

    /// A request to the cluster.
    pub(crate) fn elastic(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        pillowtop_tests::request(self.elastic, method, path, &body).expect("the cluster")
    }

    /// Writes documents; each must be accepted.
    pub(crate) fn save(&self, documents: &[Value]) {
        for chunk in documents.chunks(500) {
            let response = self.couch("POST", "/_bulk_docs", &json!({ "docs": chunk }));
            let rows: Vec<Value> = serde_json::from_str(&response.body).expect("an answer for each document");
            assert!(rows.iter().all(|row| row.get("error").is_none()), "{}", response.body);
        }
    }

    /// Changes a document, or creates it.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut document = self.document(id).unwrap_or_else(|| json!({ "_id": id }));
        change(&mut document);
        self.save(&[document]);
    }

    /// Deletes a document, leaving a stub.
    pub(crate) fn delete(&self, id: &str) {
        let document = self.document(id).expect("a document to delete");
        self.save(&[json!({"_id": id, "_rev": document["_rev"], "_deleted": true})]);
    }

    fn document(&self, id: &str) -> Option<Value> {
        let response = self.couch("GET", &format!("/{}", encoded(id)), &Value::Null);
        (response.status == 200).then(|| serde_json::from_str(&response.body).expect("a document"))
    }

    /// All documents that are there.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let response = self.couch("GET", "/_all_docs?include_docs=true", &Value::Null);
        let response: Value = serde_json::from_str(&response.body).expect("all documents");
        let rows = response["rows"].as_array().expect("rows");
        rows.iter().map(|row| row["doc"].clone()).collect()
    }

    /// The deployed binary with this world's configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.arg("--config").arg(self.configuration()).args(arguments).current_dir(self.directory.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("PILLOWTOP_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary")
    }

    /// Runs a command that must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn run_well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {:?}\n{out}\n{err}", output.status);
        out.into_owned()
    }

    /// Runs a command that must fail with a code, and returns what it said.
    #[track_caller]
    pub(crate) fn run_badly(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        err
    }

    /// Follows changes in the background, until killed.
    pub(crate) fn follow(&self) -> Running {
        self.follow_some(&[])
    }

    /// The same for some pillows.
    pub(crate) fn follow_some(&self, pillows: &[&str]) -> Running {
        let arguments: Vec<&str> = ["run"].iter().chain(pillows).copied().collect();
        self.start(&arguments)
    }

    /// A command in the background, as a service runs it: without a terminal.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_command(&mut self.command(arguments))
    }

    /// The same for a command that is made.
    pub(crate) fn start_command(&self, command: &mut Command) -> Running {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = self.directory.path().join(format!("said-{number}.log"));
        let printed = fs_err::File::create(&log).expect("a log").into_file();
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(printed);
        let child = command.spawn().expect("the binary");
        Running { child, log }
    }

    /// Builds the indices of all pillows and moves their aliases.
    pub(crate) fn build_all(&self) {
        for (pillow, _) in ALIASES {
            self.run_well(&["fast-reindex", pillow]);
        }
        self.run_well(&["es-manage", "flip", "--all"]);
    }

    /// What an alias finds: each id with its revision.
    pub(crate) fn indexed(&self, alias: &str) -> BTreeMap<String, String> {
        let alias = format!("{}-{alias}", self.name);
        let refreshed = self.elastic("POST", &format!("/{alias}/_refresh"), &Value::Null);
        assert!(refreshed.status < 300, "{refreshed:?}");
        let query = json!({"size": 10_000, "_source": ["pillowtop"], "query": {"match_all": {}}});
        let response = self.elastic("POST", &format!("/{alias}/_search"), &query);
        let response: Value = serde_json::from_str(&response.body).expect("a search answer");
        let hits = response["hits"]["hits"].as_array().expect("hits");
        hits.iter()
            .map(|hit| {
                let text = |value: &Value| value.as_str().expect("a string").to_owned();
                assert_eq!(hit["_id"], hit["_source"]["pillowtop"]["id"]);
                (text(&hit["_id"]), text(&hit["_source"]["pillowtop"]["rev"]))
            })
            .collect()
    }

    /// How many documents have been written to the indices of an alias, searchable yet or not; 0
    /// while there is none.
    pub(crate) fn written(&self, alias: &str) -> u64 {
        let path = format!("/{}-{alias}_*/_stats/indexing", self.name);
        let response: Value =
            serde_json::from_str(&self.elastic("GET", &path, &Value::Null).body).expect("statistics");
        response["_all"]["primaries"]["indexing"]["index_total"].as_u64().unwrap_or_default()
    }

    /// The hits of a query.
    pub(crate) fn search(&self, alias: &str, query: &Value) -> Vec<Value> {
        let alias = format!("{}-{alias}", self.name);
        let response =
            self.elastic("POST", &format!("/{alias}/_search"), &json!({"size": 100, "query": query}));
        let response: Value = serde_json::from_str(&response.body).expect("a search answer");
        response["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{response}")).clone()
    }

    /// What each index must hold, told from the database's documents by plain JSON. What cannot be
    /// indexed is given: each alias with the id of a document.
    pub(crate) fn expected(&self, alias: &str, dead: &[(&str, String)]) -> BTreeMap<String, String> {
        self.documents()
            .iter()
            .filter(|document| belongs(alias, document))
            .map(|document| {
                let text = |name: &str| document[name].as_str().expect("a string").to_owned();
                (text("_id"), text("_rev"))
            })
            .filter(|(id, _)| !dead.iter().any(|(other, dead)| *other == alias && dead == id))
            .collect()
    }

    /// Waits until an index holds a document in its last revision.
    #[track_caller]
    pub(crate) fn assert_indexed_soon(&self, alias: &str, id: &str) {
        let end = Instant::now() + Duration::from_mins(1);
        let revision = self.document(id).expect("the document")["_rev"].as_str().map(str::to_owned);
        while self.indexed(alias).get(id) != revision.as_ref() {
            assert!(Instant::now() < end, "{id} is not in {alias} as {revision:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the indices hold what they must.
    #[track_caller]
    pub(crate) fn assert_equal_soon(&self, dead: &[(&str, String)]) {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let unequal = ALIASES.iter().find(|(_, alias)| self.indexed(alias) != self.expected(alias, dead));
            let Some((_, alias)) = unequal else { return };
            if Instant::now() > end {
                assert_eq!(self.indexed(alias), self.expected(alias, dead), "{alias}");
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The open dead letters, by document.
    pub(crate) fn dead_letters(&self) -> BTreeMap<String, Value> {
        let listed = self.run_well(&["--json", "dead-letters", "list"]);
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let dead_letters = listed["dead_letters"].as_array().expect("dead letters");
        dead_letters
            .iter()
            .map(|letter| (letter["id"].as_str().expect("an id").to_owned(), letter.clone()))
            .collect()
    }
}

/// Whether the database's document belongs in an index, by the rules that the example's structs
/// state.
fn belongs(alias: &str, document: &Value) -> bool {
    let doc_type = document["doc_type"].as_str().unwrap_or_default();
    match alias {
        "hqcases" => {
            doc_type == "CommCareCase" && document["domain"] != "demo" && document["type"].is_string()
        }
        "xforms" => {
            doc_type == "XFormInstance"
                && document["domain"].is_string()
                && document["form"].is_object()
                && document["xmlns"] != "http://code.javarosa.org/devicereport"
        }
        "hqusers" => doc_type == "CommCareUser" || doc_type == "WebUser",
        "hqdomains" => doc_type == "Domain" && document["is_snapshot"] != true,
        "hqgroups" => doc_type == "Group",
        "hqapps" => ["Application", "RemoteApp", "LinkedApplication"].contains(&doc_type),
        "case_search" => {
            doc_type == "CommCareCase"
                && (document["domain"] == "riverside-clinics" || document["domain"] == "care-bihar")
        }
        other => panic!("an alias of no pillow: {other}"),
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_for(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A process that is killed when the test ends.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Kills it, as a machine that fails does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("to kill the process");
        self.child.wait().expect("its end");
    }
}

impl Running {
    /// Asks it to stop as a supervisor does; its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("its end").code()
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("to send a signal").success());
    }

    /// What it has said so far.
    pub(crate) fn printed(&self) -> String {
        fs_err::read_to_string(&self.log).expect("its log")
    }

    /// Waits until it has said something.
    #[track_caller]
    pub(crate) fn wait_for_words(&self, within: Duration, words: &[&str]) {
        let end = Instant::now() + within;
        while !words.iter().all(|words| self.printed().contains(words)) {
            assert!(Instant::now() < end, "{words:?} is not in: {}", self.printed());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port(variable: &str) -> u16 {
    let url = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests by `cargo xtask test`, which starts the servers")
    });
    let port = url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
    port.unwrap_or_else(|| panic!("{variable} has no port: {url}"))
}

fn encoded(id: &str) -> String {
    id.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The real documents beside the repository, if they are there, else the repository's own. Each has
/// an id and no revision.
pub(crate) fn sample_documents() -> Vec<Value> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/docs");
    let mut documents = commcare::samples::documents();
    if let Ok(entries) = fs_err::read_dir(shared) {
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs_err::read_to_string(&path).expect("a document");
                let mut document: Value = serde_json::from_str(&text).expect("JSON");
                let members = document.as_object_mut().expect("an object");
                // Attachments are stubs of missing files.
                members.remove("_rev");
                members.remove("_attachments");
                documents.push(document);
            }
        }
    }
    documents
}
