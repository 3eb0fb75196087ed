//! A person at a console who looks at the node every second while it is loaded. Each visit is a connection
//! that the node records in its audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_clients_rust::{Client, ClientConfig, now};
use ach_load_tests_fleet::Latencies;
use tokio::time::timeout;

use crate::failure::Failure;

/// How often the person looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A person who has waited this long has no answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What came of the visits.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    pub(crate) asked: u64,
    pub(crate) answered: u64,
    /// From asking for a connection to the answer.
    pub(crate) latency: Latencies,
}

/// A console at work.
#[derive(Debug)]
pub(crate) struct Console {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Visits, Failure>>,
}

impl Console {
    /// Looks every second until [`Console::end`].
    pub(crate) fn start(config: ClientConfig) -> Result<Console, Failure> {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::Builder::new().name("console".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut visits = Visits::default();
            while !ends.load(Ordering::Relaxed) {
                let asked_at = now();
                visits.asked += 1;
                let answer = async { timeout(ANSWER_WITHIN, visit(config.clone())).await };
                match runtime.block_on(answer) {
                    Ok(Ok(())) => {
                        visits.answered += 1;
                        visits.latency.record(now().since_ns(asked_at));
                    }
                    Ok(Err(failure)) => eprintln!("the console got no answer: {failure}"),
                    Err(_) => eprintln!("the console got no answer in {ANSWER_WITHIN:?}"),
                }
                std::thread::sleep(LOOK_EVERY);
            }
            Ok(visits)
        })?;
        Ok(Console { is_over, thread })
    }

    /// Ends it and gives what came of it.
    pub(crate) fn end(self) -> Result<Visits, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| Failure::new("the console's thread failed"))?
    }
}

async fn visit(config: ClientConfig) -> Result<(), Failure> {
    let mut operator = Client::connect(config).await?.operator();
    operator.status().await?;
    operator.close().await;
    Ok(())
}
