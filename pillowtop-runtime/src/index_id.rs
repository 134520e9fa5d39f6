//! The id of a document in a target, and its routing value, where those are not the document's own:
//! `<database>/<_id>` where a pillow reads several databases that may have documents of the same
//! id. A `/` in the database's name is escaped as `%2F`, which no name contains, so that document
//! `c` of `a/b` and document `b/c` of `a` are two.

use pillowtop_core::{DatabaseName, DocumentId};

/// The id in a target of a document of a database.
pub fn index_id(database: &DatabaseName, id: &DocumentId, is_prefixed: bool) -> DocumentId {
    if is_prefixed { DocumentId::new(format!("{}{id}", prefix(database))) } else { id.clone() }
}

/// The routing value in a target of a document of a database. It is prefixed as ids are: mostly it
/// is the id of another document of the database, and a document without a value goes where its own
/// id leads.
pub fn index_routing(database: &DatabaseName, routing: &str, is_prefixed: bool) -> Box<str> {
    if is_prefixed { format!("{}{routing}", prefix(database)).into() } else { routing.into() }
}

/// The document's `_id` in its database, by its id in a target. `None` if that is not the id of a
/// document of this database.
pub fn document_id(database: &DatabaseName, id: &DocumentId, is_prefixed: bool) -> Option<DocumentId> {
    if is_prefixed {
        id.as_str().strip_prefix(&prefix(database)).map(DocumentId::from)
    } else {
        Some(id.clone())
    }
}

fn prefix(database: &DatabaseName) -> String {
    format!("{}/", database.as_str().replace('/', "%2F"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slash_in_a_database_name_is_escaped() {
        assert_eq!(index_id(&"a/b".into(), &"c".into(), true), "a%2Fb/c".into());
        assert_eq!(index_id(&"a".into(), &"b/c".into(), true), "a/b/c".into());
        assert_eq!(index_id(&"a".into(), &"b/c".into(), false), "b/c".into());
        assert_eq!(document_id(&"a".into(), &"a%2Fb/c".into(), true), None);
        assert_eq!(&*index_routing(&"a/b".into(), "c", true), "a%2Fb/c");
        assert_eq!(&*index_routing(&"a/b".into(), "c", false), "c");
    }

    proptest! {
        #[test]
        fn the_id_of_a_document_is_found_again(database in "[a-z][a-z0-9_$()+/-]{0,8}", id in ".{0,12}", is_prefixed: bool) {
            let (database, id) = (DatabaseName::from(database), DocumentId::from(id.as_str()));
            let in_index = index_id(&database, &id, is_prefixed);
            prop_assert_eq!(document_id(&database, &in_index, is_prefixed), Some(id));
        }
    }
}
