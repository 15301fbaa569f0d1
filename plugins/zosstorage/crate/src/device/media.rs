//! Bytes of a block device: the only way in which its content is read and written here.

use crate::error::{Error, Result};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A device, or what stands for one in a test.
pub trait Media {
    /// Bytes.
    fn size(&self) -> u64;
    /// Bytes of a logical sector: 512 or 4096.
    fn sector(&self) -> u32;
    /// Fills the buffer from an offset in bytes.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all bytes at an offset.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns once all that was written is on the medium.
    fn flush(&mut self) -> io::Result<()>;
}

/// How a device is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading, beside others.
    Read,
    /// For reading and writing, alone: fails while anything holds it or a partition of it.
    Exclusive,
}

/// An open block device or image file.
#[derive(Debug)]
pub struct Device {
    file: File,
    path: PathBuf,
    size: u64,
    sector: u32,
}

impl Device {
    /// Opens a device whose size in bytes and sector size are known from sysfs.
    pub fn open(path: &Path, size: u64, sector: u32, access: Access) -> Result<Device> {
        let flags = match access {
            Access::Read => OFlags::RDONLY | OFlags::CLOEXEC,
            // Without O_CREAT, O_EXCL claims a block device: open(2).
            Access::Exclusive => OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC,
        };
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match (access, errno) {
            (Access::Exclusive, rustix::io::Errno::BUSY) => {
                Error::Moved(format!("{} is in use by now", path.display()))
            }
            _ => Error::Read { path: path.to_owned(), source: errno.into() },
        })?;
        Ok(Device { file: File::from(file), path: path.to_owned(), size, sector })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Size as the kernel has it now, in bytes.
    pub fn real_size(&self) -> io::Result<u64> {
        use std::io::{Seek, SeekFrom};
        (&self.file).seek(SeekFrom::End(0))
    }
}

impl Media for Device {
    fn size(&self) -> u64 {
        self.size
    }
    fn sector(&self) -> u32 {
        self.sector
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// A device in memory, for tests: blocks that were never written read as zeros.
#[derive(Debug, Clone, Default)]
pub struct MemoryMedia {
    /// Bytes.
    pub size: u64,
    /// Bytes of a sector.
    pub sector: u32,
    /// Written blocks of 4 KiB by number.
    pub blocks: std::collections::BTreeMap<u64, Vec<u8>>,
    /// Writes that still reach the medium; later ones are lost, as by a power cut. `None`: all.
    pub writes_left: Option<u64>,
    /// Writes that were asked for.
    pub writes: u64,
}

const BLOCK: u64 = 4096;

impl MemoryMedia {
    /// An empty one.
    pub fn new(size: u64, sector: u32) -> MemoryMedia {
        MemoryMedia { size, sector, ..MemoryMedia::default() }
    }
}

impl Media for MemoryMedia {
    fn size(&self) -> u64 {
        self.size
    }
    fn sector(&self) -> u32 {
        self.sector
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        let end = offset + buffer.len() as u64;
        for (number, block) in self.blocks.range(offset / BLOCK..end.div_ceil(BLOCK)) {
            let start = number * BLOCK;
            let (from, to) = (offset.max(start), end.min(start + BLOCK));
            let wanted = &block[(from - start) as usize..(to - start) as usize];
            buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(wanted);
        }
        Ok(())
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.writes += 1;
        if let Some(left) = &mut self.writes_left {
            match left.checked_sub(1) {
                None => return Ok(()),
                Some(rest) => *left = rest,
            }
        }
        for (index, byte) in bytes.iter().enumerate() {
            let at = offset + index as u64;
            self.blocks.entry(at / BLOCK).or_insert_with(|| vec![0; BLOCK as usize])[(at % BLOCK) as usize] = *byte;
        }
        Ok(())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
