//! One life: somebody walks about a zone for a while, and every judge says what it makes of it.

use std::collections::BTreeMap;

use ach_geo::Position;

use crate::casting::Haunt;
use crate::chance::Chance;
use crate::ground::Side;
use crate::matching::{LATE_NS, Marks, Report, matched};
use crate::omlox::{FenceJudge, OmloxFence};
use crate::product::{Saying, Seen, Word};
use crate::radio::Radio;
use crate::scoring::Options;
use crate::stay::{Stay, StayLog, second_ns};
use crate::walker::Walker;

/// Streams of chance a life has.
const STREAMS: u64 = 2;

/// One life.
#[derive(Debug)]
pub(crate) struct Life {
    haunt: Haunt,
    walker: Walker,
    radio: Radio,
    truth: StayLog,
    heard: u32,
    plain: FenceJudge,
    omlox: FenceJudge,
    zone: Vec<Report>,
    /// By rule.
    alarms: BTreeMap<usize, Alarms>,
}

/// What one rule said.
#[derive(Debug)]
struct Alarms {
    /// On which side it raises alarms.
    side: Side,
    /// Each as it was raised, tentative or not.
    first_words: Vec<Report>,
    /// Each as it was borne out, and cleared again.
    last_words: Vec<Report>,
}

/// What became of it, judge by judge.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) plain: Marks,
    pub(crate) omlox: Marks,
    pub(crate) zone: Marks,
    pub(crate) rules: Vec<RuleAccount>,
}

/// What one rule made of it.
#[derive(Debug)]
pub(crate) struct RuleAccount {
    pub(crate) rule: usize,
    /// Alarms raised and upheld, and cleared again.
    pub(crate) last_words: Marks,
    /// Alarms as they were raised, tentative or not.
    pub(crate) first_words: FirstWords,
}

/// What raised alarms at first, and what others made of the same transitions: those that are alarms, not those
/// back.
#[derive(Debug)]
pub(crate) struct FirstWords {
    pub(crate) plain: Marks,
    pub(crate) omlox: Marks,
    pub(crate) ours: Marks,
}

impl Life {
    /// One that begins. `number` is its own among all of that seed.
    pub(crate) fn new(haunt: Haunt, options: &Options, number: u64) -> Life {
        let chance = |stream| Chance::new(options.seed, number * STREAMS + stream);
        let walker = Walker::new(haunt.ground.clone(), haunt.class, chance(0));
        let alarms = haunt.rules.iter().map(|watched| (watched.rule, Alarms::new(watched.side)));
        Life {
            walker,
            radio: Radio::new(options.noise, chance(1)),
            truth: StayLog::default(),
            heard: 0,
            plain: FenceJudge::new(OmloxFence::PLAIN),
            omlox: FenceJudge::new(options.omlox),
            zone: Vec::new(),
            alarms: alarms.collect(),
            haunt,
        }
    }

    pub(crate) fn haunt(&self) -> &Haunt {
        &self.haunt
    }

    /// Lives for a second: what is heard of the tag.
    pub(crate) fn step(&mut self, second: u32) -> Option<Seen> {
        let at_ns = second_ns(second);
        let at_mm = self.walker.step();
        let ground = &self.haunt.ground;
        self.truth.note(at_ns, at_mm, ground, self.heard);
        let heard = self.radio.hear(at_mm, &ground.wall(at_mm))?;
        self.plain.hear(at_ns, heard.at_mm, ground.region());
        self.omlox.hear(at_ns, heard.at_mm, ground.region());
        let (x_mm, y_mm) = heard.at_mm;
        let position = Position { x_mm, y_mm, z_mm: None, floor: Some(ground.floor()) };
        Some(Seen { tag: self.haunt.tag, position, accuracy_mm: heard.accuracy_mm })
    }

    /// The ping of this second has been judged by all.
    pub(crate) fn count(&mut self) {
        self.heard += 1;
    }

    /// Takes what the product says of it; other zones than the one it is about are none of its matter.
    pub(crate) fn listen(&mut self, word: &Word, at_ns: u64) {
        if word.zone != self.haunt.zone {
            return;
        }
        let report = Report { side: word.side, at_ns, pings_before: self.heard };
        match word.saying {
            Saying::Zone => self.zone.push(report),
            Saying::Tentative { rule } => {
                self.alarms.entry(rule).and_modify(|alarms| alarms.first_words.push(report));
            }
            Saying::Rule { rule, had_word } => {
                self.alarms.entry(rule).and_modify(|alarms| alarms.hear(report, had_word));
            }
        }
    }

    /// Holds everything against the truth.
    pub(crate) fn finish(self, seconds: u32) -> Account {
        let end_ns = second_ns(seconds);
        let stays = self.truth.finish(end_ns, LATE_NS);
        let (plain, omlox) = (self.plain.finish(end_ns), self.omlox.finish(end_ns));
        let rules = self.alarms.into_iter().map(|(rule, alarms)| {
            let marks = |reports: &[Report]| matched_on(alarms.side, &stays, reports);
            let first_words = FirstWords {
                plain: marks(&plain),
                omlox: marks(&omlox),
                ours: marks(&alarms.first_words),
            };
            RuleAccount { rule, last_words: matched(&stays, &alarms.last_words), first_words }
        });
        Account {
            rules: rules.collect(),
            plain: matched(&stays, &plain),
            omlox: matched(&stays, &omlox),
            zone: matched(&stays, &self.zone),
        }
    }
}

impl Alarms {
    fn new(side: Side) -> Alarms {
        Alarms { side, first_words: Vec::new(), last_words: Vec::new() }
    }

    /// One raised, upheld or cleared; `had_word` if a tentative one came before.
    fn hear(&mut self, report: Report, had_word: bool) {
        self.last_words.push(report);
        if report.side == self.side && !had_word {
            self.first_words.push(report);
        }
    }
}

/// The same of transitions to one side alone.
fn matched_on(side: Side, stays: &[Stay], reports: &[Report]) -> Marks {
    let stays: Vec<Stay> = stays.iter().copied().filter(|stay| stay.side == side).collect();
    let on_side = reports.iter().copied().filter(|report| report.side == side);
    matched(&stays, &on_side.collect::<Vec<_>>())
}
