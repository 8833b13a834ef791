//! Classes, inheritance, and what the object manager does and answers.

mod common;

use common::{Rig, on, say};
use statechart_bridge::{
    Association, Chart, Class, Context, Engine, Event, Expression, Fault, InstanceId, Method, Model, Raise, Scope,
    State, Transition, Value,
};

/// A main instance that passes on what it is told: `ask(request, parameters…)` goes to the object manager, and whatever
/// comes without port is said on the outport.
fn commander() -> Class {
    let ask = |cx: &mut Context<'_>| {
        let Some((name, parameters)) = cx.parameters().split_first() else {
            return Err(Fault::new("expected a request"));
        };
        let name = name.as_str().unwrap_or_default();
        let event = Event::new(name).with(parameters.iter().cloned());
        cx.raise(Scope::ObjectManager, event);
        Ok(())
    };
    let tell = |cx: &mut Context<'_>| {
        let event = cx.event().cloned().ok_or_else(|| Fault::new("expected an event"))?;
        cx.raise(Scope::Output, event.on("out"));
        Ok::<_, Fault>(())
    };
    let state = State::new("s")
        .transition(Transition::on("ask").port("in").run(ask))
        .transition(
            Transition::on("cast")
                .port("in")
                .raise(Raise::narrow(Expression::Parameter(0), "hello").with(Expression::Parameter(1))),
        )
        .transition(
            Transition::on("cry")
                .port("in")
                .raise(Raise::broad("hello").with("all")),
        )
        .transition(Transition::on("nothing").port("in"))
        .transition(Transition::on_prefix("").run(tell));
    Class::new("Main")
        .default_class()
        .association(Association::new("kids", "Kid"))
        .association(Association::new("pair", "Kid").between(1, 2))
        .association(Association::new("pure", "Pure"))
        .association(Association::new("mains", "Main"))
        .chart(Chart::new().state(state))
}

fn kid() -> Class {
    let hear = Transition::on("hello").raise(
        say("heard")
            .with(Expression::attribute("name"))
            .with(Expression::Parameter(0)),
    );
    let up = Transition::on("hello").raise(Raise::narrow("parent", "back").with(Expression::attribute("name")));
    Class::new("Kid")
        .association(Association::new("parent", "Main").between(0, 1))
        .association(Association::new("friends", "Kid").between(0, 1))
        .attribute("name", "anonymous")
        .constructor(
            Method::new("Kid")
                .parameter_or("name", "nobody")
                .run(|cx: &mut Context<'_>| {
                    let name = cx.parameter(0).clone();
                    cx.set_attribute("name", name);
                }),
        )
        .destructor(Method::new("~Kid").run(|cx: &mut Context<'_>| {
            let event = Event::new("gone").on("out").with([cx.attribute("name").clone()]);
            cx.raise(Scope::Output, event);
        }))
        .chart(
            Chart::new()
                .initial("s")
                .state(
                    State::new("s")
                        .entering(say("born").with(Expression::attribute("name")))
                        .exiting(say("exit"))
                        .transition(hear.to("../t")),
                )
                .state(State::new("t").transition(up)),
        )
}

fn pure() -> Class {
    Class::new("Pure")
        .method(Method::new("work").abstract_method())
        .chart(Chart::new().state(State::new("s")))
}

fn model() -> Model {
    let special = Class::new("Special").inherits("Kid", 1);
    Model::builder()
        .inport("in")
        .outport("out")
        .class(commander())
        .class(kid())
        .class(pure())
        .class(special)
        .build()
        .unwrap()
}

fn rig() -> Rig {
    Rig::new(&model())
}

impl Rig {
    fn ask(&mut self, parameters: &[&str]) -> String {
        let values = parameters.iter().map(|text| match *text {
            "nil" => Value::Nil,
            text => text.into(),
        });
        self.input(Event::new("ask").with(values.collect::<Vec<_>>()));
        self.said()
    }

    fn cast(&mut self, to: impl Into<Value>) -> String {
        self.input(Event::new("cast").with([to.into(), "you".into()]));
        self.said()
    }
}

#[test]
fn create_then_start() {
    let mut rig = rig();
    assert_eq!(
        rig.ask(&["create_instance", "kids", "Kid", "Ann"]),
        r#"instance_created("kids[0]")"#
    );
    assert_eq!(
        rig.ask(&["start_instance", "kids[0]"]),
        r#"born("Ann") instance_started("kids[0]")"#
    );
    assert_eq!(rig.ask(&["create_instance", "kids"]), r#"instance_created("kids[1]")"#);
    assert_eq!(
        rig.ask(&["create_instance", "kids", "nil", "Bob"]),
        r#"instance_created("kids[2]")"#
    );
    assert!(rig.faults().is_empty());
}

#[test]
fn create_and_start_enters_before_it_answers() {
    assert_eq!(
        rig().ask(&["create_and_start_instance", "kids", "Kid", "Ann"]),
        r#"born("Ann") instance_created("kids[0]") instance_started("kids[0]")"#
    );
}

#[test]
fn start_without_an_index_starts_all() {
    let mut rig = rig();
    rig.ask(&["create_instance", "kids", "Kid", "Ann"]);
    rig.ask(&["create_instance", "kids", "Kid", "Bob"]);
    assert_eq!(
        rig.ask(&["start_instance", "kids"]),
        r#"born("Ann") born("Bob") instance_started("kids")"#
    );
}

#[test]
fn a_second_start_is_an_error_event() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids"]);
    assert_eq!(
        rig.ask(&["start_instance", "kids[0]"]),
        r#"instance_start_error("kids[0]", "`kids[0]` is started already")"#
    );
}

#[test]
fn mistakes_are_error_events_and_reports_and_nobody_ends() {
    let mut rig = rig();
    for (request, answer) in [
        (
            &["create_instance", "kids", "Nobody"][..],
            r#"instance_creation_error("kids", "no class `Nobody`, expected one of Main, Kid, Pure, Special")"#,
        ),
        (
            &["create_instance", "cats"],
            "instance_creation_error(\"cats\", \"class Main has no association `cats`: expected one of kids, pair, pure, mains\")",
        ),
        (
            &["create_instance", "kids", "Main"],
            "association `kids` is for Kid, which Main does not inherit from",
        ),
        (
            &["create_instance", "pure"],
            "class Pure has the abstract method `work`",
        ),
        (
            &["create_instance", "kids", "Kid", "a", "b"],
            "`Kid` takes 1 parameters, got 2",
        ),
        (&["create_instance"], "expected the name of an association"),
        (
            &["start_instance", "kids["],
            "link `kids[`: expected `name` or `name[index]`",
        ),
        (&["delete_instance", "cats[0]"], "instance_deletion_error(\"cats[0]\""),
        (
            &["associate_instance", "kids", "pair"],
            "`kids` leads to 0 instances, expected one",
        ),
        (&["disassociate_instance", "nil"], "instance_disassociation_error(None"),
        (
            &["fly"],
            "object_manager_error(None, \"no request `fly`, expected one of create_instance",
        ),
    ] {
        let said = rig.ask(request);
        assert!(said.contains(answer), "{request:?}: {said}");
        assert_eq!(rig.faults().len(), 1, "{request:?}");
    }
    assert!(
        rig.cast("cats").starts_with("cast_error(\"cats\""),
        "a cast to no association"
    );
    assert!(rig.cast(3).starts_with("cast_error(3"));
    assert_eq!(
        rig.ask(&["create_instance", "kids"]),
        r#"instance_created("kids[0]")"#,
        "all goes on"
    );
}

#[test]
fn indices_count_up_and_are_never_used_again() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Ann"]);
    assert_eq!(
        rig.ask(&["delete_instance", "kids[0]"]),
        r#"gone("Ann") instance_deleted("kids[0]")"#
    );
    assert_eq!(rig.ask(&["create_instance", "kids"]), r#"instance_created("kids[1]")"#);
    assert_eq!(rig.cast("kids[0]"), "", "an index that is gone is ignored");
    assert!(rig.faults().is_empty());
}

#[test]
fn a_full_association_refuses() {
    let mut rig = rig();
    rig.ask(&["create_instance", "pair"]);
    rig.ask(&["create_instance", "pair"]);
    assert_eq!(
        rig.ask(&["create_instance", "pair"]),
        r#"instance_creation_error("pair", "association `pair` is full")"#
    );
    assert_eq!(rig.engine.instances().count(), 3);
}

#[test]
fn the_least_must_stay() {
    let mut rig = rig();
    rig.ask(&["create_instance", "pair"]);
    rig.ask(&["create_instance", "pair"]);
    assert_eq!(
        rig.ask(&["delete_instance", "pair[0]"]),
        r#"gone("nobody") instance_deleted("pair[0]")"#
    );
    let refused = rig.ask(&["delete_instance", "pair[1]"]);
    assert!(
        refused.contains("association `pair` of Main#1 must keep at least 1"),
        "{refused}"
    );
    let refused = rig.ask(&["disassociate_instance", "pair"]);
    assert!(refused.contains("must keep at least 1"), "{refused}");
    assert_eq!(rig.engine.instances().count(), 2);
}

#[test]
fn links_go_both_ways_and_are_told_with_their_indices() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Ann"]);
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Bob"]);
    assert_eq!(
        rig.ask(&["associate_instance", "kids[0]", "kids/friends"]),
        r#"instance_associated(["kids[0]/friends[0]", "kids[1]/friends[0]"])"#
    );
    assert_eq!(
        rig.ask(&["associate_instance", "kids[1]", "kids/friends"]),
        "instance_associated([])",
        "full ones are passed over"
    );
    assert_eq!(rig.cast("kids[1]/friends"), r#"exit heard("Ann", "you")"#);
    let refused = rig.ask(&["delete_instance", "kids[1]"]);
    assert!(
        refused.contains("still has links in association `friends`"),
        "{refused}"
    );
    assert_eq!(
        rig.ask(&["disassociate_instance", "kids/friends"]),
        r#"instance_disassociated(["kids[0]/friends[0]", "kids[1]/friends[0]"])"#
    );
    assert_eq!(
        rig.ask(&["delete_instance", "kids[1]"]),
        r#"gone("Bob") instance_deleted("kids[1]")"#
    );
}

#[test]
fn deleting_takes_away_the_links_of_others_to_it() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Ann"]);
    rig.ask(&["associate_instance", "kids[0]", "kids[0]/friends"]);
    rig.ask(&["disassociate_instance", "kids[0]/friends"]);
    rig.ask(&["associate_instance", "kids[0]", "pair"]);
    rig.ask(&["create_instance", "pair"]);
    assert_eq!(
        rig.ask(&["delete_instance", "kids[0]"]),
        r#"gone("Ann") instance_deleted("kids[0]")"#
    );
    assert_eq!(rig.cast("pair[0]"), "");
    assert!(rig.faults().is_empty());
}

#[test]
fn whoever_is_created_knows_its_parent() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Ann"]);
    assert_eq!(rig.cast("kids[0]"), r#"exit heard("Ann", "you")"#);
    assert_eq!(rig.cast("kids[0]"), r#"back("Ann")"#);
}

#[test]
fn a_list_of_links_is_a_target() {
    let mut rig = rig();
    for name in ["Ann", "Bob", "Cid"] {
        rig.ask(&["create_and_start_instance", "kids", "Kid", name]);
    }
    let both = Value::list(["kids[0]".into(), "kids[2]".into()]);
    assert_eq!(rig.cast(both), r#"exit heard("Ann", "you") exit heard("Cid", "you")"#);
}

#[test]
fn casts_wait_for_the_start() {
    let mut rig = rig();
    rig.ask(&["create_instance", "kids", "Kid", "Ann"]);
    assert_eq!(rig.cast("kids[0]"), "");
    assert_eq!(
        rig.ask(&["start_instance", "kids"]),
        r#"born("Ann") instance_started("kids") exit heard("Ann", "you")"#
    );
}

#[test]
fn broad_reaches_all_but_the_sender() {
    let mut rig = rig();
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Ann"]);
    rig.ask(&["create_and_start_instance", "kids", "Kid", "Bob"]);
    rig.ask(&["create_and_start_instance", "mains", "Main"]);
    rig.engine
        .input_after(
            std::time::Duration::ZERO,
            Event::new("cry").on("in"),
            Some(InstanceId::new(1)),
        )
        .unwrap();
    rig.wait(0);
    assert_eq!(
        rig.said(),
        r#"exit heard("Ann", "all") exit heard("Bob", "all") hello("all")"#
    );
}

#[test]
fn a_cast_to_an_instance_that_is_deleted_in_the_same_step_is_dropped() {
    let go = Transition::on("go")
        .port("in")
        .raise(Raise::narrow("kids[0]", "hello").with("you"))
        .raise(Raise::object_manager("delete_instance").with("kids[0]"))
        .raise(Raise::narrow("kids[0]", "hello").with("you"));
    let start = State::new("s")
        .entering(Raise::object_manager("create_and_start_instance").with("kids"))
        .transition(go);
    let main = Class::new("Main")
        .default_class()
        .association(Association::new("kids", "Kid"))
        .association(Association::new("mains", "Main"))
        .chart(Chart::new().state(start.transition(on("instance_deleted", ".").raise(say("deleted")))));
    let model = Model::builder()
        .inport("in")
        .outport("out")
        .class(main)
        .class(kid())
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    rig.said();
    assert_eq!(rig.send("go").said(), r#"gone("nobody") deleted born("nobody")"#);
    assert!(rig.faults().is_empty());
}

#[test]
fn inheritance_is_of_attributes_and_methods() {
    let named = |name: &'static str| Method::new("who").returns(move |_| Ok(name));
    let base = Class::new("Base")
        .attribute("a", "base")
        .attribute("b", "base")
        .method(named("base"))
        .constructor(Method::new("Base").parameter("given").run(|cx: &mut Context<'_>| {
            let given = cx.parameter(0).clone();
            cx.set_attribute("given", given);
        }));
    let other = Class::new("Other")
        .attribute("b", "other")
        .attribute("c", "other")
        .method(named("other"));
    let main = Class::new("Main")
        .default_class()
        .inherits("Other", 1)
        .inherits("Base", 2)
        .attribute("d", "main")
        .constructor(
            Method::new("Main")
                .parameter("x")
                .super_call("Base", vec![Expression::Parameter(0)]),
        );
    let model = Model::builder().class(main).class(base).class(other).build().unwrap();
    let engine = Engine::builder(&model).arguments([5.into()]).build().unwrap();
    let attribute = |name: &str| engine.attribute(InstanceId::new(1), name).cloned();
    for (name, value) in [("a", "base"), ("b", "base"), ("c", "other"), ("d", "main")] {
        assert_eq!(attribute(name), Some(value.into()), "{name}");
    }
    assert_eq!(attribute("given"), Some(5.into()), "the super class's constructor ran");
    let fault = Engine::new(&model).unwrap_err();
    assert_eq!(fault.to_string(), "`Main`: parameter `x` is missing");
}

#[test]
fn a_method_may_call_the_one_that_it_overrides() {
    let base =
        Class::new("Base").method(Method::new("hello").run(|cx: &mut Context<'_>| cx.set_attribute("base", true)));
    let own = Method::new("hello")
        .super_call("Base", Vec::new())
        .run(|cx: &mut Context<'_>| cx.set_attribute("own", true));
    let state = State::new("s").on_entry(|cx: &mut Context<'_>| cx.call("hello", &[]).map(drop));
    let main = Class::new("Main")
        .default_class()
        .inherits("Base", 1)
        .method(own)
        .chart(Chart::new().state(state));
    let rig = Rig::new(&Model::builder().class(main).class(base).build().unwrap());
    for name in ["base", "own"] {
        assert_eq!(
            rig.engine.attribute(InstanceId::new(1), name),
            Some(&true.into()),
            "{name}"
        );
    }
}

#[test]
fn private_ports_belong_to_one_instance() {
    let state = State::new("s").transition(
        Transition::on("hi")
            .port("mine")
            .raise(Raise::output("own", "answer").with(Expression::attribute("name"))),
    );
    let child = Class::new("Child")
        .inport("mine")
        .outport("own")
        .attribute("name", 0)
        .constructor(Method::new("Child").parameter("name").run(|cx: &mut Context<'_>| {
            let name = cx.parameter(0).clone();
            cx.set_attribute("name", name);
        }))
        .chart(Chart::new().state(state));
    let mut start = State::new("s");
    for number in 0..2 {
        let create = Raise::object_manager("create_and_start_instance")
            .with("children")
            .with("Child")
            .with(number);
        start = start.entering(create);
    }
    let main = Class::new("Main")
        .default_class()
        .association(Association::new("children", "Child"))
        .chart(Chart::new().state(start));
    let model = Model::builder().class(main).class(child).build().unwrap();
    let mut rig = Rig::new(&model);
    let second = InstanceId::new(3);
    let inport = rig.engine.inport_of(second, "mine").unwrap().clone();
    assert_eq!(&*inport, "private_2_mine");
    let outport = rig.engine.outport_of(second, "own").unwrap().clone();
    let mine = rig.engine.output_queue(&[&outport]);
    rig.engine.input(Event::new("hi").on(inport)).unwrap();
    assert_eq!(mine.try_fetch().unwrap().event.to_string(), "private_3_own.answer(1)");
    assert_eq!(rig.said(), "answer(1)");
    let error = rig.engine.input(Event::new("hi").on("mine")).unwrap_err();
    assert_eq!(error.to_string(), "no inport `mine`: the model declares none");
}

#[test]
fn instances_have_a_limit() {
    let mut limits = statechart_bridge::Limits::default();
    limits.instances = 2;
    let mut rig = Rig::with(&model(), |builder| builder.limits(limits));
    rig.ask(&["create_instance", "kids"]);
    let refused = rig.ask(&["create_instance", "kids"]);
    assert!(
        refused.contains("there are 2 instances already, which is the limit"),
        "{refused}"
    );
}
