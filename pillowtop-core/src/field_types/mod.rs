//! The one table of Elasticsearch and `OpenSearch` field types and mapping parameters: which there
//! are, what values they take, since which version of which product.
//!
//! A new type is one entry in its family under `table/`, and nothing else: the derive, the checks
//! against a target, the reference page (`cargo xtask reference`) and the proof on real servers
//! (`tests/tests/field_types`) read the table. Only a type in a module that some distribution
//! leaves out also has a line in `tests/tests/field_types/homes.rs`.

mod availability;
mod legacy;

mod parameter;

mod field_type;
mod shared;

mod root;
mod table;

mod lookup;

mod counterpart;
mod reference;
mod value_check;

#[cfg(test)]
mod tests;

pub use availability::{Availability, Product, Since, Target, Unavailable, Version};
pub use field_type::{Counterpart, FieldType, Holds};
pub use legacy::{IGNORED_PARAMETERS, LEGACY_PARAMETERS, LEGACY_ROOT_PARAMETERS, LEGACY_TYPES, Legacy};
pub use lookup::{
    field_type, field_types, legacy_parameter, legacy_root_parameter, legacy_type, root_parameter,
    suggest_parameter, suggest_root_parameter, suggest_type,
};
pub use parameter::{LiveChange, Parameter, ValueKind};
pub use reference::reference;
pub use root::ROOT_PARAMETERS;
