//! `/etc/fstab`: the subvolumes of the primary, in order, and nothing else.

use super::subvolume_options;
use crate::config::Config;
use crate::filesystem::superblock::Kind;

/// The whole text of the file.
pub fn text(config: &Config, kind: Kind, uuid: &str) -> String {
    config
        .mounts
        .subvolumes
        .iter()
        .map(|one| {
            let options = subvolume_options(config, kind, &one.name);
            format!("UUID={uuid} {} {} {options} 0 0\n", one.target, kind.name())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layer::Layer;

    #[test]
    fn four_entries_in_order() {
        let config = Config::new(Layer::default()).unwrap();
        let btrfs = text(&config, Kind::Btrfs, "u-1");
        assert_eq!(
            btrfs.lines().collect::<Vec<_>>(),
            [
                "UUID=u-1 /var/cache/system btrfs subvol=system,noatime 0 0",
                "UUID=u-1 /var/cache/etc btrfs subvol=etc,noatime 0 0",
                "UUID=u-1 /var/cache/modules btrfs subvol=modules,noatime 0 0",
                "UUID=u-1 /var/cache/vm-meta btrfs subvol=vm-meta,noatime 0 0",
            ]
        );
        let bcachefs = text(&config, Kind::Bcachefs, "u-2");
        assert_eq!(
            bcachefs.lines().next(),
            Some("UUID=u-2 /var/cache/system bcachefs X-mount.subdir=system,noatime 0 0")
        );
    }
}
