//! Reading: everything that a decision is made from. Nothing is changed.

use crate::config::Config;
use crate::device::select::{Roots, read_disks};
use crate::error::Result;
use crate::filesystem::tools;
use crate::mount;
use crate::plan::{Firmware, Observed};
use std::path::Path;

/// Looks at the machine.
pub fn observe(config: &Config, roots: &Roots) -> Result<Observed> {
    let mounts = mount::read(&roots.proc)?;
    let firmware = if roots.sys.join("firmware/efi").exists() { Firmware::Uefi } else { Firmware::Bios };
    Ok(Observed {
        firmware,
        disks: read_disks(roots, config, &mounts)?,
        mounts,
        tools: tools::look(&roots.proc),
        udev: tools::find("udevadm").is_some() && Path::new("/run/udev/control").exists(),
    })
}
