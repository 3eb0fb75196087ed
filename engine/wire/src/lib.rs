//! Every byte that leaves the process: protocol ach/1 and the coding of entries.
