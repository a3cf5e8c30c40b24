//! Decimal digits to the nearest float, ties to even. The standard library does the same with a table of 10 kB; here
//! the few numbers that a product or quotient of two floats does not give are compared with their neighbours exactly.

use std::cmp::Ordering;

/// The powers of ten that are floats.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// So many digits tell a decimal from the midpoint of any two floats, if one more says whether others follow.
const MOST_DIGITS: usize = 800;
/// An approximation is off by fewer floats than this.
const MOST_STEPS: usize = 64;

/// The float nearest to a number of JSON without its sign; infinite beyond the greatest.
pub(super) fn nearest(text: &[u8]) -> f64 {
    let decimal = Decimal::read(text);
    let mut float = decimal.approximate();
    if decimal.is_exact() {
        return float;
    }
    for _ in 0..MOST_STEPS {
        let below = float.next_down();
        if float < f64::INFINITY && decimal.rounds_above(float) {
            float = float.next_up();
        } else if float > 0.0 && !decimal.rounds_above(below) {
            float = below;
        } else {
            break;
        }
    }
    float
}

/// `digits` x 10^`exponent`.
struct Decimal {
    /// Without leading zeros.
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    fn read(text: &[u8]) -> Self {
        let mut decimal = Decimal { digits: Vec::new(), exponent: 0 };
        let mut parts = text.split(|byte| matches!(byte, b'e' | b'E'));
        let mut is_fraction = false;
        for &byte in parts.next().unwrap_or_default() {
            if byte == b'.' {
                is_fraction = true;
                continue;
            }
            let is_kept = decimal.digits.len() < MOST_DIGITS;
            if is_kept && (byte != b'0' || !decimal.digits.is_empty()) {
                decimal.digits.push(byte - b'0');
            } else if !is_kept && byte != b'0' {
                // Whatever follows, the number is greater than the digits that are kept.
                decimal.digits.truncate(MOST_DIGITS);
                decimal.digits.push(1);
            }
            decimal.exponent = decimal.exponent.saturating_add(i32::from(!is_kept) - i32::from(is_fraction));
        }
        if decimal.digits.len() > MOST_DIGITS {
            decimal.exponent -= 1;
        }
        let exponent = parts.next().unwrap_or_default();
        let (sign, digits) = match exponent {
            [b'-', digits @ ..] => (-1, digits),
            [b'+', digits @ ..] | digits => (1, digits),
        };
        let add = |sum: i32, &digit: &u8| sum.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
        decimal.exponent = decimal.exponent.saturating_add(sign * digits.iter().fold(0, add));
        decimal
    }

    /// The first digits as a number, and how many others there are.
    fn head(&self) -> (u64, usize) {
        let head = self.digits.len().min(19);
        (
            self.digits[..head].iter().fold(0, |number, &digit| number * 10 + u64::from(digit)),
            self.digits.len() - head,
        )
    }

    /// Whether one rounding makes the approximation: of a product or quotient of two floats that are exact.
    fn is_exact(&self) -> bool {
        let (head, others) = self.head();
        let decimals = self.exponent.saturating_add(self.digits.len() as i32);
        // Digits cannot matter beyond the greatest float and below half of the smallest.
        let is_beyond = !(-330..=310).contains(&decimals);
        head == 0 || is_beyond || (others == 0 && head <= 1 << 53 && self.exponent.unsigned_abs() <= 22)
    }

    fn approximate(&self) -> f64 {
        let (head, others) = self.head();
        let mut float = head as f64;
        let mut exponent = self.exponent.saturating_add(others as i32).clamp(-400, 400);
        while exponent > 0 && float > 0.0 {
            let step = exponent.min(22);
            float *= POWERS[step as usize];
            exponent -= step;
        }
        while exponent < 0 && float > 0.0 {
            let step = exponent.unsigned_abs().min(22);
            float /= POWERS[step as usize];
            exponent += step as i32;
        }
        float
    }

    /// Whether it lies above the middle of a float and the next one, or there, and the next one is even.
    fn rounds_above(&self, float: f64) -> bool {
        let bits = float.to_bits();
        let (fraction, power) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
        let (mantissa, power) =
            if power == 0 { (fraction, -1074) } else { (fraction | 1 << 52, power - 1075) };
        // The digits x 10^exponent against (2 mantissa + 1) x 2^(power - 1).
        let mut ours = Natural(Vec::new());
        self.digits.iter().for_each(|&digit| ours.scale(10, u32::from(digit)));
        let middle = 2 * mantissa + 1;
        let mut theirs = Natural(vec![middle as u32, (middle >> 32) as u32]);
        let fives = if self.exponent > 0 { &mut ours } else { &mut theirs };
        let mut left = self.exponent.unsigned_abs();
        while left > 0 {
            let step = left.min(13);
            fives.scale(5u32.pow(step), 0);
            left -= step;
        }
        let twos = self.exponent - (power - 1);
        let shifted = if twos > 0 { &mut ours } else { &mut theirs };
        shifted.shift(twos.unsigned_abs());
        match ours.compare(&theirs) {
            Ordering::Less => false,
            Ordering::Equal => mantissa % 2 == 1,
            Ordering::Greater => true,
        }
    }
}

/// A whole number of any size, in limbs of 32 bits, the least first.
struct Natural(Vec<u32>);

impl Natural {
    fn scale(&mut self, factor: u32, mut plus: u32) {
        for limb in &mut self.0 {
            let wide = u64::from(*limb) * u64::from(factor) + u64::from(plus);
            (*limb, plus) = (wide as u32, (wide >> 32) as u32);
        }
        if plus > 0 {
            self.0.push(plus);
        }
    }

    fn shift(&mut self, bits: u32) {
        self.scale(1 << (bits % 32), 0);
        self.0.splice(..0, std::iter::repeat_n(0, (bits / 32) as usize));
    }

    fn compare(&self, other: &Natural) -> Ordering {
        let length = |limbs: &[u32]| limbs.len() - limbs.iter().rev().take_while(|&&limb| limb == 0).count();
        let (ours, theirs) = (&self.0[..length(&self.0)], &other.0[..length(&other.0)]);
        ours.len().cmp(&theirs.len()).then_with(|| ours.iter().rev().cmp(theirs.iter().rev()))
    }
}
