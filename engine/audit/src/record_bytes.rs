//! The bytes of a record, version 1. All numbers are little-endian.
//!
//! ```text
//!   at  bytes  field
//!    0      2  version, 1
//!    2      1  role of who did it
//!    3      1  outcome
//!    4      1  origin: 0 the machine, 4 or 6 an address, 255 several
//!    5      1  flags: 1 code, 2 repeated, 4 session, 8 request, 16 entry, 32 a name of who did it
//!    6      2  action
//!    8      8  at, nanoseconds since 1970 UTC
//!   16         then, each only if its flag is set: code (2), count (8) and since (8), session (8),
//!              request (8), entry (8)
//!              address (4 or 16) and port (2), if the origin has one
//!              site, node, name (if its flag is set), reason: a byte of length, then the text
//!              number of objects (2), then for each: kind (1), version or 0 (4), length (1), id
//! ```
//!
//! Nothing may be left over, no flag unknown, no count zero.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use ach_actors_model::{Name, Timestamp};

use crate::action::Action;
use crate::agent::{Agent, AgentRole, Origin};
use crate::object::{Object, ObjectKind};
use crate::outcome::{Outcome, Reason};
use crate::record::{OBJECTS_MAX, RECORD_BYTES_MAX, Record, RecordError, Repeated};

const VERSION: u16 = 1;

const HAS_CODE: u8 = 1;
const IS_REPEATED: u8 = 2;
const HAS_SESSION: u8 = 4;
const HAS_REQUEST: u8 = 8;
const HAS_ENTRY: u8 = 16;
const HAS_NAME: u8 = 32;
const FLAGS: u8 = 63;

const FROM_MACHINE: u8 = 0;
const FROM_V4: u8 = 4;
const FROM_V6: u8 = 6;
const FROM_SEVERAL: u8 = 255;

pub(crate) fn encode(record: &Record) -> Result<Vec<u8>, RecordError> {
    let object_count = u16::try_from(record.objects.len())
        .ok()
        .filter(|_| record.objects.len() <= OBJECTS_MAX)
        .ok_or(RecordError::TooLarge)?;
    let mut out = Vec::with_capacity(160);
    out.extend(VERSION.to_le_bytes());
    out.push(record.who.role.number());
    out.push(record.outcome.number());
    out.push(match record.from {
        Origin::Machine => FROM_MACHINE,
        Origin::Network(IpAddr::V4(_), _) => FROM_V4,
        Origin::Network(IpAddr::V6(_), _) => FROM_V6,
        Origin::Several => FROM_SEVERAL,
    });
    out.push(flags(record));
    out.extend(record.action.number().to_le_bytes());
    out.extend(record.at.0.to_le_bytes());
    out.extend(record.code.iter().flat_map(|code| code.to_le_bytes()));
    if let Some(Repeated { count, since }) = record.repeated {
        out.extend(count.max(1).to_le_bytes());
        out.extend(since.0.to_le_bytes());
    }
    let numbers = [record.session, record.request, record.entry];
    out.extend(numbers.into_iter().flatten().flat_map(u64::to_le_bytes));
    if let Origin::Network(ip, port) = record.from {
        match ip {
            IpAddr::V4(ip) => out.extend(ip.octets()),
            IpAddr::V6(ip) => out.extend(ip.octets()),
        }
        out.extend(port.to_le_bytes());
    }
    let mut texts = vec![record.site.as_str(), record.node.as_str()];
    texts.extend(record.who.name.as_ref().map(Name::as_str));
    texts.push(record.reason.as_str());
    for text in texts {
        put_text(&mut out, text)?;
    }
    out.extend(object_count.to_le_bytes());
    for object in &record.objects {
        out.push(object.kind.number());
        out.extend(object.version.map_or(0, NonZeroU32::get).to_le_bytes());
        put_text(&mut out, object.id.as_str())?;
    }
    if out.len() > RECORD_BYTES_MAX { Err(RecordError::TooLarge) } else { Ok(out) }
}

fn flags(record: &Record) -> u8 {
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    flag(record.code.is_some(), HAS_CODE)
        | flag(record.repeated.is_some(), IS_REPEATED)
        | flag(record.session.is_some(), HAS_SESSION)
        | flag(record.request.is_some(), HAS_REQUEST)
        | flag(record.entry.is_some(), HAS_ENTRY)
        | flag(record.who.name.is_some(), HAS_NAME)
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), RecordError> {
    out.push(u8::try_from(text.len()).map_err(|_| RecordError::TooLarge)?);
    out.extend(text.as_bytes());
    Ok(())
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(RecordError::TooLarge);
    }
    let mut input = Input(bytes);
    let version = input.u16()?;
    if version != VERSION {
        let is_newer = version > VERSION;
        return Err(if is_newer { RecordError::Newer } else { RecordError::Malformed });
    }
    let role = AgentRole::from_number(input.u8()?);
    let outcome = Outcome::from_number(input.u8()?);
    let from = input.u8()?;
    let flags = input.u8()?;
    let action = Action::from_number(input.u16()?);
    // A number that is not known may be one that a later build of the same version added.
    let (Some(role), Some(outcome), Some(action)) = (role, outcome, action) else {
        return Err(RecordError::Newer);
    };
    if flags & !FLAGS != 0 {
        return Err(RecordError::Newer);
    }
    let has = |flag: u8| flags & flag != 0;
    let at = Timestamp(input.u64()?);
    let code = if has(HAS_CODE) { Some(input.u16()?) } else { None };
    let repeated = if has(IS_REPEATED) { Some(input.repeated()?) } else { None };
    let mut number = |flag| if has(flag) { input.u64().map(Some) } else { Ok(None) };
    let (session, request, entry) =
        (number(HAS_SESSION)?, number(HAS_REQUEST)?, number(HAS_ENTRY)?);
    let from = input.origin(from)?;
    let (site, node) = (input.name()?, input.name()?);
    let name = if has(HAS_NAME) { Some(input.name()?) } else { None };
    let reason = Reason::read(input.text()?).ok_or(RecordError::Malformed)?;
    let objects = input.objects()?;
    if !input.0.is_empty() {
        return Err(RecordError::Malformed);
    }
    let who = Agent { role, name };
    Ok(Record {
        at,
        site,
        node,
        who,
        from,
        action,
        objects,
        outcome,
        code,
        reason,
        repeated,
        session,
        request,
        entry,
    })
}

/// What is left to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(RecordError::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, RecordError> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, RecordError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, RecordError> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], RecordError> {
        let count = self.u8()?;
        self.take(usize::from(count))
    }

    fn name(&mut self) -> Result<Name, RecordError> {
        let text = std::str::from_utf8(self.text()?).ok();
        text.and_then(|text| Name::new(text).ok()).ok_or(RecordError::Malformed)
    }

    fn repeated(&mut self) -> Result<Repeated, RecordError> {
        let (count, since) = (self.u64()?, Timestamp(self.u64()?));
        if count == 0 { Err(RecordError::Malformed) } else { Ok(Repeated { count, since }) }
    }

    fn origin(&mut self, form: u8) -> Result<Origin, RecordError> {
        let ip = match form {
            FROM_MACHINE => return Ok(Origin::Machine),
            FROM_SEVERAL => return Ok(Origin::Several),
            FROM_V4 => IpAddr::V4(Ipv4Addr::from(self.array::<4>()?)),
            FROM_V6 => IpAddr::V6(Ipv6Addr::from(self.array::<16>()?)),
            _ => return Err(RecordError::Newer),
        };
        Ok(Origin::Network(ip, self.u16()?))
    }

    fn objects(&mut self) -> Result<Vec<Object>, RecordError> {
        let count = usize::from(self.u16()?);
        if count > OBJECTS_MAX {
            return Err(RecordError::TooLarge);
        }
        // Each takes seven bytes at least, so a count that lies allocates no more than its bytes.
        let mut objects = Vec::with_capacity(count.min(self.0.len() / 7));
        for _ in 0..count {
            let kind = ObjectKind::from_number(self.u8()?).ok_or(RecordError::Newer)?;
            let version = NonZeroU32::new(u32::from_le_bytes(self.array()?));
            objects.push(Object { kind, id: self.name()?, version });
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_values::record;

    fn names() -> impl Strategy<Value = Name> {
        "[A-Za-z0-9._:-]{1,64}".prop_map(|text| Name::new(&text).unwrap())
    }

    fn origins() -> impl Strategy<Value = Origin> {
        prop_oneof![
            Just(Origin::Machine),
            Just(Origin::Several),
            any::<([u8; 4], u16)>().prop_map(|(ip, port)| Origin::Network(ip.into(), port)),
            any::<([u8; 16], u16)>().prop_map(|(ip, port)| Origin::Network(ip.into(), port)),
        ]
    }

    prop_compose! {
        fn records()(
            at in any::<u64>(),
            (site, node, name) in (names(), names(), proptest::option::of(names())),
            (role, action, outcome) in (
                proptest::sample::select(AgentRole::ALL),
                proptest::sample::select(Action::ALL),
                proptest::sample::select(Outcome::ALL),
            ),
            from in origins(),
            objects in proptest::collection::vec(
                (proptest::sample::select(ObjectKind::ALL), names(), any::<u32>()), 0..20),
            code in any::<Option<u16>>(),
            repeated in proptest::option::of((1_u64.., any::<u64>())),
            numbers in any::<[Option<u64>; 3]>(),
            reason in proptest::sample::select(&["", "no seat is free", "~ {}[]"][..]),
        ) -> Record {
            Record {
                at: Timestamp(at),
                site,
                node,
                who: Agent { role, name },
                from,
                action,
                objects: objects
                    .into_iter()
                    .map(|(kind, id, version)| Object::versioned(kind, id, version))
                    .collect(),
                outcome,
                code,
                reason: Reason::new(reason),
                repeated: repeated
                    .map(|(count, since)| Repeated { count, since: Timestamp(since) }),
                session: numbers[0],
                request: numbers[1],
                entry: numbers[2],
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_survives_its_bytes(record in records()) {
            let bytes = record.to_bytes().unwrap();
            prop_assert_eq!(Record::from_bytes(&bytes), Ok(record));
        }

        /// What is read is written the same again, whatever it was: there are no two ways.
        #[test]
        fn there_is_one_way_to_write_a_record(
            record in records(), at in any::<prop::sample::Index>(), flip in 1_u8..,
        ) {
            let mut bytes = record.to_bytes().unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(read) = Record::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes().unwrap(), bytes);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::from_bytes(&bytes);
            let mut framed = vec![1, 0];
            framed.extend(bytes);
            let _ = Record::from_bytes(&framed);
        }
    }

    #[test]
    fn a_record_that_is_cut_or_goes_on_is_refused() {
        let bytes = record(7).to_bytes().unwrap();
        for end in 2..bytes.len() {
            assert_eq!(Record::from_bytes(&bytes[..end]), Err(RecordError::Malformed), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Record::from_bytes(&longer), Err(RecordError::Malformed));
    }

    #[test]
    fn what_a_later_version_writes_is_told_from_damage() {
        let mut bytes = record(7).to_bytes().unwrap();
        let check = |bytes: &[u8]| assert_eq!(Record::from_bytes(bytes), Err(RecordError::Newer));
        bytes[0] = 2;
        check(&bytes);
        bytes[0] = 1;
        bytes[6] = 250;
        check(&bytes);
    }

    #[test]
    fn a_record_has_its_limits() {
        let object = Object::new(ObjectKind::Subject, Name::new(&"s".repeat(64)).unwrap());
        let objects = vec![object; OBJECTS_MAX];
        let largest = Record { objects: objects.clone(), ..record(1) };
        let bytes = largest.to_bytes().unwrap();
        assert!(bytes.len() <= RECORD_BYTES_MAX, "{}", bytes.len());
        assert_eq!(Record::from_bytes(&bytes), Ok(largest.clone()));
        let objects = [&objects[..], &objects[..1]].concat();
        let larger = Record { objects, ..largest };
        assert_eq!(larger.to_bytes(), Err(RecordError::TooLarge));
    }
}
