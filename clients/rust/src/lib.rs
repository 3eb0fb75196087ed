//! The client library: publish, subscribe, resume, reconnect.
