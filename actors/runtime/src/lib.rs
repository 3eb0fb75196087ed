//! Cells, mailboxes, deadlines and quarantine of actors. Knows no hospital.
