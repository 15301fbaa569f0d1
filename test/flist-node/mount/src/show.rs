//! A flist through FUSE, read-only. A block is fetched when somebody reads it.
use crate::{block, flist::Flist, store, Result};
use fuser::{
    FileAttr, FileType, Filesystem, MountOption, ReplyAttr, ReplyData, ReplyDirectory, ReplyEntry,
    Request,
};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

/// Bytes of every block of a file but its last.
const BLOCK: u64 = 524_288;
/// Nothing changes.
const TTL: Duration = Duration::from_secs(3600);
const ENOENT: i32 = 2;
const EIO: i32 = 5;

struct Show {
    flist: Flist,
    log: Option<String>,
    plain: HashMap<Vec<u8>, Vec<u8>>,
}

pub fn mount(flist: Flist, log: Option<String>, target: &str) -> Result<()> {
    let options = [
        MountOption::RO,
        MountOption::FSName("flist".into()),
        MountOption::AllowOther,
    ];
    fuser::mount2(
        Show {
            flist,
            log,
            plain: HashMap::new(),
        },
        target,
        &options,
    )?;
    Ok(())
}

fn kind(mode: u32) -> FileType {
    match mode & 0o170_000 {
        0o040_000 => FileType::Directory,
        0o120_000 => FileType::Symlink,
        0o020_000 => FileType::CharDevice,
        0o060_000 => FileType::BlockDevice,
        0o010_000 => FileType::NamedPipe,
        0o140_000 => FileType::Socket,
        _ => FileType::RegularFile,
    }
}

impl Show {
    fn attr(&self, ino: u64) -> Option<FileAttr> {
        let inode = self.flist.inodes.get(&ino)?;
        let time = UNIX_EPOCH + Duration::from_secs(inode.mtime.max(0) as u64);
        Some(FileAttr {
            ino,
            size: inode.size,
            blocks: inode.size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind: kind(inode.mode),
            perm: (inode.mode & 0o7777) as u16,
            nlink: 1,
            uid: inode.uid,
            gid: inode.gid,
            rdev: inode.rdev,
            blksize: 4096,
            flags: 0,
        })
    }

    fn bytes(&mut self, ino: u64, from: u64, size: u64) -> Result<Vec<u8>> {
        let inode = self.flist.inodes.get(&ino).ok_or("no such inode")?;
        let end = (from + size).min(inode.size);
        let mut bytes = Vec::new();
        let mut at = from;
        while at < end {
            let (id, key) = inode
                .blocks
                .get((at / BLOCK) as usize)
                .ok_or("a block is missing")?;
            if !self.plain.contains_key(id) {
                let sealed = store::fetch(&self.flist.routes, id)?;
                self.plain
                    .insert(id.clone(), block::open(id, key, &sealed)?);
            }
            let start = (at % BLOCK) as usize;
            let part = self.plain[id].get(start..).ok_or("a block is too short")?;
            let part = &part[..part.len().min((end - at) as usize)];
            if part.is_empty() {
                return Err("a block is too short".into());
            }
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(bytes)
    }
}

impl Filesystem for Show {
    fn lookup(&mut self, _: &Request<'_>, parent: u64, name: &OsStr, reply: ReplyEntry) {
        let found = self
            .flist
            .inodes
            .get(&parent)
            .and_then(|inode| inode.children.get(name.to_str()?));
        match found.and_then(|ino| self.attr(*ino)) {
            Some(attr) => reply.entry(&TTL, &attr, 0),
            None => reply.error(ENOENT),
        }
    }

    fn getattr(&mut self, _: &Request<'_>, ino: u64, _: Option<u64>, reply: ReplyAttr) {
        match self.attr(ino) {
            Some(attr) => reply.attr(&TTL, &attr),
            None => reply.error(ENOENT),
        }
    }

    fn readlink(&mut self, _: &Request<'_>, ino: u64, reply: ReplyData) {
        match self.flist.inodes.get(&ino) {
            Some(inode) => reply.data(&inode.target),
            None => reply.error(ENOENT),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn read(
        &mut self,
        _: &Request<'_>,
        ino: u64,
        _: u64,
        from: i64,
        size: u32,
        _: i32,
        _: Option<u64>,
        reply: ReplyData,
    ) {
        match self.bytes(ino, from.max(0) as u64, size.into()) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => {
                if let Some(log) = &self.log {
                    if let Ok(mut log) = OpenOptions::new().create(true).append(true).open(log) {
                        let _ = writeln!(log, "inode {ino}: {error}");
                    }
                }
                reply.error(EIO)
            }
        }
    }

    fn readdir(&mut self, _: &Request<'_>, ino: u64, _: u64, from: i64, mut reply: ReplyDirectory) {
        let Some(inode) = self.flist.inodes.get(&ino) else {
            return reply.error(ENOENT);
        };
        for (at, (name, child)) in inode.children.iter().enumerate().skip(from.max(0) as usize) {
            let mode = self.flist.inodes[child].mode;
            if reply.add(*child, at as i64 + 1, kind(mode), name) {
                break;
            }
        }
        reply.ok()
    }
}
