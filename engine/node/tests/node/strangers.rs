//! Those who may not come in, and those who are too many.

use std::sync::Arc;
use std::time::Duration;

use crate::ward::raw::{Raw, closed_with, connect, hello};
use crate::ward::scene::Scene;
use crate::ward::tls::{ALPN, client_tls};
use crate::ward::{PATIENCE, Ward, in_time, name};
use ach_actors_model::Lane;
use ach_clients_rust::{Bundle, now};
use ach_engine_net::{Authority, Role};
use ach_engine_node::{Counter, Counters, NodeLimits};
use ach_engine_wire::{Code, Hello, Preamble};
use quinn::{Connecting, Connection, ConnectionError};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType, date_time_ymd};
use tokio::task::JoinSet;

/// A hello that the node must close with `code`.
async fn check_hello_refused(
    scene: &Scene,
    who: (Role, &str),
    hello: Hello,
    code: Code,
    counter: impl Fn(&Counters) -> &Counter,
) {
    let before = counter(scene.node.counters()).get();
    let bundle = scene.ward.bundle(who.0, who.1);
    let greeted = Raw::greet(scene.address(), &bundle, hello).await;
    assert_eq!(closed_with(&greeted.connection).await, code);
    scene.check_undisturbed().await;
    assert_eq!(counter(scene.node.counters()).get(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_does_not_fit_is_refused() {
    let scene = Scene::new().await;
    let vendor = (Role::Vendor, "uwb");
    let another_version = Hello { versions: vec![9], ..hello(Vec::new()) };
    check_hello_refused(&scene, vendor, another_version, Code::NoCommonVersion, |counters| {
        &counters.frames_malformed
    })
    .await;
    let elsewhere = Hello { site: Some(name("st-elsewhere")), ..hello(Vec::new()) };
    check_hello_refused(&scene, vendor, elsewhere, Code::WrongSite, |counters| {
        &counters.role_refused
    })
    .await;
    let node = (Role::Node, "node-2");
    check_hello_refused(&scene, node, hello(Vec::new()), Code::WrongRole, |counters| {
        &counters.role_refused
    })
    .await;
    let stranger = (Role::Vendor, "stranger");
    check_hello_refused(&scene, stranger, hello(Vec::new()), Code::UnknownSource, |counters| {
        &counters.role_refused
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_of_another_epoch_or_one_too_many_is_refused() {
    let scene = Scene::new().await;
    let raw = scene.raw().await;
    let preamble = Preamble::Lane { lane: Lane::Ping, epoch: raw.epoch() + 1 };
    let mut stream = raw.connection.open_uni().await.unwrap();
    stream.write_all(&preamble.bytes()).await.unwrap();
    assert_eq!(raw.closed_with().await, Code::WrongEpoch);
    scene.check_counted(|counters| &counters.epochs_wrong).await;
    let raw = scene.raw().await;
    let _lanes = (raw.lane(Lane::Ping).await, raw.lane(Lane::Ping).await);
    assert_eq!(raw.closed_with().await, Code::BadStream);
    scene.check_counted(|counters| &counters.frames_malformed).await;
}

/// A certificate of another authority, whose holder trusts ours.
fn forged(ward: &Ward) -> Bundle {
    let folder = ward.folder.path().join("forged");
    let other = Authority::create(&ward.folder.path().join("other"), &name("st-anna")).unwrap();
    other.issue(Role::Vendor, &name("uwb")).unwrap().save(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), ward.authority.certificate_pem()).unwrap();
    Bundle::load(&folder).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_is_refused() {
    let scene = Scene::new().await;
    let forged = forged(&scene.ward);
    check_refused(&scene, &forged).await;
}

/// A certificate of the site's own authority that was good until yesterday, or is from tomorrow on.
fn dated(ward: &Ward, from_days: i64, until_days: i64) -> Bundle {
    let pki = ward.folder.path().join("pki");
    let key = KeyPair::from_pem(&std::fs::read_to_string(pki.join("ca-key.pem")).unwrap()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(ward.authority.certificate_pem(), key).unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    let today = date_time_ymd(1970, 1, 1) + Duration::from_nanos(now().0);
    let day = |days: i64| {
        let distance = Duration::from_hours(24 * days.unsigned_abs());
        if days < 0 { today - distance } else { today + distance }
    };
    (params.not_before, params.not_after) = (day(from_days), day(until_days));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let uri = "ach://st-anna/vendor/uwb";
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    let own = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    let folder = ward.folder.path().join("dated");
    ward.bundle(Role::Vendor, "uwb").save(&folder).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), own.serialize_pem()).unwrap();
    Bundle::load(&folder).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_good_between_its_dates_alone() {
    for (from_days, until_days) in [(-9, -1), (1, 9)] {
        let scene = Scene::new().await;
        let dated = dated(&scene.ward, from_days, until_days);
        check_refused(&scene, &dated).await;
    }
    let scene = Scene::new().await;
    let good = dated(&scene.ward, -9, 9);
    assert!(connect(scene.address(), &good).await.is_ok());
}

async fn check_refused(scene: &Scene, shown: &Bundle) {
    let (_endpoint, connection) = match connect(scene.address(), shown).await {
        Ok(connected) => connected,
        // The refusal may come before the client thinks that it is connected.
        Err(error) => return check_tls_refusal(scene, &error).await,
    };
    let error = in_time("the refusal", connection.closed()).await;
    check_tls_refusal(scene, &error).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_is_refused() {
    let scene = Scene::new().await;
    let tls = client_tls(&scene.ward.authority, None, ALPN);
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
    let mut endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
    let error = match endpoint.connect(scene.address(), "localhost").unwrap().await {
        Ok(connection) => in_time("the refusal", connection.closed()).await,
        Err(error) => error,
    };
    check_tls_refusal(&scene, &error).await;
}

async fn check_tls_refusal(scene: &Scene, error: &ConnectionError) {
    assert!(matches!(error, ConnectionError::ConnectionClosed(_)), "{error}");
    scene.check_counted(|counters| &counters.handshakes_failed).await;
    assert_eq!(scene.node.counters().sessions_begun.get(), 1);
}

/// How an attempt to connect went.
enum Attempt {
    Inside(Connection),
    Refused,
    Unanswered,
}

/// Tries to connect and to stay. Who is dropped unanswered is not waited for.
async fn attempt(connecting: Connecting) -> Attempt {
    match tokio::time::timeout(Duration::from_secs(1), connecting).await {
        Ok(Ok(connection)) => Attempt::Inside(connection),
        Ok(Err(_)) => Attempt::Refused,
        Err(_) => Attempt::Unanswered,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_leave_those_inside_undisturbed() {
    const PER_IDENTITY: usize = 20;
    const WAVES: usize = 5;
    const WAVE: usize = 2_000;
    let limits = NodeLimits {
        connections_max: 2 * PER_IDENTITY,
        connections_per_identity_max: PER_IDENTITY,
        handshakes_max: 16,
        // Those who got in say nothing more, and stay all the same, however long a busy machine needs.
        hello_within: 20 * PATIENCE,
        ..NodeLimits::default()
    };
    let scene = Scene::with(limits).await;
    let bundle = scene.ward.bundle(Role::Receiver, "flood");
    let endpoint = ach_engine_net::client_endpoint(scene.address(), &bundle).unwrap();
    let (mut refused, mut unanswered, mut surplus) = (0, 0, 0);
    let mut inside = JoinSet::new();
    for _ in 0..WAVES {
        let mut attempts = JoinSet::new();
        for _ in 0..WAVE {
            attempts.spawn(attempt(endpoint.connect(scene.address(), "localhost").unwrap()));
        }
        // While the wave breaks.
        scene.check_undisturbed().await;
        while let Some(ended) = attempts.join_next().await {
            match ended.unwrap() {
                // Those who may stay wait for as long as this takes.
                Attempt::Inside(connection) => drop(inside.spawn(async move {
                    // A close that is lost in the crowd is followed by a reset.
                    if connection.closed().await != ConnectionError::Reset {
                        assert_eq!(closed_with(&connection).await, Code::TooManyConnections);
                    }
                })),
                Attempt::Refused => refused += 1,
                Attempt::Unanswered => unanswered += 1,
            }
        }
        while inside.len() > PER_IDENTITY {
            in_time("the surplus to be closed", inside.join_next()).await.unwrap().unwrap();
            surplus += 1;
        }
    }
    assert_eq!(inside.len() + refused + unanswered + surplus, WAVES * WAVE);
    assert_eq!(inside.len(), PER_IDENTITY);
    assert!(refused + unanswered + surplus > 0);
    scene.check_counted(|counters| &counters.connections_refused_limit).await;
    // Somebody else still finds a seat, and an operator sees what was turned away.
    let chief = scene.ward.client_at_last(scene.address(), Role::Operator, "chief").await;
    let mut operator = chief.operator();
    let counters = operator.status().await.unwrap().counters;
    let dropped = counters.iter().find(|c| c.name.as_str() == "handshakes_dropped").unwrap();
    assert!(dropped.count > 0, "never more than 16 handshakes at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_seat_is_taken_one_more_is_refused_before_its_handshake() {
    let scene = Scene::with(NodeLimits { connections_max: 2, ..NodeLimits::default() }).await;
    let _second = scene.raw().await;
    let bundle = scene.ward.bundle(Role::Receiver, "desk");
    let refused = connect(scene.address(), &bundle).await.unwrap_err();
    assert!(matches!(refused, ConnectionError::ConnectionClosed(_)), "{refused}");
    scene.check_counted(|counters| &counters.connections_refused_limit).await;
    assert_eq!(scene.node.counters().handshakes_failed.get(), 0);
}
