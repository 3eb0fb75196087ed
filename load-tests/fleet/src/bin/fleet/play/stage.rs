//! A node within this process whose time is moved by hand, and the clients a use case needs: a vendor for each
//! feed, a receiver, an operator. All of them over QUIC.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{Name, SiteConfig, Timestamp};
use ach_clients_rust::{
    AlarmNote, AlarmStream, AlarmUpdate, Bundle, Client, ClientConfig, DoorOrders, Filter, Machine,
    Operator, Ping, Prober, Publisher, PublisherNotice, PublisherOptions, Role, Subscriber,
    Surroundings, WireDoorOrder,
};
use ach_engine_journal::FileDisk;
use ach_engine_net::EndpointError;
use ach_engine_node::{Clock, Ended, FollowedClock, Running};
use ach_engine_site::SiteDirectory;
use quinn::Endpoint;
use tempfile::TempDir;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::timeout;

use super::controllers::Saying;
use crate::failure::Failure;
use crate::host::{self, SERVER_NAME, Threads};

/// What was said is decided, stored and answered within; a disk that takes longer is not one to test on.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// A client that lives in the use case's time.
#[derive(Debug)]
struct InThatTime {
    clock: Arc<FollowedClock>,
    machine: Machine,
}

impl Surroundings for InThatTime {
    fn now(&self) -> Timestamp {
        self.clock.utc()
    }

    fn chance(&self) -> u64 {
        self.machine.chance()
    }

    fn endpoint(&self, remote: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
        self.machine.endpoint(remote, bundle)
    }
}

/// One feed's vendor.
#[derive(Debug)]
struct Feed {
    publisher: Publisher,
    orders: DoorOrders,
    notices: Receiver<PublisherNotice>,
}

/// The node and its clients.
#[derive(Debug)]
pub(crate) struct Stage {
    clock: Arc<FollowedClock>,
    running: Running,
    feeds: BTreeMap<u32, Feed>,
    pub(crate) operator: Operator,
    alarms: AlarmStream,
    prober: Prober,
    nonce: u64,
    subscriber: Subscriber,
    _folder: TempDir,
}

/// What was told meanwhile.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) alarms: Vec<AlarmNote>,
    pub(crate) orders: Vec<WireDoorOrder>,
}

impl Stage {
    /// Starts a node whose clock stands at `at`, and connects to it.
    ///
    /// # Errors
    ///
    /// It does not start, or somebody is not let in.
    pub(crate) async fn open(
        directory: &SiteDirectory,
        config: &SiteConfig,
        at: Timestamp,
    ) -> Result<Stage, Failure> {
        let folder = tempfile::Builder::new().prefix("fleet-play-").tempdir()?;
        let data = folder.path().join("data");
        let clock = Arc::new(FollowedClock::at(at));
        let disk = FileDisk::create(data.join("journal"))?;
        let running = host::start_on(directory, &data, Threads::Auto, &disk, clock.clone())?;
        let authority = host::authority(directory, &data)?;
        let configured = |role: Role, name: &Name| -> Result<ClientConfig, Failure> {
            let bundle = authority.issue(role, name)?;
            let mut config = ClientConfig::new(running.address(), SERVER_NAME, bundle);
            config.surroundings =
                Arc::new(InThatTime { clock: clock.clone(), machine: Machine::default() });
            Ok(config)
        };
        let operator_id = host::name_of("desk");
        let client = Client::connect(configured(Role::Receiver, &operator_id)?).await?;
        let mut subscriber = client.subscriber();
        let alarms = subscriber.alarms(Filter::default(), None).await?;
        let prober = alarms.prober();
        let operator = Client::connect(configured(Role::Operator, &operator_id)?).await?.operator();
        let mut feeds = BTreeMap::new();
        for (index, source) in (0_u32..).zip(&config.sources) {
            let client = Client::connect(configured(Role::Vendor, &source.id)?).await?;
            let options = PublisherOptions::default().keeping_every_position();
            let publisher = client.publisher(options)?;
            let (orders, notices) = (publisher.door_orders(), publisher.notices());
            feeds.insert(index, Feed { publisher, orders, notices });
        }
        Ok(Stage {
            clock,
            running,
            feeds,
            operator,
            alarms,
            prober,
            nonce: 0,
            subscriber,
            _folder: folder,
        })
    }

    /// Moves the clock on, and lets fall due what is due by then.
    ///
    /// # Errors
    ///
    /// The node is ending.
    pub(crate) async fn go_to(&self, at: Timestamp) -> Result<(), Failure> {
        self.clock.follow(at);
        let ticked = self.running.tick().await;
        ticked.map_err(|_| Failure::new("the node ended by itself; its log is above"))
    }

    /// What somebody's tag says.
    ///
    /// # Errors
    ///
    /// There is no such feed, or its connection is gone for good.
    pub(crate) async fn ping(&self, source: u32, ping: Ping) -> Result<(), Failure> {
        self.feed(source)?.publisher.publish(ping).await?;
        Ok(())
    }

    /// What a door, a button or a band says.
    ///
    /// # Errors
    ///
    /// There is no such feed, or its connection is gone for good.
    pub(crate) async fn report(&self, (source, report): Saying) -> Result<(), Failure> {
        self.feed(source)?.publisher.report(report).await?;
        Ok(())
    }

    fn feed(&self, source: u32) -> Result<&Feed, Failure> {
        self.feeds.get(&source).ok_or_else(|| Failure::new(format!("there is no feed {source}")))
    }

    /// Waits until all that was said is decided and stored, and gives what was told until then.
    ///
    /// # Errors
    ///
    /// It takes too long, or something was left out.
    pub(crate) async fn settle(&mut self) -> Result<News, Failure> {
        let settled = timeout(SETTLED_WITHIN, self.settle_slowly()).await;
        settled.map_err(|_| {
            Failure::new(format!("the node did not answer in {SETTLED_WITHIN:?}; its log is above"))
        })?
    }

    async fn settle_slowly(&mut self) -> Result<News, Failure> {
        let mut news = News::default();
        for feed in self.feeds.values() {
            feed.publisher.drain().await?;
        }
        self.nonce += 2;
        let (first, second) = (self.nonce, self.nonce + 1);
        for feed in self.feeds.values_mut() {
            // An order may follow the answer of a probe that came while it was about to be written; it does not
            // follow that of a probe which was sent after that answer had come.
            for nonce in [first, second] {
                feed.publisher.echo(nonce, 0).await?;
                heard(&mut feed.notices, nonce).await?;
            }
            while let Some(order) = feed.orders.try_next() {
                news.orders.push(order);
            }
        }
        self.prober.send(first, 0).await?;
        loop {
            match self.alarms.next().await {
                Some(AlarmUpdate::EchoReply { nonce }) if nonce == first => return Ok(news),
                Some(AlarmUpdate::Note(note)) => news.alarms.push(*note),
                Some(
                    AlarmUpdate::Durable { .. }
                    | AlarmUpdate::OpenSetComplete { .. }
                    | AlarmUpdate::EchoReply { .. },
                ) => {}
                other => {
                    let text = format!("the receiver was not told everything: {other:?}");
                    return Err(Failure::new(text));
                }
            }
        }
    }

    /// Ends the node in order.
    ///
    /// # Errors
    ///
    /// It does not end in order.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        let Stage { running, feeds, operator, alarms, subscriber, _folder, .. } = self;
        operator.close().await;
        drop((feeds, alarms, subscriber));
        let ended = tokio::task::spawn_blocking(move || running.drain()).await;
        match ended {
            Ok(Ended::Drained) => Ok(()),
            _ => Err(Failure::new("the node did not end in order; its log is above")),
        }
    }
}

/// Waits for the answer of a probe.
async fn heard(notices: &mut Receiver<PublisherNotice>, wanted: u64) -> Result<(), Failure> {
    loop {
        match notices.recv().await {
            Ok(PublisherNotice::EchoReply { nonce }) if nonce == wanted => return Ok(()),
            Ok(PublisherNotice::Refused { code, thing, .. }) => {
                let text = format!("the node refused what was said of {thing:?}: {code}");
                return Err(Failure::new(text));
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(Failure::new("a vendor's connection ended")),
        }
    }
}
