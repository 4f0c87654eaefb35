//! Which columns belong to whom: time, the two sides, the lifelines and the gaps between them.

/// Columns of the time, right-aligned, with a blank after it.
pub(super) const TIME: usize = 11;
/// The narrowest drawing that can be read.
pub const LEAST_WIDTH: usize = 72;
/// Columns between two lifelines below which no arrow has room for its numbers.
const LEAST_GAP: usize = 24;
/// Columns that the longest state name (`SYN-RECEIVED`) and a blank take.
const LEAST_SIDE: usize = 14;
/// Columns that the longest usual call takes.
const WIDEST_SIDE: usize = 32;

/// The columns of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// All columns.
    pub width: usize,
    /// The lifelines' columns.
    pub lanes: Vec<usize>,
}

impl Geometry {
    /// `lanes` lifelines in about `width` columns: more where that is too few. Of a capture nothing
    /// stands beside them.
    pub(super) fn new(width: usize, lanes: usize, is_captured: bool) -> Geometry {
        let gaps = lanes.saturating_sub(1).max(1);
        let least = TIME + 2 * LEAST_SIDE + 2 + gaps * LEAST_GAP;
        let width = width.max(LEAST_WIDTH).max(least);
        let share = (width - TIME) * 28 / 100;
        // With many lanes the arrows need the room more than the sides do.
        let spare = (width - TIME - 2).saturating_sub(gaps * LEAST_GAP) / 2;
        let widest = if is_captured { LEAST_SIDE } else { WIDEST_SIDE };
        let side = share.min(spare).clamp(LEAST_SIDE, widest);
        let first = TIME + side + 1;
        let last = width - side - 2;
        let lanes = match lanes {
            0 | 1 => vec![first],
            lanes => (0..lanes).map(|at| first + (last - first) * at / (lanes - 1)).collect(),
        };
        Geometry { width, lanes }
    }

    /// Where the text of a lane may stand: `[start, end)` and on which side of its lifeline.
    pub(super) fn side(&self, lane: usize) -> Side {
        let column = self.lanes[lane];
        if lane == 0 {
            Side { start: TIME, end: column - 1, mirrored: false, inner: false }
        } else if lane + 1 == self.lanes.len() {
            Side { start: column + 2, end: self.width, mirrored: true, inner: false }
        } else {
            let end = self.lanes[lane + 1] - 1;
            Side { start: column + 2, end, mirrored: true, inner: true }
        }
    }
}

/// The columns beside a lifeline for what its host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    /// First column.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Whether the lifeline is on its left.
    pub mirrored: bool,
    /// Whether it lies between two lifelines, where the arrows are.
    pub inner: bool,
}

impl Side {
    /// How many columns there are.
    pub(super) fn width(self) -> usize {
        self.end.saturating_sub(self.start)
    }
}
