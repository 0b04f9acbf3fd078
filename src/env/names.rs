//! What an environment calls the numbers of its observation and its actions: two lines of its header.
//!
//! ```text
//! //! Observation: x, ẋ, tiles[0..49], rest[..]
//! //! Actions: left, right
//! ```

use super::{ActionSpace, Environment};

impl Environment {
    /// A name for every number of an observation: those of the line `//! Observation: …` of its header where it has as many
    /// as there are numbers, else `0`, `1`, ….
    pub fn observation_names(&self) -> Vec<String> {
        self.named("Observation", self.spec().observation_dim)
    }

    /// A name for every action of a single choice, and for every choice or real number of several: those of the line
    /// `//! Actions: …` of its header where it has as many, else `0`, `1`, ….
    pub fn action_names(&self) -> Vec<String> {
        let count = match &self.spec().action_space {
            ActionSpace::Discrete { count, .. } => *count,
            space => space.words(),
        };
        self.named("Actions", count)
    }

    fn named(&self, key: &str, count: u32) -> Vec<String> {
        let numbers = || (0..count).map(|i| i.to_string()).collect();
        list(&self.header(), key, count as usize).unwrap_or_else(numbers)
    }
}

/// The names behind `key:` at the beginning of a line of a header, the last such line with `count` of them. A list goes on in
/// the next line behind a comma, and ends with its last line, a full stop or a semicolon.
fn list(header: &str, key: &str, count: usize) -> Option<Vec<String>> {
    let lines: Vec<&str> = header.lines().map(str::trim).collect();
    (0..lines.len()).rev().find_map(|i| {
        let first = lines[i].strip_prefix(key)?.strip_prefix(':')?;
        list_of(first, &lines[i + 1..], count)
    })
}

/// The names of a list that begins so and may go on in these lines.
fn list_of(first: &str, more: &[&str], count: usize) -> Option<Vec<String>> {
    let (mut text, mut more) = (first.trim().to_owned(), more.iter());
    while text.ends_with(',') {
        text += more.next()?;
    }
    let text = text.split(';').next().unwrap_or_default();
    let text = text.split(". ").next().unwrap_or_default().trim_end_matches('.');
    let items: Vec<&str> = split(text);
    // what a range without ends has is its share of what is left
    let open = items.iter().filter(|item| item.ends_with("[..]")).count();
    let mut named: Vec<Vec<String>> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        named.push(names(item, place)?);
    }
    let left = count.checked_sub(named.iter().map(Vec::len).sum())?;
    if let Some(each) = left.checked_div(open) {
        for (names, item) in named.iter_mut().zip(&items).filter(|(names, _)| names.is_empty()) {
            let stem = item.strip_suffix("[..]")?.trim();
            names.extend((0..each).map(|i| format!("{stem}[{i}]")));
        }
    }
    let all = named.concat();
    (all.len() == count).then_some(all)
}

/// The pieces between commas that stand outside of brackets, what is in round ones (a unit, a remark) left out.
fn split(text: &str) -> Vec<&str> {
    let (mut pieces, mut depth, mut first) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                pieces.push(&text[first..at]);
                first = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[first..]);
    let bare = |piece: &'_ str| piece.find(" (").unwrap_or(piece.len());
    pieces.into_iter().map(|piece| piece[..bare(piece)].trim()).collect()
}

/// The names of one piece: itself, without the number of its place before it; those of a range; none yet where the range
/// has no ends.
fn names(piece: &str, place: usize) -> Option<Vec<String>> {
    let piece = match piece.split_once(' ') {
        Some((number, rest)) if number.parse() == Ok(place) => rest.trim(),
        _ => piece,
    };
    if piece.is_empty() {
        return None;
    }
    let Some((stem, range)) = piece.strip_suffix(']').and_then(|piece| piece.rsplit_once('[')) else {
        return Some(vec![piece.to_owned()]);
    };
    match range.split_once("..") {
        Some(("", "")) => Some(Vec::new()),
        Some((first, last)) => {
            let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if last < first || last - first >= super::contract::LARGEST_SPACE {
                return None;
            }
            Some((first..=last).map(|i| format!("{}[{i}]", stem.trim())).collect())
        }
        None => Some(vec![piece.to_owned()]),
    }
}

#[cfg(test)]
mod tests {
    use super::list;
    use crate::env::Environment;

    #[test]
    fn names_are_those_of_the_header_where_there_are_as_many() {
        let of = |text: &str, count| list(text, "Observation", count).map(|names| names.join("|"));
        for (text, count, names) in [
            ("A: b\nObservation: x, ẋ, θ, θ̇", 4, Some("x|ẋ|θ|θ̇")),
            ("Observation: height (m), speed (m/s, up), leg down.", 3, Some("height|speed|leg down")),
            ("  Observation: x; the rest is prose, of a kind", 1, Some("x")),
            ("Observation: x, y. More, of it", 2, Some("x|y")),
            ("Observation: x,\n  y,\n  z\nmore", 3, Some("x|y|z")),
            ("Observation: a, t[0..2], b[7..8]", 6, Some("a|t[0]|t[1]|t[2]|b[7]|b[8]")),
            ("Observation: row[..], column[..]", 4, Some("row[0]|row[1]|column[0]|column[1]")),
            ("Observation: goal.x, v[1]", 2, Some("goal.x|v[1]")),
            ("Observation: 0 left, 1 right", 2, Some("left|right")),
            ("Observation: row[..], column[..]", 5, None),
            ("Observation: x, y", 3, None),
            ("Observation: x,, y", 3, None),
            ("Observation: x,", 2, None),
            ("Observation: t[5..2]", 1, None),
            ("Observation: t[0..4294967295]", 1, None),
            ("Observation:", 1, None),
            ("Observations: x", 1, None),
            ("what an Observation: x", 1, None),
            ("Observation: a, b\nActions: c\nObservation: x, y", 2, Some("x|y")),
            ("Observation: x, y\nObservation: one-hot, as there", 2, Some("one-hot|as there")),
        ] {
            assert_eq!(of(text, count).as_deref(), names, "{text}");
        }
    }

    #[test]
    fn every_built_in_environment_names_its_numbers() {
        for name in Environment::names() {
            let env = Environment::load(name).expect(name);
            let numbered = |names: &[String]| names.iter().enumerate().all(|(i, name)| *name == i.to_string());
            let (observation, actions) = (env.observation_names(), env.action_names());
            assert_eq!(observation.len(), env.spec().observation_dim as usize, "{name}");
            assert!(!numbered(&observation), "{name}: its observation has no names");
            assert!(!numbered(&actions), "{name}: its actions have no names");
        }
        let mut env = Environment::load("DeepSea").expect("DeepSea");
        env.set("size", 3.0).expect("a size");
        assert_eq!(env.observation_names(), ["row[0]", "row[1]", "row[2]", "column[0]", "column[1]", "column[2]"]);
    }
}
