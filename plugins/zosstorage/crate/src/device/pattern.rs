//! Patterns of device paths, as a shell has them: `*`, `?`, `[a-c]`.

/// Whether a path matches a pattern as a whole. `*` does not match `/`.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    // Backtracking to the last star alone: time grows by the product of the lengths, not exponentially.
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < path.len() {
        match step(&pattern, at, path[here]) {
            Some(Step::Star) => {
                star = Some((at, here));
                at += 1;
                continue;
            }
            Some(Step::Next(next)) => {
                at = next;
                here += 1;
                continue;
            }
            None => {}
        }
        match star {
            Some((from, tried)) if path[tried] != '/' => {
                star = Some((from, tried + 1));
                at = from + 1;
                here = tried + 1;
            }
            _ => return false,
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

enum Step {
    Star,
    Next(usize),
}

fn step(pattern: &[char], at: usize, character: char) -> Option<Step> {
    match pattern.get(at)? {
        '*' => Some(Step::Star),
        '?' if character != '/' => Some(Step::Next(at + 1)),
        '[' => {
            let close = pattern[at..].iter().skip(2).position(|one| *one == ']')? + at + 2;
            let inside = &pattern[at + 1..close];
            let (negated, inside) = match inside.first() {
                Some('!' | '^') => (true, &inside[1..]),
                _ => (false, inside),
            };
            (in_set(inside, character) != negated && character != '/').then_some(Step::Next(close + 1))
        }
        one if *one == character => Some(Step::Next(at + 1)),
        _ => None,
    }
}

fn in_set(set: &[char], character: char) -> bool {
    let mut rest = set;
    while let [first, tail @ ..] = rest {
        if let ['-', last, after @ ..] = tail {
            if (*first..=*last).contains(&character) {
                return true;
            }
            rest = after;
        } else {
            if *first == character {
                return true;
            }
            rest = tail;
        }
    }
    false
}

/// Whether a pattern names one very device.
pub fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_a_shell_does() {
        let cases = [
            ("/dev/sd*", "/dev/sda", true),
            ("/dev/sd*", "/dev/sdaa", true),
            ("/dev/sd*", "/dev/vda", false),
            ("/dev/sd?", "/dev/sdaa", false),
            ("/dev/nvme*", "/dev/nvme0n1", true),
            ("/dev/nvme*n1", "/dev/nvme10n1", true),
            ("/dev/vd[a-c]", "/dev/vdb", true),
            ("/dev/vd[!a-c]", "/dev/vdb", false),
            ("/dev/vd[abc", "/dev/vda", false),
            ("/dev/*", "/dev/mapper/x", false),
            ("/dev/vda", "/dev/vda", true),
            ("/dev/vda", "/dev/vdaa", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(!matches(&"*a".repeat(50), &"a".repeat(10_000).replace("aa", "ab")));
    }
}
