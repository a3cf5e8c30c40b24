//! Points in time: RFC 3339 text as milliseconds since 1970-01-01T00:00:00Z, and back.

const MS_OF_MINUTE: i64 = 60_000;
const MS_OF_DAY: i64 = 24 * 60 * MS_OF_MINUTE;
const DAYS_OF_ERA: i64 = 146_097;
/// The era begins on the first of March, so that its leap days end years.
const ERA_TO_EPOCH: i64 = 719_468;

/// The milliseconds of a date (midnight UTC), or of a date and a time with a zone, in the years 1 to 9999 (of UTC also).
/// Digits finer than milliseconds are cut off. A leap second, 23:59:60 UTC, is the last millisecond before it.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.as_bytes().split_at_checked(10)?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *date else { return None };
    let year = 100 * two(y0, y1)? + two(y2, y3)?;
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    if year < 1 || !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * MS_OF_DAY;
    let [b'T' | b't' | b' ', time @ ..] = rest else { return rest.is_empty().then_some(midnight) };
    let (of_day, is_leap) = parse_time(time)?;
    let utc = midnight + of_day;
    // A leap second is at the end of a day of UTC.
    let leaps = utc.rem_euclid(MS_OF_DAY) == MS_OF_DAY - 1;
    (is_year(utc) && (leaps || !is_leap)).then_some(utc)
}

/// The milliseconds of UTC since the midnight of the date, and whether the second is a leap second.
fn parse_time(time: &[u8]) -> Option<(i64, bool)> {
    let (clock, rest) = time.split_at_checked(8)?;
    let [h0, h1, b':', m0, m1, b':', s0, s1] = *clock else { return None };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let ms = |at: usize| if at < digits { i64::from(rest[at] - b'0') } else { 0 };
            if digits == 0 {
                return None;
            }
            (100 * ms(0) + 10 * ms(1) + ms(2), &rest[digits..])
        }
        rest => (0, rest),
    };
    let offset = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (two(h0, h1)?, two(m0, m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = 60 * hours + minutes;
            if sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let ms = if second == 60 { MS_OF_MINUTE - 1 } else { 1000 * second + fraction };
    Some(((60 * hour + minute - offset) * MS_OF_MINUTE + ms, second == 60))
}

/// RFC 3339 text of UTC with milliseconds. Years outside 0 to 9999 have a sign and at least six digits, as in JS.
pub(crate) fn format(ms: i64) -> String {
    let (days, of_day) = (ms.div_euclid(MS_OF_DAY), ms.rem_euclid(MS_OF_DAY));
    let (year, month, day) = civil_from_days(days);
    let (minutes, ms) = (of_day / MS_OF_MINUTE, of_day % MS_OF_MINUTE);
    let (hour, minute, second, ms) = (minutes / 60, minutes % 60, ms / 1000, ms % 1000);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Whether the year is one of 1 to 9999.
fn is_year(ms: i64) -> bool {
    (1..=9999).contains(&civil_from_days(ms.div_euclid(MS_OF_DAY)).0)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| 10 * i64::from(tens - b'0') + i64::from(ones - b'0'))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, which is extended to all years: `days_from_civil` of Howard
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_OF_ERA + day_of_era - ERA_TO_EPOCH
}

/// The year, the month and the day: `civil_from_days` of the same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + ERA_TO_EPOCH;
    let (era, day) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash;

    #[test]
    fn texts_are_the_milliseconds_they_name() {
        // The first column as JS has it: `new Date(ms).toISOString()`.
        let table = [
            ("1970-01-01T00:00:00.000Z", 0, "1970-01-01"),
            ("1969-12-31T23:59:59.999Z", -1, "1969-12-31t23:59:59.999z"),
            ("2000-02-29T00:00:00.000Z", 951_782_400_000, "2000-02-29 00:00:00Z"),
            ("1985-04-12T23:20:50.520Z", 482_196_050_520, "1985-04-12T23:20:50.52Z"),
            ("1996-12-20T00:39:57.000Z", 851_042_397_000, "1996-12-19T16:39:57-08:00"),
            ("1990-12-31T23:59:59.999Z", 662_687_999_999, "1990-12-31T15:59:60.25-08:00"),
            ("1937-01-01T11:40:27.870Z", -1_041_337_172_130, "1937-01-01T12:00:27.87+00:20"),
            ("2024-07-01T12:00:00.123Z", 1_719_835_200_123, "2024-07-01T12:00:00.1239999999-00:00"),
            ("0001-01-01T00:00:00.000Z", -62_135_596_800_000, "0001-01-01"),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            ("1900-03-01T00:00:00.000Z", -2_203_891_200_000, "1900-03-01T00:00:00Z"),
        ];
        for (formatted, ms, text) in table {
            assert_eq!(parse(text), Some(ms), "{text}");
            assert_eq!(parse(formatted), Some(ms), "{formatted}");
            assert_eq!(format(ms), formatted);
        }
        assert_eq!(format(8_640_000_000_000_000), "+275760-09-13T00:00:00.000Z");
        assert_eq!(format(-8_640_000_000_000_000), "-271821-04-20T00:00:00.000Z");
        assert_eq!(format(-62_167_219_200_001), "-000001-12-31T23:59:59.999Z");
        assert!(format(i64::MAX).starts_with("+292278994-") && format(i64::MIN).starts_with("-292275055-"));
    }

    #[test]
    fn other_texts_are_no_times() {
        let bad = "|2024|2024-07|2024-7-1|2024-00-01|2024-13-01|2024-04-31|2023-02-29|1900-02-29|0000-01-01|\
            24-07-01|2024/07/01|20240701|+2024-07-01|2024-07-01T|2024-07-01 |2024-07-01T12:00Z|\
            2024-07-01T12:00:00|2024-07-01T24:00:00Z|2024-07-01T12:60:00Z|2024-07-01T12:00:61Z|\
            2024-07-01T12:00:60Z|2024-12-31T23:59:60+01:00|2024-07-01T12:00:00.Z|2024-07-01T12:00:00,5Z|\
            2024-07-01T12:00:00+0100|2024-07-01T12:00:00+24:00|2024-07-01T12:00:00+01:60|\
            2024-07-01T12:00:00+01|2024-07-01T12:00:00Zx|2024-07-01T12:00:00.5|2024-07-01_12:00:00Z|\
            0001-01-01T00:00:00+00:01|9999-12-31T23:59:00-00:01|２０２４-07-01|2024-07-0１|-024-07-01";
        for text in bad.split('|') {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// The calendar repeats every 400 years: each day of two such rounds follows the one before it.
    #[test]
    fn every_day_follows_the_one_before() {
        let (mut days, end) = (days_from_civil(1600, 1, 1), days_from_civil(2400, 1, 1));
        assert_eq!(end - days, 2 * DAYS_OF_ERA);
        for year in 1600..2400 {
            for month in 1..=12 {
                for day in 1..=days_of_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), days);
                    assert_eq!(civil_from_days(days), (year, month, day));
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(parse(&text), Some(days * MS_OF_DAY));
                    assert_eq!(format(days * MS_OF_DAY), text + "T00:00:00.000Z");
                    days += 1;
                }
            }
        }
        assert_eq!(days, end);
        assert_eq!(days_from_civil(1970, 1, 1), 0);
    }

    #[test]
    fn any_time_comes_back_and_any_text_ends() {
        let (first, last) = (-62_135_596_800_000i64, 253_402_300_799_999);
        for seed in 0..20_000 {
            let ms = first + (hash(seed) % (last - first + 1) as u64) as i64;
            let mut text = format(ms).into_bytes();
            assert_eq!(parse(&format(ms)), Some(ms));
            let at = hash(seed + 1) as usize % text.len();
            text[at] = b"0123456789TZ:.+-tz e"[hash(seed + 2) as usize % 20];
            if let Some(ms) = parse(&String::from_utf8(text).unwrap()) {
                assert_eq!(parse(&format(ms)), Some(ms));
            }
        }
    }
}
