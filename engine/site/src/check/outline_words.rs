//! What is wrong with an outline, in the words and the units of whoever drew it.

use ach_geo::RegionError;

/// What is wrong, and what to do. Rings and edges are counted from 1, as one counts on a drawing.
pub(super) fn outline_words(error: &RegionError) -> (String, &'static str) {
    match *error {
        RegionError::TooFewVertices { ring, count } => (
            format!("{} has {count} different points", ring_words(ring)),
            "draw at least three points that are not on one line",
        ),
        RegionError::NoArea { ring } => (
            format!("{} encloses no area", ring_words(ring)),
            "move a point: they are all on one line",
        ),
        RegionError::SelfIntersecting { ring, edge, other_edge, from_mm } => (
            format!(
                "{} meets itself: its edge {} from {} touches or crosses its edge {}",
                ring_words(ring),
                edge + 1,
                place(from_mm),
                other_edge + 1
            ),
            "give its points in the order in which one walks round it",
        ),
        RegionError::RingsCross { ring, edge, other_ring, from_mm, .. } => (
            format!(
                "{} crosses or runs along {}, with its edge {} from {}",
                ring_words(ring),
                ring_words(other_ring),
                edge + 1,
                place(from_mm)
            ),
            "keep holes wholly inside the outer ring and apart from each other",
        ),
        RegionError::HoleMisplaced { ring } => (
            format!("{} lies outside the outer ring or inside another hole", ring_words(ring)),
            "move the hole, or remove it",
        ),
        RegionError::NoRadius => {
            ("the circle has radius 0".to_owned(), "give `radius_m`, for example 2.5")
        }
        // The rest says itself what to do.
        ref other => (format!("the outline is not sound: {other}"), "redraw it"),
    }
}

fn ring_words(ring: usize) -> String {
    if ring == 0 { "the outline".to_owned() } else { format!("hole {ring}") }
}

/// A point in metres, as the files have it.
fn place((x_mm, y_mm): (i32, i32)) -> String {
    let metres = |mm: i32| crate::text::metres_text(i64::from(mm));
    format!("[{}, {}]", metres(x_mm), metres(y_mm))
}
