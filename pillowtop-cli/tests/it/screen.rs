//! What people read fits a screen of 80 columns, problems first.

use pillowtop::{CouchDocument, Pillow};
use pillowtop_cli::App;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Ran, check, run};

#[derive(Serialize, Deserialize, CouchDocument)]
struct Measurement {
    #[es(scaled_float, scaling_factor = 1000, ignore_malformed = true, meta(unit = "kilograms of a person"))]
    weight_of_the_person_before_the_meal: f64,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(
    doc_type = ["VisitOfAHousehold", "VisitOfAHousehold-Archived", "VisitOfASchool", "VisitOfASchool-Archived"],
    database = "visits-of-households-and-schools"
)]
#[pillow(name = "visit", alias = "visits-of-households", mapping = unchecked)]
struct Visit {
    #[es(ignore_above = 50_000)]
    village: String,
    notes_of_the_health_worker_about_the_household: String,
    measurements_of_all_members_of_the_household: Vec<Measurement>,
}

fn visits() -> App {
    App::new(pillowtop::registry![Visit])
}

#[track_caller]
fn fits(ran: &Ran) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn tables_fit_eighty_columns() {
    fits(&check(visits(), "pillows", 0, "visits-of-households"));
    let explained = check(visits(), "make-mapping visit --explain", 0, "scaling_factor = 1000");
    fits(&explained);
    let all: String = explained.out.split_whitespace().collect();
    let path = "measurements_of_all_members_of_the_household.weight_of_the_person_before_the_meal";
    assert!(all.contains(path), "nothing is cut: {}", explained.out);
}

#[test]
fn the_audit_fits_eighty_columns_and_shows_what_is_rejected_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("visits.json");
    let long = "x".repeat(40_000);
    let document = json!({
        "_id": "a-document-with-a-long-id-as-uuids-are-0123456789abcdef", "doc_type": "VisitOfASchool", "village": long, "alpha": 1,
        "notes_of_the_health_worker_about_the_household": "ill", "measurements_of_all_members_of_the_household": [],
    });
    fs_err::write(&path, document.to_string()).unwrap();
    let ran = run(visits(), &format!("audit visit --docs {}", path.display()));
    assert_eq!(ran.code, 4, "{ran:?}");
    fits(&ran);
    let rows: Vec<&str> = ran.out.lines().collect();
    let row = |name: &str| rows.iter().position(|row| row.starts_with(name)).unwrap();
    assert!(row("village") < row("notes_of_the"), "{}", ran.out);
    assert!(!ran.out.contains("truncated"), "a column without a count is left out: {}", ran.out);
    assert!(rows.iter().any(|row| row.starts_with("never seen:")), "{}", ran.out);
}
