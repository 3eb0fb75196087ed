//! Where the local frame lies on the globe.

/// A point known in both frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlPoint {
    /// Longitude, WGS 84.
    pub lon_deg: f64,
    /// Latitude, WGS 84.
    pub lat_deg: f64,
    /// Local metres east.
    pub x_m: f64,
    /// Local metres north.
    pub y_m: f64,
}

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
                    let lat = lat_deg + (north_m / north_radius_m).to_degrees();
                    ControlPoint { lon_deg: lon, lat_deg: lat, x_m, y_m }
                };
                vec![point(-ARM_M, 0.0), point(ARM_M, 0.0), point(0.0, -ARM_M), point(0.0, ARM_M)]
            }
        }
    }
}
