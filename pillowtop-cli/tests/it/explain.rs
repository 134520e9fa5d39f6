//! `make-mapping --explain`: what decided each field, through nested and flattened structs.

use pillowtop::{CouchDocument, Pillow};
use pillowtop_cli::App;
use serde::{Deserialize, Serialize};

use crate::support::{check, run};

pillowtop::rules! {
    pub(crate) rules {
        strings named "*_id" => keyword, ignore_above = 64;
        root => date_detection = true;
        objects => dynamic = strict;
    }
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[es(rules = crate::explain::rules)]
#[pillow(name = "visit", alias = "visits", mapping = unchecked)]
struct Visit {
    owner_id: Option<String>,
    #[es(text, fields(exact(keyword)))]
    name: String,
    #[es(ignore_above = 8)]
    code: String,
    #[serde(rename = "measured")]
    measurements: Vec<Measurement>,
    place: Place,
    #[es(nested)]
    places: Vec<Place>,
    #[serde(flatten)]
    audit: Audit,
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Measurement {
    weight: f32,
}

#[derive(Serialize, Deserialize, CouchDocument)]
#[es(dynamic = false)]
struct Place {
    village: String,
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Audit {
    reviewed: bool,
}

fn visits() -> App {
    App::new(pillowtop::registry![Visit])
}

#[test]
fn each_field_says_what_decided_it() {
    let explained = run(visits(), "--json make-mapping visit --explain").json();
    let lines: Vec<String> = explained["pillows"][0]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            ["field", "path", "type", "decided_by"].map(|part| line[part].as_str().unwrap()).join(" | ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "Visit |  | root | rule `root`",
            "Visit |  | root | default of a root",
            "Visit.owner_id | owner_id | keyword | rule `strings named \"*_id\"`",
            "Visit.name | name | text | attribute",
            " | name.exact | keyword | attribute",
            "Visit.code | code | keyword | attribute, over the default of `String`",
            "Visit.measurements[] | measured | object | rule `objects`",
            "Visit.measurements[].weight | measured.weight | float | default of `f32`",
            "Visit.place | place | object | attribute of the struct",
            "Visit.place.village | place.village | keyword | default of `String`",
            "Visit.places[] | places | nested | attribute, and attribute of the struct",
            "Visit.places[].village | places.village | keyword | default of `String`",
            "Visit.audit.reviewed | reviewed | boolean | default of `bool`",
            " | pillowtop | object | the runtime's own",
            " | pillowtop.db | keyword | the runtime's own",
            " | pillowtop.id | keyword | the runtime's own",
            " | pillowtop.rev | keyword | the runtime's own",
        ]
    );
    check(visits(), "make-mapping --explain", 0, "Visit.measurements[].weight");
}
