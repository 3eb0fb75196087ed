//! On which side of a perimeter line a position lies, and how far from it.

use ach_geo::Position;

type Point = (i128, i128);

/// Where a position lies, for one who has crossed a line outward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineSide {
    /// To the right of the line, further away than the tolerance: outside.
    Outside,
    /// Too near the line to tell, or past one of its ends on the inner side, where it may be round
    /// a corner of the building as well as within it.
    Unclear,
    /// To the left, further away than the tolerance: inside.
    Inside,
}

/// The part of a line that is nearest to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearest {
    /// Within a piece: that from the point of this number to the next.
    Piece(usize),
    /// A point.
    Point(usize),
}

/// Where a position lies. With no tolerance whatever is not inside is outside.
pub(crate) fn side_of(
    points_mm: &[(i32, i32)],
    position: &Position,
    tolerance_mm: u32,
) -> LineSide {
    let wide = |&(x_mm, y_mm): &(i32, i32)| (i128::from(x_mm), i128::from(y_mm));
    let mut points: Vec<Point> = points_mm.iter().map(wide).collect();
    points.dedup();
    let at = wide(&(position.x_mm, position.y_mm));
    let (square_mm, turn) = nearest_turn(&points, at);
    let reach_mm = u128::from(tolerance_mm);
    match turn {
        _ if tolerance_mm > 0 && square_mm <= reach_mm * reach_mm => LineSide::Unclear,
        Some(turn) if turn > 0 => LineSide::Inside,
        None if tolerance_mm > 0 => LineSide::Unclear,
        _ => LineSide::Outside,
    }
}

/// The square of the distance from the line, and on which side of its nearest part the position
/// lies: left is above 0; `None` if that is past an end, on the left.
fn nearest_turn(points: &[Point], at: Point) -> (u128, Option<i128>) {
    let mut first = (u128::MAX, Nearest::Point(0));
    for (number, (&from, &to)) in points.iter().zip(points.iter().skip(1)).enumerate() {
        let found = nearest_of(number, from, to, at);
        if found.0 < first.0 {
            first = found;
        }
    }
    let turn = match first.1 {
        Nearest::Piece(number) => piece_turn(points, number, at),
        Nearest::Point(number) => corner_turn(points, number, at),
    };
    (first.0, turn)
}

/// With differences below 2^33, the largest product but one here is below 2^68; the square of an
/// area saturates beyond any site.
fn nearest_of(number: usize, from: Point, to: Point, at: Point) -> (u128, Nearest) {
    let (along, there) = (difference(from, to), difference(from, at));
    let length = along.0 * along.0 + along.1 * along.1;
    let foot = there.0 * along.0 + there.1 * along.1;
    if foot <= 0 {
        return (square(from, at), Nearest::Point(number));
    }
    if foot >= length {
        return (square(to, at), Nearest::Point(number + 1));
    }
    let area = cross(along, there).unsigned_abs();
    // No length is 0: points that repeat were taken out.
    let across = area.saturating_mul(area) / length.unsigned_abs().max(1);
    (across, Nearest::Piece(number))
}

/// On which side of a piece a position lies.
fn piece_turn(points: &[Point], number: usize, at: Point) -> Option<i128> {
    let (&from, &to) = (points.get(number)?, points.get(number + 1)?);
    Some(cross(difference(from, to), difference(from, at)))
}

/// On which side of the line a position lies whose nearest point is a corner: on the outside of the
/// bend. A closed line has no ends.
fn corner_turn(points: &[Point], number: usize, at: Point) -> Option<i128> {
    let last = points.len().checked_sub(1)?;
    let is_closed = points.first() == points.get(last);
    let (into, out_of) = match number {
        0 if is_closed => (last.checked_sub(1), 0),
        _ if number == last && is_closed => (last.checked_sub(1), 0),
        0 => (None, 0),
        _ => (Some(number - 1), number),
    };
    let Some(into) = into else { return past_end(piece_turn(points, 0, at)?) };
    let Some((&from, &to)) = points.get(out_of).zip(points.get(out_of + 1)) else {
        return past_end(piece_turn(points, into, at)?);
    };
    let (&before, &corner) = points.get(into).zip(points.get(into + 1))?;
    let bend = cross(difference(before, corner), difference(from, to));
    if bend == 0 { piece_turn(points, into, at) } else { Some(-bend) }
}

fn past_end(turn: i128) -> Option<i128> {
    (turn < 0).then_some(turn)
}

fn difference(from: Point, to: Point) -> Point {
    (to.0 - from.0, to.1 - from.1)
}

fn cross(one: Point, other: Point) -> i128 {
    one.0 * other.1 - one.1 * other.0
}

fn square(one: Point, other: Point) -> u128 {
    let (across, along) = difference(one, other);
    (across * across + along * along).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN: LineSide = LineSide::Inside;
    const OUT: LineSide = LineSide::Outside;
    const NEAR: LineSide = LineSide::Unclear;

    #[track_caller]
    fn check(line: &[(i32, i32)], tolerance_mm: u32, table: &[((i32, i32), LineSide)]) {
        for &((x_mm, y_mm), expected) in table {
            let position = Position { x_mm, y_mm, z_mm: None, floor: None };
            let actual = side_of(line, &position, tolerance_mm);
            assert_eq!(actual, expected, "({x_mm}, {y_mm}) and {tolerance_mm} mm");
        }
    }

    #[test]
    fn a_position_is_in_or_out_when_it_is_further_away_than_the_tolerance() {
        let straight = [(0, 0), (10_000, 0)];
        check(
            &straight,
            1_000,
            &[
                ((5_000, -1_000), NEAR),
                ((5_000, -1_001), OUT),
                ((5_000, 1_000), NEAR),
                ((5_000, 1_001), IN),
                ((-800, -800), OUT),
                ((-700, -700), NEAR),
                ((10_600, -800), NEAR),
                ((10_700, -800), OUT),
            ],
        );
    }

    #[test]
    fn past_an_end_only_the_right_is_told() {
        let straight = [(0, 0), (10_000, 0)];
        check(
            &straight,
            1_000,
            &[
                ((-5_000, -1), OUT),
                ((-5_000, 0), NEAR),
                ((-5_000, 5_000), NEAR),
                ((15_000, -1), OUT),
                ((15_000, 5_000), NEAR),
            ],
        );
    }

    #[test]
    fn the_nearest_piece_tells_the_side() {
        let bent = [(0, 0), (10_000, 0), (10_000, 0), (10_000, 10_000)];
        check(&bent, 2_000, &[((8_500, 5_000), NEAR), ((7_900, 5_000), IN)]);
        check(&bent, 2_000, &[((12_100, 5_000), OUT), ((5_000, -2_001), OUT)]);
    }

    #[test]
    fn a_corner_has_its_outside_where_it_bends_to() {
        // A spike: beyond its tip is outside, though to the left of one of its pieces.
        let spike = [(0, 0), (10_000, 1_000), (0, 2_000)];
        check(&spike, 500, &[((11_000, 1_000), OUT), ((11_000, 1_100), OUT), ((11_000, 900), OUT)]);
        let notch = [(0, 2_000), (10_000, 1_000), (0, 0)];
        check(&notch, 500, &[((11_000, 1_000), IN), ((11_000, 1_100), IN), ((2_000, 1_000), OUT)]);
        let straight = [(0, 0), (5_000, 0), (10_000, 0)];
        check(&straight, 500, &[((5_000, 501), IN), ((5_000, -501), OUT)]);
    }

    #[test]
    fn a_closed_line_has_no_ends() {
        let ring = [(0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000), (0, 0)];
        check(
            &ring,
            1_000,
            &[((5_000, 5_000), IN), ((-2_000, -2_000), OUT), ((-2_000, 5_000), OUT)],
        );
    }

    #[test]
    fn without_a_tolerance_the_line_itself_is_outside() {
        check(
            &[(0, 0), (10, 0)],
            0,
            &[((5, 0), OUT), ((5, -1), OUT), ((5, 1), IN), ((50, 1), OUT)],
        );
    }

    #[test]
    fn distances_across_the_whole_plane_do_not_overflow() {
        let line = [(i32::MIN, i32::MIN), (i32::MAX, i32::MAX)];
        check(&line, 1_000_000, &[((i32::MIN, i32::MAX), IN), ((0, 1_414_000), NEAR)]);
        check(&line, 1_000_000, &[((0, 1_415_000), IN), ((0, -1_415_000), OUT), ((0, 1), NEAR)]);
    }
}
