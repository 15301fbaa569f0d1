//! `/proc/self/mountinfo` (proc(5)).

use serde::Serialize;

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// `major:minor`.
    pub device: String,
    /// What of the file system is mounted: `/`, `/system`.
    pub root: String,
    /// Mount point.
    pub target: String,
    /// File system.
    pub kind: String,
    /// Source, as it was given.
    pub source: String,
    /// Options of the file system, such as btrfs' `subvolid=5`.
    pub options: String,
}

/// Reads all mounts, in their order; lines of another form are left out.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let before: Vec<&str> = before.split(' ').collect();
    let mut after = after.split(' ');
    Some(Mount {
        device: (*before.get(2)?).to_owned(),
        root: unescaped(before.get(3)?),
        target: unescaped(before.get(4)?),
        kind: after.next()?.to_owned(),
        source: unescaped(after.next()?),
        options: after.next().unwrap_or_default().to_owned(),
    })
}

/// Space, tab, line feed and backslash are written as three octal digits.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is mounted at a path now: the last of its mounts lies on top.
pub fn at<'a>(mounts: &'a [Mount], target: &str) -> Option<&'a Mount> {
    mounts.iter().rev().find(|mount| mount.target == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_escapes() {
        let text = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n\
                    37 35 0:40 /system /var/cache/system rw - btrfs /dev/vda3 rw,subvolid=256,subvol=/system\n\
                    broken line\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!((mounts[0].target.as_str(), mounts[0].root.as_str()), ("/mnt 2", "/mnt1"));
        assert_eq!(
            at(&mounts, "/var/cache/system").map(|mount| mount.options.as_str()),
            Some("rw,subvolid=256,subvol=/system")
        );
        assert_eq!(unescaped("a\\zz\\1"), "a\\zz\\1");
    }
}
