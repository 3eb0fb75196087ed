//! `ach walk-test`: somebody carries a tag, each door and zone answers, and a signed protocol says so.

mod alarms;
mod choice;
mod going;
mod protocol;
mod round;
mod verify;

use ach_clients_rust::{Client, ClientConfig, now};

use self::choice::{Choice, look_for};
use self::going::{Going, News};
use self::protocol::{Walked, Where};
use self::round::Round;
use self::verify::verify;
use super::connection::{OPERATORS, credentials, runtime};
use crate::cli::walk_test::{Walk, WalkTest, WalkTestAct};
use crate::exit::{Failure, Outcome};
use crate::interruption::Interruption;
use crate::out;
use crate::whole_file::WholeFile;

/// Walks, or verifies what was walked.
pub(crate) fn run(wish: &WalkTest) -> Result<Outcome, Failure> {
    match (&wish.act, wish.walk()) {
        (Some(WalkTestAct::Verify { file, ca, json }), _) => verify(file, ca, *json),
        (None, Some(walk)) => runtime()?.block_on(walk_with(&walk)),
        (None, None) => Err(Failure::misused("say which tag: --tag TAG --for TIME --out FILE")),
    }
}

async fn walk_with(walk: &Walk) -> Result<Outcome, Failure> {
    let to = &walk.connect;
    let bundle = credentials(&to.credentials, OPERATORS)?;
    let connected = || Client::connect(ClientConfig::new(to.node, &to.server_name, bundle.clone()));
    // Said before anybody walks: a file that is there already is not written over, and a key must sign.
    let file = WholeFile::begin(&walk.out)?;
    protocol::try_key(&bundle)?;
    let client = connected().await?;
    let (node, site) = (client.node().clone(), client.site().clone());
    let mut operator = client.operator();
    let in_force = operator.site_in_force().await?;
    look_for(walk.tag, &operator.unregistered_tags().await?)?;
    let choice = Choice::of(&walk.doors, &walk.zones, &operator.doors().await?.doors)?;
    let mut subscriber = connected().await?.subscriber();
    let mut news = News::subscribe(&mut subscriber, walk.tag).await?;
    news.begun().await?;
    let mut going = Going::new(walk.tag, &choice, to.json);
    let mut interruption = Interruption::of_visit()?;
    let begun_at = now();
    going.begin(walk.tag, &choice);
    // The protocol is written in any case: what was seen until then was seen.
    let trouble = tokio::select! {
        heard = going.hear(&mut news) => heard.err(),
        () = tokio::time::sleep(walk.length) => None,
        () = interruption.told() => None,
        () = out::gone() => None,
    };
    let version_at_end = operator.site_in_force().await.ok().map(|verdict| verdict.version);
    operator.close().await;
    let walked = Walked {
        place: Where {
            node,
            site,
            site_version: in_force.version,
            site_version_at_end: version_at_end,
            site_digest: in_force.digest.map(|digest| digest.to_string()),
        },
        walker: bundle.identity(),
        tag: walk.tag,
        begun_at,
        ended_at: now(),
        choice: &choice,
        round: &going.round,
        alarms: &going.alarms,
        has_gaps: going.has_gaps(),
    };
    let object = walked.object();
    // A disk that is full takes the file, and not what was seen.
    going.end(&object);
    protocol::write(file, &object, &bundle)?;
    if !to.json {
        say!("signed protocol in {}", walk.out.display());
    }
    trouble.map_or_else(|| missing(&going.round, going.has_gaps()), Err)
}

/// Done if all have answered; else why not, which is exit code 1.
fn missing(round: &Round, has_gaps: bool) -> Result<Outcome, Failure> {
    let silent: Vec<String> = round
        .things
        .iter()
        .filter(|thing| !thing.is_answered())
        .map(|thing| format!("{} {} ({})", thing.kind(), thing.id, thing.missing()))
        .collect();
    if silent.is_empty() {
        return Ok(Outcome::Done);
    }
    let gaps = if has_gaps { "; events or alarms were missed meanwhile" } else { "" };
    Err(Failure::new(format!("did not answer: {}{gaps}", silent.join(", "))))
}
