//! How far a position lies from a perimeter line.

use ach_geo::Position;

/// Whether a position is more than `tolerance_mm` away from every piece of a line; with no
/// tolerance, always.
pub(crate) fn is_beyond(points_mm: &[(i32, i32)], position: &Position, tolerance_mm: u32) -> bool {
    if tolerance_mm == 0 {
        return true;
    }
    let point = (i128::from(position.x_mm), i128::from(position.y_mm));
    let reach = i128::from(tolerance_mm) * i128::from(tolerance_mm);
    let pieces = points_mm.iter().zip(points_mm.iter().skip(1));
    pieces.into_iter().all(|(&from, &to)| {
        let wide = |(x_mm, y_mm): (i32, i32)| (i128::from(x_mm), i128::from(y_mm));
        is_beyond_piece(wide(from), wide(to), point, reach)
    })
}

/// Compares squares. With differences below 2^33, the largest product here is below 2^102.
fn is_beyond_piece(from: (i128, i128), to: (i128, i128), point: (i128, i128), reach: i128) -> bool {
    let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
    let (to_x, to_y) = (point.0 - from.0, point.1 - from.1);
    let length = along_x * along_x + along_y * along_y;
    let foot = to_x * along_x + to_y * along_y;
    if foot <= 0 || length == 0 {
        return to_x * to_x + to_y * to_y > reach;
    }
    if foot >= length {
        let (past_x, past_y) = (point.0 - to.0, point.1 - to.1);
        return past_x * past_x + past_y * past_y > reach;
    }
    // The distance is |cross| / sqrt(length). A reach is below 2^40 (a tolerance is at most 1 km), a
    // length below 2^67.
    let cross = (along_x * to_y - along_y * to_x).unsigned_abs();
    match cross.checked_mul(cross) {
        Some(square) => square > reach.unsigned_abs() * length.unsigned_abs(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[(i32, i32)], tolerance_mm: u32, table: &[((i32, i32), bool)]) {
        for &((x_mm, y_mm), expected) in table {
            let position = Position { x_mm, y_mm, z_mm: None, floor: None };
            let actual = is_beyond(line, &position, tolerance_mm);
            assert_eq!(actual, expected, "({x_mm}, {y_mm}) and {tolerance_mm} mm");
        }
    }

    #[test]
    fn a_position_is_beyond_when_it_is_further_away_than_the_tolerance() {
        let straight = [(0, 0), (10_000, 0)];
        check(
            &straight,
            1_000,
            &[
                ((5_000, -1_000), false),
                ((5_000, -1_001), true),
                ((-1_000, 0), false),
                ((-1_001, 0), true),
                ((-800, -800), true),
                ((-700, -700), false),
                ((10_600, 800), false),
                ((10_700, 800), true),
            ],
        );
    }

    #[test]
    fn every_piece_of_the_line_counts() {
        let bent = [(0, 0), (10_000, 0), (10_000, 10_000)];
        check(&bent, 2_000, &[((8_500, 5_000), false), ((7_900, 5_000), true)]);
    }

    #[test]
    fn without_a_tolerance_the_line_itself_is_enough() {
        check(&[(0, 0), (10, 0)], 0, &[((5, 0), true)]);
    }

    #[test]
    fn distances_across_the_whole_plane_do_not_overflow() {
        let line = [(i32::MIN, i32::MIN), (i32::MAX, i32::MAX)];
        check(&line, 1_000_000, &[((i32::MIN, i32::MAX), true), ((0, 1_414_000), false)]);
        check(&line, 1_000_000, &[((0, 1_415_000), true), ((0, 1), false)]);
    }
}
