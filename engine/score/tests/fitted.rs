//! The noise is that of a real recording: the same numbers are found in it again.
//!
//! The recording is `two-systems/raw_uwbtags.csv` of the SDU building dataset of 2019: one UWB tag on one person, who
//! stands, walks in a circle and stands again. It is looked for in `$ACH_RECORDINGS`; without it the test says so
//! and passes. `docs/specs/score.md` says what each number is fitted to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::path::PathBuf;

use ach_engine_score::Noise;

/// Half of the time that the path is fitted over, seconds.
const REACH_S: f64 = 1.5;
/// Whoever is further from the path has jumped.
const JUMP_MM: f64 = 400.0;
/// While he walks; before and after he stands.
const WALK_S: (f64, f64) = (117.0, 174.0);
/// While a camera sees that he does not move from the spot.
const STANDS_S: [(f64, f64); 4] = [(0.0, 26.0), (34.0, 87.0), (91.0, 116.0), (176.0, 187.0)];

/// Seconds from the first, and millimetres.
type Fix = (f64, f64, f64);

fn recording() -> Option<Vec<Fix>> {
    let folder = std::env::var_os("ACH_RECORDINGS").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("two-systems/raw_uwbtags.csv"));
    let Some(path) = path.filter(|path| path.exists()) else {
        println!("SKIPPED: no recording; set ACH_RECORDINGS");
        return None;
    };
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_path(path).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        // Of one morning: `2019-05-16 10:24:06.577`.
        let clock: Vec<f64> = row[4]
            .split(' ')
            .nth(1)
            .unwrap()
            .split(':')
            .map(|part| part.parse().unwrap())
            .collect();
        let seconds = clock[0] * 3_600.0 + clock[1] * 60.0 + clock[2];
        (seconds, row[1].parse().unwrap(), row[2].parse().unwrap())
    });
    let rows: Vec<Fix> = rows.collect();
    let first_s = rows[0].0;
    Some(rows.into_iter().map(|(at_s, x_mm, y_mm)| (at_s - first_s, x_mm, y_mm)).collect())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Deviation of a normal distribution of which the middle half is this far out.
fn deviation(of: impl Iterator<Item = f64>) -> f64 {
    1.482_6 * median(of.map(f64::abs).collect())
}

/// What is left of a fix when a parabola through its neighbours in time is taken away, which those far off it have
/// little say in (ten rounds of weighted least squares).
fn residual(fixes: &[Fix], at: &Fix) -> (f64, f64) {
    let near: Vec<&Fix> = fixes.iter().filter(|fix| (fix.0 - at.0).abs() <= REACH_S).collect();
    let mut weights = vec![1.0; near.len()];
    let mut here = (0.0, 0.0);
    for _ in 0..10 {
        let (mut squares, mut sums) = ([[0.0; 3]; 3], [[0.0; 2]; 3]);
        for (fix, weight) in near.iter().zip(&weights) {
            let powers = powers(fix, at);
            for row in 0..3 {
                for column in 0..3 {
                    squares[row][column] += weight * powers[row] * powers[column];
                }
                sums[row][0] += weight * powers[row] * fix.1;
                sums[row][1] += weight * powers[row] * fix.2;
            }
        }
        let curve = solved(squares, sums);
        here = (curve[0][0], curve[0][1]);
        let apart: Vec<f64> = near
            .iter()
            .map(|fix| {
                let powers = powers(fix, at);
                let on =
                    |axis: usize| (0..3).map(|row| powers[row] * curve[row][axis]).sum::<f64>();
                (fix.1 - on(0)).hypot(fix.2 - on(1))
            })
            .collect();
        let scale = median(apart.clone()).max(30.0);
        weights = apart.iter().map(|mm| (mm / (2.0 * scale)).max(1.0).powi(-2)).collect();
    }
    (at.1 - here.0, at.2 - here.1)
}

fn powers(fix: &Fix, at: &Fix) -> [f64; 3] {
    let by = (fix.0 - at.0) / REACH_S;
    [1.0, by, by * by]
}

/// Gauss and Jordan; the matrix is of squares, so its diagonal will do.
fn solved(mut left: [[f64; 3]; 3], mut right: [[f64; 2]; 3]) -> [[f64; 2]; 3] {
    for pivot in 0..3 {
        for row in (0..3).filter(|row| *row != pivot) {
            let share = left[row][pivot] / left[pivot][pivot];
            let (squares, sums) = (left[pivot], right[pivot]);
            left[row].iter_mut().zip(squares).for_each(|(cell, it)| *cell -= share * it);
            right[row].iter_mut().zip(sums).for_each(|(cell, it)| *cell -= share * it);
        }
    }
    for row in 0..3 {
        right[row] = right[row].map(|sum| sum / left[row][row]);
    }
    right
}

#[track_caller]
fn is_near(what: &str, found: f64, fitted: f64, by: f64) {
    println!("{what}: {found:.3} in the recording, {fitted} in the noise");
    assert!((found - fitted).abs() <= by * fitted, "{what}: {found}, not {fitted}");
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap())
}

#[test]
fn the_numbers_of_the_noise_are_those_of_the_recording() {
    let Some(fixes) = recording() else { return };
    let noise = Noise::default();
    let residuals: Vec<(f64, f64)> = fixes.iter().map(|fix| residual(&fixes, fix)).collect();
    let walking = |at: usize| (WALK_S.0..WALK_S.1).contains(&fixes[at].0);
    let walked = || (0..fixes.len()).filter(|at| walking(*at)).map(|at| residuals[at]);
    // The worse of two axes.
    let sigma_mm = deviation(walked().map(|it| it.0)).max(deviation(walked().map(|it| it.1)));
    is_near("sigma_mm", sigma_mm, noise.sigma_mm, 0.1);

    // What wanders while he stands: medians of five seconds.
    let slow: Vec<f64> = (0..11)
        .map(|part| {
            let from_s = STANDS_S[1].0 + 5.0 * f64::from(part);
            let within = fixes.iter().filter(|fix| (from_s..from_s + 5.0).contains(&fix.0));
            median(within.map(|fix| fix.1).collect())
        })
        .collect();
    let mean = slow.iter().sum::<f64>() / count(slow.len());
    let squares: f64 = slow.iter().map(|x_mm| (x_mm - mean).powi(2)).sum();
    is_near("drift_mm", (squares / count(slow.len())).sqrt(), noise.drift_mm, 0.15);

    // Four times he stands at one spot, by the camera within 8 cm; the bias is another each time.
    let stood: Vec<f64> = STANDS_S
        .iter()
        .map(|(from_s, to_s)| {
            let within = fixes.iter().filter(|fix| (*from_s..*to_s).contains(&fix.0));
            median(within.map(|fix| fix.1).collect())
        })
        .collect();
    let mean = stood.iter().sum::<f64>() / count(stood.len());
    let squares: f64 = stood.iter().map(|x_mm| (x_mm - mean).powi(2)).sum();
    is_near("wall_mm", (squares / count(stood.len() - 1)).sqrt(), noise.wall_mm, 0.05);

    // Slots of the tag that have no position.
    let gaps_s: Vec<f64> = fixes.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let slot_s = median(gaps_s.clone());
    let lost: Vec<f64> = gaps_s.iter().map(|gap_s| (gap_s / slot_s).round() - 1.0).collect();
    let begun = count(lost.iter().filter(|lost| **lost > 0.0).count());
    let all: f64 = lost.iter().sum();
    is_near("loss_begins", begun / count(gaps_s.len()), noise.loss_begins, 0.1);
    is_near("loss_goes_on", (all - begun) / all, noise.loss_goes_on, 0.25);

    // Jumps of a ping or two while he walks, and how far they go.
    let jumps: Vec<f64> = walked().map(|(x, y)| x.hypot(y)).filter(|mm| *mm > JUMP_MM).collect();
    is_near("jump_median_mm", median(jumps.clone()), noise.jump_median_mm, 0.15);
    // With the one of 1.3 s that was seen while he stood.
    let share = (count(jumps.len()) + 7.0) / count(fixes.len());
    let model = noise.jump_begins / (1.0 - noise.jump_goes_on + noise.jump_begins);
    is_near("share of pings in jumps", share, model, 0.15);
}
