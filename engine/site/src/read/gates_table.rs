//! Reads gates; the same fields in TOML and in `GeoJSON`.

use ach_geo::{Confirm, Gates};

use crate::text::{Fields, SPAN_NS_MAX, parse_confirm};

/// Widest margin or tolerance in metres. More than that is a slip of the unit, and nobody would ever
/// be found to have left.
pub(crate) const MARGIN_M_MAX: f64 = 100.0;

/// Shortest fence timeout: tags send about once a second, and one that is out between two of its
/// own positions is never in.
const FENCE_TIMEOUT_NS_MIN: u64 = 1_000_000_000;

/// The gates of a table; fields that are absent take the plain test.
pub(super) fn read(fields: &Fields<'_>) -> Gates {
    let gates = Gates {
        entry_margin_mm: read_margin(fields, "entry_margin_m"),
        exit_tolerance_mm: read_margin(fields, "exit_tolerance_m"),
        tolerance_timeout_ns: fields.span("tolerance_timeout"),
        exit_delay_ns: fields.span("exit_delay").unwrap_or_default(),
        fence_timeout_ns: fields.span_in("fence_timeout", FENCE_TIMEOUT_NS_MIN..=SPAN_NS_MAX),
        confirm: read_confirm(fields),
        dwell_ns: fields.span("dwell"),
        error_circle: fields.flag("error_circle"),
    };
    fields.finish();
    gates
}

fn read_margin<'a>(fields: &Fields<'a>, key: &'a str) -> u32 {
    let is_sensible = fields.number_in(key, 0.0..=MARGIN_M_MAX, "m").is_some();
    if is_sensible { fields.length(key).unwrap_or_default() } else { 0 }
}

fn read_confirm(fields: &Fields<'_>) -> Confirm {
    let Some(node) = fields.get("confirm") else { return Confirm::default() };
    let Some(text) = fields.as_text("confirm", node) else { return Confirm::default() };
    parse_confirm(text).unwrap_or_else(|| {
        let problem = format!("is `{}`", text.escape_debug());
        fields.bad("confirm", node, &problem, "write for example \"2 of 3\", at most of 8");
        Confirm::default()
    })
}
