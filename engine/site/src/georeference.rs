//! Where the local frame lies on the globe.

use ach_geo::{ControlPoint, SiteFrame, SiteFrameError};

/// How a site says where it lies.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Georeference {
    /// It does not; all coordinates are local.
    #[default]
    None,
    /// By the place of the local origin.
    Origin {
        /// Longitude of the local origin, WGS 84.
        lon_deg: f64,
        /// Latitude of the local origin, WGS 84.
        lat_deg: f64,
        /// Degrees the local x axis is turned counterclockwise from east.
        rotation_deg: f64,
    },
    /// By points known in both frames, at least two.
    Points(Vec<ControlPoint>),
}

/// Semi-major axis of WGS 84 in metres.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
/// Square of the first eccentricity of WGS 84.
const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_14;
/// Distance of the second point made for an origin: small against the Earth, so that the tangent
/// plane is exact to a micrometre, and large against the rounding of degrees.
const ARM_M: f64 = 100.0;

impl Georeference {
    /// The points a site frame is fitted to; none where the site does not say where it lies.
    pub fn control_points(&self) -> Vec<ControlPoint> {
        match self {
            Georeference::None => Vec::new(),
            Georeference::Points(points) => points.clone(),
            Georeference::Origin { lon_deg, lat_deg, rotation_deg } => {
                let (sin_turn, cos_turn) = rotation_deg.to_radians().sin_cos();
                let lat = lat_deg.to_radians();
                let root = (1.0 - ECCENTRICITY_SQUARED * lat.sin().powi(2)).sqrt();
                let east_radius_m = SEMI_MAJOR_M / root;
                let north_radius_m =
                    SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / (root * root * root);
                let point = |x_m: f64, y_m: f64| {
                    let east_m = x_m * cos_turn - y_m * sin_turn;
                    let north_m = x_m * sin_turn + y_m * cos_turn;
                    let lon = lon_deg + (east_m / (east_radius_m * lat.cos())).to_degrees();
                    let lon = (lon + 540.0).rem_euclid(360.0) - 180.0;
                    let lat = lat_deg + (north_m / north_radius_m).to_degrees();
                    ControlPoint { lon_deg: lon, lat_deg: lat, x_m, y_m }
                };
                vec![point(-ARM_M, 0.0), point(ARM_M, 0.0), point(0.0, -ARM_M), point(0.0, ARM_M)]
            }
        }
    }

    /// The frame between the globe and local metres; `None` where the site does not say where it
    /// lies.
    ///
    /// # Errors
    ///
    /// What [`SiteFrame::fit`] says of the control points.
    pub fn frame(&self) -> Result<Option<SiteFrame>, SiteFrameError> {
        match self {
            Georeference::None => Ok(None),
            Georeference::Origin { .. } | Georeference::Points(_) => {
                SiteFrame::fit(&self.control_points()).map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site whose x axis points so many degrees north of east: where lies the local point?
    #[track_caller]
    fn check(rotation_deg: f64, local_m: (f64, f64), expected_east_north_m: (f64, f64)) {
        let (lon_deg, lat_deg) = (7.8421, 47.9959);
        let site = Georeference::Origin { lon_deg, lat_deg, rotation_deg };
        let unturned = Georeference::Origin { lon_deg, lat_deg, rotation_deg: 0.0 };
        let (site, unturned) = (site.frame().unwrap().unwrap(), unturned.frame().unwrap().unwrap());
        let (lon, lat) = site.to_wgs84_deg(local_m.0, local_m.1).unwrap();
        let (east_m, north_m) = unturned.to_local_m(lon, lat).unwrap();
        assert!((east_m - expected_east_north_m.0).abs() < 0.001, "{east_m}");
        assert!((north_m - expected_east_north_m.1).abs() < 0.001, "{north_m}");
    }

    #[test]
    fn a_rotation_turns_the_site_counterclockwise() {
        check(0.0, (100.0, 20.0), (100.0, 20.0));
        check(90.0, (100.0, 0.0), (0.0, 100.0));
        check(-90.0, (100.0, 0.0), (0.0, -100.0));
    }

    /// A degree of latitude at 48 degrees is 111,195 m long (WGS 84), a degree of longitude 74,625 m.
    #[test]
    fn an_origin_has_the_scale_of_the_ellipsoid() {
        let site = Georeference::Origin { lon_deg: 7.0, lat_deg: 48.0, rotation_deg: 0.0 };
        let frame = site.frame().unwrap().unwrap();
        let (east_m, north_m) = frame.to_local_m(7.01, 48.01).unwrap();
        assert!((east_m - 746.0).abs() < 1.0, "{east_m}");
        assert!((north_m - 1_112.0).abs() < 1.0, "{north_m}");
    }
}
