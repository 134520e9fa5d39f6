//! A geometry, and whether the index can hold it.

/// Why a shape is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It cannot be read.
    Unreadable(String),
    /// It can be read, and the index cannot hold it.
    Invalid(String),
    /// It depends on the server's arithmetic.
    Unsure(String),
}

/// A result of reading or checking.
pub(super) type Read<T> = Result<T, Flaw>;

/// What cannot be read.
pub(super) fn unreadable<T>(reason: impl Into<String>) -> Read<T> {
    Err(Flaw::Unreadable(reason.into()))
}

fn invalid<T>(reason: impl Into<String>) -> Read<T> {
    Err(Flaw::Invalid(reason.into()))
}

fn unsure<T>(reason: impl Into<String>) -> Read<T> {
    Err(Flaw::Unsure(reason.into()))
}

/// A position; heights are not indexed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) has_height: bool,
}

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Geometry {
    /// Of any type, without a position.
    Empty {
        is_point: bool,
    },
    Points(Vec<Position>),
    Lines(Vec<Vec<Position>>),
    /// Rings, the outer one first.
    Polygons(Vec<Vec<Vec<Position>>>),
    Collection(Vec<Geometry>),
    Envelope {
        west: f64,
        east: f64,
        top: f64,
        bottom: f64,
    },
    Circle,
}

/// What a field asks.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter or a server")]
pub(super) struct Rules {
    /// Rings that are not closed are closed.
    pub(super) closes_rings: bool,
    /// Positions are longitudes and latitudes.
    pub(super) is_on_earth: bool,
    /// It was compared with a real server.
    pub(super) is_known: bool,
    pub(super) ignores_height: bool,
    /// It is indexed as a prefix tree, as servers did it first.
    pub(super) is_prefix_tree: bool,
    /// Anything but points is refused.
    pub(super) points_only: bool,
}

impl Rules {
    pub(super) fn check(self, geometry: &Geometry) -> Read<()> {
        match geometry {
            Geometry::Lines(_) | Geometry::Polygons(_) | Geometry::Envelope { .. } | Geometry::Circle
                if self.points_only =>
            {
                unreadable("the field is for points only")
            }
            Geometry::Empty { is_point: true } => Ok(()),
            Geometry::Empty { .. } => invalid("an empty shape other than `POINT EMPTY` has nothing to index"),
            Geometry::Points(points) => self.positions(points),
            Geometry::Lines(lines) => lines.iter().try_for_each(|line| self.line(line)),
            Geometry::Polygons(polygons) => polygons.iter().try_for_each(|rings| self.polygon(rings)),
            Geometry::Collection(parts) => parts.iter().try_for_each(|part| match part {
                Geometry::Empty { .. } => unsure("empty shapes in a collection are not checked"),
                part => self.check(part),
            }),
            Geometry::Envelope { west, east, top, bottom } => self.envelope([*west, *east, *top, *bottom]),
            Geometry::Circle if self.is_prefix_tree => unsure("circles in prefix trees are not checked"),
            Geometry::Circle => invalid("the index holds no circles"),
        }
    }

    fn positions(self, positions: &[Position]) -> Read<()> {
        let first_has_height = positions.first().is_some_and(|first| first.has_height);
        for position in positions {
            if position.has_height != first_has_height {
                return unreadable("some of its positions have a height, and some have none");
            }
            if position.has_height && !self.ignores_height {
                return unreadable("it has a height, and `ignore_z_value` is false");
            }
            if !position.x.is_finite() || !position.y.is_finite() {
                return invalid("a coordinate is not a finite number");
            }
        }
        Ok(())
    }

    fn line(self, line: &[Position]) -> Read<()> {
        if line.len() < 2 {
            return unreadable("a line has two positions at least");
        }
        self.positions(line)
    }

    fn envelope(self, [west, east, top, bottom]: [f64; 4]) -> Read<()> {
        let are_finite = [west, east, top, bottom].iter().all(|value| value.is_finite());
        if !are_finite || top < bottom {
            return unreadable("the top of the envelope lies below its bottom");
        }
        let is_on = |value: f64, most: f64| (-most..=most).contains(&value);
        if self.is_on_earth
            && !(is_on(west, 180.0) && is_on(east, 180.0) && is_on(top, 90.0) && is_on(bottom, 90.0))
        {
            return unreadable("the envelope goes beyond longitudes of 180 or latitudes of 90");
        }
        match (same(west, east), same(top, bottom)) {
            (true, true) => invalid("the envelope has no area"),
            (true, false) | (false, true) => unsure("envelopes without area are not checked"),
            _ => Ok(()),
        }
    }

    fn polygon(self, rings: &[Vec<Position>]) -> Read<()> {
        let all: Vec<Position> = rings.iter().flatten().copied().collect();
        self.positions(&all)?;
        let rings: Vec<Vec<Position>> = rings.iter().map(|ring| self.ring(ring)).collect::<Read<_>>()?;
        if self.is_on_earth && all.iter().any(|at| at.x.abs() > 180.0 || at.y.abs() > 90.0) {
            return unsure("polygons beyond longitudes of 180 or latitudes of 90 are not checked");
        }
        let Some((outer, holes)) = rings.split_first() else { return unreadable("a polygon has a ring") };
        let (west, east) =
            outer.iter().fold((f64::MAX, f64::MIN), |(west, east), at| (west.min(at.x), east.max(at.x)));
        if self.is_on_earth && east - west > 180.0 && !holes.is_empty() {
            return unsure("holes of polygons across the date line are not checked");
        }
        if rings.iter().any(|ring| crosses_itself(ring)) {
            return unsure("polygons whose edges cross or touch are not checked");
        }
        for (position, hole) in holes.iter().enumerate() {
            if cross(outer, hole)
                || holes[..position].iter().any(|other| cross(other, hole) || within(other, hole))
            {
                return unsure("holes that touch another ring are not checked");
            }
            if !within(outer, hole) {
                return invalid("a hole does not lie within its polygon");
            }
        }
        Ok(())
    }

    /// The ring, closed.
    fn ring(self, ring: &[Position]) -> Read<Vec<Position>> {
        let mut ring = ring.to_vec();
        let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else {
            return unreadable("a ring has positions");
        };
        if !same(first.x, last.x) || !same(first.y, last.y) {
            if !self.closes_rings {
                return unreadable("a ring ends where it starts, and this one does not");
            }
            ring.push(first);
        }
        if ring.len() < 4 {
            return unreadable("a ring has four positions at least, the first again as the last");
        }
        if ring.windows(2).any(|pair| same(pair[0].x, pair[1].x) && same(pair[0].y, pair[1].y)) {
            return invalid("two consecutive positions are equal");
        }
        if area(&ring).abs() == 0.0 {
            return invalid("a ring has no area");
        }
        Ok(ring)
    }
}

#[expect(clippy::float_cmp, reason = "the servers compare exactly")]
fn same(one: f64, other: f64) -> bool {
    one == other
}

/// Twice the area, by its direction.
fn area(ring: &[Position]) -> f64 {
    ring.windows(2).map(|pair| pair[0].x * pair[1].y - pair[1].x * pair[0].y).sum()
}

fn turn(from: Position, to: Position, third: Position) -> f64 {
    (to.x - from.x) * (third.y - from.y) - (to.y - from.y) * (third.x - from.x)
}

/// Whether two edges have a point in common.
fn meet(one: &[Position], other: &[Position]) -> bool {
    let ([a, b], [c, d]) = ([one[0], one[1]], [other[0], other[1]]);
    let between = |low: f64, high: f64, value: f64| (low.min(high)..=low.max(high)).contains(&value);
    let on = |from: Position, to: Position, third: Position| {
        turn(from, to, third) == 0.0 && between(from.x, to.x, third.x) && between(from.y, to.y, third.y)
    };
    let parts = |from: Position, to: Position, one: Position, other: Position| {
        turn(from, to, one) * turn(from, to, other) < 0.0
    };
    (parts(a, b, c, d) && parts(c, d, a, b)) || on(a, b, c) || on(a, b, d) || on(c, d, a) || on(c, d, b)
}

fn crosses_itself(ring: &[Position]) -> bool {
    let edges: Vec<&[Position]> = ring.windows(2).collect();
    let count = edges.len();
    (0..count).any(|first| {
        (first + 1..count).any(|second| {
            let are_neighbours = second == first + 1 || (first == 0 && second == count - 1);
            if !are_neighbours {
                return meet(edges[first], edges[second]);
            }
            // Neighbours share one end; that one lies on the other is a spike.
            let (before, after) = if second == first + 1 { (first, second) } else { (second, first) };
            let (start, corner, end) = (edges[before][0], edges[before][1], edges[after][1]);
            let ahead = (corner.x - start.x) * (end.x - corner.x) + (corner.y - start.y) * (end.y - corner.y);
            turn(start, corner, end) == 0.0 && ahead < 0.0
        })
    })
}

fn cross(one: &[Position], other: &[Position]) -> bool {
    one.windows(2).any(|edge| other.windows(2).any(|against| meet(edge, against)))
}

/// Whether a ring whose edges meet no edge of another lies within it.
fn within(outer: &[Position], inner: &[Position]) -> bool {
    let Some(at) = inner.first() else { return false };
    let crossings = outer.windows(2).filter(|edge| {
        let (from, to) = (edge[0], edge[1]);
        (from.y > at.y) != (to.y > at.y)
            && at.x < (to.x - from.x) * (at.y - from.y) / (to.y - from.y) + from.x
    });
    crossings.count() % 2 == 1
}
