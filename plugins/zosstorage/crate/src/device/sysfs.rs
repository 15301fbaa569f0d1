//! Reads `/sys/block`. The root is a parameter, so that a test can bring its own.

use super::{Identity, Transport};
use crate::error::{Error, Result};
use std::fs;
use std::path::Path;

/// Sectors in sysfs are of this size, whatever the disk's own are (Documentation/ABI/stable/sysfs-block).
const SYSFS_SECTOR: u64 = 512;

/// Names of all block devices that are no partitions, in the order of disks: `sdb` before `sdaa`, `nvme2n1` before `nvme10n1`.
pub fn names(sys: &Path) -> Result<Vec<String>> {
    let folder = sys.join("block");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
        let entry = entry.map_err(Error::read(&folder))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_by_key(|name| natural(name));
    Ok(names)
}

/// Sort key: numbers by value, and letters after a common start by length first.
fn natural(name: &str) -> (String, usize, Vec<u64>, String) {
    let letters_first = || name.split(|one: char| !one.is_ascii_alphabetic()).next().unwrap_or(name);
    let kind = ["sd", "vd"].into_iter().find(|kind| name.starts_with(kind)).unwrap_or_else(letters_first).to_owned();
    let numbers: Vec<u64> =
        name.split(|one: char| !one.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    let letters = if numbers.is_empty() { name.len() } else { 0 };
    (kind, letters, numbers, name.to_owned())
}

fn text(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read(folder.join(name)).ok()?;
    let text = String::from_utf8_lossy(&text);
    let text: String = text.chars().filter(|one| !one.is_control()).take(256).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Serial number of a SCSI or SATA disk: page 0x80 of its vital product data, behind a header of 4 bytes (SPC-4, 7.8.18).
fn scsi_serial(folder: &Path) -> Option<String> {
    let page = fs::read(folder.join("device/vpd_pg80")).ok()?;
    let length = usize::from(u16::from_be_bytes([*page.get(2)?, *page.get(3)?]));
    let serial = String::from_utf8_lossy(page.get(4..4 + length)?).into_owned();
    let serial = serial.trim_matches(|one: char| one.is_whitespace() || one.is_control());
    (page[1] == 0x80 && !serial.is_empty() && serial.len() <= 256).then(|| serial.to_owned())
}

fn number(folder: &Path, name: &str) -> Option<u64> {
    text(folder, name)?.parse().ok()
}

/// What sysfs says of one device; nothing where it has no size, such as a drive without a medium.
pub fn identity(sys: &Path, dev: &Path, name: &str) -> Option<Identity> {
    let folder = sys.join("block").join(name);
    let size = number(&folder, "size")?.checked_mul(SYSFS_SECTOR).filter(|size| *size > 0)?;
    Some(Identity {
        // Slashes in names of devices are exclamation marks in sysfs.
        path: dev.join(name.replace('!', "/")),
        size,
        sector: number(&folder, "queue/logical_block_size").and_then(|size| u32::try_from(size).ok())?,
        rotational: number(&folder, "queue/rotational") == Some(1),
        model: text(&folder, "device/model"),
        serial: text(&folder, "device/serial").or_else(|| text(&folder, "serial")).or_else(|| scsi_serial(&folder)),
        transport: transport(&folder, name),
        removable: number(&folder, "removable") == Some(1),
        read_only: number(&folder, "ro") == Some(1),
    })
}

/// The bus, from the path of the device in `/sys/devices`.
fn transport(folder: &Path, name: &str) -> Transport {
    let path = fs::canonicalize(folder).map(|path| path.display().to_string()).unwrap_or_default();
    let has = |part: &str| path.split('/').any(|one| one.starts_with(part));
    if name.starts_with("nvme") {
        Transport::Nvme
    } else if has("usb") {
        Transport::Usb
    } else if has("ata") {
        Transport::Sata
    } else if has("sas") || has("end_device") {
        Transport::Sas
    } else if name.starts_with("vd") || has("virtio") {
        Transport::Virtio
    } else if name.starts_with("sd") {
        Transport::Scsi
    } else {
        Transport::Other
    }
}

/// The numbers of a device and of its partitions, as `8:0`, with their names.
pub fn numbers(sys: &Path, name: &str) -> Vec<(String, String)> {
    let folder = sys.join("block").join(name);
    let mut found = Vec::new();
    let mut add = |folder: &Path, name: &str| found.extend(text(folder, "dev").map(|number| (number, name.to_owned())));
    add(&folder, name);
    for part in parts(sys, name) {
        add(&folder.join(&part), &part);
    }
    found
}

/// Names of a device's partitions, as the kernel has them now.
pub fn parts(sys: &Path, name: &str) -> Vec<String> {
    let folder = sys.join("block").join(name);
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("partition").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Devices that are made of this one or of a partition of it: device mapper, MD, bcache.
pub fn holders(sys: &Path, name: &str) -> Vec<String> {
    let folder = sys.join("block").join(name);
    let mut folders = vec![folder.join("holders")];
    folders.extend(parts(sys, name).iter().map(|part| folder.join(part).join("holders")));
    let mut names: Vec<String> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_of_scsi_disks_are_in_their_vital_product_data() {
        let sys = std::env::temp_dir().join(format!("zosstorage-sysfs-{}", std::process::id()));
        let device = sys.join("device");
        fs::create_dir_all(&device).unwrap();
        let cases: [(&[u8], Option<&str>); 5] = [
            (b"\0\x80\0\x08  disk0 ", Some("disk0")),
            (b"\0\x80\0\x09disk0", None),
            (b"\0\x83\0\x05disk0", None),
            (b"\0\x80\0\0", None),
            (b"\0\x80", None),
        ];
        for (page, serial) in cases {
            fs::write(device.join("vpd_pg80"), page).unwrap();
            assert_eq!(scsi_serial(&sys).as_deref(), serial, "{page:?}");
        }
        fs::remove_dir_all(&sys).unwrap();
    }

    #[test]
    fn disks_are_in_the_order_of_their_names() {
        let mut names = ["vdaa", "sdb", "nvme10n1", "sda", "vdb", "nvme2n1", "sdaa", "vda", "loop10", "loop9"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["loop9", "loop10", "nvme2n1", "nvme10n1", "sda", "sdb", "sdaa", "vda", "vdb", "vdaa"]);
    }
}
