//! The state model of communication: every order of events.
#![cfg(feature = "gem")]

use std::time::Duration;

use hsms::StreamFunction;
use hsms::gem::{Admission, Attempt, Commack, Communication, CommunicationState as State, Model, S1F13, S1F14, Step};

const S1F1: StreamFunction = StreamFunction::new(1, 1);
const S1F13_: StreamFunction = StreamFunction::new(1, 13);

fn model() -> Model {
    Model {
        mdln: "M1".into(),
        softrev: "2.0".into(),
    }
}

fn reply(commack: Commack) -> S1F14 {
    S1F14 { commack, model: None }
}

fn asked(step: Step) -> Attempt {
    match step {
        Step::Ask(attempt, _) => attempt,
        other => panic!("{other:?}"),
    }
}

/// An equipment in the state, and the attempt that is under way there.
fn equipment(state: State) -> (Communication, Attempt) {
    let mut machine = Communication::equipment(model()).delay(Duration::from_secs(3));
    let mut attempt = Attempt::default();
    if state != State::Disabled {
        assert_eq!(machine.enable(), Step::None);
    }
    if !matches!(state, State::Disabled | State::NotCommunicating) {
        attempt = asked(machine.selected());
    }
    match state {
        State::WaitDelay => {
            assert_eq!(
                machine.answered(attempt, None),
                Step::Wait(attempt, Duration::from_secs(3))
            );
        }
        State::Communicating => {
            assert_eq!(machine.answered(attempt, Some(&reply(Commack::Accepted))), Step::None);
        }
        _ => {}
    }
    assert_eq!(machine.state(), state);
    (machine, attempt)
}

const ALL: [State; 5] = [
    State::Disabled,
    State::NotCommunicating,
    State::WaitCra,
    State::WaitDelay,
    State::Communicating,
];

#[test]
fn an_equipment_tells_its_model_and_a_host_none() {
    let (mut machine, _) = equipment(State::NotCommunicating);
    assert!(matches!(machine.selected(), Step::Ask(_, S1F13(Some(told))) if told == model()));
    let mut host = Communication::host();
    assert_eq!(host.selected(), Step::None);
    assert!(matches!(host.enable(), Step::Ask(_, S1F13(None))));
    assert_eq!(host.enable(), Step::None);
}

/// Row 20: a refusal in S1F14 is looked at.
#[test]
fn d20_a_refusal_is_no_communication() {
    for refusal in [Commack::Denied, Commack::Other(64)] {
        let (mut machine, attempt) = equipment(State::WaitCra);
        assert!(matches!(
            machine.answered(attempt, Some(&reply(refusal))),
            Step::Wait(..)
        ));
        assert_eq!(machine.state(), State::WaitDelay);
        let again = asked(machine.waited(attempt));
        assert_ne!(again, attempt);
        assert_eq!(machine.state(), State::WaitCra);
    }
}

/// Row 20: a lost link ends communication, from every state.
#[test]
fn d20_a_lost_link_ends_communication() {
    for state in ALL {
        let (mut machine, _) = equipment(state);
        machine.lost();
        let expected = if state == State::Disabled {
            state
        } else {
            State::NotCommunicating
        };
        assert_eq!(machine.state(), expected, "{state}");
        if state != State::Disabled {
            asked(machine.selected());
        }
    }
}

/// Row 20: no message goes unanswered while there is no communication, and S1F13 is taken in all states.
#[test]
fn d20_every_primary_has_an_answer() {
    for state in ALL {
        let (mut machine, _) = equipment(state);
        let other = machine.primary(S1F1);
        let expected = if state == State::Communicating {
            Admission::Deliver
        } else {
            Admission::Abort
        };
        assert_eq!(other, expected, "{state}");
        assert_eq!(machine.state(), state);

        let answer = machine.primary(S1F13_);
        if state == State::Disabled {
            assert_eq!(answer, Admission::Abort);
            continue;
        }
        let accepted = S1F14 {
            commack: Commack::Accepted,
            model: Some(model()),
        };
        assert_eq!(answer, Admission::Answer(accepted), "{state}");
        assert!(machine.is_communicating());
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    let (mut machine, first) = equipment(State::WaitCra);
    machine.lost();
    let second = asked(machine.selected());
    assert_eq!(machine.answered(first, None), Step::None);
    assert_eq!(machine.answered(first, Some(&reply(Commack::Accepted))), Step::None);
    assert_eq!(machine.waited(second), Step::None);
    assert_eq!(machine.state(), State::WaitCra);
    // The peer's own S1F13 was quicker.
    let _ = machine.primary(S1F13_);
    assert_eq!(machine.answered(second, None), Step::None);
    assert!(machine.is_communicating());

    let (mut machine, attempt) = equipment(State::WaitDelay);
    machine.disable();
    assert_eq!(machine.waited(attempt), Step::None);
    assert_eq!(machine.state(), State::Disabled);
    // The link is still there.
    asked(machine.enable());
}
