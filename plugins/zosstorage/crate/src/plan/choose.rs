//! Which topology disks make, and which role each of them has.

use super::Role;
use crate::config::size::Size;
use crate::config::{Config, Topology};
use crate::device::{Disk, Identity};
use crate::error::{Error, Result};

/// Disks in the order of their roles.
pub type Roles<'a> = Vec<(&'a Disk, Role)>;

/// The roles of a topology, in order.
pub fn roles(topology: Topology) -> &'static [Role] {
    match topology {
        Topology::Auto => &[],
        Topology::Single => &[Role::Primary],
        Topology::DualIndependent | Topology::SsdHddBtrfs => &[Role::Primary, Role::Secondary],
        Topology::BtrfsRaid1 => &[Role::Mirror, Role::Mirror],
        Topology::SsdHddBcachefs => &[Role::Cache, Role::Backing],
        Topology::Bcachefs2copy => &[Role::Cache, Role::Backing, Role::Backing],
    }
}

/// Topologies in which an SSD and hard disks have different roles.
pub fn tells_kinds_apart(topology: Topology) -> bool {
    matches!(topology, Topology::SsdHddBcachefs | Topology::SsdHddBtrfs | Topology::Bcachefs2copy)
}

/// One line for a disk.
pub fn described(disk: &Disk) -> String {
    let Identity { path, size, rotational, model, .. } = &disk.identity;
    let kind = if *rotational { "HDD" } else { "SSD" };
    let model = model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
    format!("{} ({}, {kind}{model})", path.display(), Size(*size))
}

fn listed(disks: &[&Disk]) -> String {
    disks.iter().map(|disk| format!("  {}", described(disk))).collect::<Vec<_>>().join("\n")
}

const HINT: &str = "hint: name a topology, the disks themselves (disks), or leave some out (devices.exclude)";

/// What `auto` makes of disks.
pub fn automatic(disks: &[&Disk]) -> Result<Topology> {
    let hard = disks.iter().filter(|disk| disk.identity.rotational).count();
    match (disks.len(), disks.len() - hard, hard) {
        (1, ..) => Ok(Topology::Single),
        (2, 1, 1) => Ok(Topology::SsdHddBcachefs),
        (2, ..) => Ok(Topology::DualIndependent),
        (3, 1, 2) => Ok(Topology::Bcachefs2copy),
        _ => Err(Error::Topology(format!(
            "no topology is made for these disks automatically:\n{}\n{HINT}",
            listed(disks)
        ))),
    }
}

/// Gives each disk its role; all of them have to have one.
pub fn assign<'a>(config: &Config, topology: Topology, disks: &[&'a Disk]) -> Result<Roles<'a>> {
    let roles = roles(topology);
    let name = topology.name();
    if disks.len() != roles.len() {
        let count = if roles.len() == 1 { "1 disk".to_owned() } else { format!("{} disks", roles.len()) };
        return Err(Error::Topology(format!(
            "{name} takes {count}, there are {}:\n{}\n{HINT}",
            disks.len(),
            listed(disks)
        )));
    }
    let mut ordered = disks.to_vec();
    if !config.disks.is_empty() {
        // Whoever names disks names them in the order of their roles.
        ordered.sort_by_key(|disk| config.disks.iter().position(|path| *path == disk.path()));
    } else if tells_kinds_apart(topology) {
        ordered.sort_by_key(|disk| disk.identity.rotational);
        let kinds: Vec<bool> = ordered.iter().map(|disk| disk.identity.rotational).collect();
        if kinds[0] || kinds[1..].iter().any(|hard| !hard) {
            let hard = if roles.len() == 2 { "1 HDD" } else { "2 HDDs" };
            let hint = "hint: devices.rotational says what a disk is, disks names them in the order of their roles";
            return Err(Error::Topology(format!(
                "{name} takes 1 SSD and {hard}, there are:\n{}\n{hint}",
                listed(disks)
            )));
        }
    }
    Ok(ordered.into_iter().zip(roles.iter().copied()).collect())
}
