//! Which sockets have descriptors: found by inode, so that `dup`, `fork` and the reuse of numbers are
//! safe.
//!
//! An entry goes when its outer end is closed: found out by the call that closes it, by an edge on
//! the inner end, or, where there is no inner end (not connected yet, or reset), when the table has
//! grown and is looked through.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::net::Socket;

/// Entries at which the table is looked through for the first time.
const SWEEP_AT: usize = 64;

pub(super) struct Table {
    sockets: BTreeMap<u64, Arc<Socket>>,
    sweep_at: usize,
}

/// The one table of the process.
static TABLE: RwLock<Table> = RwLock::new(Table { sockets: BTreeMap::new(), sweep_at: SWEEP_AT });

/// A map is whole after a panic elsewhere.
fn read() -> RwLockReadGuard<'static, Table> {
    TABLE.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write() -> RwLockWriteGuard<'static, Table> {
    TABLE.write().unwrap_or_else(PoisonError::into_inner)
}

/// The socket whose outer end has `inode`.
pub(super) fn get(inode: u64) -> Option<Arc<Socket>> {
    read().sockets.get(&inode).cloned()
}

/// Adds a socket. Returns those to be looked at, when the table has grown: some of them may have
/// lost their outer end without a sign.
pub(super) fn insert(inode: u64, socket: Arc<Socket>) -> Vec<Arc<Socket>> {
    let mut table = write();
    // A file with the same inode is gone, or this one could not have it.
    let stale = table.sockets.insert(inode, socket);
    let mut suspects: Vec<_> = stale.into_iter().collect();
    if table.sockets.len() >= table.sweep_at {
        table.sweep_at = table.sockets.len() * 2;
        suspects.extend(table.sockets.values().cloned());
    }
    suspects
}

/// Takes a socket out.
pub(super) fn remove(inode: u64) -> Option<Arc<Socket>> {
    let mut table = write();
    let removed = table.sockets.remove(&inode);
    table.sweep_at = table.sweep_at.min((table.sockets.len() * 2).max(SWEEP_AT));
    removed
}

/// Every socket that `is_theirs`.
pub(super) fn all(is_theirs: impl Fn(&Socket) -> bool) -> Vec<Arc<Socket>> {
    read().sockets.values().filter(|socket| is_theirs(socket)).cloned().collect()
}

impl Table {
    /// Everything in it, which is forgotten without being dropped: for a forked child.
    pub(super) fn take(&mut self) -> BTreeMap<u64, Arc<Socket>> {
        std::mem::take(&mut self.sockets)
    }
}
