//! Site directories: reads, checks and writes them, and compiles them to a site configuration.
