//! Name patterns: `*` stands for any run of characters, `?` for one, a comma for "or".

/// Returns whether any of the comma-separated alternatives of `pattern` matches all of `name`.
///
/// ```
/// assert!(models::base::pattern::matches("3-*,4-*", "4-167077-A"));
/// assert!(!models::base::pattern::matches("4-*", "14-167077-A"));
/// ```
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    pattern
        .split(',')
        .any(|one| matches_one(&one.trim().chars().collect::<Vec<_>>(), &name))
}

/// Greedy matching that backtracks to the last star only: linear in memory, no recursion.
fn matches_one(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn stars_marks_and_alternatives() {
        assert!(matches("*", ""));
        assert!(matches("blues.0000?", "blues.00007"));
        assert!(!matches("blues.0000?", "blues.000077"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b*c", "a-b-b-d"));
        assert!(matches("1-*, 2-*", "2-9-A"));
        assert!(!matches("", "x"));
    }

    proptest! {
        #[test]
        fn a_prefix_and_a_suffix_suffice(a in "[a-c]{0,6}", b in "[a-c]{0,6}", c in "[a-c]{0,6}") {
            let (pattern, name) = (format!("{a}*{c}"), format!("{a}{b}{c}"));
            prop_assert!(matches(&pattern, &name));
        }
    }
}
