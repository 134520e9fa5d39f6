//! Points on the earth: objects, lists, strings, geohashes, WKT and `GeoJSON`.

use std::cell::Cell;

use super::finding::{Fault, Fit, malformed};
use super::json::Json;
use super::numeric::{cut, java_double};
use super::plan::{LeafPlan, truth};
use pillowtop_core::field_types::{Product, Target};

/// Whether one point fits. A list of numbers is a point, too.
pub(super) fn point(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    Rules::new(leaf, target).point(value)
}

/// The geohash of a point that fits, in twelve letters, as servers give it to multi-fields.
pub(super) fn geohash(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Option<String> {
    let string = match value {
        Json::Text(text) if is_geohash(text).is_ok() => Some(text),
        Json::Object(members) => members.iter().find_map(|(name, value)| match value {
            Json::Text(text) if name == "geohash" => Some(text),
            _ => None,
        }),
        _ => None,
    };
    if let Some(string) = string {
        return Some(format!("{:0<12}", string.get(..12).unwrap_or(string)));
    }
    let rules = Rules::new(leaf, target);
    let (Ok(()) | Err(Fault::Altered(_))) = rules.point(value) else { return None };
    let (latitude, longitude) = rules.at.get()?;
    let (mut south, mut north, mut west, mut east) = (-90.0, 90.0, -180.0, 180.0);
    let mut is_longitude = false;
    let letters = (0..12).map(|_| {
        let mut index = 0;
        for _ in 0..5 {
            is_longitude = !is_longitude;
            let (least, most, value) = if is_longitude {
                (&mut west, &mut east, longitude)
            } else {
                (&mut south, &mut north, latitude)
            };
            let middle: f64 = f64::midpoint(*least, *most);
            index *= 2;
            if value >= middle {
                index += 1;
                *least = middle;
            } else {
                *most = middle;
            }
        }
        char::from(LETTERS[index])
    });
    Some(letters.collect())
}

/// Whether a list is one point and not several.
pub(super) fn is_point(items: &[Json<'_>]) -> bool {
    matches!(items.first(), Some(Json::Number(_)))
}

struct Rules {
    ignore_z: bool,
    /// The major version of Elasticsearch.
    elastic: Option<u16>,
    /// Under `ignore_malformed` a point beyond the earth is moved onto it, instead of being left
    /// out.
    moves: bool,
    /// Latitude and longitude of the point that was read last.
    at: Cell<Option<(f64, f64)>>,
}

impl Rules {
    fn new(leaf: &LeafPlan, target: Target) -> Self {
        Self {
            ignore_z: leaf.mapping.get("ignore_z_value").and_then(truth).unwrap_or(true),
            elastic: (target.product == Product::Elasticsearch).then_some(target.version.major),
            moves: leaf.ignore_malformed,
            at: Cell::new(None),
        }
    }

    fn point(&self, value: &Json<'_>) -> Fit {
        match value {
            Json::Object(members) => self.object(members),
            Json::List(items) => self.list(items),
            Json::Text(text) => self.text(text),
            other => malformed(format!("{} is not a point", other.kind())),
        }
    }

    fn on_earth(&self, latitude: f64, longitude: f64) -> Fit {
        self.at.set(Some((latitude, longitude)));
        match on_earth(latitude, longitude) {
            Err(Fault::Malformed(reason)) if self.moves => {
                let (latitude, longitude) = moved(latitude, longitude);
                self.at.set(Some((latitude, longitude)));
                let point = format!("latitude {latitude}, longitude {longitude}");
                Err(Fault::Altered(format!("{reason}; `ignore_malformed` indexes another point, {point}")))
            }
            fit => fit,
        }
    }

    /// A point in WKT is never moved.
    fn wkt_on_earth(&self, latitude: f64, longitude: f64) -> Fit {
        self.at.set(Some((latitude, longitude)));
        on_earth(latitude, longitude)
    }

    fn is_newer_elastic(&self) -> bool {
        self.elastic.is_some_and(|major| major >= 8)
    }

    fn height(&self) -> Fit {
        if self.ignore_z { Ok(()) } else { malformed("it has a height, and `ignore_z_value` is false") }
    }

    fn object(&self, members: &[(String, Json<'_>)]) -> Fit {
        let get = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        for (name, _) in members {
            let is_known = match name.as_str() {
                "lat" | "lon" => true,
                "geohash" => !self.is_newer_elastic(),
                "type" | "coordinates" => self.elastic != Some(7),
                "z" => self.is_newer_elastic(),
                _ => false,
            };
            if !is_known {
                return malformed(format!(
                    "`{}` is not a member of a point such as {{\"lat\": 1.5, \"lon\": 2}}",
                    cut(name)
                ));
            }
        }
        if let Some(geohash) = get("geohash") {
            return match geohash {
                Json::Text(text) if members.len() == 1 => is_geohash(text),
                Json::Text(_) => malformed("it has a geohash and something else"),
                other => malformed(format!("`geohash` is {}", other.kind())),
            };
        }
        if get("type").is_some() || get("coordinates").is_some() {
            return self.geojson(get("type"), get("coordinates"), members.len());
        }
        if let Some(z) = get("z") {
            coordinate("z", Some(z))?;
            self.height()?;
        }
        self.on_earth(coordinate("lat", get("lat"))?, coordinate("lon", get("lon"))?)
    }

    fn geojson(&self, kind: Option<&Json<'_>>, coordinates: Option<&Json<'_>>, members: usize) -> Fit {
        let (Some(Json::Text(kind)), Some(Json::List(items)), 2) = (kind, coordinates, members) else {
            return malformed("a GeoJSON point has a `type` and a list of `coordinates`, and no more");
        };
        if !kind.eq_ignore_ascii_case("point") {
            return malformed(format!("`{}` is not a point", cut(kind)));
        }
        // Elasticsearch 7 leaves them out.
        let moves = self.moves && self.elastic != Some(7);
        let rules = Self { moves, at: Cell::new(None), ..*self };
        let takes_texts = self.is_newer_elastic();
        if !takes_texts && items.iter().any(|item| !matches!(item, Json::Number(_))) {
            return malformed("its coordinates are not numbers");
        }
        let fit = rules.list(items);
        self.at.set(rules.at.get());
        fit
    }

    /// Longitude, latitude and perhaps a height; `"lat,lon"` is the other way round.
    fn list(&self, items: &[Json<'_>]) -> Fit {
        match items {
            [longitude, latitude] => {
                self.on_earth(coordinate("lat", Some(latitude))?, coordinate("lon", Some(longitude))?)
            }
            [longitude, latitude, height] => {
                coordinate("z", Some(height))?;
                self.height()?;
                self.on_earth(coordinate("lat", Some(latitude))?, coordinate("lon", Some(longitude))?)
            }
            _ => malformed(format!("a point has two or three numbers, not {}", items.len())),
        }
    }

    fn text(&self, text: &str) -> Fit {
        if text.to_ascii_lowercase().contains("point") {
            return self.wkt(text);
        }
        if !text.contains(',') {
            return is_geohash(text);
        }
        let parts: Vec<&str> = text.split(',').collect();
        match parts.as_slice() {
            [latitude, longitude] => self.on_earth(java_double(latitude)?, java_double(longitude)?),
            [latitude, longitude, height] => {
                java_double(height)?;
                self.height()?;
                self.on_earth(java_double(latitude)?, java_double(longitude)?)
            }
            _ => malformed(format!("`{}` is not a point such as `12.5,-3`", cut(text))),
        }
    }

    fn wkt(&self, text: &str) -> Fit {
        let none =
            || Fault::Malformed(format!("`{}` is not a point in WKT such as `POINT (2 1.5)`", cut(text)));
        let rest = text.trim_start().get(..5).filter(|word| word.eq_ignore_ascii_case("point"));
        let rest = rest.map(|word| text.trim_start()[word.len()..].trim()).ok_or_else(none)?;
        if rest.eq_ignore_ascii_case("empty") {
            return Ok(());
        }
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(none)?;
        let numbers: Option<Vec<f64>> =
            inner.split_whitespace().map(|number| number.parse::<f64>().ok()).collect();
        match numbers.as_deref() {
            Some([longitude, latitude]) => self.wkt_on_earth(*latitude, *longitude),
            Some([longitude, latitude, _]) => {
                self.height()?;
                self.wkt_on_earth(*latitude, *longitude)
            }
            _ => Err(none()),
        }
    }
}

/// The letters of a geohash.
const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

fn is_geohash(text: &str) -> Fit {
    let fits = !text.is_empty() && text.bytes().take(12).all(|byte| LETTERS.contains(&byte));
    if fits { Ok(()) } else { malformed(format!("`{}` is neither a point nor a geohash", cut(text))) }
}

fn coordinate(name: &str, value: Option<&Json<'_>>) -> Result<f64, Fault> {
    match value {
        None => malformed(format!("it has no `{name}`")),
        Some(Json::Number(text)) => Ok(text.parse().unwrap_or(f64::INFINITY)),
        Some(Json::Text(text)) => java_double(text),
        Some(other) => malformed(format!("`{name}` is {}", other.kind())),
    }
}

/// Where the servers put a point that lies beyond the earth: over the pole, and around.
fn moved(latitude: f64, longitude: f64) -> (f64, f64) {
    let (mut up, mut round) = (latitude, longitude);
    if !(-90.0..=90.0).contains(&up) {
        up = wrapped(up);
        let is_beyond = !(-90.0..=90.0).contains(&up);
        if is_beyond {
            up = if up > 0.0 { 180.0 - up } else { -180.0 - up };
            round += 180.0;
        }
    }
    if !(-180.0..=180.0).contains(&round) {
        round = wrapped(round);
    }
    let shown = |degrees: f64| (degrees * 1e6).round() / 1e6;
    (shown(up), shown(round))
}

/// Degrees from -180 to 180.
fn wrapped(degrees: f64) -> f64 {
    let rest = degrees.rem_euclid(360.0);
    if rest > 180.0 { rest - 360.0 } else { rest }
}

fn on_earth(latitude: f64, longitude: f64) -> Fit {
    if !(-90.0..=90.0).contains(&latitude) {
        return malformed(format!("the latitude {latitude} is not between -90 and 90"));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return malformed(format!("the longitude {longitude} is not between -180 and 180"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::moved;
    use crate::{Conformance, Effect};
    use pillowtop_core::field_types::Target;

    /// As Elasticsearch 7.10 to 9.4 and `OpenSearch` 2.19 and 3.6 indexed them.
    #[test]
    fn points_beyond_the_earth_are_moved_onto_it() {
        for ((latitude, longitude), expected) in [
            ((91.0, 2.0), (89.0, -178.0)),
            ((-91.0, 2.0), (-89.0, -178.0)),
            ((1.0, 181.0), (1.0, -179.0)),
            ((1.0, 541.0), (1.0, -179.0)),
            ((450.0, 2.0), (90.0, 2.0)),
            ((91.0, 200.0), (89.0, 20.0)),
            ((-100.0, 5.0), (-80.0, -175.0)),
        ] {
            assert_eq!(moved(latitude, longitude), expected, "{latitude},{longitude}");
        }
    }

    #[test]
    fn ignore_malformed_leaves_no_point_out_that_lies_beyond_the_earth() {
        let conformance = Conformance::new(
            &json!({"properties": {"f": {"type": "geo_point", "ignore_malformed": true}}}),
            &json!({}),
        );
        let effect = |value: &Value, target| {
            conformance
                .check("1", &json!({"f": value}).to_string(), target)
                .findings
                .first()
                .map(|found| found.effect)
        };
        let (old, new, open) =
            (Target::elasticsearch(7, 10), Target::elasticsearch(8, 14), Target::opensearch(3, 6));
        for value in [json!({"lat": 91, "lon": 2}), json!([2, 91]), json!("91,2")] {
            for target in [old, new, open] {
                assert_eq!(effect(&value, target), Some(Effect::Altered), "{value} {target}");
            }
        }
        assert_eq!(effect(&json!("POINT(2 91)"), new), Some(Effect::Malformed));
        let geojson = json!({"type": "Point", "coordinates": [2, 91]});
        assert_eq!(
            (effect(&geojson, old), effect(&geojson, open)),
            (Some(Effect::Malformed), Some(Effect::Altered))
        );
        // A torn point is refused since 7.17.
        for value in [json!([36.8, null]), json!([1, "a"]), json!([1])] {
            assert_eq!(effect(&value, old), Some(Effect::Malformed), "{value}");
            assert_eq!(effect(&value, new), Some(Effect::Rejected), "{value}");
            assert_eq!(effect(&value, open), Some(Effect::Malformed), "{value}");
        }
        assert_eq!(effect(&json!([[36.8, null]]), new), Some(Effect::Malformed));
    }
}
