//! From longitude and latitude to metres of a site, and back.
//!
//! Floating point is in order here: a frame is used at the rim, once for each report, and what goes
//! on from there is whole millimetres.

use thiserror::Error;

use crate::RANGE_MM;
use crate::ellipsoid::TangentPlane;

/// Most ground control points of one site.
pub const CONTROL_POINTS_MAX: usize = 1_024;
/// Control points and positions lie within this of the middle of the control points. A plane that
/// touches the earth is 0.3 m too short at 50 km, 2.5 m at 100 km.
pub const FRAME_RANGE_M: f64 = 100_000.0;
/// Northern and southern limit in degrees: nearer to a pole, east and north lose their meaning
/// within one site.
pub const LATITUDE_MAX_DEG: f64 = 89.9;
/// Points count as lying on one line below this ratio of width to length.
const FLATNESS_MIN: f64 = 1e-3;
/// Points count as one below this spread.
const SPREAD_MIN_M: f64 = 0.01;

/// How far from the middle the points lie that a frame is kept by.
const KEPT_ARM_M: f64 = 1_000.0;

/// A place known in both frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlPoint {
    /// Degrees east of Greenwich, WGS 84.
    pub lon_deg: f64,
    /// Degrees north of the equator, WGS 84.
    pub lat_deg: f64,
    /// Metres along x of the site.
    pub x_m: f64,
    /// Metres along y of the site.
    pub y_m: f64,
}

/// Why a frame was refused, or a place cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SiteFrameError {
    /// Too few or too many control points.
    #[error("{count} ground control points, give 2 to {limit}")]
    PointCount {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A number is NaN or infinite.
    #[error("ground control point {point} or position holds a number that is not finite")]
    NotFinite {
        /// Which, from 0.
        point: usize,
    },
    /// Longitude beyond 180 or latitude beyond 89.9 degrees.
    #[error("longitude {lon_deg}, latitude {lat_deg} is out of range, check their order")]
    DegreesOutOfRange {
        /// Longitude.
        lon_deg: f64,
        /// Latitude.
        lat_deg: f64,
    },
    /// Too far from the middle of the control points.
    #[error("place lies {distance_m} m from the site, more than 100 km, check the control points")]
    TooFar {
        /// How far.
        distance_m: f64,
    },
    /// The points coincide in one frame and not in the other, or the fit collapses.
    #[error("ground control points do not span the site, give points far apart")]
    Degenerate,
}

/// Converts between WGS 84 and the metres of a site.
///
/// Longitude and latitude are projected onto the plane that touches the ellipsoid at the middle of
/// the control points; a least-squares fit leads from there to the site: a similarity (turn, scale,
/// shift) for two points or points on one line, an affine map for others. There and back is exact to
/// a thousandth of a millimetre within 10 km. The antimeridian may run through a site; positions
/// come back with longitudes from -180 to 180. Heights are taken as on the ellipsoid: at 1,000 m
/// above it, lengths are 0.016 % longer, which the fit takes up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteFrame {
    plane: TangentPlane,
    to_site: Affine,
    to_plane: Affine,
    residual_rms_m: f64,
    residual_max_m: f64,
}

/// `x' = xx x + xy y + x0`, `y' = yx x + yy y + y0`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Affine {
    xx: f64,
    xy: f64,
    yx: f64,
    yy: f64,
    x0: f64,
    y0: f64,
}

impl SiteFrame {
    /// Fits a frame to control points.
    ///
    /// # Errors
    ///
    /// See [`SiteFrameError`].
    pub fn fit(points: &[ControlPoint]) -> Result<SiteFrame, SiteFrameError> {
        let limit = CONTROL_POINTS_MAX;
        if points.len() < 2 || points.len() > limit {
            return Err(SiteFrameError::PointCount { count: points.len(), limit });
        }
        for (at, point) in points.iter().enumerate() {
            check_degrees(at, point.lon_deg, point.lat_deg)?;
            check_metres(at, point.x_m, point.y_m)?;
        }
        let first_lon_deg = points.first().map_or(0.0, |point| point.lon_deg);
        // Longitudes are averaged as differences, so that a site may lie on the antimeridian.
        let lon_deg = first_lon_deg + mean(points, |point| turned(point.lon_deg - first_lon_deg));
        let plane = TangentPlane::at(turned(lon_deg), mean(points, |point| point.lat_deg));
        let mut pairs = Vec::with_capacity(points.len());
        for point in points {
            let (east_m, north_m) = plane.project(point.lon_deg, point.lat_deg);
            check_distance(&plane, (point.lon_deg, point.lat_deg))?;
            pairs.push([east_m, north_m, point.x_m, point.y_m]);
        }
        let to_site = Affine::fitted(&pairs).ok_or(SiteFrameError::Degenerate)?;
        let to_plane = to_site.inverted().ok_or(SiteFrameError::Degenerate)?;
        let misses_m = pairs.iter().map(|&[east_m, north_m, x_m, y_m]| {
            let fitted = to_site.map(east_m, north_m);
            (fitted.0 - x_m).hypot(fitted.1 - y_m)
        });
        let residual_max_m = misses_m.clone().fold(0.0, f64::max);
        let squares: f64 = misses_m.map(|miss_m| miss_m * miss_m).sum();
        let residual_rms_m = (squares / count(points.len())).sqrt();
        Ok(SiteFrame { plane, to_site, to_plane, residual_rms_m, residual_max_m })
    }

    /// Metres of the site, of a longitude and latitude in degrees.
    ///
    /// # Errors
    ///
    /// Not finite, out of range, or more than 100 km away.
    pub fn to_local_m(&self, lon_deg: f64, lat_deg: f64) -> Result<(f64, f64), SiteFrameError> {
        check_degrees(0, lon_deg, lat_deg)?;
        check_distance(&self.plane, (lon_deg, lat_deg))?;
        let (east_m, north_m) = self.plane.project(lon_deg, lat_deg);
        Ok(self.to_site.map(east_m, north_m))
    }

    /// Whole millimetres of the site, of a longitude and latitude in degrees.
    ///
    /// # Errors
    ///
    /// Not finite, out of range, or more than 100 km away.
    pub fn to_local_mm(&self, lon_deg: f64, lat_deg: f64) -> Result<(i32, i32), SiteFrameError> {
        let (x_m, y_m) = self.to_local_m(lon_deg, lat_deg)?;
        Ok((millimetres(x_m)?, millimetres(y_m)?))
    }

    /// Longitude and latitude in degrees, of metres of the site.
    ///
    /// # Errors
    ///
    /// Not finite, or more than 100 km away.
    pub fn to_wgs84_deg(&self, x_m: f64, y_m: f64) -> Result<(f64, f64), SiteFrameError> {
        check_metres(0, x_m, y_m)?;
        let (east_m, north_m) = self.to_plane.map(x_m, y_m);
        let distance_m = east_m.hypot(north_m);
        if distance_m > FRAME_RANGE_M {
            return Err(SiteFrameError::TooFar { distance_m });
        }
        Ok(self.plane.lift(east_m, north_m))
    }

    /// Points that a frame can be fitted to which is this one, to a hundredth of a millimetre within
    /// 10 km: a kilometre round the middle of its own. To keep a frame, keep them.
    ///
    /// # Errors
    ///
    /// A kilometre from a middle that is too near to a pole.
    pub fn control_points(&self) -> Result<[ControlPoint; 4], SiteFrameError> {
        let point = |(east_m, north_m)| {
            let (lon_deg, lat_deg) = self.plane.lift(east_m, north_m);
            let (x_m, y_m) = self.to_site.map(east_m, north_m);
            ControlPoint { lon_deg, lat_deg, x_m, y_m }
        };
        let points = [(-KEPT_ARM_M, 0.0), (KEPT_ARM_M, 0.0), (0.0, -KEPT_ARM_M), (0.0, KEPT_ARM_M)]
            .map(point);
        SiteFrame::fit(&points).map(|_| points)
    }

    /// How far the fit misses the control points, as root of the mean square, in metres.
    pub fn residual_rms_m(&self) -> f64 {
        self.residual_rms_m
    }

    /// How far the fit misses the worst control point, in metres.
    pub fn residual_max_m(&self) -> f64 {
        self.residual_max_m
    }

    /// Metres of the site for a metre on the ground, as the geometric mean over both directions:
    /// far from 1, the control points are wrong or in other units.
    pub fn scale(&self) -> f64 {
        self.to_site.determinant().abs().sqrt()
    }

    /// Whether the site's axes are mirrored: x and y of the control points were likely swapped.
    pub fn is_mirrored(&self) -> bool {
        self.to_site.determinant() < 0.0
    }
}

impl Affine {
    /// The least-squares fit from the first two to the last two of each row.
    fn fitted(pairs: &[[f64; 4]]) -> Option<Affine> {
        let middle = |of: fn(&[f64; 4]) -> f64| mean(pairs, of);
        let (u0, v0) = (middle(|pair| pair[0]), middle(|pair| pair[1]));
        let (x0, y0) = (middle(|pair| pair[2]), middle(|pair| pair[3]));
        let (mut uu, mut uv, mut vv) = (0.0, 0.0, 0.0);
        let (mut ux, mut vx, mut uy, mut vy) = (0.0, 0.0, 0.0, 0.0);
        for &[u, v, x, y] in pairs {
            let (u, v, x, y) = (u - u0, v - v0, x - x0, y - y0);
            (uu, uv, vv) = (uu + u * u, uv + u * v, vv + v * v);
            (ux, vx, uy, vy) = (ux + u * x, vx + v * x, uy + u * y, vy + v * y);
        }
        let spread = uu + vv;
        if spread < SPREAD_MIN_M * SPREAD_MIN_M {
            return None;
        }
        // The ratio of the smaller to the greater eigenvalue is about determinant / trace^2.
        let determinant = uu * vv - uv * uv;
        let is_flat = determinant < FLATNESS_MIN * FLATNESS_MIN * spread * spread;
        let (xx, xy, yx, yy) = if is_flat || pairs.len() < 3 {
            let (along, across) = ((ux + vy) / spread, (uy - vx) / spread);
            (along, -across, across, along)
        } else {
            (
                (ux * vv - vx * uv) / determinant,
                (vx * uu - ux * uv) / determinant,
                (uy * vv - vy * uv) / determinant,
                (vy * uu - uy * uv) / determinant,
            )
        };
        let x0 = x0 - xx * u0 - xy * v0;
        let y0 = y0 - yx * u0 - yy * v0;
        Some(Affine { xx, xy, yx, yy, x0, y0 })
    }

    fn map(&self, x: f64, y: f64) -> (f64, f64) {
        (self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0)
    }

    fn determinant(&self) -> f64 {
        self.xx * self.yy - self.xy * self.yx
    }

    /// The way back; `None` if it is not safe to go: a metre shrunk below a tenth of a millimetre.
    fn inverted(&self) -> Option<Affine> {
        let determinant = self.determinant();
        if !determinant.is_finite() || determinant.abs() < 1e-8 {
            return None;
        }
        let (xx, xy) = (self.yy / determinant, -self.xy / determinant);
        let (yx, yy) = (-self.yx / determinant, self.xx / determinant);
        let x0 = -(xx * self.x0 + xy * self.y0);
        let y0 = -(yx * self.x0 + yy * self.y0);
        Some(Affine { xx, xy, yx, yy, x0, y0 })
    }
}

fn check_degrees(point: usize, lon_deg: f64, lat_deg: f64) -> Result<(), SiteFrameError> {
    if !lon_deg.is_finite() || !lat_deg.is_finite() {
        return Err(SiteFrameError::NotFinite { point });
    }
    if lon_deg.abs() > 180.0 || lat_deg.abs() > LATITUDE_MAX_DEG {
        return Err(SiteFrameError::DegreesOutOfRange { lon_deg, lat_deg });
    }
    Ok(())
}

fn check_metres(point: usize, x_m: f64, y_m: f64) -> Result<(), SiteFrameError> {
    if !x_m.is_finite() || !y_m.is_finite() {
        return Err(SiteFrameError::NotFinite { point });
    }
    let limit_m = f64::from(RANGE_MM) / 1_000.0;
    if x_m.abs() > limit_m || y_m.abs() > limit_m {
        return Err(SiteFrameError::TooFar { distance_m: x_m.hypot(y_m) });
    }
    Ok(())
}

/// Far points fold back under the plane, so the straight distance through the earth is compared.
fn check_distance(plane: &TangentPlane, lon_lat_deg: (f64, f64)) -> Result<(), SiteFrameError> {
    let distance_m = plane.distance_m(lon_lat_deg.0, lon_lat_deg.1);
    if distance_m > FRAME_RANGE_M {
        return Err(SiteFrameError::TooFar { distance_m });
    }
    Ok(())
}

fn millimetres(metres: f64) -> Result<i32, SiteFrameError> {
    let millimetres = (metres * 1_000.0).round();
    if millimetres.abs() > f64::from(RANGE_MM) {
        return Err(SiteFrameError::TooFar { distance_m: metres.abs() });
    }
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "whole and within the range, as was just checked; NaN cannot come here"
    )]
    Ok(millimetres as i32)
}

/// An angle in degrees, brought to -180 to 180.
fn turned(degrees: f64) -> f64 {
    if degrees > 180.0 {
        degrees - 360.0
    } else if degrees < -180.0 {
        degrees + 360.0
    } else {
        degrees
    }
}

fn mean<T>(items: &[T], of: impl Fn(&T) -> f64) -> f64 {
    items.iter().map(of).sum::<f64>() / count(items.len())
}

fn count(len: usize) -> f64 {
    f64::from(u32::try_from(len).unwrap_or(u32::MAX))
}
