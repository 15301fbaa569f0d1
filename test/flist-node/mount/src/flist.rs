//! A flist in memory: inodes, their children by name, their blocks in file order, and the routes.
use crate::Result;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
pub struct Inode {
    pub size: u64,
    pub uid: u32,
    pub gid: u32,
    /// The full `st_mode`.
    pub mode: u32,
    pub rdev: u32,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Of a symbolic link.
    pub target: Vec<u8>,
    /// Id and key, 32 bytes each.
    pub blocks: Vec<(Vec<u8>, Vec<u8>)>,
    pub children: BTreeMap<String, u64>,
}

pub struct Route {
    pub start: u8,
    pub end: u8,
    pub url: String,
}

pub struct Flist {
    pub inodes: HashMap<u64, Inode>,
    pub routes: Vec<Route>,
}

pub fn read(path: &str) -> Result<Flist> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut inodes: HashMap<u64, Inode> = HashMap::new();
    let mut names = Vec::new();
    let mut rows =
        db.prepare("SELECT ino, parent, name, size, uid, gid, mode, rdev, mtime FROM inode")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let ino: u64 = row.get(0)?;
        names.push((row.get::<_, u64>(1)?, row.get::<_, String>(2)?, ino));
        let inode = Inode {
            size: row.get(3)?,
            uid: row.get(4)?,
            gid: row.get(5)?,
            mode: row.get(6)?,
            rdev: row.get(7)?,
            mtime: row.get(8)?,
            ..Inode::default()
        };
        inodes.insert(ino, inode);
    }
    for (parent, name, ino) in names.into_iter().filter(|(parent, ..)| *parent != 0) {
        inodes
            .get_mut(&parent)
            .ok_or("a parent is missing")?
            .children
            .insert(name, ino);
    }
    let mut rows = db.prepare("SELECT ino, data FROM extra")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        inodes
            .get_mut(&row.get(0)?)
            .ok_or("a link's inode is missing")?
            .target = row.get(1)?;
    }
    let mut rows = db.prepare("SELECT ino, id, key FROM block")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        inodes
            .get_mut(&row.get(0)?)
            .ok_or("a block's inode is missing")?
            .blocks
            .push((row.get(1)?, row.get(2)?));
    }
    let mut rows = db.prepare("SELECT start, end, url FROM route")?;
    let routes = rows
        .query_map([], |row| {
            Ok(Route {
                start: row.get(0)?,
                end: row.get(1)?,
                url: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Flist { inodes, routes })
}
