//! zosstorage provisions the disks of a fresh node, once, and never touches data.
//!
//! Three parts that know little of each other: **reading** ([`observe`], [`device`], [`config`]) gives values, **deciding**
//! ([`plan`]) is a pure function of them, and **acting** ([`act`]) does what a plan says and nothing else.
//! `docs/ARCHITECTURE.md` says more.

pub mod act;
pub mod cli;
pub mod config;
pub mod device;
pub mod error;
pub mod filesystem;
pub mod logging;
pub mod mount;
pub mod observe;
pub mod partition;
pub mod plan;
pub mod report;
