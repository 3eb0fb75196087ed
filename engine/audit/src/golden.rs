//! The vectors that other languages are held against.
