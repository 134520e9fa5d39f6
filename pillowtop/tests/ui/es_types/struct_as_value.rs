use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(keyword)]
    owner: Owner,
    #[es(text)]
    owners: Option<Vec<Owner>>,
    // Fine: what they are written as, their types do not say.
    #[es(keyword)]
    kind: Kind,
    #[es(keyword)]
    #[serde(serialize_with = "by_name")]
    first: Owner,
    #[es(geo_point)]
    place: Owner,
}

#[derive(Serialize, CouchDocument)]
struct Owner {
    name: String,
}

#[derive(Serialize)]
struct Kind(String);

fn by_name<S: serde::Serializer>(owner: &Owner, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&owner.name)
}

fn main() {}
