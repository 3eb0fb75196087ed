//! Questions. They only read, from what is written; each has a limit, and beyond it an error instead
//! of a part of the answer.

mod alarms;
mod known;
mod pings;
mod positions;
mod presence;
mod whole;

pub use alarms::{ALARM_CHANGES_MAX, Alarms, KeptAlarm};
pub use pings::Pings;
pub use positions::Positions;
pub use presence::Visit;
pub use whole::StoreReport;

use crate::Day;
use crate::errors::Fault;
use crate::tables::Found;

/// Rows of a keyspace, as they are.
type Row = (Vec<u8>, Vec<u8>);

fn row(found: fjall::Result<Found>) -> Result<Row, Fault> {
    let (key, value) = found.map_err(Fault::of("read"))?;
    Ok((key.to_vec(), value.to_vec()))
}

fn malformed(what: &str, day: Day) -> Fault {
    Fault::damage(format!("{what} of {day} is malformed"))
}
