//! The audit log verifies, whatever happened to the node and its disks.

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    past.audit_fault.clone().map_or(Ok(()), |fault| Err(format!("the audit log: {fault}")))
}
