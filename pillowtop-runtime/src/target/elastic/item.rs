//! The items of a bulk: what is done in one shard each.
//!
//! Without a routing an operation is one item, in the shard that its id leads to. With a routing, a
//! document may be in any shard, and a deletion comes without its document. So, in an index of
//! several shards:
//!
//! | operation | items |
//! |---|---|
//! | delete | a delete in each shard |
//! | index, the first one of its id | an index |
//! | index | an index, and once that is done, a delete in each other shard |
//!
//! Every item has the version of its operation. In each shard the highest version wins, so after
//! the newest operation of a document all shards agree with it, whatever arrives late. The deletes
//! in the other shards come second, because a document that is rejected stays as it was, wherever
//! that is. No search and no read decides anything.

use super::shards::IndexShards;
use crate::operation::{Action, Operation};
use crate::target::Outcome;

/// An operation in one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) operation: &'a Operation,
    /// The index of the operation in its bulk.
    pub(super) position: usize,
    /// The routing value; `None`: the id leads to the shard.
    pub(super) routing: Option<&'a str>,
    /// Whether the document is deleted there, whatever the operation does elsewhere.
    pub(super) is_removal: bool,
}

impl<'a> Item<'a> {
    /// An operation in the shard of a routing value, or else of its id.
    fn new(position: usize, operation: &'a Operation, routing: Option<&'a str>) -> Self {
        Self { operation, position, routing, is_removal: operation.action == Action::Delete }
    }

    /// What leads to its shard.
    pub(super) fn leads_to(&self) -> &'a str {
        self.routing.unwrap_or_else(|| self.operation.id.as_str())
    }
}

/// Where the documents of a pillow with a routing may be: a routing value for each shard.
#[derive(Debug)]
pub(super) struct Routings {
    pub(super) shards: IndexShards,
    /// In the order of the shards.
    pub(super) of_shards: Vec<String>,
}

/// One item for each operation. `like`: where they go instead of their own shards.
pub(super) fn unrouted<'a>(operations: &'a [Operation], like: Option<&'a str>) -> Vec<Item<'a>> {
    let all = operations.iter().enumerate();
    all.map(|(position, operation)| Item::new(position, operation, like)).collect()
}

impl Routings {
    /// The items that are sent first.
    pub(super) fn first<'a>(&'a self, operations: &'a [Operation]) -> Vec<Item<'a>> {
        let mut items = Vec::with_capacity(operations.len());
        for (position, operation) in operations.iter().enumerate() {
            match &operation.action {
                Action::Index(_) => {
                    items.push(Item::new(position, operation, operation.routing.as_deref()));
                }
                Action::Delete => items.extend(
                    self.of_shards.iter().map(|routing| Item::new(position, operation, Some(routing))),
                ),
            }
        }
        items
    }

    /// The items that follow: of each document that is indexed, what may have been left in other
    /// shards is removed.
    pub(super) fn second<'a>(&'a self, operations: &'a [Operation], outcomes: &[Outcome]) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        for (position, (operation, outcome)) in operations.iter().zip(outcomes).enumerate() {
            let is_indexed = matches!(operation.action, Action::Index(_)) && *outcome == Outcome::Done;
            if !is_indexed || operation.is_first {
                continue;
            }
            let item = Item::new(position, operation, operation.routing.as_deref());
            let shard = self.shards.shard_of(item.leads_to());
            let others = self.of_shards.iter().enumerate().filter(|(other, _)| *other != shard);
            items.extend(others.map(|(_, routing)| Item {
                routing: Some(routing),
                is_removal: true,
                ..item
            }));
        }
        items
    }
}

/// Adds the outcomes of items to those of their operations, of which the worst counts.
pub(super) fn add_outcomes(all: &mut [Option<Outcome>], items: &[Item<'_>], outcomes: Vec<Outcome>) {
    for (item, outcome) in items.iter().zip(outcomes) {
        let known = &mut all[item.position];
        if known.as_ref().is_none_or(|known| severity(known) < severity(&outcome)) {
            *known = Some(outcome);
        }
    }
}

/// A delete of what is missing in one shard and done in another is done.
fn severity(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Absent => 0,
        Outcome::Done => 1,
        Outcome::Rejected { .. } => 2,
        Outcome::Busy { .. } => 3,
        Outcome::Unknown { .. } => 4,
        Outcome::Blocked { .. } => 5,
        Outcome::Fenced { .. } => 6,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::operation::Version;

    fn routings() -> Routings {
        let shards = IndexShards::new(3, None);
        let mut of_shards = vec![String::new(); 3];
        (0..20).map(|number| number.to_string()).for_each(|routing| {
            let shard = shards.shard_of(&routing);
            of_shards[shard] = routing;
        });
        Routings { shards, of_shards }
    }

    fn index(id: &str, routing: Option<&str>, is_first: bool) -> Operation {
        let operation = Operation::new(id.into(), Version(1), Action::Index(Bytes::from_static(b"{}")));
        Operation { routing: routing.map(Into::into), is_first, ..operation }
    }

    /// The shard of each item, and whether it removes.
    fn told(routings: &Routings, items: &[Item<'_>]) -> Vec<(usize, usize, bool)> {
        let shard = |item: &Item<'_>| routings.shards.shard_of(item.leads_to());
        items.iter().map(|item| (item.position, shard(item), item.is_removal)).collect()
    }

    #[test]
    fn a_delete_reaches_every_shard_and_an_index_clears_the_others() {
        let routings = routings();
        let delete = Operation::new("a".into(), Version(2), Action::Delete);
        let operations =
            [delete, index("b", Some("h1"), false), index("c", None, false), index("d", None, true)];
        let first = routings.first(&operations);
        let shard = |routing: &str| routings.shards.shard_of(routing);
        let expected = [
            (0, 0, true),
            (0, 1, true),
            (0, 2, true),
            (1, shard("h1"), false),
            (2, shard("c"), false),
            (3, shard("d"), false),
        ];
        assert_eq!(told(&routings, &first), expected);
        let rejected = Outcome::Rejected { error_type: "e".to_owned(), reason: String::new() };
        let outcomes = [Outcome::Done, Outcome::Done, rejected, Outcome::Done];
        let second = told(&routings, &routings.second(&operations, &outcomes));
        let others = (0..3).filter(|other| *other != shard("h1")).map(|other| (1, other, true));
        assert_eq!(second, others.collect::<Vec<_>>(), "not of what was rejected, nor of a first one");
    }

    /// The shards of an index, as the servers keep them: of each the version that it has seen, and
    /// whether the document is in it.
    #[derive(Default, Clone)]
    struct Shards([(u64, bool); 3]);

    impl Shards {
        fn apply(&mut self, routings: &Routings, items: &[Item<'_>]) {
            for item in items {
                let shard = &mut self.0[routings.shards.shard_of(item.leads_to())];
                if item.operation.version.0 >= shard.0 {
                    *shard = (item.operation.version.0, !item.is_removal);
                }
            }
        }
    }

    /// A delete, or an index by a routing value or by its id.
    fn action() -> impl Strategy<Value = Option<Option<u8>>> {
        prop_oneof![1 => Just(None), 1 => Just(Some(None)), 6 => (0..8_u8).prop_map(|value| Some(Some(value)))]
    }

    proptest! {
        #[test]
        fn the_newest_operation_decides_in_all_shards_whatever_comes_late(
            actions in prop::collection::vec((action(), any::<bool>()), 1..12),
            late in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..20),
        ) {
            let routings = routings();
            let operations: Vec<Operation> = actions.iter().enumerate().map(|(number, (action, _))| {
                let operation = match action {
                    None => Operation::new("a".into(), Version(0), Action::Delete),
                    Some(value) => index("a", value.map(|value| format!("h{value}")).as_deref(), number == 0),
                };
                Operation { version: Version(u64::try_from(number).unwrap() + 1), ..operation }
            }).collect();
            let mut shards = Shards::default();
            let send = |operation: &Operation, is_whole: bool, shards: &mut Shards| {
                let one = std::slice::from_ref(operation);
                shards.apply(&routings, &routings.first(one));
                if is_whole {
                    shards.apply(&routings, &routings.second(one, &[Outcome::Done]));
                }
            };
            for (operation, (_, is_whole)) in operations.iter().zip(&actions) {
                // One that is not acknowledged as a whole is followed by a newer one.
                send(operation, *is_whole || operation == operations.last().unwrap(), &mut shards);
            }
            for (which, is_whole) in late {
                send(which.get(&operations), is_whole, &mut shards);
            }
            let last = operations.last().unwrap();
            let expected = match last.action {
                Action::Delete => vec![],
                Action::Index(_) => vec![routings.shards.shard_of(last.routing.as_deref().unwrap_or("a"))],
            };
            let found: Vec<usize> = (0..3).filter(|shard| shards.0[*shard].1).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_worst_outcome_of_the_items_is_that_of_the_operation() {
        let routings = routings();
        let operations = [Operation::new("a".into(), Version(2), Action::Delete)];
        let items = routings.first(&operations);
        let busy = || Outcome::Busy { reason: String::new() };
        for (outcomes, expected) in [
            (vec![Outcome::Absent, Outcome::Absent, Outcome::Absent], Outcome::Absent),
            (vec![Outcome::Absent, Outcome::Done, Outcome::Absent], Outcome::Done),
            (vec![Outcome::Done, busy(), Outcome::Absent], busy()),
        ] {
            let mut all = [None];
            add_outcomes(&mut all, &items, outcomes);
            assert_eq!(all, [Some(expected)]);
        }
    }
}
