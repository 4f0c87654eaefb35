//! The index beside its file, `FILE.idx`, so that a long recording opens at once the next time.
//!
//! It is taken if the file still begins and, where the index ends, still reads as it did, and has not
//! been written to without growing. Anything else is no index of this file, and it is made anew.
//! Where it cannot be written (a folder of somebody else's) it is kept in memory alone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::index::{Index, read_at};

/// Rises when an index written before could be misread.
const VERSION: u32 = 1;
/// Bytes at the head, and before where the index ends, that have to be the same.
const PROBE: u64 = 1 << 16;

/// What tells whether an index is this file's.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    version: u32,
    /// The file's length in bytes, and when it was last written to, in nanoseconds since 1970.
    len: u64,
    modified_ns: i128,
    /// SHA-256 of its head and of what lies before the end of the index.
    checksum: [u8; 32],
}

/// The file's index, if one is kept beside it and still fits.
pub(super) fn load(path: &Path, file: &File) -> Option<Index> {
    let bytes = fs::read(beside(path)).ok()?;
    let (seal, index) = postcard::from_bytes::<(Seal, Index)>(&bytes).ok()?;
    let now = seal_of(file, index.scanned).ok()?;
    let is_grown = now.len > seal.len;
    let is_same = now.len == seal.len && now.modified_ns == seal.modified_ns;
    let fits = seal.version == VERSION && seal.checksum == now.checksum && index.scanned <= now.len;
    (fits && (is_same || is_grown) && is_sound(&index)).then_some(index)
}

/// Keeps `index` beside the file, whole or not at all.
///
/// # Errors
/// The folder cannot be written to.
pub(super) fn save(path: &Path, file: &File, index: &Index) -> io::Result<()> {
    let seal = seal_of(file, index.scanned)?;
    let bytes = postcard::to_stdvec(&(&seal, index)).map_err(io::Error::other)?;
    let aside = path.with_added_extension(format!("idx.{}", std::process::id()));
    let written = File::create(&aside).and_then(|mut aside| aside.write_all(&bytes));
    let renamed = written.and_then(|()| fs::rename(&aside, beside(path)));
    if renamed.is_err() {
        // Nothing else is to be done about a file that may not even be there.
        let _ = fs::remove_file(&aside);
    }
    renamed
}

/// Where the index of a file lies.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("idx")
}

fn seal_of(file: &File, scanned: u64) -> io::Result<Seal> {
    let metadata = file.metadata()?;
    let mut digest = Sha256::new();
    for (from, until) in [(0, PROBE.min(scanned)), (scanned.saturating_sub(PROBE), scanned)] {
        let mut probe = vec![0; (until - from) as usize];
        let len = read_at(file, &mut probe, from)?;
        digest.update(&probe[..len]);
        digest.update(scanned.to_le_bytes());
    }
    let modified_ns =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Ok(Seal {
        version: VERSION,
        len: metadata.len(),
        modified_ns,
        checksum: digest.finalize().into(),
    })
}

/// Whether the blocks follow one another, so that nothing that relies on it can go astray.
fn is_sound(index: &Index) -> bool {
    let blocks = &index.blocks;
    let follows = blocks.windows(2).all(|pair| {
        pair[1].first == pair[0].first + u64::from(pair[0].events)
            && pair[1].offset >= pair[0].offset.saturating_add(u64::from(pair[0].len))
            && pair[1].first_ns >= pair[0].last_ns
    });
    let in_itself = |block: &super::index::Block| {
        block.events > 0 && block.events <= super::index::BLOCK && block.first_ns <= block.last_ns
    };
    let ends = blocks
        .last()
        .is_none_or(|last| last.offset.saturating_add(u64::from(last.len)) <= index.scanned);
    follows
        && ends
        && blocks.iter().all(in_itself)
        && blocks.first().is_none_or(|one| one.first == 0)
}
