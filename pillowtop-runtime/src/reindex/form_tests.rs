//! What a load chooses to read, on databases that respond by a script.

use pillowtop_core::Definition;
use serde_json::{Value, json};

use super::error::ReindexError;
use super::form::{Chosen, Wanted, choose};
use super::view::design_document;
use crate::claim::LoadForm;
use crate::source::DatabaseInfo;
use crate::source::scripted::{Script, Scripted, Server};

const FOUND: Script = Script::Status(
    200,
    r#"{"results":[{"id":"pillowtop","docs":[{"error":{"error":"not_found","reason":"missing"}}]}]}"#,
);
const LACKS_BULK_GET: Script = Script::Status(405, r#"{"error":"method_not_allowed","reason":"no"}"#);
const MISSING: Script = Script::Status(404, r#"{"error":"not_found","reason":"missing"}"#);

fn definition() -> Definition {
    crate::testing::note_pillow().definition().clone()
}

/// What `GET /db` responds: so many documents, and so many deleted ones.
fn info(documents: u64, deleted: u64) -> Script {
    Script::text(
        json!({
            "instance_start_time": "1",
            "update_seq": "s",
            "doc_count": documents,
            "doc_del_count": deleted,
        })
        .to_string(),
    )
}

fn rows_of_view(documents: u64) -> Script {
    Script::text(json!({"total_rows": documents, "offset": 0, "rows": []}).to_string())
}

fn json_of(value: &Value) -> Script {
    Script::text(value.to_string())
}

/// The responses about the view: its design document, and whether it is being built.
fn view_of(definition: &Definition, is_building: bool) -> [Script; 2] {
    let building = json!({"view_index": {"updater_running": is_building}});
    [json_of(&design_document(definition)), json_of(&building)]
}

struct Database {
    info: Script,
    /// Responses about the view.
    design: Vec<Script>,
    bulk_get: Script,
    rows: Script,
}

impl Database {
    /// One without a view.
    fn of(documents: u64, deleted: u64) -> Self {
        Self { info: info(documents, deleted), design: vec![MISSING], bulk_get: FOUND, rows: MISSING }
    }

    fn with_view(self, design: impl Into<Vec<Script>>, rows: Script) -> Self {
        Self { design: design.into(), rows, ..self }
    }

    async fn start(self) -> (Server, DatabaseInfo) {
        let mut info = vec![self.info];
        info.extend(self.design);
        let scripted = Scripted {
            info,
            documents: vec![self.bulk_get],
            listings: vec![self.rows],
            ..Scripted::default()
        };
        let server = scripted.start().await;
        let info = server.database().info().await.unwrap();
        (server, info)
    }

    async fn choose(self, wanted: &Wanted) -> Result<Chosen, ReindexError> {
        let (server, info) = self.start().await;
        choose(&definition(), &server.database(), &info, wanted).await
    }

    async fn chooses(self, form: LoadForm, reason: &str) {
        let chosen = self.choose(&Wanted::default()).await.unwrap();
        assert_eq!((chosen.form, chosen.reason.as_str()), (form, reason));
    }

    async fn refuses(self, form: LoadForm, reason: &str) {
        let error = self.choose(&Wanted { form: Some(form), ..Wanted::default() }).await.unwrap_err();
        assert!(
            matches!(&error, ReindexError::Form { form: of, reason: why } if *of == form && why.contains(reason)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_view_that_is_built_is_read_before_anything_else() {
    let view = view_of(&definition(), false);
    let reason = "view `pillowtop-note/documents` lists 7 documents";
    Database::of(1_000, 0).with_view(view, rows_of_view(7)).chooses(LoadForm::View, reason).await;
}

#[tokio::test]
async fn a_view_that_is_not_ready_or_not_readable_is_passed_over() {
    let definition = definition();
    let building = view_of(&definition, true);
    let database = Database::of(1_000, 0).with_view(building, rows_of_view(7));
    database.chooses(LoadForm::Feed, "its view is being built").await;

    let usual = "it is the fastest without a view for the pillow";
    let other = Definition { selector: Some(json!({"other": {"$eq": true}})), ..definition.clone() };
    let database = Database::of(1_000, 0).with_view(view_of(&other, false), rows_of_view(7));
    database.chooses(LoadForm::Feed, usual).await;

    let forbidden = Script::Status(403, r#"{"error":"forbidden","reason":"not allowed"}"#);
    let database = Database::of(1_000, 0).with_view([forbidden.clone()], forbidden);
    database.chooses(LoadForm::Feed, usual).await;

    let view = view_of(&definition, false);
    let lacking = Database { bulk_get: LACKS_BULK_GET, ..Database::of(1_000, 0) };
    let chosen = lacking.with_view(view, rows_of_view(7)).choose(&Wanted::default()).await.unwrap();
    assert_eq!(chosen.form, LoadForm::Feed);
    assert!(chosen.reason.contains("cannot be read by `_bulk_get`"), "{}", chosen.reason);
}

#[tokio::test]
async fn a_selector_is_left_to_a_database_that_keeps_one_copy() {
    let definition = Definition { selector: Some(json!({"keep": {"$eq": true}})), ..definition() };
    let (server, info) = Database::of(1_000, 0).start().await;
    let chosen = choose(&definition, &server.database(), &info, &Wanted::default()).await.unwrap();
    assert_eq!(chosen.reason, "the database filters it by the selector, and has no view for the pillow");
    let copied = DatabaseInfo { copies: 3, ..info };
    let chosen = choose(&definition, &server.database(), &copied, &Wanted::default()).await.unwrap();
    assert_eq!(chosen.reason, "it is the fastest without a view for the pillow");
}

#[tokio::test]
async fn a_server_that_does_not_show_its_views_soon_is_read_by_the_feed() {
    let (server, info) = Database::of(1_000, 0).with_view([Script::Silent], MISSING).start().await;
    let chosen = choose(&definition(), &server.database(), &info, &Wanted::default()).await.unwrap();
    assert_eq!(chosen.form, LoadForm::Feed);
}

#[tokio::test]
async fn a_database_of_mostly_deleted_documents_is_listed() {
    let reason = "the feed would bring 2000 deleted documents too";
    Database::of(1_000, 2_000).chooses(LoadForm::Ids, reason).await;
    let lacking = Database { bulk_get: LACKS_BULK_GET, ..Database::of(1_000, 2_000) };
    assert_eq!(lacking.choose(&Wanted::default()).await.unwrap().form, LoadForm::Feed);
}

#[tokio::test]
async fn a_form_that_is_asked_for_is_taken_or_refused_with_the_reason() {
    let feed = Wanted { form: Some(LoadForm::Feed), ..Wanted::default() };
    let chosen = Database::of(10, 2_000).choose(&feed).await.unwrap();
    assert_eq!(
        (chosen.form, chosen.documents, chosen.reason.as_str()),
        (LoadForm::Feed, 10, "as it was asked for")
    );

    Database::of(10, 0).refuses(LoadForm::View, "database `db` has no view for the pillow").await;
    let other = Definition { selector: Some(json!({"other": {"$eq": true}})), ..definition() };
    let outdated = Database::of(10, 0).with_view(view_of(&other, false), rows_of_view(7));
    outdated.refuses(LoadForm::View, "is of another filter or other types").await;
    let lacking = Database { bulk_get: LACKS_BULK_GET, ..Database::of(10, 0) };
    lacking.refuses(LoadForm::Ids, "documents cannot be read by `_bulk_get`").await;
}

#[tokio::test]
async fn large_listings_are_divided() {
    for (documents, wanted, ranges) in
        [(100, None, 1), (1_000_000, None, 4), (100_000_000, None, 64), (100, Some(3), 3), (100, Some(0), 1)]
    {
        let wanted = Wanted { form: Some(LoadForm::AllDocs), ranges: wanted, ..Wanted::default() };
        assert_eq!(Database::of(documents, 0).choose(&wanted).await.unwrap().ranges, ranges, "{documents}");
    }
    let wanted = Wanted { form: Some(LoadForm::Feed), ranges: Some(3), ..Wanted::default() };
    assert_eq!(Database::of(1_000_000, 0).choose(&wanted).await.unwrap().ranges, 1);
}
