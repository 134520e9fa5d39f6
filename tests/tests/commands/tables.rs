//! Tables, managed with the commands that manage indices, in a `PostgreSQL` of the test's own.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{World, wait_for};
use pillowtop_tests::Postgres;
use serde_json::{Value, json};
use sqlx::{Executor as _, PgPool};
use tokio::runtime::Runtime;

const MINUTE: Duration = Duration::from_mins(1);

/// A database of documents, and one of tables.
struct Clinic {
    world: World,
    runtime: Runtime,
    pool: PgPool,
    server: Postgres,
}

impl Clinic {
    fn new(test: &str) -> Self {
        let server = Postgres::start(&|_| {}).expect("PostgreSQL");
        let world = World::new(test).with_program(env!("CARGO_BIN_EXE_tables"));
        let address = server.address("postgres");
        let configuration = fs_err::read_to_string(world.configuration()).expect("a configuration");
        let configuration = format!("{configuration}\n[sql]\nurl = \"{address}\"\n");
        fs_err::write(world.configuration(), configuration).expect("a configuration");
        let runtime = Runtime::new().expect("a runtime");
        let pool = runtime.block_on(PgPool::connect(&address)).expect("a connection");
        Self { world, runtime, pool, server }
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(self.pool.execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        serde_json::from_str(&self.world.run_well(&arguments)).expect("JSON")
    }

    /// How many cases the table that the views show has.
    fn cases(&self) -> i64 {
        let rows = self.json(&["fluff", "query", "visits", "--calculator", "cases"]);
        rows["rows"][0]["cases"]["all"].as_i64().unwrap_or_else(|| panic!("{rows}"))
    }

    /// A pillow in `es-manage status`.
    fn status(&self, pillow: &str) -> Value {
        let listed = self.json(&["es-manage", "status"]);
        let pillows = listed["pillows"].as_array().expect("pillows");
        pillows.iter().find(|listed| listed["pillow"] == pillow).expect("the pillow").clone()
    }

    /// The table of `visits` with this number.
    fn table(&self, number: u32) -> String {
        let status = self.status("visits");
        let tables = status["tables"].as_array().expect("tables").iter();
        let mut names = tables.filter_map(|table| table["table"].as_str());
        names.find(|name| name.ends_with(&format!("_{number}"))).expect("the table").to_owned()
    }
}

fn case(id: &str, owner: &str) -> Value {
    json!({
        "_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child", "owner_id": owner,
        "opened_on": "2012-01-01T00:00:00Z", "actions": [{"date": "2012-01-02T00:00:00Z", "xform_id": "f"}],
    })
}

#[test]
fn tables_are_built_followed_compared_and_flipped_as_indices_are() {
    let clinic = Clinic::new("tables_are_managed");
    let world = &clinic.world;
    world.save(&(0..20).map(|number| case(&format!("c{number}"), "o")).collect::<Vec<_>>());
    // Nothing follows a table that was never built.
    assert!(world.run_badly(&["run", "visits", "--until-caught-up"], 1).contains("fast-reindex"));
    assert!(world.run_badly(&["fast-reindex", "visits", "--from", "ids"], 2).contains("changes feed"));
    let planned = clinic.json(&["fast-reindex", "visits", "--dry-run"]);
    assert_eq!((&planned["action"], &planned["read"][0]["from"]), (&json!("create"), &json!("feed")));
    let built = clinic.json(&["fast-reindex", "visits"]);
    assert_eq!((&built["documents"], &built["already_complete"]), (&json!(20), &json!(false)));
    assert_eq!(clinic.json(&["fast-reindex", "visits"])["already_complete"], true);
    world.run_badly(&["preindex", "--check"], 4);
    world.run_well(&["preindex"]);
    world.run_well(&["preindex", "--check"]);
    assert_eq!(clinic.cases(), 20);
    assert_eq!(clinic.status("visits")["state"], "not followed");
    // Documents are processed by whoever follows, or by the command.
    let ids = world.directory().join("ids.txt");
    fs_err::write(&ids, "c1\nc2\n").expect("a file");
    let ids = ids.to_str().expect("a path");
    assert_eq!(clinic.json(&["process", "visits", "--ids", ids])["parts"][0]["result"]["indexed"], 2);
    let _running = world.start(&["run"]);
    wait_for("a process that follows", MINUTE, || clinic.status("visits")["state"] == "current");
    world.save(&[case("new", "o")]);
    world.delete("c0");
    world.save(&[case("newer", "p")]);
    wait_for("the changes", MINUTE, || clinic.cases() == 21);
    assert_eq!(clinic.json(&["process", "visits", "--ids", ids])["parts"][0]["result"]["indexed"], 2);
    compares_and_repairs(&clinic);
    flips_and_goes_back(&clinic);
}

fn compares_and_repairs(clinic: &Clinic) {
    let (world, table) = (&clinic.world, clinic.table(1));
    let compared = clinic.json(&["verify", "visits", "--all-bodies"]);
    let part = &compared["parts"][0];
    assert_eq!((&part["differences"], &part["bodies_compared"]), (&json!(0), &json!(21)), "{part}");
    clinic.execute(&format!("DELETE FROM \"{table}\" WHERE doc_id = 'c1'"));
    clinic.execute(&format!("UPDATE \"{table}_docs\" SET rev = '0-old' WHERE doc_id = 'c2'"));
    clinic.execute(&format!("DELETE FROM \"{table}_docs\" WHERE doc_id = 'c3'"));
    clinic.execute(&format!(
        "INSERT INTO \"{table}_docs\" SELECT 'nobody', db, rev FROM \"{table}_docs\" LIMIT 1"
    ));
    let output = world.run(&["--json", "verify", "visits", "--all-bodies", "--dry-run"]);
    assert_eq!(output.status.code(), Some(4));
    let compared: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = &compared["parts"][0]["found"];
    for (kind, id) in [("body", "c1"), ("stale", "c2"), ("missing", "c3"), ("extra", "nobody")] {
        assert_eq!(
            (&found[kind]["count"], &found[kind]["examples"][0]["id"]),
            (&json!(1), &json!(id)),
            "{found}"
        );
    }
    world.run_well(&["verify", "visits", "--all-bodies", "--repair"]);
    world.run_well(&["verify", "visits", "--all-bodies"]);
    assert_eq!(clinic.cases(), 21);
}

fn flips_and_goes_back(clinic: &Clinic) {
    let world = &clinic.world;
    let built = clinic.json(&["fast-reindex", "visits", "--restart"]);
    let (first, second) = (json!(clinic.table(1)), json!(clinic.table(2)));
    assert_eq!((&built["index"], &clinic.status("visits")["searched"]), (&second, &json!([first])));
    assert!(world.run_badly(&["es-manage", "flip", "visits"], 1).contains("was not compared"));
    world.run_well(&["verify", "visits"]);
    wait_for("the service to follow the new table", MINUTE, || {
        world.run(&["es-manage", "flip", "visits"]).status.success()
    });
    assert_eq!(clinic.status("visits")["searched"], json!([second]));
    assert_eq!(clinic.json(&["es-manage", "flip", "visits"])["flips"][0]["moved"], false);
    let back = clinic.json(&["manage", "rollback", "visits"]);
    assert_eq!((&back["flips"][0]["from"], &back["flips"][0]["to"]), (&json!([second]), &first));
    // A rollback shows the second one, and a process writes to it.
    assert_eq!(clinic.json(&["manage", "prune", "--older-than", "0s", "--yes"])["tables"], json!([]));
}

#[test]
fn dead_letters_and_checkpoints_of_tables_are_those_of_indices() {
    let clinic = Clinic::new("tables_dead_letters");
    let world = &clinic.world;
    world.save(&[case("good", "o"), case("bad", &"x".repeat(256))]);
    world.run_well(&["fast-reindex", "visits"]);
    let letters = world.dead_letters();
    assert_eq!(letters.keys().collect::<Vec<_>>(), ["bad"]);
    assert_eq!(letters["bad"]["index"], json!(clinic.table(1)));
    assert!(letters["bad"]["reason"].as_str().expect("a reason").contains("owner"), "{letters:?}");
    assert_eq!(clinic.status("visits")["dead_letters"], 1);
    world.run_well(&["dead-letters", "show", "bad", "visits"]);
    world.run_badly(&["dead-letters", "replay", "visits"], 4);
    world.change("bad", |document| document["owner_id"] = json!("o"));
    world.run_well(&["dead-letters", "replay", "visits"]);
    assert!(world.dead_letters().is_empty());
    assert_eq!(clinic.cases(), 2);
    // Back to the start, and to where it was.
    let exported = world.run_well(&["checkpoint", "export", "visits"]);
    let file = world.directory().join("checkpoints.json");
    fs_err::write(&file, &exported).expect("a file");
    let reset = clinic.json(&["checkpoint", "reset", "visits"]);
    assert_eq!(
        (&reset["checkpoints"][0]["after"], &reset["checkpoints"][0]["owner"]),
        (&json!("0"), &json!("none"))
    );
    world.run_well(&["checkpoint", "import", file.to_str().expect("a path")]);
    let (shown, exported) = (clinic.json(&["checkpoint", "show"]), exported);
    let exported: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(shown["checkpoints"][0]["position"], exported["checkpoints"][0]["position"]);
    world.save(&[case("other", &"x".repeat(256))]);
    world.run_well(&["run", "visits", "--until-caught-up"]);
    assert_eq!(clinic.json(&["dead-letters", "purge", "visits", "--yes"])["purged"], 1);
    assert!(world.dead_letters().is_empty());
}

#[test]
fn what_pillowtop_did_not_make_is_left_alone() {
    let clinic = Clinic::new("tables_foreign");
    let world = &clinic.world;
    world.save(&[case("c1", "o")]);
    for (kind, of) in [("TABLE", "(number INT)"), ("VIEW", "AS SELECT 1 AS number")] {
        for name in ["visits", "visits_cases"] {
            clinic.execute(&format!("CREATE {kind} {name} {of}"));
            let error = world.run_badly(&["fast-reindex", "visits"], 1);
            let expected = format!("`{name}` exists in the database, and pillowtop did not make it");
            assert!(error.contains(&expected), "{error}");
            clinic.execute(&format!("DROP {kind} {name}"));
        }
    }
    world.run_well(&["fast-reindex", "visits"]);
    // A view that uses ours prevents a flip, and nothing moves.
    world.run_well(&["fast-reindex", "visits", "--restart"]);
    clinic.execute("CREATE VIEW report AS SELECT domain FROM visits");
    let error = world.run_badly(&["es-manage", "flip", "visits", "--force"], 1);
    assert!(error.contains("view `visits`, which another view may use"), "{error}");
    assert_eq!(clinic.status("visits")["searched"], json!([clinic.table(1)]));
    clinic.execute("DROP VIEW report");
    world.run_well(&["es-manage", "flip", "visits", "--force"]);
    assert_eq!(clinic.cases(), 1);
}

#[test]
fn a_missing_permission_is_named() {
    let clinic = Clinic::new("tables_permission");
    let world = &clinic.world;
    world.save(&[case("c1", "o")]);
    clinic.execute("CREATE ROLE reader LOGIN");
    let address = clinic.server.address("postgres").replace("postgres@", "reader@");
    let error = world.run_badly(&["--sql-url", &address, "fast-reindex", "visits"], 1);
    assert!(error.contains("permission denied for schema public"), "{error}");
    // Whoever may only read what another one built.
    world.run_well(&["fast-reindex", "visits"]);
    clinic.execute(
        "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    );
    let error = world.run_badly(&["--sql-url", &address, "run", "visits", "--until-caught-up"], 1);
    assert!(error.contains("permission denied"), "{error}");
    world.run_well(&["--sql-url", &address, "fluff", "query", "visits"]);
    world.run_well(&["--sql-url", &address, "manage", "status"]);
}

#[test]
fn a_load_survives_a_restart_of_postgresql() {
    let mut clinic = Clinic::new("tables_restart");
    for block in 0..10 {
        let cases = (0..500).map(|number| case(&format!("c{block}-{number}"), "o"));
        clinic.world.save(&cases.collect::<Vec<_>>());
    }
    let mut command = clinic.world.command(&["fast-reindex", "visits"]);
    let mut loading = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary");
    wait_for("the table", MINUTE, || clinic.status("visits")["index"].is_string());
    clinic.server.kill_and_restart().expect("PostgreSQL");
    loading.wait().expect("its end");
    // What the restart ended is resumed.
    let world = &clinic.world;
    assert_eq!(clinic.json(&["fast-reindex", "visits"])["documents"], 5000);
    world.run_well(&["verify", "visits", "--all-bodies"]);
    assert_eq!(clinic.cases(), 5000);
}
