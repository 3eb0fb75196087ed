//! Connections that must not come about, each with what a person can do about it.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use ach_clients_rust::{Bundle, Client, ClientConfig, Code, ConnectError, PublisherOptions, Role};
use ach_engine_net::Authority;
use ach_engine_wire::{LaneWelcome, Welcome};
use quinn::VarInt;
use tempfile::TempDir;

use crate::node::{Node, lanes, name, node, soon, welcome};

/// Finishes handshakes, however they end, for as long as it is polled.
async fn serve_handshakes(node: &Node) -> ! {
    loop {
        let handshake = node.listener.accept().await.unwrap();
        // The client is told in any case; here only it is looked at.
        let _ = handshake.finish().await;
    }
}

/// What connecting comes to at a node that finishes handshakes.
async fn refusal(node: &Node, config: ClientConfig) -> ConnectError {
    tokio::select! {
        connected = soon(Client::connect(config)) => connected.expect_err("it was let in"),
        never = serve_handshakes(node) => never,
    }
}

/// Another hospital's authority, and one of its vendors.
fn stranger() -> (TempDir, Bundle) {
    let directory = TempDir::new().unwrap();
    let authority = Authority::create(directory.path(), &name("st-anna")).unwrap();
    let bundle = authority.issue(Role::Vendor, &name("uwb")).unwrap();
    (directory, bundle)
}

#[tokio::test]
async fn a_node_of_another_authority_is_not_trusted() {
    let node = node();
    let (_directory, bundle) = stranger();
    let error = refusal(&node, node.config_of(bundle)).await;
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error:?}");
    assert!(!error.may_retry());
    assert!(error.to_string().contains("site's own authority"), "{error}");
}

#[tokio::test]
async fn a_node_under_another_name_is_not_trusted() {
    let node = node();
    let config =
        ClientConfig { server_name: "elsewhere".to_owned(), ..node.config(Role::Vendor, "uwb") };
    let error = refusal(&node, config).await;
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_the_node() {
    let node = node();
    let (directory, bundle) = stranger();
    let mixed = directory.path().join("mixed");
    bundle.save(&mixed).unwrap();
    fs::write(mixed.join("ca.pem"), node.authority.certificate_pem()).unwrap();
    let config = node.config_of(Bundle::load(&mixed).unwrap());
    let error = refusal(&node, config).await;
    assert!(matches!(error, ConnectError::Unwelcome { .. }), "{error:?}");
    assert!(error.to_string().contains("enrol again"), "{error}");
}

#[tokio::test]
async fn a_refused_hello_says_why_and_whether_to_try_again() {
    let node = node();
    for (code, may_retry) in [(Code::UnknownSource, false), (Code::TooManyConnections, true)] {
        let refusing = async {
            let heard = node.hear().await;
            let value = VarInt::from_u32(u32::from(code.value()));
            heard.peer.connection.close(value, b"no\x1b[2Jthing of ours");
            // Held until the client has heard of it.
            heard.peer.connection.closed().await;
        };
        let connecting = Client::connect(node.config(Role::Vendor, "uwb"));
        let ((), connected) = tokio::join!(refusing, soon(connecting));
        let error = connected.expect_err("it was let in");
        assert_eq!(error.may_retry(), may_retry);
        let ConnectError::Refused { code: told, detail } = error else { panic!("{error:?}") };
        assert_eq!((told, detail.as_str()), (code, "no\\u{1b}[2Jthing of ours"));
    }
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_told_from_one_that_refuses() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (_directory, bundle) = stranger();
    let mut config = ClientConfig::new(silent.local_addr().unwrap(), "localhost", bundle);
    config.answer_within = Duration::from_millis(50);
    let error = soon(Client::connect(config)).await.expect_err("nobody is there");
    assert!(matches!(error, ConnectError::NoAnswer { .. }), "{error:?}");
    assert!(error.may_retry());
}

#[tokio::test]
async fn a_welcome_that_cannot_be_worked_with_is_refused() {
    let node = node();
    let check = async |change: fn(Welcome) -> Welcome, expected: &str| {
        let welcoming = async {
            let mut heard = node.hear().await;
            let welcome = change(welcome(&heard.hello, lanes(1, [0; 3])));
            heard.say(welcome).await;
            heard
        };
        let connecting = Client::connect(node.config(Role::Vendor, "uwb"));
        let (_heard, connected) = tokio::join!(welcoming, soon(connecting));
        let error = connected.expect_err("it was let in").to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(|it| Welcome { version: 2, ..it }, "a version that was not offered").await;
    check(|it| Welcome { site: name("st-elsewhere"), ..it }, "serves site st-elsewhere").await;
    check(|it| Welcome { lanes: it.lanes[..2].to_vec(), ..it }, "three lanes in one epoch").await;
    let two_epochs = |it: Welcome| {
        let [duress, door, ping] = <[LaneWelcome; 3]>::try_from(it.lanes).unwrap();
        Welcome { lanes: vec![duress, door, LaneWelcome { epoch: 2, ..ping }], ..it }
    };
    check(two_epochs, "three lanes in one epoch").await;
    check(|it| Welcome { batch_pings_max: 0, ..it }, "room for no input").await;
    check(|it| Welcome { payload_bytes_max: 40, ..it }, "room for no input").await;
}

#[tokio::test]
async fn a_receiver_cannot_publish() {
    let node = node();
    let (_heard, client) = tokio::join!(node.welcome(), node.client(Role::Receiver));
    let error = client.publisher(PublisherOptions::default()).expect_err("a receiver publishes");
    assert!(matches!(error, ConnectError::Refused { code: Code::WrongRole, .. }), "{error:?}");
}
