//! History beside brute force: a real shard decides random walks, and what the store answers is
//! compared with lists in memory.

mod damage;
mod days;
mod feeding;
mod hospital;
mod oracle;
mod random;
mod restart;
