//! Site frames: there and back, fits, and what is refused.

use ach_geo::{ControlPoint, SiteFrame, SiteFrameError};

use crate::dice::Dice;

fn point(lon_deg: f64, lat_deg: f64, x_m: f64, y_m: f64) -> ControlPoint {
    ControlPoint { lon_deg, lat_deg, x_m, y_m }
}

/// A site turned by 30 degrees at `lon_deg`, `lat_deg`, made without the code under test: a metre is
/// a metre on the meridian and the parallel through the origin, good to a few centimetres at 500 m.
fn turned_site(lon_deg: f64, lat_deg: f64, xy_m: &[(f64, f64)]) -> Vec<ControlPoint> {
    let (a, e2) = (6_378_137.0_f64, 0.006_694_379_990_141_317_f64);
    let sin = lat_deg.to_radians().sin();
    let w = (1.0 - e2 * sin * sin).sqrt();
    let meridian_m = a * (1.0 - e2) / (w * w * w);
    let parallel_m = a / w * lat_deg.to_radians().cos();
    let (turn_sin, turn_cos) = 30.0_f64.to_radians().sin_cos();
    let place = |&(x, y): &(f64, f64)| {
        let (east, north) = (turn_cos * x - turn_sin * y, turn_sin * x + turn_cos * y);
        let mut lon = lon_deg + (east / parallel_m).to_degrees();
        if lon > 180.0 {
            lon -= 360.0;
        }
        point(lon, lat_deg + (north / meridian_m).to_degrees(), x, y)
    };
    xy_m.iter().map(place).collect()
}

#[test]
fn there_and_back_is_exact_to_a_hundredth_of_a_millimetre_within_10_km() {
    let mut dice = Dice::seeded("frames", 9);
    let corners = [(0.0, 0.0), (400.0, 0.0), (400.0, 300.0), (0.0, 300.0)];
    for (lon, lat) in
        [(11.5, 48.1), (-71.1, 42.3), (151.2, -33.9), (103.8, 0.0), (179.999, 60.0), (25.0, 89.0)]
    {
        for count in 2..=4 {
            let frame = SiteFrame::fit(&turned_site(lon, lat, &corners[..count])).unwrap();
            // Nearer to the poles the parallels bend too much for the simple site.
            let is_met = frame.residual_max_m() < 0.05 || lat > 70.0;
            assert!(is_met, "{lon} {lat}: {}", frame.residual_max_m());
            assert!((frame.scale() - 1.0).abs() < 1e-2 && !frame.is_mirrored());
            for _ in 0..200 {
                let x_m = f64::from(dice.mm(-7_000_000, 7_000_000)) / 1_000.0;
                let y_m = f64::from(dice.mm(-7_000_000, 7_000_000)) / 1_000.0;
                let (lon_deg, lat_deg) = frame.to_wgs84_deg(x_m, y_m).unwrap();
                let back = frame.to_local_m(lon_deg, lat_deg).unwrap();
                let missed_m = (back.0 - x_m).hypot(back.1 - y_m);
                assert!(missed_m < 1e-5, "{lon} {lat}, {count} points: missed {missed_m} m");
            }
        }
    }
}

#[test]
fn places_beside_the_control_points_are_met() {
    let corners = [(0.0, 0.0), (400.0, 0.0), (400.0, 300.0), (0.0, 300.0)];
    let frame = SiteFrame::fit(&turned_site(11.5, 48.1, &corners)).unwrap();
    for place in turned_site(11.5, 48.1, &[(100.0, 50.0), (-50.0, 350.0), (399.0, 1.0)]) {
        let (x_m, y_m) = frame.to_local_m(place.lon_deg, place.lat_deg).unwrap();
        assert!((x_m - place.x_m).hypot(y_m - place.y_m) < 0.05, "{place:?} came to {x_m}, {y_m}");
        let mm = frame.to_local_mm(place.lon_deg, place.lat_deg).unwrap();
        assert!(
            (f64::from(mm.0) / 1e3 - x_m).abs() < 6e-4
                && (f64::from(mm.1) / 1e3 - y_m).abs() < 6e-4
        );
    }
}

#[test]
fn a_wrong_control_point_shows_in_the_residual() {
    let corners = [(0.0, 0.0), (400.0, 0.0), (400.0, 300.0), (0.0, 300.0)];
    let mut points = turned_site(11.5, 48.1, &corners);
    points[2].x_m += 8.0;
    let frame = SiteFrame::fit(&points).unwrap();
    assert!((frame.residual_max_m() - 2.0).abs() < 0.1, "{}", frame.residual_max_m());
    assert!((frame.residual_rms_m() - 2.0).abs() < 0.1, "{}", frame.residual_rms_m());
    for point in &mut points {
        std::mem::swap(&mut point.x_m, &mut point.y_m);
    }
    assert!(SiteFrame::fit(&points).unwrap().is_mirrored());
}

#[test]
fn hostile_numbers_are_refused() {
    let good = point(11.5, 48.1, 0.0, 0.0);
    let other = point(11.501, 48.101, 70.0, 110.0);
    let fit = |first: ControlPoint| SiteFrame::fit(&[first, other]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for point in [
            ControlPoint { lon_deg: bad, ..good },
            ControlPoint { lat_deg: bad, ..good },
            ControlPoint { x_m: bad, ..good },
            ControlPoint { y_m: bad, ..good },
        ] {
            assert_eq!(fit(point), Err(SiteFrameError::NotFinite { point: 0 }));
        }
    }
    let is_range = |result| matches!(result, Err(SiteFrameError::DegreesOutOfRange { .. }));
    assert!(is_range(fit(ControlPoint { lon_deg: 180.1, ..good })));
    assert!(is_range(fit(ControlPoint { lat_deg: 90.0, ..good })));
    assert!(matches!(fit(ControlPoint { x_m: 2e6, ..good }), Err(SiteFrameError::TooFar { .. })));
    assert!(matches!(
        fit(ControlPoint { lon_deg: -170.0, ..good }),
        Err(SiteFrameError::TooFar { .. })
    ));
    assert_eq!(fit(other), Err(SiteFrameError::Degenerate));
    assert_eq!(
        fit(ControlPoint { x_m: 70.0, y_m: 110.0, ..good }),
        Err(SiteFrameError::Degenerate)
    );
    assert!(matches!(SiteFrame::fit(&[good]), Err(SiteFrameError::PointCount { count: 1, .. })));
    let frame = fit(good).unwrap();
    assert!(
        frame.to_local_m(f64::NAN, 48.1).is_err() && frame.to_wgs84_deg(0.0, f64::NAN).is_err()
    );
    assert!(matches!(frame.to_local_mm(-11.5, 48.1), Err(SiteFrameError::TooFar { .. })));
    assert!(matches!(frame.to_wgs84_deg(9e5, 9e5), Err(SiteFrameError::TooFar { .. })));
}

#[test]
fn a_frame_is_kept_by_its_control_points() {
    for (lon, lat) in [(7.84, 47.99), (-180.0, 0.0), (179.999, -70.0), (20.0, 85.0)] {
        // Off the middle, so that the kept points are not those it was fitted to.
        let corners = [(3_000.0, 0.0), (3_400.0, 20.0), (3_100.0, 500.0)];
        let frame = SiteFrame::fit(&turned_site(lon, lat, &corners)).unwrap();
        let kept = SiteFrame::fit(&frame.control_points().unwrap()).unwrap();
        for (x, y) in [(0.0, 0.0), (3_000.0, 100.0), (-7_000.0, 7_000.0)] {
            let (lon, lat) = frame.to_wgs84_deg(x, y).unwrap();
            let (kept_x, kept_y) = kept.to_local_m(lon, lat).unwrap();
            assert!((kept_x - x).hypot(kept_y - y) < 1e-5, "{kept_x} {kept_y}");
        }
    }
}
