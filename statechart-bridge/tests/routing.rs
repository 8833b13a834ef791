//! Events that carry an object find the instances that hold it, with the same result as asking all.

mod common;

use std::sync::{Arc, Mutex};

use common::{Rig, say};
use statechart_bridge::{
    Association, Chart, Class, Context, Event, Expression, InstanceId, Method, Model, Object, Raise, State, Transition,
};

/// Children with a socket each, that hear what is for it: by comparing in the guard, or by a transition that says so.
fn model(keyed: bool, asked: &Arc<Mutex<u64>>) -> Model {
    let asked = Arc::clone(asked);
    let hear = Transition::on("data")
        .port("in")
        .raise(say("mine").with(Expression::attribute("name")));
    let hear = if keyed {
        hear.same("socket", 0).guard(move |_| {
            *asked.lock().unwrap() += 1;
            true
        })
    } else {
        hear.guard(move |cx| {
            *asked.lock().unwrap() += 1;
            cx.attribute("socket") == cx.parameter(0)
        })
    };
    let swap = Transition::on("swap").port("in").run(|cx: &mut Context<'_>| {
        if cx.attribute("name") == cx.parameter(0) {
            let socket = cx.parameter(1).clone();
            cx.set_attribute("socket", socket);
        }
    });
    let child = Class::new("Child")
        .attribute("name", 0)
        .attribute("socket", ())
        .constructor(
            Method::new("Child")
                .parameter("name")
                .parameter("socket")
                .run(|cx: &mut Context<'_>| {
                    let [name, socket] = [0, 1].map(|index| cx.parameter(index).clone());
                    cx.set_attribute("name", name);
                    cx.set_attribute("socket", socket);
                }),
        )
        .chart(Chart::new().state(State::new("s").transition(hear).transition(swap)));
    let create = |request: &str| {
        Raise::object_manager(request)
            .with("children")
            .with("Child")
            .with(Expression::Parameter(0))
            .with(Expression::Parameter(1))
    };
    let state = State::new("s")
        .transition(
            Transition::on("make")
                .port("in")
                .raise(create("create_and_start_instance")),
        )
        .transition(Transition::on("create").port("in").raise(create("create_instance")))
        .transition(
            Transition::on("start")
                .port("in")
                .raise(Raise::object_manager("start_instance").with("children")),
        )
        .transition(
            Transition::on("drop")
                .port("in")
                .raise(Raise::object_manager("delete_instance").with("children[1]")),
        );
    let main = Class::new("Main")
        .default_class()
        .association(Association::new("children", "Child"))
        .chart(Chart::new().state(state));
    Model::builder()
        .inport("in")
        .outport("out")
        .class(main)
        .class(child)
        .build()
        .unwrap()
}

fn run(keyed: bool) -> (Vec<String>, u64) {
    let asked = Arc::new(Mutex::new(0));
    let mut rig = Rig::new(&model(keyed, &asked));
    let sockets: Vec<_> = (0..20).map(|number| Object::new("socket", number, ())).collect();
    let socket = |number: usize| statechart_bridge::Value::from(sockets[number].clone());
    let mut said = Vec::new();
    for number in 0..10 {
        rig.input(Event::new("make").with([number.into(), socket(number as usize)]));
    }
    for number in [0, 5, 9, 15] {
        rig.input(Event::new("data").with([socket(number)]));
        said.push(rig.said());
    }
    // The socket changes hands while the data for it is under way, in both directions.
    let now = std::time::Duration::ZERO;
    for event in [
        Event::new("swap").with([3.into(), socket(15)]),
        Event::new("data").with([socket(15)]),
        Event::new("data").with([socket(3)]),
        Event::new("swap").with([4.into(), socket(3)]),
        Event::new("data").with([socket(3)]),
    ] {
        rig.engine.input_after(now, event.on("in"), None).unwrap();
    }
    rig.wait(0);
    said.push(rig.said());
    // Two hold the same; one is deleted; one is created, and started later.
    rig.input(Event::new("swap").with([6.into(), socket(7)]));
    rig.input(Event::new("data").with([socket(7)]));
    rig.send("drop");
    rig.input(Event::new("data").with([socket(1)]));
    rig.input(Event::new("create").with([11.into(), socket(11)]));
    rig.input(Event::new("data").with([socket(11)]));
    said.push(rig.said());
    rig.send("start");
    said.push(rig.said());
    rig.input(Event::new("data"));
    said.push(rig.said());
    assert_eq!(rig.engine.instances().next(), Some(InstanceId::new(1)));
    let asked = *asked.lock().unwrap();
    (said, asked)
}

#[test]
fn the_index_and_asking_all_give_the_same() {
    let (by_index, few) = run(true);
    let (by_asking, many) = run(false);
    assert_eq!(by_index, by_asking);
    assert_eq!(
        by_index,
        [
            "mine(0)",
            "mine(5)",
            "mine(9)",
            "",
            "mine(3) mine(4)",
            "mine(6) mine(7)",
            "mine(11)",
            ""
        ]
    );
    assert!(few < 12 && many > 90, "{few} guards instead of {many}");
}

/// What closures assign to is not known, so anybody who is busy might hold any socket when its turn comes. Even so the
/// events of a burst don't wait with all of them: here there is room for what concerns each, and for no more.
#[test]
fn in_a_burst_charts_of_closures_get_what_is_for_them_and_nothing_else() {
    const CHILDREN: u64 = 100;
    let asked = Arc::new(Mutex::new(0));
    let mut rig = Rig::new(&model(false, &asked));
    let mut limits = statechart_bridge::Limits::default();
    limits.queue = CHILDREN as usize + 2;
    let mut keyed = Rig::with(&model(true, &asked), |builder| builder.limits(limits));
    let sockets: Vec<_> = (0..CHILDREN).map(|number| Object::new("socket", number, ())).collect();
    for rig in [&mut rig, &mut keyed] {
        for (number, socket) in (0..).zip(&sockets) {
            rig.input(Event::new("make").with([number.into(), socket.clone().into()]));
        }
        // Everybody has something to do before what follows, and one takes another's socket.
        let now = std::time::Duration::ZERO;
        let others = Object::new("socket", CHILDREN, ());
        let swaps = (0_i32..).zip(&sockets).map(|(number, own)| {
            let socket = if number == 7 { &others } else { own };
            Event::new("swap").with([number.into(), socket.clone().into()])
        });
        let data = sockets.iter().chain([&others, &sockets[8]]);
        let data = data.map(|socket| Event::new("data").with([socket.clone().into()]));
        for event in swaps.chain(data) {
            rig.engine.input_after(now, event.on("in"), None).unwrap();
        }
    }
    rig.wait(0);
    keyed.wait(0);
    assert_eq!(keyed.faults(), Vec::<String>::new());
    let mut heard: Vec<_> = rig.said().split(' ').map(str::to_owned).collect();
    let mut wanted: Vec<_> = keyed.said().split(' ').map(str::to_owned).collect();
    heard.sort();
    wanted.sort();
    assert_eq!(heard, wanted);
    // Child 7 hears its new socket and not its old one; child 8 hears twice.
    assert_eq!(heard.len() as u64, CHILDREN + 1);
    assert_eq!(heard.iter().filter(|line| *line == "mine(8)").count(), 2);
}

/// Children that hold a socket each: what is for it is counted.
#[cfg(feature = "xml")]
const HOLDERS: &str = r#"
<diagram name="holders" author="tests">
  <inport name="in"/>
  <outport name="out"/>
  <class name="Main" default="true">
    <relationships><association name="children" class="Child"/></relationships>
    <scxml initial="s">
      <state id="s">
        <transition event="make" port="in" target=".">
          <parameter name="socket"/>
          <raise event="create_and_start_instance" scope="cd">
            <parameter expr="'children'"/><parameter expr="'Child'"/><parameter expr="socket"/>
          </raise>
        </transition>
      </state>
    </scxml>
  </class>
  <class name="Child">
    <attribute name="socket"/>
    <attribute name="heard" init-value="0"/>
    <constructor>
      <parameter name="mine"/>
      <body>self.socket = mine</body>
    </constructor>
    <method name="hear"><body>self.heard += 1</body></method>
    <scxml initial="s">
      <state id="s">
        <transition event="data_socket" port="in" cond="self.socket == socket" target=".">
          <parameter name="socket"/>
          <script>self.hear()</script>
        </transition>
        <transition event="say" port="in" target=".">
          <raise event="heard" port="out"><parameter expr="self.heard"/></raise>
        </transition>
      </state>
    </scxml>
  </class>
</diagram>
"#;

/// A rig with so many children, and their sockets.
#[cfg(feature = "xml")]
fn holders(model: &str, children: u64, queue: usize) -> (Rig, Vec<Object>) {
    let document = statechart_bridge::Document::parse("holders.xml", model).unwrap();
    let mut limits = statechart_bridge::Limits::default();
    limits.queue = queue;
    let mut rig = Rig::with(document.model(), |builder| builder.limits(limits));
    let sockets: Vec<_> = (0..children).map(|number| Object::new("socket", number, ())).collect();
    for socket in &sockets {
        rig.input(Event::new("make").with([socket.clone().into()]));
    }
    (rig, sockets)
}

/// Otherwise a burst of n events for n instances would be n² events; here more than two for one instance are dropped.
#[cfg(feature = "xml")]
#[test]
fn in_a_burst_each_instance_gets_what_is_for_it_and_nothing_else() {
    let (mut rig, sockets) = holders(HOLDERS, 200, 2);
    for socket in sockets.iter().chain(&sockets) {
        let data = Event::new("data_socket").on("in").with([socket.clone().into()]);
        rig.engine.input_after(std::time::Duration::ZERO, data, None).unwrap();
    }
    rig.wait(0);
    assert_eq!(rig.faults().len(), 0);
    rig.send("say");
    assert_eq!(rig.said(), vec!["heard(2)"; 200].join(" "));
}

/// What code other than the constructor assigns to may be another when the event's turn comes.
#[cfg(feature = "xml")]
#[test]
fn what_is_under_way_finds_the_instance_that_holds_the_object_by_then() {
    let swap = r#"<transition event="swap_socket" port="in" cond="self.socket == socket" target=".">
          <parameter name="socket"/>
          <parameter name="other"/>
          <script>self.take(other)</script>
        </transition>
        <transition event="say""#;
    let take = r#"<method name="take"><parameter name="other"/><body>self.socket = other</body></method>
    <method name="hear">"#;
    let model = HOLDERS.replace(r#"<transition event="say""#, swap);
    let (mut rig, sockets) = holders(&model.replace(r#"<method name="hear">"#, take), 3, 100);
    let free = Object::new("socket", 3, ());
    for event in [
        Event::new("swap_socket").with([sockets[1].clone().into(), free.clone().into()]),
        Event::new("data_socket").with([free.into()]),
        Event::new("data_socket").with([sockets[1].clone().into()]),
    ] {
        let now = std::time::Duration::ZERO;
        rig.engine.input_after(now, event.on("in"), None).unwrap();
    }
    rig.wait(0).send("say");
    assert_eq!(rig.said(), "heard(0) heard(1) heard(0)");
}
