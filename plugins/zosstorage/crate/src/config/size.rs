//! Sizes in bytes, as a configuration writes them: `512MiB`, `2GiB`, `1073741824`.

use serde::de::{self, Deserializer, Visitor};
use std::fmt;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// One KiB, in bytes.
pub const KIB: u64 = 1024;
/// One MiB, in bytes.
pub const MIB: u64 = 1024 * KIB;
/// One GiB, in bytes.
pub const GIB: u64 = 1024 * MIB;

const UNITS: [(&str, u64); 4] = [("TiB", 1024 * GIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)];

impl Size {
    /// Reads digits with one of the units KiB, MiB, GiB and TiB, or none for bytes.
    pub fn parse(text: &str) -> Option<Size> {
        let (digits, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| text.strip_suffix(name).map(|rest| (rest, *unit)))
            .unwrap_or((text, 1));
        let plain = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain {
            return None;
        }
        digits.parse::<u64>().ok()?.checked_mul(unit).map(Size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, unit)| self.0 >= *unit) {
            None => write!(out, "{} B", self.0),
            Some((name, unit)) if self.0.is_multiple_of(*unit) => write!(out, "{} {name}", self.0 / unit),
            Some((name, unit)) => write!(out, "{:.1} {name}", self.0 as f64 / *unit as f64),
        }
    }
}

impl<'de> de::Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Size;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a size such as 512MiB, or a number of bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
                Ok(Size(bytes))
            }
        }
        deserializer.deserialize_any(Text)
    }
}
