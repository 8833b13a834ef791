//! Values in values, calls in calls, and the stack.

use statechart_bridge::{Engine, Event, Value};

use crate::{fault, load, stopped};

#[test]
fn nesting_of_values() {
    stopped("x = []\nwhile True: x = [x]", "lists in lists, 100 deep");
    stopped("x = ()\nwhile True: x = (x,)", "lists in lists, 100 deep");
    stopped("x = {}\nwhile True: x = {1: x}", "lists in lists, 100 deep");
    stopped("while True: self.x = [self.x]", "lists in lists, 100 deep");
    stopped("while True: self.x.append(list(self.x))", "the code was stopped");
    for code in [
        "x = 1\nwhile True: x = dict(a=x)",
        "x = {}\nwhile True: x = dict({}, a=x)",
        "x = {}\nwhile True: x = dict([(1, x)])",
        "x = {}\nwhile True:\n  y = {}\n  y.update(a=x)\n  x = dict(y)",
        "x = {}\nwhile True:\n  y = {}\n  y.update({1: x})\n  x = dict(y)",
        "x = {}\nwhile True:\n  y = {}\n  y.update([(1, x)])\n  x = dict(y)",
        "x = {}\nwhile True:\n  y = {}\n  y.setdefault(1, x)\n  x = dict(y)",
        "x = {}\nwhile True:\n  y = {}\n  y[1] = x\n  x = dict(y)",
        "x = {}\nwhile True: x = {1: x} | {}",
        "x = {}\nwhile True: x = {1: x.items()}",
        "x = {}\nwhile True: x = {i: x for i in [1]}",
        "x = []\nwhile True: x = [x for i in [1]]",
        "x = []\nwhile True: x = map(lambda i: x, [1])",
        "x = [1]\nwhile True: x = enumerate(x)",
        "x = [1]\nwhile True: x = zip(x)",
        "x = []\nwhile True: x = [] + [x]",
        "x = []\nwhile True: x = [x] * 1",
        "x = ()\nwhile True: x = tuple([x])",
        "x = ()\nwhile True: x = () + (x,)",
        "x = []\nwhile True:\n  y = []\n  y += [x]\n  x = list(y)",
        "x = []\nwhile True:\n  y = []\n  y.extend([x])\n  x = list(y)",
        "x = []\nwhile True:\n  y = []\n  y.insert(0, x)\n  x = list(y)",
        "x = []\nwhile True:\n  y = [0]\n  y[0] = x\n  x = list(y)",
        "x = []\nwhile True:\n  y = [0]\n  y[0:1] = [x]\n  x = list(y)",
    ] {
        stopped(code, "lists in lists, 100 deep");
    }
    // Constants too.
    for wrap in ["[x@]", "(x@,)", "{1: x@}"] {
        let top: String = (0..5000)
            .map(|line| format!("x{} = {}\n", line + 1, wrap.replace('@', &line.to_string())))
            .collect();
        let told = fault(&format!("x0 = 1\n{top}"), "return 0", "pass");
        assert!(told.contains("c.xml:") && told.contains("100 deep"), "{wrap}: {told}");
    }
    // Small in memory, and endless to look at.
    for code in [
        "x = [1]\nfor i in range(90): x = [x, x]",
        "x = (1,)\nfor i in range(90): x = (x, x)",
        "x = {1: 1}\nfor i in range(90): x = {1: x, 2: x}",
        "x = [1]\nfor i in range(90): x = [x] * 2",
        "x = [1]\nfor i in range(90): x = list(zip(x, x))",
        "x = [1]\nfor i in range(90):\n  y = []\n  y.append(x)\n  y.append(x)\n  x = list(y)",
        "x = [[1]]\nfor i in range(90): x = x + x",
    ] {
        stopped(code, "the code was stopped");
    }
}

#[test]
fn nesting_of_calls() {
    let deep = fault("def f(n):\n  return f(n + 1)", "return 0", "f(0)");
    assert!(deep.contains("functions call each other, 64 deep"), "{deep}");
    let deep = fault("", "return self.m(n + 1)", "self.m(0)");
    assert!(deep.contains("64 calls deep"), "{deep}");
    let fact = fault(
        "def fact(n):\n  return 1 if n < 2 else n * fact(n - 1)",
        "return 0",
        "self.n = fact(20)",
    );
    assert_eq!(fact, "");
}

/// The stack holds whatever code may do at a time: on the usual stack of a thread, in a build without optimisations.
#[test]
fn the_stack_holds() {
    let brackets = |inner: &str| format!("{}{inner}{}", "(1 + ".repeat(30), ")".repeat(30));
    let chain = |inner: &str| format!("{inner}{}", " + 1".repeat(150));
    let ors = |inner: &str| format!("{inner}{}", " or 0".repeat(150));
    let nots = |inner: &str| format!("{}{inner}", "not ".repeat(30));
    let ifs = |inner: &str| {
        let opened: String = (0..20)
            .map(|depth| format!("{}if True:\n", " ".repeat(depth + 1)))
            .collect();
        format!("{opened}{}return {inner}", " ".repeat(22))
    };
    for expression in [brackets("f(n)"), chain("f(n)"), ors("f(n)"), nots("f(n)")] {
        let told = fault(&format!("def f(n):\n return {expression}"), "return 0", "f(0)");
        assert!(told.contains("deep"), "{expression}: {told}");
    }
    let told = fault(&format!("def f(n):\n{}", ifs("f(n)")), "return 0", "f(0)");
    assert!(told.contains("deep"), "{told}");
    for expression in [
        brackets("self.m(n)"),
        chain("self.m(n)"),
        ors("self.m(n)"),
        nots("self.m(n)"),
    ] {
        let told = fault("", &format!("return {expression}"), "self.m(0)");
        assert!(told.contains("deep"), "{expression}: {told}");
    }
    let told = fault("", &ifs("self.m(n)"), "self.m(0)");
    assert!(told.contains("deep"), "{told}");
    for code in [
        format!("x = {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("x = {}1", "-".repeat(5000)),
        format!("x = {}1", "not ".repeat(5000)),
        format!("x = 1{}", " ** 1".repeat(5000)),
        format!("x = 1{}", " + 1".repeat(5000)),
        format!("x = 1{}", " if 1 else 1".repeat(5000)),
        format!("x = {}1{}", "[".repeat(5000), "]".repeat(5000)),
        format!("x = y{}", "[0]".repeat(5000)),
        format!("x = y{}", ".z".repeat(5000)),
        format!("x = sorted([], key={}1)", "lambda a: ".repeat(5000)),
        (0..2000).map(|depth| format!("{}if 1:\n", " ".repeat(depth))).collect(),
    ] {
        assert!(load("", "return 0", &code).is_err(), "{}", &code[..40]);
    }
}

#[test]
fn a_value_goes_in_and_out_as_it_is() {
    // What hosts give is not what code makes: it may be nested deeper.
    let mut deep = Value::list([]);
    for _ in 0..200 {
        deep = Value::list([deep]);
    }
    let document = load("", "return 0", "self.n = 1").unwrap();
    let mut engine = Engine::new(document.model()).unwrap();
    engine.start();
    engine.input(Event::new("e").on("in").with([deep])).unwrap();
}
