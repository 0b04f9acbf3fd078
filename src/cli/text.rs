//! Numbers and columns for people.

/// Digits of a number that people read.
const DIGITS: i32 = 6;

/// A number in at most six significant digits.
pub fn number(number: f64) -> String {
    if !number.is_finite() || number == 0.0 {
        return format!("{}", number + 0.0);
    }
    let size = number.abs();
    // whole numbers as they are
    if number.fract() == 0.0 && size < 1e12 {
        return format!("{number}");
    }
    if !(1e-4..1e9).contains(&size) {
        let text = format!("{number:.*e}", DIGITS as usize - 1);
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        return format!("{digits}e{power}");
    }
    let decimals = (DIGITS - 1 - size.log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Columns of a terminal that a text takes: accents that stand above a letter take none.
pub fn width(text: &str) -> usize {
    text.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

/// A text with blanks behind it, up to a width.
pub fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Pieces as lines of at most so many columns, the pieces being joined by `, `.
pub fn wrapped(pieces: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut().filter(|line| width(line) + 2 + width(piece) <= columns) {
            Some(line) => *line += &format!(", {piece}"),
            None => {
                if let Some(line) = lines.last_mut() {
                    line.push(',');
                }
                lines.push(piece.clone());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{number, padded, width, wrapped};

    #[test]
    fn numbers_have_six_digits_at_most() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-0.012_345_678_9, "-0.0123457"),
            (123_456.789, "123457"),
            (0.1, "0.1"),
            (1234.5, "1234.5"),
            (1_234_567.0, "1234567"),
            (1e12, "1e12"),
            (1_073_741_823.0, "1073741823"),
            (1.234_567_89e-7, "1.23457e-7"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        assert_eq!(width("θ̇"), 1);
        assert_eq!(padded("θ̇", 3), "θ̇  ");
        let pieces = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(wrapped(&pieces, 8), ["one, two,", "three"]);
    }
}
