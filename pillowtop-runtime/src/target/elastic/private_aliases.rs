//! The names of an index's private aliases.
//!
//! `cases_0123456789ab_1.Zf3kQa0x.W7` is the alias of epoch 7: the name of the index, the beginning
//! of its uuid, and a capital letter, which keeps servers from creating it as an index. An index
//! that was deleted and built again has the same name and starts its epochs again, but has another
//! uuid: the alias of an old process stays invalid. A slice of an index has aliases of its own:
//! `cases_0123456789ab_1.Zf3kQa0x.5d2f01c4.W7`.

use pillowtop_core::IndexName;
use pillowtop_core::fingerprint::hash_text;
use serde_json::{Value, json};

use crate::claim::Slice;

/// How many characters of the uuid are part of the alias.
const UUID_PART: usize = 8;

/// The private aliases of an index, or of a slice of it.
#[derive(Debug, Clone)]
pub(super) struct PrivateAliases {
    index: IndexName,
    uuid_part: String,
    /// What the aliases of all epochs begin with.
    stem: String,
}

impl PrivateAliases {
    pub(super) fn new(index: &IndexName, uuid: &str, slice: &Slice) -> Self {
        let uuid_part = uuid.get(..UUID_PART).unwrap_or(uuid).to_owned();
        let part = match slice {
            Slice::Whole => None,
            Slice::Database(database) => Some(database.to_string()),
            Slice::Range { database, number } => {
                Some(format!("{}#{number}", database.as_ref().map_or("", |name| name.as_str())))
            }
        };
        let hash = part.map(|part| format!(".{:016x}", hash_text(&part) & 0xffff_ffff_ffff_ffff));
        let stem = format!("{index}.{uuid_part}{}", hash.unwrap_or_default());
        Self { index: index.clone(), uuid_part, stem }
    }

    /// The alias of an epoch.
    pub(super) fn alias(&self, epoch: u64) -> String {
        format!("{}.W{epoch}", self.stem)
    }

    fn epoch_of(&self, alias: &str) -> Option<u64> {
        alias.strip_prefix(self.stem.as_str())?.strip_prefix(".W")?.parse().ok()
    }

    /// The highest epoch among aliases, with its alias.
    pub(super) fn latest<'a>(&self, aliases: &'a [String]) -> Option<(u64, &'a str)> {
        self.epochs(aliases).max()
    }

    fn epochs<'a>(&self, aliases: &'a [String]) -> impl Iterator<Item = (u64, &'a str)> {
        aliases.iter().filter_map(|alias| Some((self.epoch_of(alias)?, alias.as_str())))
    }

    /// The actions that remove the aliases of all epochs.
    pub(super) fn removal(&self, aliases: &[String]) -> Vec<Value> {
        let index = &self.index;
        self.epochs(aliases).map(|(_, alias)| json!({"remove": {"index": index, "alias": alias}})).collect()
    }

    /// Whether an alias is a private one of another index that had this name, or of an earlier
    /// release.
    fn is_foreign(&self, alias: &str) -> bool {
        let Some(rest) = alias.strip_prefix(self.index.as_str()).and_then(|rest| rest.strip_prefix('.'))
        else {
            return false;
        };
        is_private(alias) && rest.split('.').next() != Some(&self.uuid_part)
    }

    /// The actions that leave the alias of an epoch alone on the index.
    pub(super) fn rotation(&self, aliases: &[String], epoch: u64) -> Vec<Value> {
        let index = &self.index;
        let earlier = self.epochs(aliases).filter(|(seen, _)| *seen != epoch).map(|(_, alias)| alias);
        let foreign = aliases.iter().filter(|alias| self.is_foreign(alias)).map(String::as_str);
        let mut actions: Vec<Value> =
            earlier.chain(foreign).map(|alias| json!({"remove": {"index": index, "alias": alias}})).collect();
        actions.push(json!({"add": {"index": index, "alias": self.alias(epoch)}}));
        actions
    }
}

/// Whether an alias is a private one of any index.
pub(super) fn is_private(alias: &str) -> bool {
    let number = alias.rsplit_once(".W").map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases_of(slice: &Slice) -> PrivateAliases {
        PrivateAliases::new(&"cases_0_1".into(), "Zf3kQa0xyz", slice)
    }

    #[test]
    fn a_rotation_names_each_alias_that_was_read() {
        let found = [
            "cases",
            "cases_0_1.Zf3kQa0x.W6",
            "cases_0_1.Zf3kQa0x.W7",
            "cases_0_1.Zf3kQa0x.12345678.W9",
            "cases_0_1.OtherOne.W3",
            "cases_0_1.W4",
            "cases_0_1.OtherOne.12345678.W3",
        ]
        .map(str::to_owned);
        let remove = |alias: &str| json!({"remove": {"index": "cases_0_1", "alias": alias}});
        let aliases = aliases_of(&Slice::Whole);
        assert_eq!(
            aliases.rotation(&found, 8),
            [
                remove("cases_0_1.Zf3kQa0x.W6"),
                remove("cases_0_1.Zf3kQa0x.W7"),
                remove("cases_0_1.OtherOne.W3"),
                remove("cases_0_1.W4"),
                remove("cases_0_1.OtherOne.12345678.W3"),
                json!({"add": {"index": "cases_0_1", "alias": "cases_0_1.Zf3kQa0x.W8"}}),
            ]
        );
        assert_eq!(aliases.latest(&found), Some((7, "cases_0_1.Zf3kQa0x.W7")));
    }

    #[test]
    fn a_slice_has_aliases_of_its_own() {
        let (whole, slice) = (aliases_of(&Slice::Whole), aliases_of(&Slice::Database("db".into())));
        let alias = slice.alias(8);
        assert_eq!((slice.epoch_of(&alias), whole.epoch_of(&alias)), (Some(8), None));
        assert!(!whole.is_foreign(&alias) && is_private(&alias));
        assert_ne!(alias, aliases_of(&Slice::Database("other".into())).alias(8));
        let (first, second) = (aliases_of(&Slice::Whole.range(0)), aliases_of(&Slice::Whole.range(1)));
        assert!(first.alias(8) != second.alias(8) && whole.epoch_of(&first.alias(8)).is_none());
        let found = [first.alias(1), second.alias(8), "cases".to_owned()];
        assert_eq!(first.removal(&found), [json!({"remove": {"index": "cases_0_1", "alias": found[0]}})]);
        for other in ["cases_0_1", "cases_0_1.Zf3kQa0x.w8", "cases_0_1.Zf3kQa0x.W", "cases_0_12.Zf3kQa0x.W8"]
        {
            assert_eq!((whole.epoch_of(other), whole.is_foreign(other)), (None, false), "{other}");
        }
    }
}
