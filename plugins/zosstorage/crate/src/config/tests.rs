use super::layer::{Layer, parse};
use super::size::{GIB, MIB, Size};
use super::*;

fn read(text: &str) -> Result<Config> {
    Config::new(parse(text, "test.yaml")?)
}

/// The cases that the JSON Schema and the build's own check are held against too.
#[test]
fn the_same_cases_as_the_schema() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("../../schema/cases.json")).unwrap();
    let text = |case: &serde_json::Value| {
        let mut case = case.clone();
        case["version"] = 1.into();
        case.to_string()
    };
    for case in cases["accepted"].as_array().unwrap() {
        read(&text(case)).unwrap_or_else(|error| panic!("{case}: {error}"));
    }
    for case in cases["refused"].as_array().unwrap() {
        let error = read(&text(&case[0])).expect_err(&case.to_string());
        assert_eq!(error.exit_code(), 3, "{case}: {error}");
    }
}

#[test]
fn layers_are_laid_over_each_other_key_by_key() {
    let low = parse(
        "version: 1\ntopology: single\ndevices: { min_size: 3GiB, exclude: [/dev/vdz] }\nlogging: { level: debug }\n",
        "low",
    );
    let high = parse("version: 1\ndevices: { min_size: 5GiB }\nreport: { path: /run/r.json }\n", "high").unwrap();
    let flags = Layer { topology: Some(Topology::BtrfsRaid1), ..Layer::default() };
    let config = Config::new(high.over(flags).over(low.unwrap())).unwrap();
    assert_eq!(config.topology, Topology::BtrfsRaid1);
    assert_eq!((config.devices.min_size, config.devices.exclude.as_slice()), (5 * GIB, &["/dev/vdz".to_owned()][..]));
    assert_eq!((config.report.path.as_str(), config.logging.level), ("/run/r.json", LogLevel::Debug));
    assert_eq!(config.partitions.esp_size, 512 * MIB);
}

#[test]
fn errors_name_the_file_and_the_line() {
    for (text, line, words) in [
        ("version: 1\ntopology: auto\ndevces: {}\n", "line 3", "devces"),
        ("version: 1\ndevices:\n  minsize: 3\n", "line 3", "minsize"),
        ("version: 1\nlogging: { level: loud }\n", "line 2", "loud"),
        ("version: 1\ntopology: [", "line 2", ""),
        ("version: 2\n", "", "version is 2"),
        ("topology: auto\n", "", "version is missing"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with("test.yaml: ") && error.contains(line) && error.contains(words), "{text}: {error}");
    }
}

#[test]
fn any_text_is_a_configuration_or_an_error() {
    let whole = "version: 1\ntopology: single\ndisks: [/dev/vda]\ndevices: { min_size: 3GiB, rotational: { /dev/vda: true } }\nmounts:\n  subvolumes:\n  - { name: a, target: /a }\n";
    let mut state = 7_u64;
    let mut random = move |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let odd = ["{", "}", "[", ":", "\n", "&a ", "*a", "- ", "!!int ", "\0", "é", "'", "99999999999999999999", "<<: *a"];
    for _ in 0..3000 {
        let mut text: Vec<char> = whole.chars().collect();
        for _ in 0..=random(3) {
            let at = random(text.len());
            let end = (at + random(6)).min(text.len());
            text.splice(at..end, odd[random(odd.len())].chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = read(&text) {
            assert_eq!(error.exit_code(), 3, "{text}");
        }
    }
}

#[test]
fn sizes() {
    for (text, bytes) in [("0", 0), ("512MiB", 512 * MIB), ("2GiB", 2 * GIB), ("1TiB", 1024 * GIB), ("7", 7)] {
        assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
    }
    for text in ["", "MiB", "-1", "1.5GiB", "1 GiB", "1GB", "+1", "99999999999999999999", "18446744073709551615KiB"] {
        assert_eq!(Size::parse(text), None, "{text}");
    }
    assert_eq!(Size(1536 * MIB).to_string(), "1.5 GiB");
}
