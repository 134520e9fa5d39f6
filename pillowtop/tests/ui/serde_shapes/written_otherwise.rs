use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[serde(with = "seconds")]
    opened: u64,
    #[serde(serialize_with = "seconds::serialize")]
    closed: u64,
}

#[derive(Clone, Serialize, CouchDocument)]
#[serde(into = "String")]
struct Id {
    number: u64,
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.number.to_string()
    }
}

mod seconds {
    pub(crate) fn serialize<S: serde::Serializer>(_: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("1 s")
    }
}

fn main() {}
