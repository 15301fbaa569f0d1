//! A digest of what a plan is made from: if it is the same later, so is the plan.

use super::Observed;
use crate::config::Config;
use crate::device::Disk;
use serde_json::json;
use sha2::{Digest, Sha256};

/// SHA-256 as hex, of the parts of the configuration that decide about disks, and of all disks. Of disks of ours it is
/// the table and the superblocks' identities that count, since the content of their file systems moves by itself.
pub fn digest(config: &Config, observed: &Observed) -> String {
    let disks: Vec<_> = observed
        .disks
        .iter()
        .map(|disk: &Disk| {
            let content = if disk.is_ours() { json!(disk.table) } else { json!([disk.findings, disk.uses]) };
            json!([disk.identity, content])
        })
        .collect();
    let Config { topology, disks: named, devices, partitions, filesystems, .. } = config;
    let subject = json!([1, observed.firmware, topology, named, devices, partitions, filesystems, disks]);
    Sha256::digest(subject.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}
