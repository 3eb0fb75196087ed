//! What became of an operator's commands, so that one that is repeated is done once.

use std::collections::VecDeque;

use ach_engine_wire::Receipt;

/// Receipts remembered on a connection.
const RECEIPTS_MAX: usize = 256;

/// Commands under way on a connection. A person gives one at a time, a program a few; each waits for
/// the disk.
const UNDER_WAY_MAX: usize = 64;

/// What is known of a command.
#[derive(Debug, PartialEq)]
pub(crate) enum Known {
    /// Nothing: it is new, and under way from now on.
    New,
    /// It is under way.
    UnderWay,
    /// It is done, with this receipt.
    Done(Receipt),
    /// It is new, and there are too many under way.
    TooMany,
}

/// The receipts of a connection, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    commands: VecDeque<(u64, Option<Receipt>)>,
}

impl Receipts {
    /// Begins a command, if it is new and there is room.
    pub(crate) fn begin(&mut self, command: u64) -> Known {
        match self.commands.iter().find(|(known, _)| *known == command) {
            Some((_, Some(receipt))) => return Known::Done(receipt.clone()),
            Some((_, None)) => return Known::UnderWay,
            None => {}
        }
        let under_way = self.commands.iter().filter(|(_, receipt)| receipt.is_none()).count();
        if under_way >= UNDER_WAY_MAX {
            return Known::TooMany;
        }
        if self.commands.len() >= RECEIPTS_MAX
            && let Some(oldest) = self.commands.iter().position(|(_, receipt)| receipt.is_some())
        {
            self.commands.remove(oldest);
        }
        self.commands.push_back((command, None));
        Known::New
    }

    /// A command is done.
    pub(crate) fn end(&mut self, receipt: &Receipt) {
        let command = receipt.command;
        if let Some((_, place)) = self.commands.iter_mut().find(|(known, _)| *known == command) {
            *place = Some(receipt.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_engine_wire::{Code, Text};

    use super::*;

    fn receipt(command: u64) -> Receipt {
        Receipt { command, code: Code::Done, detail: Text::default(), cursor: None }
    }

    #[test]
    fn a_command_is_begun_once_and_answered_the_same_after() {
        let mut receipts = Receipts::default();
        assert_eq!(receipts.begin(7), Known::New);
        assert_eq!(receipts.begin(7), Known::UnderWay);
        receipts.end(&receipt(7));
        assert_eq!(receipts.begin(7), Known::Done(receipt(7)));
    }

    #[test]
    fn the_oldest_receipt_is_forgotten_whatever_its_number_and_none_that_is_under_way() {
        let mut receipts = Receipts::default();
        assert_eq!(receipts.begin(1_000_000), Known::New);
        for command in (0..u64::try_from(RECEIPTS_MAX).unwrap()).rev() {
            assert_eq!(receipts.begin(command), Known::New);
            receipts.end(&receipt(command));
        }
        assert_eq!(receipts.begin(1_000_000), Known::UnderWay);
        assert_eq!(receipts.begin(0), Known::Done(receipt(0)), "the latest");
        assert_eq!(receipts.begin(255), Known::New, "the oldest");
        assert_eq!(receipts.commands.len(), RECEIPTS_MAX);
    }

    #[test]
    fn only_so_many_are_under_way_at_once() {
        let mut receipts = Receipts::default();
        for command in 0..u64::try_from(UNDER_WAY_MAX).unwrap() {
            assert_eq!(receipts.begin(command), Known::New);
        }
        assert_eq!(receipts.begin(1_000), Known::TooMany);
        receipts.end(&receipt(3));
        assert_eq!(receipts.begin(1_000), Known::New);
    }
}
