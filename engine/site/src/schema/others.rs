//! The fields of `[[rule]]` about others than those it is about.

use serde_json::{Value, json};

use crate::read::{APART_M_MAX, BADGE_WITHIN_M_MAX, WITHIN_M_MIN};

/// The fields.
pub(super) fn fields() -> Value {
    json!({
        "with": {
            "description": "For `alone`: who is company. Without it, staff; `{}` is everybody and everything. For \
                            `tailgating`: who else makes use of leave, and first; without it, nobody.",
            "$ref": "#/$defs/who",
        },
        "whom": {
            "description": "For `meets`: whom they may not be near to.",
            "$ref": "#/$defs/who",
        },
        "within_m": {
            "description": "For `meets`: how near, in metres, 20 at most. For `badge_elsewhere`: how far from a door \
                            whoever shows a badge there may seem to be; without it, 10 m.",
            "type": "number",
            "minimum": WITHIN_M_MIN,
            "maximum": BADGE_WITHIN_M_MAX,
        },
        "apart_m": {
            "description": "For `meets`: how far from each other two are who meet no more, in metres; not less than \
                            `within_m`. Without it, half as much again, and at least a metre more.",
            "type": "number",
            "minimum": WITHIN_M_MIN,
            "maximum": APART_M_MAX,
        },
    })
}
