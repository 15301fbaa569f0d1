//! The program on loop devices: provisioned, run again, and dirty disks that stay as they are, byte by byte.
mod machine;

use machine::{Machine, digest, has, run, succeed};

/// Results of all steps but that of the driver, which this kernel may have.
fn outcomes(report: &serde_json::Value) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap().iter();
    let is_ours = |step: &&serde_json::Value| !step["step"].as_str().unwrap().starts_with("driver");
    steps.filter(is_ours).map(|step| step["result"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn provisions_once_and_then_changes_nothing() {
    for (topology, count) in [("single", 1), ("dual_independent", 2), ("btrfs_raid1", 2)] {
        let Some(mut machine) = Machine::new(topology) else { return };
        let images: Vec<String> = (0..count).map(|index| machine.image(&format!("disk{index}"), 1200)).collect();
        let devices: Vec<String> = images.iter().map(|image| machine.attach(image)).collect();
        let names: Vec<&str> = devices.iter().map(String::as_str).collect();
        let config = machine.config(topology, &names);

        let (code, plan) = machine.zosstorage(&["plan", "--config", &config]);
        assert_eq!(code, 0, "{plan}");
        let digest = plan.lines().last().unwrap().strip_prefix("digest: ").unwrap().to_owned();
        let wrong = machine.zosstorage(&["apply", "--plan", "0123", "--config", &config]);
        assert_eq!(wrong.0, 9, "{}", wrong.1);
        let (code, words) = machine.zosstorage(&["apply", "--plan", &digest, "--config", &config]);
        assert_eq!(code, 0, "{words}");
        let report = machine.report();
        assert_eq!(report["status"], "provisioned");
        assert!(outcomes(&report).iter().all(|one| one == "done"), "{report:#}");

        // Others have to see what we see.
        for device in &devices {
            let table = succeed("sfdisk", &["--verify", device]);
            assert!(table.contains("No errors detected"), "{table}");
            let number = report["disks"][0]["partitions"].as_array().unwrap().len();
            let kind = succeed("blkid", &["-p", "-o", "export", &format!("{device}p{number}")]);
            assert!(
                kind.contains("TYPE=btrfs")
                    && kind.contains("LABEL=ZOSDATA")
                    && kind.contains("PART_ENTRY_NAME=zosdata")
            );
            let boot = succeed("blkid", &["-p", "-o", "export", &format!("{device}p{}", number - 1)]);
            assert!(
                boot.contains("TYPE=vfat")
                    && boot.contains("LABEL=ZOSBOOT")
                    && boot.contains("PART_ENTRY_NAME=zosboot")
            );
        }
        let uuid = report["filesystems"].as_array().unwrap().iter().find(|one| one["primary"] == true).unwrap()["uuid"]
            .clone();
        let uuid = uuid.as_str().unwrap();
        let target = machine.folder.join("cache/etc").display().to_string();
        let mounted = succeed("findmnt", &["-rno", "UUID,FSROOT,OPTIONS", &target]);
        assert!(mounted.starts_with(&format!("{uuid} /etc rw,noatime")), "{mounted}");
        assert!(std::fs::read_to_string(machine.folder.join("fstab")).unwrap().starts_with(&format!("UUID={uuid} ")));
        std::fs::write(machine.folder.join("cache/system/file"), "kept").unwrap();

        // Mounted: not one byte of the disks changes.
        succeed("sync", &[]);
        let before: Vec<String> = images.iter().map(|image| machine::digest(image)).collect();
        let (code, words) = machine.zosstorage(&["--config", &config]);
        assert_eq!(code, 0, "{words}");
        succeed("sync", &[]);
        assert_eq!(machine.report()["status"], "already_provisioned");
        assert!(outcomes(&machine.report()).iter().all(|one| one == "already_right"));
        assert_eq!(images.iter().map(|image| machine::digest(image)).collect::<Vec<_>>(), before);

        // After a restart: only mounts.
        machine.unmount();
        let (code, words) = machine.zosstorage(&["--config", &config]);
        assert_eq!(code, 0, "{words}");
        let report = machine.report();
        for step in report["steps"].as_array().unwrap() {
            let is_mount = step["step"].as_str().unwrap().starts_with("mount");
            assert_eq!(step["result"], if is_mount { "done" } else { "already_right" }, "{step}");
        }
        assert_eq!(std::fs::read_to_string(machine.folder.join("cache/system/file")).unwrap(), "kept");
    }
}

/// What makes a disk dirty: a name, the program it takes, and shell text with `$1` for the image or device.
const DIRT: &[(&str, &str, &str)] = &[
    ("ext2", "mkfs.ext2", "mkfs.ext2 -q -F $1"),
    ("ext3", "mkfs.ext3", "mkfs.ext3 -q -F $1"),
    ("ext4", "mkfs.ext4", "mkfs.ext4 -q -F $1"),
    ("jbd", "mke2fs", "mke2fs -q -F -O journal_dev $1"),
    ("xfs", "mkfs.xfs", "mkfs.xfs -q $1"),
    ("btrfs", "mkfs.btrfs", "mkfs.btrfs -q $1"),
    ("vfat", "mkfs.vfat", "mkfs.vfat -F 32 $1"),
    ("vfat", "mkfs.vfat", "mkfs.vfat -F 16 $1"),
    ("exfat", "mkfs.exfat", "mkfs.exfat $1"),
    ("ntfs", "mkfs.ntfs", "mkfs.ntfs -q -F -f $1"),
    ("f2fs", "mkfs.f2fs", "mkfs.f2fs -q -f $1"),
    ("nilfs2", "mkfs.nilfs2", "mkfs.nilfs2 -q -f $1"),
    ("jfs", "mkfs.jfs", "mkfs.jfs -q $1"),
    ("reiserfs", "mkfs.reiserfs", "mkfs.reiserfs -q -f -f $1"),
    ("udf", "mkudffs", "mkudffs $1"),
    ("minix", "mkfs.minix", "mkfs.minix $1"),
    ("bfs", "mkfs.bfs", "mkfs.bfs $1"),
    (
        "cramfs",
        "mkfs.cramfs",
        "mkdir -p $1.d && echo x >$1.d/x && mkfs.cramfs $1.d $1.fs && dd if=$1.fs of=$1 conv=notrunc",
    ),
    (
        "squashfs",
        "mksquashfs",
        "mkdir -p $1.d && echo x >$1.d/x && mksquashfs $1.d $1.fs -quiet && dd if=$1.fs of=$1 conv=notrunc",
    ),
    (
        "erofs",
        "mkfs.erofs",
        "mkdir -p $1.d && echo x >$1.d/x && mkfs.erofs $1.fs $1.d && dd if=$1.fs of=$1 conv=notrunc",
    ),
    ("swap", "mkswap", "mkswap $1"),
    (
        "crypto_LUKS",
        "cryptsetup",
        "echo secret | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $1 -",
    ),
    (
        "crypto_LUKS",
        "cryptsetup",
        "echo secret | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 $1 -",
    ),
    (
        "crypto_LUKS",
        "cryptsetup",
        "echo secret | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $1 - && dd if=/dev/zero of=$1 bs=4k count=1 conv=notrunc",
    ),
    ("dos", "sfdisk", "echo ',100M' | sfdisk -q --label dos $1"),
    ("gpt", "sfdisk", "echo ',100M' | sfdisk -q --label gpt $1"),
    ("gpt", "sfdisk", "echo ',100M' | sfdisk -q --label gpt $1 && dd if=/dev/zero of=$1 bs=1M count=1 conv=notrunc"),
    ("gpt", "sfdisk", "echo ',100M' | sfdisk -q --label gpt $1 && truncate -s -1M $1 && truncate -s +1M $1"),
    ("sgi", "sfdisk", "echo ',100M' | sfdisk -q --label sgi $1"),
    ("sun", "sfdisk", "echo ',100M' | sfdisk -q --label sun $1"),
    ("ext4", "mkfs.ext4", "mkfs.ext4 -q -F -E offset=1048576 $1 200M"),
    ("", "dd", "printf x | dd of=$1 bs=1 seek=123456 conv=notrunc"),
];

#[test]
fn dirty_disks_stay_as_they_are() {
    let Some(mut machine) = Machine::new("dirty") else { return };
    let blank = machine.image("blank", 1200);
    let blank_device = machine.attach(&blank);
    for (index, (kind, program, recipe)) in DIRT.iter().enumerate() {
        if !has(program) {
            println!("skip {kind}: {program} is not installed");
            continue;
        }
        let image = machine.image(&format!("dirty{index}"), 1200);
        succeed("sh", &["-c", &format!("exec >/dev/null 2>&1; {recipe}"), "sh", &image]);
        let device = machine.attach(&image);
        refuses(&machine, kind, &image, [&device, &blank_device], &blank);
        machine.detach(&device);
        std::fs::remove_file(&image).unwrap();
    }
}

/// Devices that are made of others need the device itself.
#[test]
fn members_of_raid_and_lvm_stay_as_they_are() {
    let Some(mut machine) = Machine::new("members") else { return };
    let blank = machine.image("blank", 1200);
    let blank_device = machine.attach(&blank);
    let recipes = [
        ("LVM2_member", "pvcreate", "pvcreate -q --devices $1 $1"),
        (
            "linux_raid_member",
            "mdadm",
            "mdadm --create --quiet --run --metadata=1.0 --level=1 --raid-devices=2 --assume-clean /dev/md/z$$ $1 missing; mdadm --stop /dev/md/z$$",
        ),
    ];
    for (kind, program, recipe) in recipes {
        if !has(program) {
            println!("skip {kind}: {program} is not installed");
            continue;
        }
        let image = machine.image(kind, 1200);
        let device = machine.attach(&image);
        run("sh", &["-c", recipe, "sh", &device]);
        if succeed("sh", &["-c", "blkid -p -o value -s TYPE $1 || true", "sh", &device]).trim() == kind {
            refuses(&machine, kind, &image, [&device, &blank_device], &blank);
        } else {
            println!("skip {kind}: {program} made nothing here (no driver in this kernel)");
        }
    }
}

/// The program refuses both disks, names the dirty one and what is on it, and writes neither.
fn refuses(machine: &Machine, kind: &str, image: &str, devices: [&str; 2], blank: &str) {
    let before = digest(image);
    let config = machine.config("dual_independent", &devices);
    let (code, words) = machine.zosstorage(&["--config", &config]);
    assert_eq!(code, 6, "{kind}: {words}");
    assert!(words.contains(devices[0]) && words.contains(kind), "{kind}: {words}");
    assert_eq!(machine.report()["error"]["class"], "not_empty");
    assert_eq!(digest(image), before, "{kind}: the disk was written");
    let blocks = succeed("stat", &["-c", "%b", blank]);
    assert_eq!(blocks.trim(), "0", "{kind}: the empty disk was written");
    // libblkid sees a kind of the same name, or a table.
    let judged = run("blkid", &["-p", "-o", "export", devices[0]]);
    let judged = String::from_utf8_lossy(&judged.stdout).into_owned();
    let shown = machine.zosstorage(&["--show", "--json", "--config", &config]).1;
    for line in judged.lines() {
        if let Some(name) = line.strip_prefix("TYPE=").or_else(|| line.strip_prefix("PTTYPE=")) {
            assert!(shown.contains(&format!("\"kind\": \"{name}\"")), "{kind}: blkid says {line}; we say {shown}");
        }
    }
}

/// Power lost in the middle: whatever of our own is there, the next run completes or refuses, and the other disk is never lost.
#[test]
fn a_run_that_is_cut_short_leaves_something_that_is_understood() {
    let Some(mut machine) = Machine::new("cut") else { return };
    let mut codes = std::collections::BTreeMap::new();
    for millis in (0..30).map(|index| 5 + index * 12) {
        let image = machine.image("disk", 1200);
        let device = machine.attach(&image);
        let config = machine.config("single", &[&device]);
        let cut = format!("timeout -s KILL 0.{millis:03} {} --config {config}", env!("CARGO_BIN_EXE_zosstorage"));
        run("setsid", &["-w", "sh", "-c", &cut]);
        machine.unmount();
        let before = machine.zosstorage(&["plan", "--config", &config]).0;
        let (code, words) = machine.zosstorage(&["--config", &config]);
        assert!([0, 6, 7].contains(&code) && code == before, "{millis} ms: {before}, then {words}");
        *codes.entry(code).or_insert(0) += 1;
        machine.unmount();
        machine.detach(&device);
    }
    println!("exit codes after the cut: {codes:?}");
}

#[test]
fn every_kind_of_libblkid_is_known() {
    if !has("blkid") {
        println!("skip libblkid: blkid is not installed");
        return;
    }
    use zosstorage::device::signatures::{ALIASES, MAGICS};
    let known = succeed("blkid", &["-k"]);
    let ours =
        |name: &str| MAGICS.iter().any(|magic| magic.kind == name) || ALIASES.iter().any(|(alias, _)| *alias == name);
    let missing: Vec<&str> = known.split_whitespace().filter(|name| !ours(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
