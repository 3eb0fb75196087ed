//! A session ends when its peer may be here no more: the site has its feed no more, or its
//! certificate was revoked.

use ach_engine_net::Role;
use ach_engine_wire::Code;

use super::Session;
use super::fault::Fault;

/// Returns when the peer has lost its right to be here, and why.
pub(super) async fn lost(session: &Session) -> Fault {
    let rim = &session.rim;
    let mut versions = rim.site_version.subscribe();
    let mut revocations = rim.revocations.clone();
    loop {
        // Looked at first: either may have changed before this began to wait.
        versions.mark_unchanged();
        let is_revoked =
            revocations.borrow_and_update().is_void(&session.identity, session.valid_from);
        if is_revoked {
            return revoked();
        }
        let is_vendor = session.identity.role == Role::Vendor;
        if is_vendor && rim.site().source(session.identity.name.as_str()).is_none() {
            let detail = "this vendor is no feed of the site any more";
            return Fault::peer(Code::UnknownSource, detail);
        }
        tokio::select! {
            // An error means that the node has ended, and with it this session.
            changed = versions.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
            changed = revocations.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
        }
    }
}

/// What a peer is told whose certificate was revoked.
pub(crate) fn revoked() -> Fault {
    Fault::peer(Code::CertificateRevoked, "the certificate was revoked")
}
