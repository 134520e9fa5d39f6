//! How far names are from each other, for suggestions: in const evaluation and at run time.

/// Names of more bytes are compared byte by byte, and only with names as long.
const LONGEST: usize = 64;

/// How many bytes are to be inserted, removed, replaced or swapped with their neighbours to turn
/// one name into the other.
#[must_use]
pub const fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() >= LONGEST || right.len() >= LONGEST {
        return differences(left, right);
    }
    let (mut before, mut above) = ([0; LONGEST], [0; LONGEST]);
    let mut column = 0;
    while column <= right.len() {
        above[column] = column;
        column += 1;
    }
    let mut row = 1;
    while row <= left.len() {
        let mut current = [0; LONGEST];
        current[0] = row;
        let mut column = 1;
        while column <= right.len() {
            let replaced = above[column - 1] + (left[row - 1] != right[column - 1]) as usize;
            let moved = lesser(above[column], current[column - 1]) + 1;
            current[column] = lesser(replaced, moved);
            let is_swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if is_swapped {
                current[column] = lesser(current[column], before[column - 2] + 1);
            }
            column += 1;
        }
        (before, above) = (above, current);
        row += 1;
    }
    above[right.len()]
}

const fn differences(left: &[u8], right: &[u8]) -> usize {
    if left.len() != right.len() {
        return usize::MAX;
    }
    let (mut position, mut count) = (0, 0);
    while position < left.len() {
        count += (left[position] != right[position]) as usize;
        position += 1;
    }
    count
}

const fn lesser(left: usize, right: usize) -> usize {
    if left < right { left } else { right }
}

/// The distance up to which a name may be meant: one edit in three characters is as much as a slip
/// explains.
#[must_use]
pub const fn allowed(name: &str) -> usize {
    match name.len() / 3 {
        0 => 1,
        most @ 1..=4 => most,
        _ => 4,
    }
}

/// The nearest of several names, if one is near enough to be meant. The first of two that are as
/// near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    let nearest = near.min_by_key(|(distance, _)| *distance);
    nearest.filter(|(distance, _)| *distance <= allowed(name)).map(|(_, candidate)| candidate)
}

/// [`nearest`] in const evaluation.
#[must_use]
pub const fn nearest_of<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let (mut best, mut found) = (allowed(name) + 1, None);
    let mut position = 0;
    while position < candidates.len() {
        let distance = distance(name, candidates[position]);
        if distance < best {
            (best, found) = (distance, Some(candidates[position]));
        }
        position += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_letters() {
        assert_eq!(distance("comma", "coma"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("type", "tpye"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        let long = "x".repeat(70);
        assert_eq!(distance(&long, &long), 0);
    }

    #[test]
    fn only_near_names_are_meant() {
        let names = ["exact", "comma"];
        for (name, meant) in [("coma", Some("comma")), ("exatc", Some("exact")), ("xyz", None)] {
            assert_eq!(nearest(name, names), meant, "{name}");
            assert_eq!(nearest_of(name, &names), meant, "{name}");
        }
    }
}
