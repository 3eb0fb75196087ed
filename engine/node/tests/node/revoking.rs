//! Certificates that are revoked while the node runs, and such as end soon.

use ach_actors_model::Timestamp;
use ach_clients_rust::{Client, ClientConfig, ConnectError, now};
use ach_engine_net::{Bundle, Revocations, Role};
use ach_engine_node::REVOKED_FILE;
use ach_engine_wire::Code;

use crate::audit::{check_has, drain, records};
use crate::ward::raw::{Raw, closed_with, connect};
use crate::ward::{Ward, in_time, name};

fn list(ward: &Ward) -> std::path::PathBuf {
    ward.folder.path().join("data").join(REVOKED_FILE)
}

fn revoke(ward: &Ward, role: Role, who: &str) -> Option<Timestamp> {
    std::fs::create_dir_all(list(ward).parent().unwrap()).unwrap();
    let mut revocations = Revocations::load(&list(ward)).unwrap();
    revocations.revoke(role, &name(who), now());
    revocations.save(&list(ward)).unwrap();
    revocations.revoked_at(role, &name(who))
}

async fn check_refused(ward: &Ward, node: &ach_engine_node::Running, bundle: &Bundle) {
    let refused = Client::connect(ClientConfig::new(node.address(), "localhost", bundle.clone()));
    match in_time("the refusal", refused).await {
        Err(ConnectError::Refused { code: Code::CertificateRevoked, .. }) => {}
        other => panic!("{other:?} at {}", ward.folder.path().display()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_revoked_is_cut_and_kept_out_and_let_in_with_a_new_certificate() {
    let ward = Ward::new();
    let node = ward.start();
    let (vendor, board) = (ward.bundle(Role::Vendor, "uwb"), ward.bundle(Role::Receiver, "board"));
    let raw = Raw::open(node.address(), &vendor).await;
    let other = Raw::open(node.address(), &board).await;
    let since = revoke(&ward, Role::Vendor, "uwb");
    assert_eq!(raw.closed_with().await, Code::CertificateRevoked);
    check_refused(&ward, &node, &vendor).await;
    let (_endpoint, connection) = connect(node.address(), &vendor).await.unwrap();
    assert_eq!(closed_with(&connection).await, Code::CertificateRevoked, "before any hello");
    assert!(other.connection.close_reason().is_none(), "others are not touched");
    assert!(node.counters().certificates_revoked.get() >= 3);
    let new = ward.authority.issue_after(Role::Vendor, &name("uwb"), since).unwrap();
    let again = Raw::open(node.address(), &new).await;
    assert!(again.connection.close_reason().is_none());
    drop((raw, other, again));
    drain(node).await;
    let records = records(&ward);
    check_has(&records, "vendor uwb disconnected done code 41 []");
    check_has(&records, "vendor uwb connected refused code 41 []");

    let node = ward.start();
    check_refused(&ward, &node, &vendor).await;
    let again = Raw::open(node.address(), &new).await;
    drop(again);
    drain(node).await;
}

/// A restored node without the list, say: it goes on, for alarms come first, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_the_list_after_a_run_with_one_is_told_until_it_is_back() {
    let ward = Ward::new();
    let node = ward.start();
    assert_eq!(node.counters().revocations_unread.get(), 0, "there never was one");
    revoke(&ward, Role::Vendor, "uwb");
    let remembered = ward.folder.path().join("data/remembered");
    let noted = async {
        while !std::fs::read_to_string(&remembered).is_ok_and(|it| it.contains("revoked_at 1")) {
            // Written by a thread that tells nobody.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    in_time("the list to be remembered", noted).await;
    drain(node).await;
    std::fs::rename(list(&ward), ward.folder.path().join("away")).unwrap();

    let node = ward.start();
    assert!(node.counters().revocations_unread.get() > 0);
    let vendor = ward.bundle(Role::Vendor, "uwb");
    drop(Raw::open(node.address(), &vendor).await);
    drain(node).await;
    // An operator who wants nobody revoked says so with an empty list.
    Revocations::default().save(&list(&ward)).unwrap();
    let node = ward.start();
    assert_eq!(node.counters().revocations_unread.get(), 0);
    drain(node).await;
}

/// What was known stays in force: a list that is damaged lets nobody in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_read_is_counted_and_forgets_nobody() {
    let ward = Ward::new();
    // What is issued a second later is not revoked.
    let vendor = ward.bundle(Role::Vendor, "uwb");
    revoke(&ward, Role::Vendor, "uwb");
    let node = ward.start();
    check_refused(&ward, &node, &vendor).await;
    std::fs::write(list(&ward), "nonsense").unwrap();
    let counted = async {
        while node.counters().revocations_unread.get() == 0 {
            // A list is looked at by a thread that tells nobody when it finds nothing new.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    in_time("the list to be looked at", counted).await;
    check_refused(&ward, &node, &vendor).await;
}
