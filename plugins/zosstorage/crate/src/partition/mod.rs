//! GUID partition tables and the layout of our own.

pub mod crc32;
pub mod gpt;
pub mod guid;
pub mod layout;
#[cfg(test)]
mod tests;
