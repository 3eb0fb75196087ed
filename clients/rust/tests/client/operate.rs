//! An operator whose node refuses, or goes away under a question.

use ach_clients_rust::{Code, Cursor, OperatorError, Role, Thing};
use ach_engine_wire::{Frame, Receipt};
use quinn::VarInt;

use crate::node::{name, node, soon};

fn zone() -> Thing {
    Thing::Zone(name("ward-3"))
}

#[tokio::test]
async fn a_command_is_asked_again_when_the_connection_breaks_under_it() {
    let node = node();
    let serving = async {
        let mut first = node.welcome().await;
        let Some(Frame::Command(asked)) = first.next().await else { panic!("no command") };
        first.peer.connection.close(VarInt::from_u32(0), b"");
        let mut second = node.welcome().await;
        let Some(Frame::Command(again)) = second.next().await else { panic!("no command") };
        assert_eq!(again, asked);
        let cursor = Some(Cursor { shard: 0, index: 7, ordinal: 0 });
        let command = again.command;
        second.say(Receipt { command, code: Code::Done, detail: "".into(), cursor }).await;
        second
    };
    let operating = async {
        let mut operator = node.client(Role::Operator).await.operator();
        operator.release(zone()).await.unwrap().map(|cursor| cursor.index)
    };
    let (_held, index) = soon(async { tokio::join!(serving, operating) }).await;
    assert_eq!(index, Some(7));
}

#[tokio::test]
async fn a_refused_command_says_why() {
    let node = node();
    let serving = async {
        let mut heard = node.welcome().await;
        let Some(Frame::Command(asked)) = heard.next().await else { panic!("no command") };
        let (command, code) = (asked.command, Code::UnknownThing);
        heard.say(Receipt { command, code, detail: "no such zone".into(), cursor: None }).await;
        heard
    };
    let operating = async {
        let mut operator = node.client(Role::Operator).await.operator();
        operator.quarantine(zone()).await.expect_err("it was done")
    };
    let (_held, error) = soon(async { tokio::join!(serving, operating) }).await;
    assert!(
        matches!(&error, OperatorError::Refused { code: Code::UnknownThing, detail } if detail == "no such zone"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_node_that_says_goodbye_twice_is_not_asked_for_ever() {
    let node = node();
    let serving = async {
        for _ in 0..2 {
            let mut heard = node.welcome().await;
            heard.next().await;
            let code = VarInt::from_u32(u32::from(Code::ShuttingDown.value()));
            heard.peer.connection.close(code, b"");
        }
    };
    let operating = async {
        let mut operator = node.client(Role::Operator).await.operator();
        operator.status().await.expect_err("nobody answered")
    };
    let ((), error) = soon(async { tokio::join!(serving, operating) }).await;
    assert!(matches!(error, OperatorError::Connect(_)), "{error:?}");
}
