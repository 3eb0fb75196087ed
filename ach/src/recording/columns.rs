//! Which column of a CSV file means what.

use clap::ValueEnum;

use super::RecordingError;

/// The names of the columns, and the unit of lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) time: String,
    pub(crate) tag: String,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) z: String,
    pub(crate) lon: String,
    pub(crate) lat: String,
    pub(crate) floor: String,
    pub(crate) accuracy: String,
    /// The unit of x, y, z and accuracy.
    pub(crate) unit: Unit,
    /// What stands between the columns.
    pub(crate) delimiter: u8,
}

/// The unit of lengths in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(crate) enum Unit {
    /// Metres.
    #[default]
    M,
    /// Centimetres.
    Cm,
    /// Millimetres.
    Mm,
}

impl Unit {
    /// How many of it make a metre.
    pub(crate) fn per_metre(self) -> f64 {
        match self {
            Unit::M => 1.0,
            Unit::Cm => 100.0,
            Unit::Mm => 1000.0,
        }
    }
}

impl Default for Columns {
    fn default() -> Columns {
        Columns {
            time: "time".to_owned(),
            tag: "tag".to_owned(),
            x: "x".to_owned(),
            y: "y".to_owned(),
            z: "z".to_owned(),
            lon: "lon".to_owned(),
            lat: "lat".to_owned(),
            floor: "floor".to_owned(),
            accuracy: "accuracy".to_owned(),
            unit: Unit::M,
            delimiter: b',',
        }
    }
}

impl Columns {
    /// Takes `role=NAME` pairs with commas between, such as `time=t_s,tag=walk,x=x_m`.
    pub(crate) fn mapped(mut self, pairs: &str) -> Result<Columns, RecordingError> {
        for pair in pairs.split(',').filter(|pair| !pair.trim().is_empty()) {
            let refused = || RecordingError::Mapping { text: pair.to_owned() };
            let (role, name) = pair.split_once('=').ok_or_else(refused)?;
            let place = match role.trim() {
                "time" => &mut self.time,
                "tag" => &mut self.tag,
                "x" => &mut self.x,
                "y" => &mut self.y,
                "z" => &mut self.z,
                "lon" => &mut self.lon,
                "lat" => &mut self.lat,
                "floor" => &mut self.floor,
                "accuracy" => &mut self.accuracy,
                _ => return Err(refused()),
            };
            name.trim().clone_into(place);
        }
        Ok(self)
    }
}
