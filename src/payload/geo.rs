//! Points on the earth, and areas that hold some of them. Whether an area holds a point is computed from whole numbers
//! and by sums of a fixed order, so that it is the same on every machine.

/// Units of a degree.
const DEGREE: f64 = 1e7;
const HALF_TURN: i32 = 1_800_000_000;
const POLE: i32 = HALF_TURN / 2;
/// The mean radius of the earth (IUGG), in metres.
const EARTH: f64 = 6_371_008.8;
/// By so much the cosines of distances may be rounded: less than 1 m.
const ROUNDING: f64 = 1e-14;

/// A point, in units of 1e-7 of a degree (about 1 cm): from -90 to 90 degrees of latitude, from -180 up to below 180
/// degrees of longitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) lat: i32,
    pub(crate) lon: i32,
}

/// What lies within it matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Area {
    /// Up to so many metres from a point, along the surface of a sphere.
    Radius { center: Point, meters: f64 },
    /// Between two parallels and two meridians, both included. A box whose west is greater than its east crosses the
    /// antimeridian, which is both -180 and 180 degrees here.
    Box { south: i32, west: i32, north: i32, east: i32 },
}

/// The least box around some points, that does not cross the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GeoBox {
    pub(crate) south: i32,
    pub(crate) west: i32,
    pub(crate) north: i32,
    pub(crate) east: i32,
}

impl Point {
    /// The point of these degrees, or `None` where there is none: of a latitude beyond a pole, of a longitude beyond
    /// half a turn, of a NaN.
    pub(crate) fn new(lat: f64, lon: f64) -> Option<Self> {
        let (lat, lon) = (units(lat, 90.0)?, units(lon, 180.0)?);
        Some(Point { lat, lon: if lon == HALF_TURN { -HALF_TURN } else { lon } })
    }

    /// The point on the other side of the earth.
    fn antipode(self) -> Self {
        Point { lat: -self.lat, lon: if self.lon < 0 { self.lon + HALF_TURN } else { self.lon - HALF_TURN } }
    }

    /// The number of the point along a Hilbert curve through a square of 2^32 x 2^32 units: points of near numbers are
    /// near one another.
    pub(crate) fn hilbert(self) -> u64 {
        let (mut x, mut y) = (self.lon.wrapping_add(HALF_TURN) as u32, self.lat.wrapping_add(POLE) as u32);
        let mut number = 0;
        for bit in (0..u32::BITS).rev() {
            let (right, upper) = (x >> bit & 1, y >> bit & 1);
            number = number << 2 | u64::from((3 * right) ^ upper);
            (x, y) = turned(x, y, right, upper);
        }
        number
    }
}

/// Turns a quarter of the square so that the curve enters and leaves it as it does the square.
fn turned(x: u32, y: u32, right: u32, upper: u32) -> (u32, u32) {
    match (right, upper) {
        (0, 0) => (y, x),
        (1, 0) => (!y, !x),
        _ => (x, y),
    }
}

impl Area {
    /// What is up to so many metres from a point, or `None` of a NaN, an infinity or a number below 0.
    pub(crate) fn radius(center: Point, meters: f64) -> Option<Self> {
        (meters.is_finite() && meters >= 0.0).then_some(Area::Radius { center, meters })
    }

    /// What is between these degrees, or `None` where they are none or north is below south.
    pub(crate) fn between(south: f64, west: f64, north: f64, east: f64) -> Option<Self> {
        let (south, north) = (units(south, 90.0)?, units(north, 90.0)?);
        let (west, east) = (units(west, 180.0)?, units(east, 180.0)?);
        (south <= north).then_some(Area::Box { south, west, north, east })
    }

    /// Whether the point lies within it.
    pub(crate) fn contains(&self, point: Point) -> bool {
        match *self {
            Area::Radius { center, meters } => match haversine_of(meters) {
                Some(most) => haversine(center, point) <= most,
                None => true,
            },
            Area::Box { south, west, north, east } => {
                (south..=north).contains(&point.lat)
                    && spans(west, east).iter().any(|&(west, east)| (west..=east).contains(&point.lon))
            }
        }
    }

    /// Whether a point of the box may lie within it. It is true wherever one does.
    pub(crate) fn meets(&self, of: &GeoBox) -> bool {
        match *self {
            Area::Radius { center, meters } => match haversine_of(meters) {
                Some(most) => nearest_cosine(center, of) >= 1.0 - 2.0 * most - ROUNDING,
                None => true,
            },
            Area::Box { south, west, north, east } => {
                south <= of.north
                    && of.south <= north
                    && spans(west, east).iter().any(|&(west, east)| west <= of.east && of.west <= east)
            }
        }
    }

    /// Whether all points of the box lie within it. It is true only where all do.
    pub(crate) fn holds(&self, of: &GeoBox) -> bool {
        match *self {
            Area::Radius { center, meters } => match haversine_of(meters) {
                Some(most) => -nearest_cosine(center.antipode(), of) >= 1.0 - 2.0 * most + ROUNDING,
                None => true,
            },
            Area::Box { south, west, north, east } => {
                south <= of.south
                    && of.north <= north
                    && spans(west, east).iter().any(|&(west, east)| west <= of.west && of.east <= east)
            }
        }
    }
}

impl GeoBox {
    /// The box between these, or `None` where no points have it.
    #[cfg(test)]
    pub(crate) fn new(south: i32, west: i32, north: i32, east: i32) -> Option<Self> {
        let is_box = -POLE <= south && south <= north && north <= POLE;
        let is_box = is_box && -HALF_TURN <= west && west <= east && east < HALF_TURN;
        is_box.then_some(GeoBox { south, west, north, east })
    }

    /// The box of one point.
    pub(crate) fn of(point: Point) -> Self {
        GeoBox { south: point.lat, west: point.lon, north: point.lat, east: point.lon }
    }

    /// The least box that has this point as well.
    pub(crate) fn with(self, point: Point) -> Self {
        GeoBox {
            south: self.south.min(point.lat),
            west: self.west.min(point.lon),
            north: self.north.max(point.lat),
            east: self.east.max(point.lon),
        }
    }
}

/// Whole units of degrees between -`most` and `most`.
fn units(degrees: f64, most: f64) -> Option<i32> {
    (degrees.abs() <= most).then(|| (degrees * DEGREE).round() as i32)
}

/// The longitudes from west to east, as points have them: at most two spans, the second empty where there is one.
fn spans(west: i32, east: i32) -> [(i32, i32); 2] {
    const NONE: (i32, i32) = (i32::MAX, i32::MIN);
    match (west <= east, east) {
        (true, HALF_TURN) => [(west, east), (-HALF_TURN, -HALF_TURN)],
        (true, _) => [(west, east), NONE],
        (false, _) => [(west, HALF_TURN), (-HALF_TURN, east)],
    }
}

/// The haversine of a distance, or `None` where nothing on earth is farther.
fn haversine_of(meters: f64) -> Option<f64> {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};
    let half = meters / (2.0 * EARTH);
    let sine = if half <= FRAC_PI_4 { sine(half) } else { cosine(FRAC_PI_2 - half) };
    (half < FRAC_PI_2).then_some(sine * sine)
}

/// The haversine of the distance of two points: the square of half their chord. It rises with the distance.
fn haversine(a: Point, b: Point) -> f64 {
    let (north, east) = (sine_of_half((a.lat - b.lat).abs()), sine_of_half(turn(a.lon, b.lon)));
    north * north + cosine_of(a.lat) * cosine_of(b.lat) * (east * east)
}

/// The cosine of the distance to the nearest point of the box, which is where its nearest meridian is nearest.
fn nearest_cosine(center: Point, of: &GeoBox) -> f64 {
    let is_between = (of.west..=of.east).contains(&center.lon);
    let east = if is_between { 0 } else { turn(center.lon, of.west).min(turn(center.lon, of.east)) };
    // Along a meridian, the cosine is that of a circle: by its slope at both ends it has its top between them or at one.
    let chord = sine_of_half(east);
    let (up, along) = (sine_of(center.lat), cosine_of(center.lat) * (1.0 - 2.0 * chord * chord));
    let cosine = |lat: i32| up * sine_of(lat) + along * cosine_of(lat);
    let slope = |lat: i32| up * cosine_of(lat) - along * sine_of(lat);
    if slope(of.south) > 0.0 && slope(of.north) < 0.0 {
        (up * up + along * along).sqrt()
    } else {
        cosine(of.south).max(cosine(of.north))
    }
}

/// The units between two meridians, the shorter way.
fn turn(a: i32, b: i32) -> i32 {
    let units = (i64::from(a) - i64::from(b)).abs();
    units.min(2 * i64::from(HALF_TURN) - units) as i32
}

fn sine_of(lat: i32) -> f64 {
    f64::from(lat.signum()) * sine_of_half(2 * lat.abs())
}

fn cosine_of(lat: i32) -> f64 {
    sine_of_half(HALF_TURN - 2 * lat.abs())
}

/// The sine of half of so many units, from 0 to half a turn.
fn sine_of_half(units: i32) -> f64 {
    const RADIANS: f64 = std::f64::consts::PI / (2.0 * HALF_TURN as f64);
    if units <= POLE {
        sine(f64::from(units) * RADIANS)
    } else {
        cosine(f64::from(HALF_TURN - units) * RADIANS)
    }
}

/// The sine of 0 to a quarter of pi: its series up to x^15, whose rest is below 5e-17. The library's sine has other last
/// bits on other machines.
fn sine(x: f64) -> f64 {
    let square = x * x;
    x * (1..8).rev().fold(1.0, |rest, k| 1.0 - rest * square / f64::from(2 * k * (2 * k + 1)))
}

/// The cosine of 0 to a quarter of pi: its series up to x^16.
fn cosine(x: f64) -> f64 {
    let square = x * x;
    (1..9).rev().fold(1.0, |rest, k| 1.0 - rest * square / f64::from((2 * k - 1) * 2 * k))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash;

    /// A number of 0 to 1.
    fn unit(seed: u64) -> f64 {
        (hash(seed) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Points everywhere, and one of four at a pole, at the antimeridian, or on the equator.
    fn point(seed: u64) -> Point {
        let (lat, lon) = (180.0 * unit(seed) - 90.0, 360.0 * unit(seed + 1) - 180.0);
        let lat = [lat, 90.0, -90.0, 0.0][(hash(seed + 2) % 16).min(3) as usize];
        let lon = [lon, 180.0, 0.0, -180.0 + 1e-7][(hash(seed + 3) % 16).min(3) as usize];
        Point::new(lat, lon).unwrap()
    }

    /// The distance in metres by the functions of the library.
    fn distance(a: Point, b: Point) -> f64 {
        let radians = |units: i32| (f64::from(units) / DEGREE).to_radians();
        let north = ((radians(a.lat) - radians(b.lat)) / 2.0).sin();
        let east = ((radians(a.lon) - radians(b.lon)) / 2.0).sin();
        let square = north * north + radians(a.lat).cos() * radians(b.lat).cos() * east * east;
        2.0 * EARTH * square.sqrt().min(1.0).asin()
    }

    #[test]
    fn degrees_are_rounded_or_refused() {
        let at = |lat, lon| Point::new(lat, lon).map(|point| (point.lat, point.lon));
        assert_eq!(at(48.123_456_78, -0.000_000_06), Some((481_234_568, -1)));
        assert_eq!(at(90.0, 180.0), Some((POLE, -HALF_TURN)));
        assert_eq!(at(-90.0, 179.999_999_99), Some((-POLE, -HALF_TURN)));
        assert_eq!(at(0.0, -0.0), Some((0, 0)));
        for (lat, lon) in [(90.000_000_1, 0.0), (0.0, 180.000_000_1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(at(lat, lon), None, "{lat}, {lon}");
        }
        let north_below_south = Area::between(1.0, 0.0, -1.0, 0.0);
        assert!(north_below_south.is_none() && Area::between(0.0, f64::NAN, 1.0, 0.0).is_none());
        let center = Point::new(0.0, 0.0).unwrap();
        assert!([-1.0, f64::NAN, f64::INFINITY].iter().all(|&radius| Area::radius(center, radius).is_none()));
    }

    #[test]
    fn a_radius_holds_what_is_so_near() {
        let at = |lat, lon| Point::new(lat, lon).unwrap();
        let within = |a: Point, b: Point, meters| Area::radius(a, meters).unwrap().contains(b);
        let quarter = std::f64::consts::FRAC_PI_2 * EARTH;
        assert!(within(at(0.0, 0.0), at(0.0, 90.0), quarter + 0.01));
        assert!(!within(at(0.0, 0.0), at(0.0, 90.0), quarter - 0.01));
        // Over the antimeridian, and over the pole, where all meridians meet.
        assert!(
            within(at(0.0, 179.9), at(0.0, -179.9), 22_239.1)
                && !within(at(0.0, 179.9), at(0.0, -179.9), 22_238.9)
        );
        assert!(
            within(at(89.9, 0.0), at(89.9, 180.0), 22_239.1)
                && !within(at(89.9, 0.0), at(89.9, 180.0), 22_238.9)
        );
        assert!(within(at(90.0, 0.0), at(90.0, 77.0), 0.0) && within(at(-90.0, 0.0), at(-90.0, -180.0), 0.0));
        // Next to itself, and everywhere.
        let here = at(12.345_678_9, 98.765_432_1);
        let next = Point { lat: here.lat + 1, ..here };
        assert!(within(here, here, 0.0) && !within(here, next, 0.0) && !within(here, next, 0.01));
        assert!(within(here, next, 0.012) && within(here, here.antipode(), 2.0 * quarter));
        assert!(within(here, here.antipode(), 1e300) && !within(here, here.antipode(), 2.0 * quarter - 1.0));
        for seed in (0..200_000).step_by(20) {
            let (a, b) = (point(seed), point(seed + 10));
            let meters = distance(a, b);
            // Near the other side of the earth, f64 tells a tenth of a metre.
            let by = if meters < 19_900_000.0 { 1e-4 } else { 0.5 };
            assert!(within(a, b, meters + by), "{a:?} {b:?}");
            assert!(meters < by || !within(a, b, meters - by), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_box_holds_what_is_between() {
        let holds = |[south, west, north, east]: [f64; 4], lat, lon| {
            Area::between(south, west, north, east).unwrap().contains(Point::new(lat, lon).unwrap())
        };
        let europe = [35.0, -10.0, 70.0, 40.0];
        assert!(holds(europe, 35.0, -10.0) && holds(europe, 70.0, 40.0) && holds(europe, 50.0, 0.0));
        assert!(!holds(europe, 34.999_999_9, 0.0) && !holds(europe, 50.0, 40.000_000_1));
        let pacific = [-30.0, 160.0, 30.0, -120.0];
        assert!(holds(pacific, 0.0, 180.0) && holds(pacific, 0.0, 160.0) && holds(pacific, 0.0, -120.0));
        assert!(!holds(pacific, 0.0, 159.0) && !holds(pacific, 0.0, -119.0) && !holds(pacific, 0.0, 0.0));
        // The antimeridian is at both ends.
        let (west, east) = ([-1.0, -180.0, 1.0, -170.0], [-1.0, 170.0, 1.0, 180.0]);
        assert!([-180.0, 180.0].iter().all(|&lon| holds(west, 0.0, lon) && holds(east, 0.0, lon)));
        assert!(holds([-90.0, -180.0, 90.0, 180.0], 12.0, 34.0) && holds([1.0, 2.0, 1.0, 2.0], 1.0, 2.0));
        assert!(holds([0.0, 180.0, 0.0, 180.0], 0.0, -180.0) && !holds([0.0, 180.0, 0.0, 180.0], 0.0, 179.0));
    }

    #[test]
    fn boxes_are_those_of_points() {
        let (least, most) = ((-POLE, -HALF_TURN), (POLE, HALF_TURN - 1));
        let all = GeoBox::new(least.0, least.1, most.0, most.1).unwrap();
        let corner = |(lat, lon)| Point { lat, lon };
        assert_eq!(GeoBox::of(corner(most)).with(corner(least)), all);
        for [south, west, north, east] in [
            [least.0 - 1, 0, 0, 0],
            [0, least.1 - 1, 0, 0],
            [0, 0, most.0 + 1, 0],
            [0, 0, 0, most.1 + 1],
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [i32::MIN, i32::MIN, i32::MAX, i32::MAX],
        ] {
            assert_eq!(GeoBox::new(south, west, north, east), None);
        }
    }

    /// A grid of points of the box, its borders among them.
    fn grid(of: GeoBox, cells: i64) -> Vec<Point> {
        let at = |from: i32, to: i32, step: i64| {
            (i64::from(from) + (i64::from(to) - i64::from(from)) * step / cells) as i32
        };
        let row = |y| {
            (0..=cells).map(move |x| Point { lat: at(of.south, of.north, y), lon: at(of.west, of.east, x) })
        };
        (0..=cells).flat_map(row).collect()
    }

    #[test]
    fn areas_meet_and_hold_boxes_as_they_do_their_points() {
        const CELLS: i64 = 16;
        let (mut met, mut held) = ([0; 2], [0; 2]);
        for seed in (0..300_000).step_by(100) {
            let corner = point(seed);
            let size = 10f64.powf(9.5 * unit(seed + 10));
            let beside = |at: i32, by: f64, most: i32| {
                (f64::from(at) + size * by).clamp(-f64::from(most), f64::from(most)) as i32
            };
            let other = Point {
                lat: beside(corner.lat, unit(seed + 11) - 0.5, POLE),
                lon: beside(corner.lon, 2.0 * unit(seed + 12) - 1.0, HALF_TURN - 1),
            };
            let of = GeoBox::of(corner).with(other);
            let points = grid(of, CELLS);
            let center = if seed % 200 == 0 {
                point(seed + 20)
            } else {
                points[hash(seed + 24) as usize % points.len()]
            };
            let distances: Vec<f64> = points.iter().map(|&point| distance(center, point)).collect();
            let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
            let farthest = distances.iter().copied().fold(0.0, f64::max);
            let meters = [nearest, farthest, 2.0 * farthest, 5e6][hash(seed + 25) as usize % 4]
                * (0.9 + 0.2 * unit(seed + 26));
            let area = Area::Radius { center, meters };
            let inside = points.iter().filter(|&&point| area.contains(point)).count();
            assert!(inside == 0 || area.meets(&of), "{area:?} {of:?}");
            assert!(inside == points.len() || !area.holds(&of), "{area:?} {of:?}");
            // No point is farther from one of the grid than half a cell each way.
            let cell = (i64::from(of.north - of.south) + i64::from(of.east) - i64::from(of.west)) as f64
                / CELLS as f64;
            let cell = 1.0 + cell / DEGREE * 111_200.0;
            assert!(nearest <= meters + cell || !area.meets(&of), "{area:?} {of:?}");
            assert!(farthest >= meters - cell || area.holds(&of), "{area:?} {of:?}");
            met[usize::from(area.meets(&of))] += 1;
            held[usize::from(area.holds(&of))] += 1;

            let (a, b) = (point(seed + 30), point(seed + 40));
            let area =
                Area::Box { south: a.lat.min(b.lat), west: a.lon, north: a.lat.max(b.lat), east: b.lon };
            let inside = points.iter().filter(|&&point| area.contains(point)).count();
            assert!(inside == 0 || area.meets(&of), "{area:?} {of:?}");
            assert!(inside == points.len() || !area.holds(&of), "{area:?} {of:?}");
            assert!(!area.holds(&of) || area.meets(&of));
        }
        assert!(met.iter().chain(&held).all(|&count| count > 300), "{met:?} {held:?}");
    }

    /// The point of a number that `hilbert` gave, or `None` of another.
    fn of_hilbert(number: u64) -> Option<Point> {
        let (mut x, mut y) = (0u32, 0u32);
        for bit in 0..u32::BITS {
            let quarter = (number >> (2 * bit) & 3) as u32;
            let right = quarter >> 1;
            let upper = (quarter ^ right) & 1;
            let below = (1u32 << bit) - 1;
            (x, y) = turned(x, y, right, upper);
            (x, y) = (x & below | right << bit, y & below | upper << bit);
        }
        let is_point = x < 2 * HALF_TURN as u32 && y <= 2 * POLE as u32;
        is_point.then(|| Point {
            lat: y.wrapping_sub(POLE as u32) as i32,
            lon: x.wrapping_sub(HALF_TURN as u32) as i32,
        })
    }

    #[test]
    fn the_curve_goes_through_each_point_once_and_keeps_near_ones_together() {
        let corner = Point { lat: -POLE, lon: -HALF_TURN };
        assert_eq!(corner.hilbert(), 0);
        let mut before = corner;
        for number in 1..10_000 {
            let point = of_hilbert(number).unwrap();
            assert_eq!((point.lat - before.lat).abs() + (point.lon - before.lon).abs(), 1);
            before = point;
        }
        for seed in (0..100_000).step_by(10) {
            let point = point(seed);
            assert_eq!(of_hilbert(point.hilbert()), Some(point));
            if let Some(point) = of_hilbert(hash(seed)) {
                assert_eq!(point.hilbert(), hash(seed));
                assert!(point.lat.abs() <= POLE && (-HALF_TURN..HALF_TURN).contains(&point.lon));
            }
        }
        assert_eq!(of_hilbert(u64::MAX), None);
    }

    #[test]
    fn sines_are_exact_and_the_same_everywhere() {
        let mut bits = 0;
        for units in (0..=HALF_TURN).step_by(7919) {
            let exact = (f64::from(units) / DEGREE / 2.0).to_radians().sin();
            assert!((sine_of_half(units) - exact).abs() <= 3e-16, "{units}");
            bits = hash(bits ^ sine_of_half(units).to_bits());
        }
        for seed in (0..100_000).step_by(20) {
            bits = hash(bits ^ haversine(point(seed), point(seed + 10)).to_bits());
        }
        assert_eq!(bits, 17_674_671_323_767_974_280, "as on x86-64");
    }
}
