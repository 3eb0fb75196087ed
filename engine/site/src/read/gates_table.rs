//! Reads gates; the same fields in TOML and in `GeoJSON`.

use ach_geo::{Confirm, Gates};

use crate::text::{Fields, parse_confirm};

/// The gates of a table; fields that are absent take the plain test.
pub(super) fn read(fields: &Fields<'_>) -> Gates {
    let gates = Gates {
        entry_margin_mm: fields.length("entry_margin_m").unwrap_or_default(),
        exit_tolerance_mm: fields.length("exit_tolerance_m").unwrap_or_default(),
        tolerance_timeout_ns: fields.span("tolerance_timeout"),
        exit_delay_ns: fields.span("exit_delay").unwrap_or_default(),
        fence_timeout_ns: fields.span("fence_timeout"),
        confirm: read_confirm(fields),
        dwell_ns: fields.span("dwell"),
        error_circle: fields.flag("error_circle"),
    };
    fields.finish();
    gates
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
