//! `GeoJSON` as the servers read it: names in any case, further members ignored, and envelopes as
//! one more type.

use super::super::json::Json;
use super::super::numeric::cut;
use super::geometry::{Flaw, Geometry, Position, Read, unreadable};

/// Reads an object.
pub(super) fn read(members: &[(String, Json<'_>)]) -> Read<Geometry> {
    let get = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let kind = match get("type") {
        Some(Json::Text(kind)) => kind.to_ascii_lowercase(),
        Some(other) => return unreadable(format!("its `type` is {}", other.kind())),
        None => return unreadable("it has no `type`"),
    };
    if get("radius").is_some() && kind != "circle" {
        return unreadable("it has a `radius` and is not a circle");
    }
    match get("orientation") {
        Some(_) if !matches!(kind.as_str(), "polygon" | "multipolygon") => {
            return unreadable("it has an `orientation` and is not a polygon");
        }
        Some(Json::Text(string)) if is_orientation(string) => {}
        Some(other) => return unreadable(format!("`{other}` is not an orientation")),
        None => {}
    }
    if kind == "geometrycollection" {
        return collection(get("geometries"));
    }
    let Some(coordinates) = get("coordinates") else { return unreadable("it has no `coordinates`") };
    let node = Node::read(coordinates)?;
    match kind.as_str() {
        "point" => Ok(Geometry::Points(vec![node.position()?])),
        "multipoint" => Ok(Geometry::Points(some(node.positions()?)?)),
        "linestring" => Ok(Geometry::Lines(vec![node.positions()?])),
        "multilinestring" => Ok(Geometry::Lines(some(node.lines()?)?)),
        "polygon" => Ok(Geometry::Polygons(vec![some(node.lines()?)?])),
        "multipolygon" => Ok(Geometry::Polygons(some(node.polygons()?)?)),
        "envelope" | "bbox" => match node.positions()?.as_slice() {
            [first, second] => {
                Ok(Geometry::Envelope { west: first.x, east: second.x, top: first.y, bottom: second.y })
            }
            others => unreadable(format!("an envelope has two positions, not {}", others.len())),
        },
        "circle" if get("radius").is_none() => unreadable("a circle has a `radius`"),
        "circle" => Ok(Geometry::Circle),
        _ => unreadable(format!("`{}` is not a type of a shape", cut(&kind))),
    }
}

fn is_orientation(string: &str) -> bool {
    ["right", "counterclockwise", "ccw", "left", "clockwise", "cw"]
        .iter()
        .any(|known| string.eq_ignore_ascii_case(known))
}

fn some<T>(parts: Vec<T>) -> Read<Vec<T>> {
    if parts.is_empty() { unreadable("it has no coordinates") } else { Ok(parts) }
}

fn collection(geometries: Option<&Json<'_>>) -> Read<Geometry> {
    let one = |part: &Json<'_>| match part {
        Json::Object(members) => read(members),
        other => unreadable(format!("{} found in a collection of shapes", other.kind())),
    };
    match geometries {
        Some(Json::List(parts)) if !parts.is_empty() => {
            Ok(Geometry::Collection(parts.iter().map(one).collect::<Read<_>>()?))
        }
        Some(part @ Json::Object(_)) => Ok(Geometry::Collection(vec![one(part)?])),
        _ => unreadable("a collection has a list of `geometries`"),
    }
}

/// A position, or a list.
enum Node {
    At(Position),
    List(Vec<Node>),
}

impl Node {
    fn read(value: &Json<'_>) -> Read<Self> {
        let Json::List(items) = value else {
            return unreadable(format!("{} found where coordinates are expected", value.kind()));
        };
        if !matches!(items.first(), Some(Json::Number(_))) {
            return Ok(Self::List(items.iter().map(Self::read).collect::<Read<_>>()?));
        }
        let numbers: Vec<f64> = items
            .iter()
            .map(|item| match item {
                Json::Number(text) => Ok(text.parse().unwrap_or(f64::INFINITY)),
                other => unreadable(format!("a coordinate is {}", other.kind())),
            })
            .collect::<Read<_>>()?;
        match numbers.as_slice() {
            [x, y] => Ok(Self::At(Position { x: *x, y: *y, has_height: false })),
            [x, y, _] => Ok(Self::At(Position { x: *x, y: *y, has_height: true })),
            others => unreadable(format!("a position has two or three numbers, not {}", others.len())),
        }
    }

    fn position(self) -> Read<Position> {
        match self {
            Self::At(position) => Ok(position),
            Self::List(_) => unreadable("a list found where a position is expected"),
        }
    }

    fn list<T>(self, each: impl Fn(Self) -> Result<T, Flaw>) -> Read<Vec<T>> {
        match self {
            Self::List(items) => items.into_iter().map(each).collect(),
            Self::At(_) => unreadable("a position found where a list of them is expected"),
        }
    }

    fn positions(self) -> Read<Vec<Position>> {
        self.list(Self::position)
    }

    fn lines(self) -> Read<Vec<Vec<Position>>> {
        self.list(Self::positions)
    }

    fn polygons(self) -> Read<Vec<Vec<Vec<Position>>>> {
        self.list(Self::lines)
    }
}
