//! Whether a date format can be one at all: servers refuse a mapping whose pattern Java does not
//! compile.

use super::format::{is_named, snake_case};

/// What is wrong with the formats of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatProblem {
    /// The format, of several joined by `||`.
    pub format: String,
    /// Why it is not one, as a clause.
    pub reason: String,
    /// The same name in snake case: the servers before Elasticsearch 8 accept both.
    pub snake_case: Option<String>,
}

/// The first of the formats joined by `||` that is none; `None` if each is a name or a pattern.
#[must_use]
pub fn format_problem(formats: &str) -> Option<FormatProblem> {
    let problem = |format: &str, reason: String| {
        Some(FormatProblem { format: format.to_owned(), reason, snake_case: None })
    };
    if formats.trim().is_empty() {
        return problem(formats, "it is empty".to_owned());
    }
    for format in formats.split("||").map(str::trim) {
        if format.is_empty() {
            return problem(formats, "one of its formats is empty".to_owned());
        }
        if is_named(format) {
            continue;
        }
        if let Some(snake_case) = snake_case(format) {
            let reason = "it is a name in camel case".to_owned();
            return Some(FormatProblem { format: format.to_owned(), reason, snake_case: Some(snake_case) });
        }
        if let Err(reason) = check_pattern(format) {
            return problem(format, reason);
        }
    }
    None
}

/// The first pattern that has a week year beside a month or a day: around the new year it names
/// another year.
#[must_use]
pub fn mistaken_week_year(formats: &str) -> Option<&str> {
    formats.split("||").map(str::trim).filter(|format| !is_named(format)).find(|format| {
        let letters: String = format.split('\'').step_by(2).collect();
        letters.contains('Y') && !letters.contains('w') && letters.contains(['M', 'L', 'd', 'D'])
    })
}

/// The rules of Java's `DateTimeFormatterBuilder.appendPattern`.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let letters: Vec<char> = pattern.strip_prefix('8').unwrap_or(pattern).chars().collect();
    let (mut at, mut open) = (0, 0_usize);
    while let Some(&letter) = letters.get(at) {
        let run = |at: usize| {
            letters[at..]
                .iter()
                .take_while(|other| letters.get(at).is_some_and(|first| first == *other))
                .count()
        };
        match letter {
            'p' => {
                // A pad width, which the letter after it is padded to.
                at += run(at);
                if !letters.get(at).is_some_and(char::is_ascii_alphabetic) {
                    return Err("`p` pads the letter after it, and there is none".to_owned());
                }
                continue;
            }
            letter if letter.is_ascii_alphabetic() => {
                let count = run(at);
                check_letter(letter, count)?;
                at += count;
                continue;
            }
            '\'' => {
                let end = letters[at + 1..].iter().position(|other| *other == '\'');
                at += 1 + end.ok_or("its quotation mark `'` is not closed")?;
            }
            '[' => open += 1,
            ']' => open = open.checked_sub(1).ok_or("`]` without a `[` before it")?,
            '{' | '}' | '#' => return Err(format!("`{letter}` is reserved; write `'{letter}'`")),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

fn check_letter(letter: char, count: usize) -> Result<(), String> {
    let allowed = match letter {
        'y' | 'u' | 'Y' | 'g' | 'A' | 'n' | 'N' => (1..=19).contains(&count),
        'M' | 'L' | 'Q' | 'q' | 'E' | 'e' | 'G' | 'Z' | 'X' | 'x' => count <= 5,
        'c' => [1, 3, 4, 5].contains(&count),
        'a' | 'F' | 'W' => count == 1,
        'S' => count <= 9,
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'w' => count <= 2,
        'D' => count <= 3,
        'z' => count <= 4,
        'V' => count == 2,
        'v' | 'O' => [1, 4].contains(&count),
        'B' => [1, 4, 5].contains(&count),
        _ => {
            return Err(format!(
                "`{letter}` is not a letter of patterns; write `'{letter}'` for the letter itself"
            ));
        }
    };
    let run = || letter.to_string().repeat(count.min(20));
    if allowed { Ok(()) } else { Err(format!("`{}` has a wrong number of letters", run())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Elasticsearch 7.10, 7.17, 8.14 and 9.4 and `OpenSearch` 3.6 have it, each pattern asked.
    #[test]
    fn patterns_are_refused_as_servers_refuse_them() {
        for refused in [
            "yyyy-MM-ddThh:mm:ss",
            "yyyy-MM-dd||bogus",
            "",
            "||",
            "yyyy||",
            "yyyy-MM-dd'T",
            "iii",
            "rfc1123",
            "yyyy-MM-dd HH:mm:ss.SSSSSSSSSS",
            "yyyyyyyyyyyyyyyyyyyyMM",
            "yyyy-MM-dd{",
            "yyyy-MM-dd#",
            "yyyy]",
            "pppp",
            "GGGGGG",
            "MMMMMM",
            "ddd",
            "DDDD",
            "HHH",
            "mmm",
            "BB",
            "V",
            "VVV",
            "zzzzz",
            "OO",
            "XXXXXX",
            "ZZZZZZ",
            "aa",
            "EEEEEE",
            "cc",
            "WW",
            "www",
            "j",
            "l",
            "I",
            "KKK",
            "strict_yyyy",
            "date_time_no_milis",
            "Date",
            "T",
            "b",
            "f",
        ] {
            let problem = format_problem(refused);
            assert!(
                problem.as_ref().is_some_and(|problem| problem.snake_case.is_none()),
                "{refused}: {problem:?}"
            );
        }
        for accepted in [
            "YYYY-MM-dd",
            "8yyyy",
            "strict_date",
            "epoch_second",
            "iso8601",
            "[yyyy",
            "pyyyy",
            "GGGG",
            "MMMMM",
            "SSSSSSSSS",
            "A",
            "AAAA",
            "n",
            "N",
            "B",
            "VV",
            "z",
            "zzzz",
            "O",
            "OOOO",
            "XXXXX",
            "ZZZZZ",
            "EEEEE",
            "eeeee",
            "ccc",
            "qqqqq",
            "F",
            "uuuuuuuuuuuuuuuuuuu",
            "ww",
            "YYYYYYYYY",
            "g",
            "''",
            "'a'",
            "yyyy-MM-dd|| epoch_millis",
            "yyyy ||yyyy",
            "KK",
            "kk",
            "LLLL",
            "week_date",
            "strict_weekyear",
            "yyyy-MM-dd'T'HH:mm:ss",
            "yyyy-MM-dd'o''clock'",
        ] {
            assert_eq!(format_problem(accepted), None, "{accepted}");
        }
    }

    #[test]
    fn names_in_camel_case_are_known_by_their_other_name() {
        for (camel, snake) in [
            ("strictDate", "strict_date"),
            ("dateOptionalTime", "date_optional_time"),
            ("basicTTime", "basic_t_time"),
            ("epochMillis", "epoch_millis"),
        ] {
            let problem = format_problem(camel).unwrap();
            assert_eq!(problem.snake_case.as_deref(), Some(snake), "{camel}");
        }
    }

    #[test]
    fn a_week_year_beside_a_month_is_mistaken() {
        assert_eq!(mistaken_week_year("epoch_millis||YYYY-MM-dd"), Some("YYYY-MM-dd"));
        for fine in ["yyyy-MM-dd", "YYYY-'W'ww", "yyyy-MM-dd 'YYYY'", "week_date", "YYYY"] {
            assert_eq!(mistaken_week_year(fine), None, "{fine}");
        }
    }
}
