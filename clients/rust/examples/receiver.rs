//! A receiver: prints alarms as they come, for ever.
//!
//! `cargo run -p ach-clients-rust --example receiver -- 127.0.0.1:7400 path/to/bundle`

use std::error::Error;
use std::path::Path;

use ach_clients_rust::{AlarmUpdate, Bundle, Client, ClientConfig, Filter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, bundle] = arguments.as_slice() else {
        return Err("usage: receiver ADDRESS BUNDLE".into());
    };
    let bundle = Bundle::load(Path::new(bundle))?;
    let client = Client::connect(ClientConfig::new(address.parse()?, "localhost", bundle)).await?;
    println!("following {} at {}", client.site(), client.node());
    let mut alarms = client.subscriber().alarms(Filter::default(), None).await?;
    while let Some(update) = alarms.next().await {
        match update {
            AlarmUpdate::Note(note) => println!(
                "{:?} {:?} {:?} {} at {:?}: {:?}",
                note.priority,
                note.kind,
                note.transition,
                note.subject.as_ref().map_or("-", |subject| subject.as_str()),
                note.place,
                note.storage,
            ),
            AlarmUpdate::Withdrawn { id, .. } => println!("withdrawn {id}"),
            AlarmUpdate::Gone { id } => println!("open no more {id}"),
            other => println!("{other:?}"),
        }
    }
    alarms.refused().map_or(Ok(()), |refused| Err(refused.into()))
}
