//! The kernel's command line: which configuration file it names.

/// Name of the parameter.
const PARAMETER: &str = "zosstorage.config";

/// Value of the last `zosstorage.config=PATH`. Double quotes may stand around the value or the whole parameter; what
/// follows ` -- ` belongs to the first process (Documentation/admin-guide/kernel-parameters.rst).
pub fn config_path(cmdline: &str) -> Option<String> {
    let mut found = None;
    for word in words(cmdline) {
        if word == "--" {
            break;
        }
        if let Some((name, value)) = word.split_once('=')
            && name == PARAMETER
            && !value.is_empty()
        {
            found = Some(value.to_owned());
        }
    }
    found
}

/// Words of a command line, as the kernel's `next_arg` cuts them: at white space outside of double quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            space if space.is_ascii_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_last_one_before_the_dashes() {
        let cases = [
            ("quiet console=ttyS0", None),
            ("zosstorage.config=/a.yaml quiet", Some("/a.yaml")),
            ("zosstorage.config=/a.yaml zosstorage.config=/b.yaml\n", Some("/b.yaml")),
            ("zosstorage.config=\"/with space.yaml\"", Some("/with space.yaml")),
            ("\"zosstorage.config=/with space.yaml\" quiet", Some("/with space.yaml")),
            ("quiet -- zosstorage.config=/a.yaml", None),
            ("zosstorage.config=", None),
            ("zosstorage.config", None),
            ("xzosstorage.config=/a.yaml", None),
            ("zosstorage.config=/a=b.yaml", Some("/a=b.yaml")),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(config_path(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn any_line_has_a_path_or_none() {
        let pieces = ["zosstorage.config", "=", "/a", "\"", " ", "\t", "--", "\n", "é", "\u{0}", "=\"", "x"];
        let mut state = 5_u64;
        for _ in 0..20_000 {
            let mut line = String::new();
            for _ in 0..state % 12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                line.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            state = state.wrapping_add(1);
            if let Some(path) = config_path(&line) {
                assert!(!path.is_empty() && line.replace('"', "").contains(&path), "{line:?}: {path:?}");
            }
        }
    }
}
