//! Peers that meet, and peers that must not: certificates, time-outs, floods, half frames.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ach_actors_model::{Lane, Name, Timestamp};
use ach_engine_net::{
    Authority, Bundle, FrameSink, FrameSource, HandshakeError, HandshakeLimits, Listener, Peer,
    Role, StreamError, client_endpoint, peer_identity, server_endpoint,
};
use ach_engine_wire::{
    Code, Coordinates, Frame, Heartbeat, PingReading, Preamble, WireError, WirePing,
};
use quinn::{Connection, Endpoint};
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::sync::watch;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

struct Site {
    _directory: TempDir,
    authority: Authority,
}

fn site(id: &str) -> Site {
    let directory = TempDir::new().unwrap();
    let authority = Authority::create(directory.path(), &name(id)).unwrap();
    Site { _directory: directory, authority }
}

fn listener(site: &Site) -> (Listener, SocketAddr) {
    limited_listener(site, HandshakeLimits::default())
}

/// A client endpoint must outlive its connection.
async fn connect(
    address: SocketAddr,
    bundle: &Bundle,
) -> Result<(Endpoint, Connection), quinn::ConnectionError> {
    let endpoint = client_endpoint(address, bundle).unwrap();
    let connection = endpoint.connect(address, "localhost").unwrap().await?;
    Ok((endpoint, connection))
}

async fn accept(listener: &Listener) -> Result<Peer, HandshakeError> {
    listener.accept().await.unwrap().finish().await
}

/// A vendor and a node that are connected.
async fn pair() -> (Listener, Peer, Endpoint, Connection) {
    let site = site("st-anna");
    let (listener, address) = listener(&site);
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let (peer, connected) = tokio::join!(accept(&listener), connect(address, &vendor));
    let (endpoint, connection) = connected.unwrap();
    (listener, peer.unwrap(), endpoint, connection)
}

fn ping(handle: u32) -> WirePing {
    WirePing::new(&PingReading {
        handle,
        observed_at: Timestamp(1),
        coordinates: Coordinates::Local { x_mm: 1, y_mm: 2 },
        z_mm: None,
        floor: None,
        accuracy_mm: None,
        battery_percent: None,
    })
}

#[tokio::test]
async fn every_role_is_known_by_its_certificate() {
    let site = site("st-anna");
    let (listener, address) = listener(&site);
    for role in Role::ALL {
        let bundle = site.authority.issue(role, &name("some:one")).unwrap();
        let (peer, connected) = tokio::join!(accept(&listener), connect(address, &bundle));
        let (_endpoint, connection) = connected.unwrap();
        assert_eq!(&peer.unwrap().identity, bundle.identity());
        assert_eq!(peer_identity(&connection).unwrap().role, Role::Node);
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_both() {
    let (ours, theirs) = (site("st-anna"), site("st-anna"));
    let (listener, address) = listener(&ours);
    let stranger = theirs.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let (peer, connected) = tokio::join!(accept(&listener), connect(address, &stranger));
    assert!(matches!(peer, Err(HandshakeError::Refused { .. })), "{peer:?}");
    assert!(connected.is_err());
}

/// A client that trusts the node's authority and shows what it likes, or nothing.
fn rogue(
    site: &Site,
    alpn: &[u8],
    shown: Option<(rustls_pki_types::CertificateDer<'static>, Vec<u8>)>,
) -> Endpoint {
    use rustls_pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let pem = site.authority.certificate_pem();
    let root = rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = rustls_pki_types::PrivateKeyDer::try_from(key).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(config).unwrap();
    let mut endpoint = Endpoint::client(loopback(0)).unwrap();
    endpoint.set_default_client_config(quinn::ClientConfig::new(std::sync::Arc::new(crypto)));
    endpoint
}

async fn check_refused(site: &Site, rogue: Endpoint) {
    let (listener, address) = listener(site);
    let attempt = async {
        let connection = rogue.connect(address, "localhost").unwrap().await?;
        // A client may believe that it is connected before its certificate was looked at.
        Err::<(), _>(connection.closed().await)
    };
    let (peer, refused) = tokio::join!(accept(&listener), attempt);
    assert!(peer.is_err(), "{peer:?}");
    assert!(refused.is_err());
}

#[tokio::test]
async fn no_certificate_or_another_protocol_is_refused() {
    let site = site("st-anna");
    check_refused(&site, rogue(&site, b"ach/1", None)).await;
    check_refused(&site, rogue(&site, b"h3", None)).await;
}

/// Signs with the site's own authority, but not as it would.
async fn check_odd_certificate_refused(change: impl FnOnce(&mut rcgen::CertificateParams)) {
    let directory = TempDir::new().unwrap();
    let authority = Authority::create(directory.path(), &name("st-anna")).unwrap();
    let key_pem = std::fs::read_to_string(directory.path().join("ca-key.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&key_pem).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(authority.certificate_pem(), key).unwrap();
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names =
        vec![rcgen::SanType::URI("ach://st-anna/vendor/uwb".try_into().unwrap())];
    change(&mut params);
    let own = rcgen::KeyPair::generate().unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    let site = Site { _directory: directory, authority };
    let shown = (certificate.der().clone(), own.serialize_der());
    check_refused(&site, rogue(&site, b"ach/1", Some(shown))).await;
}

#[tokio::test]
async fn a_certificate_that_is_expired_early_or_names_no_one_is_refused() {
    check_odd_certificate_refused(|params| params.not_after = rcgen::date_time_ymd(2021, 1, 1))
        .await;
    check_odd_certificate_refused(|params| params.not_before = rcgen::date_time_ymd(2099, 1, 1))
        .await;
    check_odd_certificate_refused(|params| params.subject_alt_names = vec![]).await;
    check_odd_certificate_refused(|params| {
        let again = params.subject_alt_names[0].clone();
        params.subject_alt_names.push(again);
    })
    .await;
    check_odd_certificate_refused(|params| {
        params.subject_alt_names.push(rcgen::SanType::DnsName("localhost".try_into().unwrap()));
    })
    .await;
    check_odd_certificate_refused(|params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    })
    .await;
}

#[tokio::test]
async fn frames_cross_whatever_way_they_are_gathered() {
    let (_listener, peer, _endpoint, connection) = pair().await;
    let preamble = Preamble::Lane { lane: Lane::Ping, epoch: 3 };
    let pings = vec![ping(1); 700];
    let send = async {
        let mut sink = FrameSink::with_preamble(connection.open_uni().await.unwrap(), preamble);
        for first_seq in 1..=500_u64 {
            sink.push_pings(first_seq, &pings).unwrap();
            if first_seq % 7 == 0 || sink.is_full() {
                sink.flush().await.unwrap();
            }
        }
        sink.push(&Frame::Heartbeat(Heartbeat { sent_at: Timestamp(5) })).unwrap();
        sink.finish().await.unwrap();
    };
    let receive = async {
        let stream = peer.connection.accept_uni().await.unwrap();
        let (opened, mut source) = FrameSource::open(stream).await.unwrap();
        assert_eq!(opened, preamble);
        let mut ping_count = 0;
        while let Some(raw) = source.next().await.unwrap() {
            match Frame::decode(raw).unwrap().unwrap() {
                Frame::Pings(run) => ping_count += run.pings().len(),
                other => assert_eq!(other, Frame::Heartbeat(Heartbeat { sent_at: Timestamp(5) })),
            }
        }
        assert_eq!(ping_count, 350_000);
    };
    tokio::join!(send, receive);
}

/// Sends raw bytes on a stream, holds or ends it, and gives what the other end makes of it.
async fn check_stream(bytes: &[u8], is_ended: bool) -> StreamError {
    check_stream_within(bytes, is_ended, Duration::from_mins(1)).await
}

async fn check_stream_within(bytes: &[u8], is_ended: bool, within: Duration) -> StreamError {
    let (_listener, peer, _endpoint, connection) = pair().await;
    let mut stream = connection.open_uni().await.unwrap();
    stream.write_all(bytes).await.unwrap();
    if is_ended {
        stream.finish().unwrap();
    }
    let incoming = peer.connection.accept_uni().await.unwrap();
    let read = async {
        let (_, mut source) = FrameSource::open_within(incoming, within).await?;
        while source.next().await?.is_some() {}
        Ok::<(), StreamError>(())
    };
    let error = read.await.unwrap_err();
    drop(stream);
    error
}

#[tokio::test]
async fn broken_streams_are_told_apart() {
    let preamble = Preamble::Lane { lane: Lane::Ping, epoch: 1 }.bytes();
    let with = |rest: &[u8]| [preamble.as_slice(), rest].concat();
    let error = check_stream(&with(&[0, 0, 0, 0x40, 32, 0, 0, 0]), false).await;
    assert!(matches!(error, StreamError::Wire(WireError::FrameTooLarge { .. })), "{error:?}");
    assert_eq!(error.code(), Some(Code::FrameTooLarge));
    let error = check_stream(&with(&[9, 0, 0, 0, 9, 0, 0, 0, 1]), true).await;
    assert!(matches!(error, StreamError::CutShort), "{error:?}");
    let error = check_stream(&preamble[..5], true).await;
    assert!(matches!(error, StreamError::CutShort), "{error:?}");
    let error = check_stream(&[9; 8], false).await;
    assert!(matches!(error, StreamError::Wire(_)), "{error:?}");
}

/// A whole frame, as bytes.
const HEARTBEAT: &[u8] = &[12, 0, 0, 0, 9, 0, 0, 0, 1, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn half_a_frame_and_then_silence_ends_the_stream() {
    let preamble = Preamble::Lane { lane: Lane::Ping, epoch: 1 }.bytes();
    let within = Duration::from_millis(20);
    let half_frame = [preamble.as_slice(), &[9, 0, 0, 0, 9]].concat();
    let whole_then_half = [preamble.as_slice(), HEARTBEAT, &HEARTBEAT[..12]].concat();
    for bytes in [half_frame.as_slice(), &whole_then_half, &preamble[..3]] {
        let error = check_stream_within(bytes, false, within).await;
        assert!(matches!(error, StreamError::FrameTimeout { .. }), "{error:?}");
        assert_eq!(error.code(), Some(Code::FrameTimeout));
    }
}

#[tokio::test]
async fn under_load_a_client_proves_its_address_first() {
    let site = site("st-anna");
    let limits = HandshakeLimits { retry_above: 0, ..HandshakeLimits::default() };
    let (listener, address) = limited_listener(&site, limits);
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let (peer, connected) = tokio::join!(accept(&listener), connect(address, &vendor));
    assert!(peer.is_ok() && connected.is_ok());
    assert_eq!(listener.retried_count(), 1);
}

/// A listener of `site` with limits of its own.
fn limited_listener(site: &Site, limits: HandshakeLimits) -> (Listener, SocketAddr) {
    let bundle = site.authority.issue(Role::Node, &name("node-1")).unwrap();
    let endpoint = server_endpoint(loopback(0), &bundle).unwrap();
    let address = endpoint.local_addr().unwrap();
    (Listener::with_limits(endpoint, limits), address)
}

#[tokio::test]
async fn who_asks_for_a_handshake_too_many_is_dropped_until_there_is_a_place() {
    let site = site("st-anna");
    let limits = HandshakeLimits { pending_max: 1, ..HandshakeLimits::default() };
    let (listener, address) = limited_listener(&site, limits);
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let first = tokio::spawn({
        let vendor = vendor.clone();
        async move { connect(address, &vendor).await }
    });
    let held = listener.accept().await.unwrap();
    let second = tokio::spawn(async move { connect(address, &vendor).await });
    let dropped = async {
        while listener.dropped_count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = listener.accept() => panic!("one too many was let in"),
        () = dropped => {}
    }
    assert!(held.finish().await.is_ok());
    assert!(first.await.unwrap().is_ok());
    // The second has not been answered, so it asks again by itself.
    assert!(accept(&listener).await.is_ok());
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_handshake_that_stays_silent_is_given_up() {
    let site = site("st-anna");
    let limits =
        HandshakeLimits { within: Duration::from_millis(50), ..HandshakeLimits::default() };
    let (listener, address) = limited_listener(&site, limits);
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let front = UdpSocket::bind(loopback(0)).await.unwrap();
    let client = client_endpoint(address, &vendor).unwrap();
    let _asking = client.connect(front.local_addr().unwrap(), "localhost").unwrap();
    // Only the first packet comes through.
    let mut packet = [0; 2_048];
    let (bytes, _) = front.recv_from(&mut packet).await.unwrap();
    front.send_to(&packet[..bytes], address).await.unwrap();
    let late = accept(&listener).await;
    assert!(matches!(late, Err(HandshakeError::Late { .. })), "{late:?}");
}

#[tokio::test]
async fn a_client_may_open_no_more_streams_than_it_needs() {
    let (_listener, _peer, _endpoint, connection) = pair().await;
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(connection.open_uni().await.unwrap());
    }
    let _control = connection.open_bi().await.unwrap();
    let short = Duration::from_millis(200);
    assert!(tokio::time::timeout(short, connection.open_uni()).await.is_err());
    assert!(tokio::time::timeout(short, connection.open_bi()).await.is_err());
}

/// Carries packets between one client and whichever node is behind `target` now.
async fn carry(front: UdpSocket, target: watch::Receiver<SocketAddr>) {
    let back = UdpSocket::bind(loopback(0)).await.unwrap();
    let (mut up, mut down) = ([0; 2_048], [0; 2_048]);
    let mut client = None;
    loop {
        tokio::select! {
            received = front.recv_from(&mut up) => {
                let (bytes, from) = received.unwrap();
                client = Some(from);
                let target = *target.borrow();
                back.send_to(&up[..bytes], target).await.unwrap();
            }
            received = back.recv_from(&mut down) => {
                let (bytes, from) = received.unwrap();
                // The dead say nothing.
                if from == *target.borrow() && let Some(client) = client {
                    front.send_to(&down[..bytes], client).await.unwrap();
                }
            }
        }
    }
}

/// The new process has the old one's certificate and address and nothing else.
#[tokio::test]
async fn after_a_crash_a_client_is_told_that_its_connection_is_gone() {
    let site = site("st-anna");
    let node = site.authority.issue(Role::Node, &name("node-1")).unwrap();
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let before = Listener::new(server_endpoint(loopback(0), &node).unwrap());
    let after = server_endpoint(loopback(0), &node).unwrap();
    let (target, current) = watch::channel(before.endpoint().local_addr().unwrap());
    let front = UdpSocket::bind(loopback(0)).await.unwrap();
    let address = front.local_addr().unwrap();
    let carrier = tokio::spawn(carry(front, current));
    let (peer, connected) = tokio::join!(accept(&before), connect(address, &vendor));
    let (_peer, (_endpoint, connection)) = (peer.unwrap(), connected.unwrap());
    target.send_replace(after.local_addr().unwrap());
    let mut stream = connection.open_uni().await.unwrap();
    stream.write_all(b"not durable yet").await.unwrap();
    // Not told, it would time out instead.
    assert_eq!(connection.closed().await, quinn::ConnectionError::Reset);
    carrier.abort();
}

/// Clients of the node's earlier life are told at once only if it keeps its key; a name it is given
/// anew must be in its certificate all the same.
#[tokio::test]
async fn a_renewed_node_keeps_its_key_and_takes_its_new_names() {
    let site = site("st-anna");
    let earlier = site.authority.issue_node(&name("node-1"), &[]).unwrap();
    let hosts = ["hospital.example".to_owned()];
    let renewed = site.authority.renew_node(&earlier, &name("node-2"), &hosts).unwrap();
    assert_eq!(renewed.identity().to_string(), "node node-2 of st-anna");
    let key_of = |bundle: &Bundle| {
        let folder = TempDir::new().unwrap();
        bundle.save(folder.path()).unwrap();
        let read = |file| std::fs::read_to_string(folder.path().join(file)).unwrap();
        (read("key.pem"), read("cert.pem"))
    };
    let ((old_key, old_certificate), (key, certificate)) = (key_of(&earlier), key_of(&renewed));
    assert_eq!(key, old_key);
    assert_ne!(certificate, old_certificate);
    let endpoint = server_endpoint(loopback(0), &renewed).unwrap();
    let address = endpoint.local_addr().unwrap();
    let listener = Listener::new(endpoint);
    let vendor = site.authority.issue(Role::Vendor, &name("uwb")).unwrap();
    let client = client_endpoint(address, &vendor).unwrap();
    let connecting = client.connect(address, "hospital.example").unwrap();
    let (peer, connected) = tokio::join!(accept(&listener), connecting);
    assert!(peer.is_ok() && connected.is_ok());
    let refused = site.authority.renew_node(&earlier, &name("node-2"), &["a b".to_owned()]);
    assert!(refused.unwrap_err().to_string().contains("no host name"));
}

fn check_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
}

#[test]
fn certificates_are_kept_so_that_only_their_owner_reads_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let (ca, own) = (directory.path().join("ca"), directory.path().join("uwb"));
    let authority = Authority::create(&ca, &name("st-anna")).unwrap();
    authority.issue(Role::Vendor, &name("uwb")).unwrap().save(&own).unwrap();
    check_mode(&ca.join("ca-key.pem"), 0o600);
    check_mode(&own.join("key.pem"), 0o600);
    let loaded = Bundle::load(&own).unwrap();
    assert_eq!(loaded.identity().to_string(), "vendor uwb of st-anna");
    assert!(!format!("{loaded:?}").contains("PRIVATE"));

    let says = |result: Result<Bundle, ach_engine_net::PkiError>| result.unwrap_err().to_string();
    std::fs::set_permissions(own.join("key.pem"), PermissionsExt::from_mode(0o644)).unwrap();
    assert!(says(Bundle::load(&own)).contains("chmod 600"));
    std::fs::remove_file(own.join("key.pem")).unwrap();
    assert!(says(Bundle::load(&own)).contains("ach vendor enrol"));
    authority.issue(Role::Vendor, &name("uwb")).unwrap().save(&own).unwrap();
    std::fs::write(own.join("cert.pem"), "nonsense").unwrap();
    assert!(says(Bundle::load(&own)).contains("no certificate"));
}

#[test]
fn an_authority_is_made_once_and_opened_after_that() {
    let directory = TempDir::new().unwrap();
    let made = Authority::open_or_create(directory.path(), &name("st-anna")).unwrap();
    assert!(Authority::create(directory.path(), &name("st-anna")).is_err());
    let opened = Authority::open_or_create(directory.path(), &name("st-anna")).unwrap();
    assert_eq!(opened.certificate_pem(), made.certificate_pem());
    assert!(Authority::open(directory.path(), &name("elsewhere")).is_err());
    let hosts = ["hospital.example".to_owned(), "10.0.0.7".to_owned()];
    assert!(opened.issue_node(&name("node-1"), &hosts).is_ok());
    for host in ["", "a b", "-", "x..y", "*.example"] {
        let refused = opened.issue_node(&name("node-1"), &[host.to_owned()]).is_err();
        assert_eq!(refused, host != "-", "{host:?}");
    }
    std::fs::remove_file(directory.path().join("ca.pem")).unwrap();
    let error = Authority::open_or_create(directory.path(), &name("st-anna")).unwrap_err();
    assert!(error.to_string().contains("ca.pem is missing"), "{error}");
}
