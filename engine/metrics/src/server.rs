//! Answers `GET /metrics`, `/healthz` and `/readyz` over HTTP/1.1, and nothing else.
//!
//! One thread of low priority, at most [`CONNECTIONS_MAX`] connections, one answer each, and
//! [`CONNECTION_WITHIN`] for all of it: whoever is slow, hostile or many can only keep others from these
//! pages. It is meant for a network of operators: there is no TLS and nobody is asked who he is, so it
//! listens only where it is told to.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::{Exposition, Page};

/// Connections at once: two scrapers, a load balancer and a person, four times over.
const CONNECTIONS_MAX: usize = 16;

/// How long a connection may take from its first byte to its last: scrapers give up at 10 s, and a page
/// takes a millisecond.
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of a request that are read. 8 KiB is the least the library takes; scrapers send 300.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// Header lines of a request; scrapers send half a dozen.
const HEADERS_MAX: usize = 32;

/// How long the thread rests when the system gives no connection (too many files are open).
const REST: Duration = Duration::from_millis(100);

/// How nice the thread is: under contention it gets a tenth of what the node's threads get.
const NICENESS: i32 = 10;

/// Limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at once; who asks for one more is closed at once.
    pub connections_max: usize,
    /// How long a connection may take from its first byte to its last.
    pub connection_within: Duration,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits { connections_max: CONNECTIONS_MAX, connection_within: CONNECTION_WITHIN }
    }
}

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be had.
    #[error("could not open tcp {wanted} for metrics: {source}; choose another address or port")]
    Address {
        /// Which.
        wanted: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("could not start the thread that serves metrics: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
}

/// Serves a page until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Listens at `wanted`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub fn start(wanted: SocketAddr, page: Arc<dyn Page>) -> Result<Server, ServerError> {
        Server::with_limits(wanted, page, ServerLimits::default())
    }

    /// As [`Server::start`], with other limits.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub fn with_limits(
        wanted: SocketAddr,
        page: Arc<dyn Page>,
        limits: ServerLimits,
    ) -> Result<Server, ServerError> {
        let refused = |source| ServerError::Address { wanted, source };
        let listener = TcpListener::bind(wanted).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| ServerError::Thread { source })?;
        std::thread::Builder::new()
            .name("ach-metrics".to_owned())
            .spawn(move || {
                // Of the calling thread only. Where it is not allowed nothing is lost.
                let _ = rustix::process::setpriority_process(None, NICENESS);
                runtime.block_on(serve(listener, page, limits, stopped));
            })
            .map_err(|source| ServerError::Thread { source })?;
        Ok(Server { address, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn serve(
    listener: TcpListener,
    page: Arc<dyn Page>,
    limits: ServerLimits,
    mut stopped: watch::Receiver<bool>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "metrics are not served");
            return;
        }
    };
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            // An error means that the server is gone.
            _ = stopped.wait_for(|is_stopped| *is_stopped) => return,
        };
        match (taken, seats.clone().try_acquire_owned()) {
            (Ok((stream, _)), Ok(seat)) => {
                let page = page.clone();
                tokio::spawn(async move {
                    // One that takes too long is cut; of how it ended nobody has to know.
                    drop(timeout(limits.connection_within, answer(stream, page)).await);
                    drop(seat);
                });
            }
            // Every seat is taken: closed at once, and the scraper tries again.
            (Ok(_), Err(_)) => {}
            (Err(error), _) => {
                tracing::warn!(%error, "the metrics listener got no connection");
                sleep(REST).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, page: Arc<dyn Page>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page.clone();
        async move { Ok::<_, Infallible>(respond(&request, page.as_ref())) }
    });
    let connection = http1::Builder::new()
        // The whole connection has its time.
        .header_read_timeout(None::<Duration>)
        .keep_alive(false)
        .max_buf_size(REQUEST_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection for metrics ended early");
    }
}

fn respond(request: &Request<Incoming>, page: &dyn Page) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/metrics" => {
            let mut exposition = Exposition::default();
            page.write(&mut exposition);
            let mut told = text(StatusCode::OK, exposition.into_text());
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            told.headers_mut().insert(CONTENT_TYPE, kind);
            told
        }
        "/healthz" => verdict(page.health()),
        "/readyz" => verdict(page.readiness()),
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n"),
    }
}

fn verdict(found: Result<(), String>) -> Response<Full<Bytes>> {
    match found {
        Ok(()) => text(StatusCode::OK, "ok\n"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
