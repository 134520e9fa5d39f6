//! What a product or a version has of a field type, by its own name or by that of its counterpart.

use super::availability::{Availability, Product, Target, Unavailable};
use super::field_type::{Counterpart, FieldType};
use super::lookup;

impl FieldType {
    /// The name to send to a product: its own, or its counterpart's where that is the same under
    /// another name. `None` when that product has neither, in any version.
    pub fn name_in(&self, product: Product) -> Option<&'static str> {
        if self.availability.of(product).is_some() {
            return Some(self.name);
        }
        self.renamed().filter(|other| other.availability.of(product).is_some()).map(|other| other.name)
    }

    /// Whether the target has this type, by this name or as its renamed counterpart.
    pub fn is_available(&self, target: Target) -> Result<(), Unavailable> {
        let renamed = self.renamed();
        if self.availability.includes(target)
            || renamed.is_some_and(|other| other.availability.includes(target))
        {
            return Ok(());
        }
        Err(Unavailable {
            subject: format!("`{}`", self.name),
            availability: self.availability,
            hint: self.hint(),
        })
    }

    /// Whether the target's version of this type, by whatever name, takes the parameter.
    ///
    /// A parameter that this type does not have anywhere is reported as available nowhere.
    pub fn parameter_is_available(&self, name: &str, target: Target) -> Result<(), Unavailable> {
        let there = match self.renamed() {
            Some(other) if self.availability.of(target.product).is_none() => other,
            _ => self,
        };
        match there.parameter(name).or_else(|| self.parameter(name)) {
            Some(parameter) if there.parameter(name).is_some() => parameter.is_available(there.name, target),
            found => Err(Unavailable {
                subject: format!("`{name}` of `{}`", self.name),
                availability: found.map_or(Availability::NOWHERE, |parameter| {
                    let mut availability = parameter.availability;
                    match target.product {
                        Product::Elasticsearch => availability.elasticsearch = None,
                        Product::OpenSearch => availability.opensearch = None,
                    }
                    availability
                }),
                hint: String::new(),
            }),
        }
    }

    fn renamed(&self) -> Option<&'static FieldType> {
        match self.counterpart {
            Some(Counterpart::Renamed(name)) => lookup::field_type(name),
            _ => None,
        }
    }

    fn hint(&self) -> String {
        let Some(counterpart) = self.counterpart else {
            return String::new();
        };
        let name = counterpart.name();
        let versions = lookup::field_type(name).map_or(Availability::NOWHERE, |other| other.availability);
        match counterpart {
            Counterpart::Renamed(_) => format!(" or {versions} (there named `{name}`)"),
            Counterpart::Similar(_) => format!("; for the same purpose {versions} has `{name}`"),
        }
    }
}
