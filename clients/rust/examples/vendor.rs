//! A vendor: one tag walks along a corridor, then its button is pressed.
//!
//! `cargo run -p ach-clients-rust --example vendor -- 127.0.0.1:7400 path/to/bundle 00000000000000A1`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use ach_clients_rust::{
    Bundle, Client, ClientConfig, Floor, Ping, PublisherOptions, Report, ReportWord, TagId, now,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, bundle, tag] = arguments.as_slice() else {
        return Err("usage: vendor ADDRESS BUNDLE TAG".into());
    };
    let bundle = Bundle::load(Path::new(bundle))?;
    let client = Client::connect(ClientConfig::new(address.parse()?, "localhost", bundle)).await?;
    let vendor = client.publisher(PublisherOptions::default())?;
    let tag = TagId(u64::from_str_radix(tag, 16)?);
    for (tag, code) in vendor.intern_tags(&[tag]).await? {
        println!("tag {tag} refused: {code}");
    }
    for x_mm in (0..5_000).step_by(500) {
        let ping = Ping::local(tag, now(), x_mm, 1_000).on_floor(Floor(0)).within_mm(150);
        vendor.publish(ping).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let ticket = vendor.report(Report::tag(tag, now(), ReportWord::ButtonPressed)).await?;
    vendor.wait_durable(ticket).await?;
    println!("all on disk: {:?}", vendor.progress().borrow().ping);
    Ok(vendor.close().await?)
}
