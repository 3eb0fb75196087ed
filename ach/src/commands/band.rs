//! `ach band`: says that a band comes off or is on, and puts another one in its place.

use ach_clients_rust::{BandOrder, Name, TagId};
use ach_engine_site::Exchange;
use serde_json::json;

use super::connection::{OPERATORS, VIEWERS, connect, runtime};
use super::site_apply::{How, lock};
use super::{site, site_edit};
use crate::cli::Connect;
use crate::cli::band::{Band, Change, Of};
use crate::exit::{Failure, Outcome};
use crate::span::nanoseconds;

/// Does what is wished with bands.
pub(crate) fn run(wish: &Band) -> Result<Outcome, Failure> {
    match wish {
        Band::Off { of, length, reason } => {
            let for_ns = nanoseconds(*length);
            let reason = Some(reason.clone());
            say_of(&of.connect, BandOrder { for_ns: Some(for_ns), reason, ..order(of) })
        }
        Band::On(of) => say_of(&of.connect, order(of)),
        Band::Change(wish) => change(wish),
    }
}

fn order(of: &Of) -> BandOrder {
    let (subject, person) = (of.subject.clone(), of.person.clone());
    BandOrder { subject, tag: of.tag, for_ns: None, person, reason: None }
}

fn say_of(to: &Connect, order: BandOrder) -> Result<Outcome, Failure> {
    let (subject, tag, is_off) = (order.subject.clone(), order.tag, order.for_ns.is_some());
    runtime()?.block_on(async {
        let mut operator = connect(to, VIEWERS).await?.operator();
        let cursor = operator.band(order).await?;
        operator.close().await;
        let index = cursor.map(|cursor| cursor.index);
        tell(to, (&subject, tag, is_off), index);
        Ok(Outcome::Done)
    })
}

fn tell(to: &Connect, (subject, tag, is_off): (&Name, TagId, bool), index: Option<u64>) {
    let state = if is_off { "off" } else { "on" };
    if to.json {
        let (whose, tag) = (subject.as_str(), tag.to_string());
        say!(
            "{}",
            json!({ "event": "band", "state": state, "subject": whose, "tag": tag, "index": index })
        );
        return;
    }
    let stored = if index.is_some() { "" } else { "; it is not stored: no disk" };
    let by_itself = if is_off { ", which ends by itself" } else { "" };
    say!("band {tag} of {subject} is {state}{by_itself}{stored}");
}

/// Writes the new tag in the old one's place, puts that in force, and says that the new band is on.
fn change(wish: &Change) -> Result<Outcome, Failure> {
    let _lock = lock(&wish.site)?;
    let directory = site::read(&wish.site)?;
    let exchange = Exchange { subject: wish.subject.clone(), old: wish.from, new: wish.to };
    let edit = directory
        .exchange(&wish.site, &exchange)
        .map_err(|error| Failure::new(error.to_string()))?;
    let how = How {
        dir: &wish.site,
        to: &wish.connect,
        from: wish.made_from,
        is_dry_run: false,
        may_strand: wish.strand,
    };
    let outcome = site_edit::put_in_force(&edit, &how, "the new band")?;
    let (subject, tag) = (wish.subject.clone(), wish.to);
    let on = BandOrder { subject, tag, for_ns: None, person: None, reason: None };
    let said = runtime()?.block_on(async {
        let mut operator = connect(&wish.connect, OPERATORS).await?.operator();
        let cursor = operator.band(on).await?;
        operator.close().await;
        Ok::<_, Failure>(cursor)
    });
    let cursor = said.map_err(|why| {
        Failure::new(format!(
            "{why}; the new band is in force, but nobody misses it if it is never heard: say `ach band on \
             {} --tag {tag}`",
            wish.subject
        ))
    })?;
    tell(&wish.connect, (&wish.subject, tag, false), cursor.map(|cursor| cursor.index));
    Ok(outcome)
}
