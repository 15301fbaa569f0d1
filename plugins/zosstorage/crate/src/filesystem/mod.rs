//! File systems: what makes them, what reads them, and what of both is there.

pub mod command;
pub mod superblock;
#[cfg(test)]
mod tests;
pub mod tools;
