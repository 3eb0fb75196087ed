//! The whole shard in domain words: what happens, and what is said about it.
//!
//! Every run goes through [`play::play`], which replays its entries on fresh shards, with and
//! without compaction, and compares hashes and states.

mod alarms;
mod answering;
mod badges;
mod bands;
mod batches;
mod chatter;

mod crowd;
mod delays;
mod desk;
mod door_answers;
mod door_stories;
mod door_words;
mod doors;
mod drills;
mod faults;
mod fires;
mod forced;
mod golden;
mod hospital;
mod incidents;
mod motion;
mod node_troubles;
mod oracle;
mod passes;
mod play;
mod quieting;
mod random;
mod render;
mod responses;
mod restored;
mod script;
mod selftests;
mod tailgating;
mod wild_site;
