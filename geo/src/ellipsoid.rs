//! The WGS 84 ellipsoid and a plane that touches it.

/// Half the greater axis, in metres (NIMA TR8350.2, table 3.1).
const SEMI_MAJOR_M: f64 = 6_378_137.0;
/// How much shorter the smaller axis is, as a part of the greater (the same).
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Square of the first eccentricity.
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
/// Rounds of the fixed-point iterations. Each gains more than two digits; five reach the last digit.
const ROUNDS: usize = 8;

/// A plane that touches the ellipsoid at a point, with axes to the east and to the north.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TangentPlane {
    origin_m: [f64; 3],
    sin_lon: f64,
    cos_lon: f64,
    sin_lat: f64,
    cos_lat: f64,
}

impl TangentPlane {
    /// The plane at a longitude and a latitude in degrees.
    pub(crate) fn at(lon_deg: f64, lat_deg: f64) -> TangentPlane {
        let (sin_lon, cos_lon) = lon_deg.to_radians().sin_cos();
        let (sin_lat, cos_lat) = lat_deg.to_radians().sin_cos();
        TangentPlane { origin_m: geocentric(lon_deg, lat_deg), sin_lon, cos_lon, sin_lat, cos_lat }
    }

    /// Metres east and north of the origin, of a point on the ellipsoid.
    pub(crate) fn project(&self, lon_deg: f64, lat_deg: f64) -> (f64, f64) {
        let [x, y, z] = geocentric(lon_deg, lat_deg);
        let [ox, oy, oz] = self.origin_m;
        let (dx, dy, dz) = (x - ox, y - oy, z - oz);
        let east = -self.sin_lon * dx + self.cos_lon * dy;
        let north = -self.sin_lat * self.cos_lon * dx - self.sin_lat * self.sin_lon * dy
            + self.cos_lat * dz;
        (east, north)
    }

    /// Straight distance in metres from the origin to a point on the ellipsoid.
    pub(crate) fn distance_m(&self, lon_deg: f64, lat_deg: f64) -> f64 {
        let [x, y, z] = geocentric(lon_deg, lat_deg);
        let [ox, oy, oz] = self.origin_m;
        (x - ox).hypot(y - oy).hypot(z - oz)
    }

    /// Longitude and latitude, in degrees, of the point of the ellipsoid that lies below a point of
    /// the plane.
    pub(crate) fn lift(&self, east_m: f64, north_m: f64) -> (f64, f64) {
        let mut up_m = 0.0;
        let mut lon_lat = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let (lon_deg, lat_deg, height_m) = geodetic(self.place(east_m, north_m, up_m));
            lon_lat = (lon_deg, lat_deg);
            up_m -= height_m;
        }
        lon_lat
    }

    fn place(&self, east_m: f64, north_m: f64, up_m: f64) -> [f64; 3] {
        let [ox, oy, oz] = self.origin_m;
        let outward = self.cos_lat * up_m - self.sin_lat * north_m;
        [
            ox - self.sin_lon * east_m + self.cos_lon * outward,
            oy + self.cos_lon * east_m + self.sin_lon * outward,
            oz + self.cos_lat * north_m + self.sin_lat * up_m,
        ]
    }
}

/// Earth-centred metres of a point on the ellipsoid.
fn geocentric(lon_deg: f64, lat_deg: f64) -> [f64; 3] {
    let (sin_lon, cos_lon) = lon_deg.to_radians().sin_cos();
    let (sin_lat, cos_lat) = lat_deg.to_radians().sin_cos();
    let normal_m = SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
    [
        normal_m * cos_lat * cos_lon,
        normal_m * cos_lat * sin_lon,
        normal_m * (1.0 - ECCENTRICITY_SQUARED) * sin_lat,
    ]
}

/// Longitude and latitude in degrees and height in metres, by iteration on the latitude.
fn geodetic([x, y, z]: [f64; 3]) -> (f64, f64, f64) {
    let from_axis_m = x.hypot(y);
    let mut lat = z.atan2(from_axis_m * (1.0 - ECCENTRICITY_SQUARED));
    let mut height_m = 0.0;
    for _ in 0..ROUNDS {
        let (sin, cos) = lat.sin_cos();
        let normal_m = SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQUARED * sin * sin).sqrt();
        // Stable at every latitude, poles included.
        height_m = from_axis_m * cos + z * sin
            - SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED * sin * sin).sqrt();
        lat = (z + ECCENTRICITY_SQUARED * normal_m * sin).atan2(from_axis_m);
    }
    (y.atan2(x).to_degrees(), lat.to_degrees(), height_m)
}
