//! GUIDs as GPT stores them: the first three fields are little-endian (UEFI 2.10, appendix A).

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A GUID in the byte order of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Guid(pub [u8; 16]);

/// Place of each pair of digits of the text form among the stored bytes.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

impl Guid {
    /// A version 4 GUID of 16 random bytes.
    pub fn random(mut bytes: [u8; 16]) -> Guid {
        bytes[7] = bytes[7] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Guid(bytes)
    }

    /// All zeros: an entry that is not used.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in ORDER.iter().enumerate() {
            if [4, 6, 8, 10].contains(&index) {
                out.write_str("-")?;
            }
            write!(out, "{:02x}", self.0[*place])?;
        }
        Ok(())
    }
}

impl FromStr for Guid {
    type Err = ();
    fn from_str(text: &str) -> Result<Guid, ()> {
        let dashes = text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == [8, 13, 18, 23].contains(&at));
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        if !dashes || text.len() != 36 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(());
        }
        let mut bytes = [0; 16];
        for (pair, place) in digits.chunks(2).zip(ORDER) {
            let pair = std::str::from_utf8(pair).map_err(|_| ())?;
            bytes[place] = u8::from_str_radix(pair, 16).map_err(|_| ())?;
        }
        Ok(Guid(bytes))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Formats 16 bytes in their own order, as file systems write UUIDs.
pub fn uuid_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes() {
        let esp: Guid = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b".parse().unwrap();
        assert_eq!(esp.0[..8], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11]);
        assert_eq!(esp.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        for odd in [
            "",
            "c12a7328-f81f-11d2-ba4b-00a0c93ec93",
            "c12a7328f81f-11d2-ba4b-00a0c93ec93b-",
            "+12a7328-f81f-11d2-ba4b-00a0c93ec93b",
            "€12a7328-f81f-11d2-ba4b-00a0c93ec9",
        ] {
            assert!(odd.parse::<Guid>().is_err(), "{odd}");
        }
        let guid = Guid::random([0xff; 16]);
        assert_eq!(guid.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
