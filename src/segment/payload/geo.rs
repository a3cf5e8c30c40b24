//! The index of points: blocks of points that are near one another, both directions. The head has the box of each block.
//! The writer orders points along a Hilbert curve; a reader needs the boxes only.

use super::cursor::{Cursor, put};
use super::encode::Sections;
use super::head::OfField;
use super::units::{Unit, Units};
use super::{NAME, SORTED_NAME};
use crate::error::Error;
use crate::payload::{Area, GeoBox, Point};
use crate::segment::packed::{self, Packed};
use crate::sort;
use crate::storage::Read;

/// Points of a block; more if there were more blocks than this.
const POINTS: usize = 256;
const BLOCKS: usize = 512;

/// The head of an index of points.
pub(crate) struct GeoHead {
    /// Pairs of a point and a row in all, and of a block but the last.
    pub(super) pairs: u64,
    per_block: u64,
    pub(super) blocks: Vec<PointBlock>,
    units: Units,
    rows: u32,
}

/// A block, and the box around its points.
pub(super) struct PointBlock {
    around: GeoBox,
    pub(super) unit: Unit,
}

/// The points of a block.
pub(crate) struct GeoBlock<'a> {
    around: GeoBox,
    count: usize,
    lats: Packed<'a>,
    lons: Packed<'a>,
    positions: Packed<'a>,
    rows: u32,
}

impl GeoHead {
    /// `at` is where its blocks start in their section; it is moved behind them.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        of: &OfField,
        [_, _, at]: &mut [u64; 3],
    ) -> Result<Self, Error> {
        let bad = |detail: &str| Error::corrupt(NAME, detail);
        let [_, _, units] = of.units;
        let per_block = cursor.number()?;
        if per_block == 0 || per_block > u64::from(u32::MAX) {
            return Err(bad("blocks of no points, or of more than 2^32"));
        }
        let mut head = GeoHead { pairs: of.values, per_block, blocks: Vec::new(), units, rows: of.rows };
        for _ in 0..head.pairs.div_ceil(per_block) {
            let around = GeoBox {
                south: cursor.i32()?,
                west: cursor.i32()?,
                north: cursor.i32()?,
                east: cursor.i32()?,
            };
            let unit = Unit::read(cursor, at)?;
            if around.south > around.north || around.west > around.east || !is_on_earth(&around) {
                return Err(bad("a box that is none"));
            }
            if !units.hold(unit) {
                return Err(bad("a block of points leaves its section"));
            }
            head.blocks.push(PointBlock { around, unit });
        }
        Ok(head)
    }

    /// The blocks, by number, that may have points in an area; and whether all of their points are in it.
    pub(crate) fn plan(&self, area: &Area) -> Vec<(usize, Read, bool)> {
        let blocks = self.blocks.iter().enumerate().filter(|(_, block)| area.meets(&block.around));
        let read = |(number, block): (usize, &PointBlock)| {
            (number, self.units.read(block.unit), area.holds(&block.around))
        };
        blocks.map(read).collect()
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// A block.
    pub(crate) fn block(&self, number: usize) -> Option<Read> {
        self.blocks.get(number).map(|block| self.units.read(block.unit))
    }

    /// The points of block `number`, whose bytes these are.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn decode<'a>(&self, number: usize, bytes: &'a [u8]) -> Result<GeoBlock<'a>, Error> {
        let bad = |detail: &str| Error::corrupt(SORTED_NAME, detail);
        let block = self.blocks.get(number).ok_or_else(|| bad("there is no such block"))?;
        let count = self.per_block.min(self.pairs - self.per_block * number as u64) as usize;
        let [high, wide] = widths(&block.around);
        let cut = || bad("a block of points is cut short");
        let (lats, rest) = Packed::without_head(bytes, count, high).ok_or_else(cut)?;
        let (lons, rest) = Packed::without_head(rest, count, wide).ok_or_else(cut)?;
        let (positions, rest) = Packed::split(rest, count).ok_or_else(cut)?;
        if !rest.is_empty() {
            return Err(bad("bytes after the last row of a block"));
        }
        // So a block has not many more points than bytes.
        if count > 1 && high + wide + positions.width() == 0 {
            return Err(bad("the same point and row twice"));
        }
        Ok(GeoBlock { around: block.around, count, lats, lons, positions, rows: self.rows })
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        crate::memory::bytes(&self.blocks)
    }
}

impl GeoBlock<'_> {
    /// Calls `take` with each point and row, in any order. After an error some may have been given that are not right.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn each(&self, take: &mut dyn FnMut(Point, u32)) -> Result<(), Error> {
        let GeoBox { south, west, north, east } = self.around;
        for at in 0..self.count {
            let [lat, lon] = [(south, &self.lats), (west, &self.lons)]
                .map(|(least, above)| i64::from(least) + above.get(at) as i64);
            let position = self.positions.get(at);
            if lat > i64::from(north) || lon > i64::from(east) || position >= u64::from(self.rows) {
                return Err(Error::corrupt(SORTED_NAME, "a point outside its box, or a row beyond the last"));
            }
            take(Point { lat: lat as i32, lon: lon as i32 }, position as u32);
        }
        Ok(())
    }
}

/// Bits of a latitude and of a longitude above the least of the box.
fn widths(around: &GeoBox) -> [usize; 2] {
    [around.north.abs_diff(around.south), around.east.abs_diff(around.west)]
        .map(|most| (u32::BITS - most.leading_zeros()) as usize)
}

/// Whether the box is one of points.
fn is_on_earth(around: &GeoBox) -> bool {
    let [most_lat, most_lon] = [900_000_000, 1_800_000_000];
    around.south >= -most_lat
        && around.north <= most_lat
        && around.west >= -most_lon
        && around.east < most_lon
}

/// Writes the points of a field, and appends the head.
pub(super) fn encode(
    points: &[(Point, u32)],
    sections: &mut Sections,
    head: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut points: Vec<(u64, u32, Point)> =
        points.iter().map(|&(point, row)| (point.hilbert(), row, point)).collect();
    sort::by_key(&mut points, |&(at, row, _)| (at, row));
    let per_block = points.len().div_ceil(BLOCKS).next_power_of_two().max(POINTS);
    put(head, per_block as u64);
    for some in points.chunks(per_block) {
        let around = some[1..].iter().fold(GeoBox::of(some[0].2), |around, point| around.with(point.2));
        let GeoBox { south, west, north, east } = around;
        [south, west, north, east].iter().for_each(|side| head.extend(side.to_le_bytes()));
        let [high, wide] = widths(&around);
        let mut block = Vec::new();
        packed::pack(some.iter().map(|p| u64::from(p.2.lat.abs_diff(south))), high as u32, &mut block);
        packed::pack(some.iter().map(|p| u64::from(p.2.lon.abs_diff(west))), wide as u32, &mut block);
        packed::encode(some.iter().map(|p| u64::from(p.1)), &mut block);
        sections.sorted.push(block)?.put(head);
    }
    Ok(())
}
