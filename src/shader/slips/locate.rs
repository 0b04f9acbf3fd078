//! Where in a text a slip is of which naga does not say the place.

use super::super::expand::comment_end;
use std::cmp::Ordering;
use std::ops::Range;

/// Words and signs of a text and where they stand, comments and blanks left out.
pub(super) fn tokens(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut at) = (Vec::new(), 0);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some(length) = comment_end(rest) {
            at += length;
            continue;
        }
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        if !first.is_whitespace() {
            found.push((at, &rest[..end]));
        }
        at += end;
    }
    found
}

/// The words before a place, the nearest first.
pub(super) fn before(text: &str, at: usize) -> impl Iterator<Item = (usize, &str)> {
    tokens(&text[..at]).into_iter().rev()
}

/// The statement of `own` (an author's part of the text) with which naga begins to say `message`: functions are emptied, and
/// the one that is to blame is cut off earlier and earlier. `fails` says whether a text has that error.
pub(super) fn statement(text: &str, own: Range<usize>, fails: &dyn Fn(&str) -> bool) -> Option<Range<usize>> {
    let bodies = bodies(text, own);
    // the functions up to one, of that the beginning, braces closed; all others empty
    let emptied = |last: usize, end: usize, depth: usize| {
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (i, body) in bodies.iter().enumerate() {
            out += &text[at..body.start];
            match i.cmp(&last) {
                Ordering::Less => out += &text[body.clone()],
                Ordering::Equal => {
                    out += &text[body.start..end];
                    out += &"}".repeat(depth);
                }
                Ordering::Greater => {}
            }
            at = body.end;
        }
        out + &text[at..]
    };
    // few texts are tried, however many functions there are
    let all: Vec<usize> = (0..bodies.len()).collect();
    let guilty = all.partition_point(|&i| !fails(&emptied(i, bodies[i].end, 0)));
    let body = bodies.get(guilty)?.clone();
    // places behind statements, and behind the opening braces of blocks
    let (mut cuts, mut depth, mut round) = (vec![(body.start, 0)], 0_usize, 0_usize);
    for (at, token) in tokens(&text[body.clone()]) {
        match token {
            "(" | "[" => round += 1,
            ")" | "]" => round = round.saturating_sub(1),
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if round == 0 && matches!(token, ";" | "{" | "}") {
            cuts.push((body.start + at + token.len(), depth));
        }
    }
    let first = cuts.partition_point(|&(end, depth)| !fails(&emptied(guilty, end, depth)));
    let (end, _) = *cuts.get(first)?;
    let begin = cuts[first.checked_sub(1)?].0;
    let statement = &text[begin..end];
    let blank = tokens(statement).first().map_or(0, |(at, _)| *at);
    let length = statement[blank..].trim_end_matches(['{', ';']).trim_end().len();
    Some(begin + blank..begin + blank + length)
}

/// What stands between the braces of every function in a piece of the text.
fn bodies(text: &str, own: Range<usize>) -> Vec<Range<usize>> {
    let (mut found, mut depth, mut function, mut begin) = (Vec::new(), 0_i32, false, 0);
    for (at, token) in tokens(&text[own.clone()]) {
        match token {
            "fn" if depth == 0 => function = true,
            "{" => {
                depth += 1;
                if depth == 1 {
                    begin = own.start + at + 1;
                }
            }
            "}" => {
                depth -= 1;
                if depth == 0 && function {
                    found.push(begin..own.start + at);
                    function = false;
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn the_statement_to_blame_is_found() {
        let text = "fn a() { ok; }\nfn b() -> f32 { one; if two { three; /* bad; */ let x = bad(4; 5); } six; }\nfn c() { seven; }";
        let fails = |text: &str| text.contains("let x = bad");
        let found = statement(text, 0..text.len(), &fails).expect("a place");
        assert_eq!(&text[found], "let x = bad(4; 5)");
        let found = statement(text, 0..text.len(), &|text: &str| text.contains("if two")).expect("a place");
        assert_eq!(&text[found], "if two");
        assert!(statement(text, 0..text.len(), &|_| false).is_none());
        assert!(statement(text, 0..16, &fails).is_none());
    }
}
