//! `ach tag`: lists tags that the site does not have, and registers one.

use ach_actors_model::{Name, SubjectClass, TagId};
use ach_clients_rust::UnregisteredTag;
use ach_engine_site::{RegisterError, Registration, SiteDirectory};
use serde_json::json;

use super::connection::{OPERATORS, connect, runtime};
use super::{site, site_apply, site_edit};
use crate::cli::{Connect, Register, Tag, TagClass};
use crate::exit::{Failure, Outcome};
use crate::moment;

/// Does what is wished with tags.
pub(crate) fn run(wish: &Tag) -> Result<Outcome, Failure> {
    match wish {
        Tag::List { unregistered: _, connect } => list(connect),
        Tag::Register(wish) => register(wish),
    }
}

fn list(to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let tags = operator.unregistered_tags().await?;
        operator.close().await;
        for tag in &tags {
            print(tag, to.json);
        }
        if !to.json && tags.is_empty() {
            say!("every tag that vendors named is in the site");
        } else if !to.json {
            say!(
                "{} tags; register one: ach tag register TAG --subject ID --class CLASS ..",
                tags.len()
            );
        }
        Ok(Outcome::Done)
    })
}

fn print(it: &UnregisteredTag, is_json: bool) {
    let UnregisteredTag { feed, tag, first_at, last_at, count } = it;
    if is_json {
        say!(
            "{}",
            json!({
                "event": "unregistered_tag",
                "tag": tag.to_string(),
                "feed": feed.as_str(),
                "count": count,
                "first_at": moment::iso(*first_at),
                "last_at": moment::iso(*last_at),
            })
        );
    } else {
        let (first, last) = (moment::local(*first_at), moment::local(*last_at));
        say!("{tag}  feed {feed}  {count} times  first {first}  last {last}");
    }
}

/// Writes the directory's file, applies the directory, and puts the file back if the node refuses.
fn register(wish: &Register) -> Result<Outcome, Failure> {
    let _lock = site_apply::lock(&wish.site)?;
    let directory = site::read(&wish.site)?;
    let edit = directory
        .register(&wish.site, &registration(wish, &directory)?)
        .map_err(|error| advised(&error))?;
    let how = site_apply::How {
        dir: &wish.site,
        to: &wish.connect,
        from: wish.from,
        is_dry_run: false,
        may_strand: false,
    };
    let outcome = site_edit::put_in_force(&edit, &how, "the tag")?;
    if !wish.connect.json {
        say!("tag {} is on {}, written into {}", wish.tag, wish.subject, edit.path().display());
    }
    Ok(outcome)
}

fn advised(error: &RegisterError) -> Failure {
    let advice = match error {
        RegisterError::NoClass { .. } => " (--class patient, staff, visitor or asset)",
        RegisterError::UnknownFeed { .. } => " (--feed)",
        _ => "",
    };
    Failure::new(format!("{error}{advice}"))
}

fn registration(wish: &Register, directory: &SiteDirectory) -> Result<Registration, Failure> {
    let name = |text: &str| {
        Name::new(text).map_err(|error| Failure::misused(format!("`{text}`: {error}")))
    };
    let digits: String = wish.tag.chars().filter(|it| !matches!(it, ':' | '-')).collect();
    let is_whole = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tag = u64::from_str_radix(&digits, 16).ok().filter(|_| is_whole).ok_or_else(|| {
        Failure::misused(format!("`{}` is no EUI-64; write 16 hexadecimal digits", wish.tag))
    })?;
    let feed = match (&wish.feed, directory.feeds.as_slice()) {
        (Some(feed), _) => name(feed)?,
        (None, [feed]) => feed.id.clone(),
        (None, _) => {
            return Err(Failure::misused(
                "the site has several feeds; say which reports the tag with --feed",
            ));
        }
    };
    Ok(Registration {
        tag: TagId(tag),
        feed,
        subject: name(&wish.subject)?,
        class: wish.class.map(|class| match class {
            TagClass::Patient => SubjectClass::Patient,
            TagClass::Staff => SubjectClass::Staff,
            TagClass::Visitor => SubjectClass::Visitor,
            TagClass::Asset => SubjectClass::Asset,
        }),
        name: wish.name.clone(),
        labels: wish.labels.iter().map(|label| name(label)).collect::<Result<_, _>>()?,
    })
}
