//! Hostile code: whatever it does, it ends with an error that has its place, and takes nothing with it.
#![cfg(feature = "xml")]

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use statechart_bridge::{Document, Engine, Event, Value};

/// A class with a method that may call itself.
fn load(top: &str, method: &str, code: &str) -> Result<Document, String> {
    let xml = format!(
        "<diagram><top><![CDATA[{top}]]></top><inport name=\"in\"/><class name=\"C\"><attribute name=\"x\" init-value=\"[]\"/>\
         <attribute name=\"n\" init-value=\"0\"/><method name=\"m\"><parameter name=\"n\"/><body><![CDATA[{method}]]></body></method>\
         <scxml><state id=\"a\"><onentry><script><![CDATA[{code}]]></script></onentry>\
         <transition event=\"e\" port=\"in\" target=\".\"/></state></scxml></class></diagram>"
    );
    Document::parse("c.xml", &xml).map_err(|error| error.to_string())
}

/// The fault of running it, or of loading it.
fn fault(top: &str, method: &str, code: &str) -> String {
    let document = match load(top, method, code) {
        Ok(document) => document,
        Err(error) => return error,
    };
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&faults);
    let mut engine = Engine::builder(document.model())
        .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
        .build()
        .unwrap();
    engine.start();
    // The instance goes on.
    engine.input(Event::new("e").on("in")).unwrap();
    let faults = faults.lock().unwrap();
    faults.first().cloned().unwrap_or_default()
}

#[track_caller]
fn stopped(code: &str, expected: &str) {
    let fault = fault("", "return 0", code);
    assert!(fault.contains("c.xml:"), "{code}: {fault}");
    assert!(fault.contains(expected), "{code}: {fault}\nexpected {expected}");
}

#[test]
fn endless_loops() {
    stopped("while True: pass", "stopped after 1000000 steps");
    stopped("for i in range(10 ** 15): pass", "stopped after 1000000 steps");
    stopped(
        "x = [1]\nfor i in x: x = x + [1]\nwhile 1: x = 1",
        "stopped after 1000000 steps",
    );
    stopped("self.x = [i for i in range(10 ** 12)]", "the code was stopped");
}

#[test]
fn memory() {
    for code in [
        "x = 'a' * 10 ** 9",
        "x = 'ab'\nwhile True: x += x",
        "x = [0] * 10 ** 9",
        "x = (1, 2) * 10 ** 9",
        "x = b'a' * 10 ** 12",
        "x = 'a,'\nwhile True: x = ','.join([x, x])",
        "x = 'x'.ljust(10 ** 12)",
        "x = bytes(10 ** 12)",
        "x = 'a' * 10 ** 6\ny = [x] * 10 ** 5\nz = str(y)",
        "x = 'a' * 10 ** 6\ny = [x] * 10 ** 5\nz = '%s' % y",
        "x = 'a' * 10 ** 6\ny = ''.join([x] * 10 ** 5)",
    ] {
        stopped(code, "the code was stopped");
    }
    stopped("x = '%9999999999d' % 1", "a width of more than");
    stopped("x = '{:>{}}'.format('a', 10 ** 9)", "a width of more than");
}

#[test]
fn numbers() {
    stopped("x = 10 ** 100", "64 bits");
    stopped("x = 1 << 10 ** 9", "64 bits");
    stopped("x = 10.0 ** 400", "too large");
    stopped("x = int('9' * 1000)", "no whole number");
    stopped("x = enumerate([1, 2], 9223372036854775807)", "64 bits");
    // While it is loaded, and while it runs.
    for code in [
        "M = 9223372036854775807\nself.n = -M - 1",
        "M = int('9223372036854775807')\nself.n = int('-9223372036854775808')",
    ] {
        for fine in [
            "enumerate([1], M) == [(M, 1)]",
            "enumerate([], M) == []",
            "round(5, self.n) == 0",
            "round(5, -9223372036854775807 - 1) == 0",
            "round(2.5, -9223372036854775807 - 1) == 0.0",
            "self.n % -1 == 0",
            "-1 << 63 == self.n",
            "0 << 63 == 0",
            "1 ** M == 1 and (-1) ** M == -1 and 0 ** M == 0 and 2 ** 0 == 1",
            "range(M - 1, M, M) == [M - 1]",
            "range(self.n + 1, self.n, self.n) == [self.n + 1]",
            "[1, 2, 3][M::self.n] == [3] and [1, 2, 3][self.n:M:M] == [1]",
            "'abc'.find('b', self.n, M) == 1",
        ] {
            let told = fault("", "return 0", &format!("{code}\nassert {fine}"));
            assert_eq!(told, "", "{code}: {fine}");
        }
        for wrong in [
            "enumerate((1, 2), start=M)",
            "round(M, -1)",
            "-self.n",
            "abs(self.n)",
            "self.n // -1",
            "divmod(self.n, -1)",
            "M + 1",
            "self.n - 1",
            "M * 2",
            "3 << 62",
            "sum([M, 1])",
        ] {
            stopped(&format!("{code}\nx = {wrong}"), "64 bits");
        }
    }
}

/// Work on long text is no single step.
#[test]
fn work_on_text() {
    // A text, and not much left to do something with it.
    let spent = "a = 'a' * 10 ** 7\nfor i in range(98): c = a == a\n\
                 t = 'a' * 10 ** 6\nu = t[1:] + 'a'\nw = t[1:] + 'ä'\ny = t.encode()\nz = '0' * 10 ** 6\nd = {t: 1}\n";
    for work in [
        "t.find('b')",
        "t.find(t)",
        "t.find('a' * 1000 + 'b')",
        "t.rfind('b' + 'a' * 1000)",
        "t.rindex('a', 0, 1)",
        "t.count('b')",
        "t.replace('b', 'c')",
        "t.startswith(u)",
        "t.startswith((u + 'b', u + 'c'))",
        "t.split('b')",
        "t.rsplit('b')",
        "t.partition('b')",
        "t.strip('b')",
        "t.isdigit()",
        "t == u",
        "t is u",
        "t < u",
        "t == y",
        "[t] == [u]",
        "t in [u]",
        "'b' in t",
        "t in 'b'",
        "98 in y",
        "b'b' in y",
        "t in d",
        "d[u]",
        "d.get(u)",
        "len(t)",
        "len(w)",
        "t[5]",
        "w[5]",
        "w[5:6]",
        "max(t, u)",
        "sorted([t, u])",
        "int(z)",
        "'%.1s' % t",
        "'{:.1}'.format(t)",
    ] {
        let code = format!("{spent}for i in range(3000):\n  x = {work}\nfail('went on')");
        stopped(&code, "the code was stopped");
    }
    // Nor does an error repeat all of it.
    for wrong in [
        "d[t + 'b']",
        "{}.pop(t)",
        "int(t)",
        "float(t)",
        "ord(t)",
        "[].index(t)",
        "[].remove(t)",
        "bytes([t])",
        "'{:{}}'.format(1, t)",
    ] {
        let told = fault("", "return 0", &format!("t = 'ä' * 10 ** 6\nd = {{}}\nx = {wrong}"));
        assert!(
            told.contains("c.xml:") && told.contains("ä…"),
            "{wrong}: {}",
            &told[..told.len().min(500)]
        );
        assert!(told.len() < 500, "{wrong}: {}", told.len());
    }
    // Little text takes little.
    let code =
        "t = 'GET / HTTP/1.1' * 10\nfor i in range(5000):\n  x = t.find('HTTP') + len(t) + ord(t[100])\n  y = t == 'a'";
    assert_eq!(fault("", "return 0", code), "");
}

/// What each step does with long lists and maps counts too, though it is one step.
#[test]
fn work_on_lists() {
    let spent = "a = 'a' * 10 ** 7\nfor i in range(95): c = a == a\n\
                 x = [0] * 200000\nm = dict(zip(range(30000), range(30000)))\n";
    for work in [
        "y = list(x)\n  x[0] = i",
        "y = list(x)\n  x.append(i)",
        "y = list(x)\n  x += [i]",
        "y = list(x)\n  x[1:2] = [i]",
        "y = list(x)\n  del x[0]",
        "y = dict(m)\n  m[1] = i",
        "y = tuple(x)",
        "y = sum(x)",
        "y = any(x)",
        "y = min(x)",
        "y = bytes(x)",
        "y = x == x[:]",
        "x.insert(0, x.pop())",
        "x.append(x.pop(0))",
        "x.reverse()",
        "x[0:1] = [i]",
        "del m[i]\n  m[i] = 1",
        "m.pop(i)\n  m[i] = 1",
    ] {
        let code = format!("{spent}for i in range(3000):\n  {work}\nfail('went on')");
        stopped(&code, "the code was stopped");
    }
    let code = "x = range(2000)\nm = dict(zip(x, x))\nwhile x:\n  x.pop(0)\nfor i in m.keys(): del m[i]";
    assert_eq!(fault("", "return 0", code), "");
    // Small in memory, and long to compare.
    let code = "x = (1,)\nfor i in range(16): x = (x, x)\ny = (1,)\nfor i in range(16): y = (y, y)\n\
                for i in range(300): z = x == y\nfail('went on')";
    stopped(code, "the code was stopped");
}

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
fn code_reaches_nothing_but_its_instance() {
    for code in [
        "import os",
        "x = open('/etc/passwd')",
        "x = __import__('os')",
        "x = eval('1')",
        "exec('1')",
        "x = globals()",
        "x = self.__class__",
        "x = ().__class__",
        "x = 'a'.__len__()",
        "x = '{0.__class__}'.format(1)",
        "x = getattr(self, 'x' + 'y')",
        "x = (lambda: 1)()",
    ] {
        let told = fault("", "return 0", code);
        assert!(told.contains("c.xml:1:"), "{code}: {told}");
    }
}

/// Code of words that fit together often.
fn code() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "x",
        "y",
        "self.x",
        "self.n",
        "self.m(1)",
        " = ",
        " += ",
        " == ",
        " is ",
        " in ",
        " not ",
        " + ",
        " * ",
        " ** ",
        " // ",
        " % ",
        " << ",
        "-",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\n",
        "\n  ",
        "if ",
        "else",
        "elif ",
        "for ",
        "while ",
        "break",
        "return ",
        "def f(a):",
        "lambda a: ",
        "1",
        "0",
        "2.5",
        "'a'",
        "b'a'",
        "f'{x}'",
        "None",
        "True",
        "len",
        "sorted",
        "range",
        "print",
        ".append",
        ".split",
        ".format",
        ".sort",
        "key=",
        "del ",
        "[1:2]",
        "[::-1]",
        "'%s'",
        "and ",
        "or ",
        "x = 1\n",
        "y = [1, 2]\n",
        "9223372036854775807",
        "(-9223372036854775807 - 1)",
        "enumerate(",
        "round(",
        "dict(",
        "range(",
        "zip(",
        "abs(",
        "divmod(",
        "pow(",
        "sum(",
        "min(",
        "list(",
        "tuple(",
        "bytes(",
        "a=",
        "start=",
        "[1, 2, 3]",
        "{1: 2}",
        ".find(",
        ".rfind(",
        ".replace(",
        ".insert(",
        ".pop(",
        ".ljust(",
        ".setdefault(",
        ".update(",
        "[::9223372036854775807]",
        "[-9223372036854775807:]",
        " >> ",
        "~",
    ]);
    prop::collection::vec(word, 1..30).prop_map(|words| words.concat())
}

/// An expression that can be read, of values at the ends of what they may be.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "x",
        "y",
        "z",
        "self.n",
        "0",
        "1",
        "-1",
        "2",
        "7",
        "63",
        "64",
        "M",
        "L",
        "2.5",
        "-0.0",
        "1e308",
        "math.inf",
        "math.nan",
        "None",
        "True",
        "''",
        "'a'",
        "'äöü'",
        "'a,b,,c'",
        "b'a'",
        "b'\\xff'",
        "'%s %d'",
        "'{} {0[1]:>5}'",
        "[]",
        "[1, 2, 3]",
        "(1, 2)",
        "{}",
        "{1: 2, 'a': [3]}",
        "range(5)",
        "[[1, 2], [3, 4]]",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "==", "<", ">=", "in", "is", "and", "or",
        ]);
        let of_one = prop::sample::select(vec![
            "abs",
            "all",
            "any",
            "bin",
            "bool",
            "bytes",
            "chr",
            "dict",
            "enumerate",
            "float",
            "hex",
            "int",
            "len",
            "list",
            "max",
            "ord",
            "range",
            "repr",
            "reversed",
            "round",
            "sorted",
            "str",
            "sum",
            "tuple",
            "zip",
            "math.floor",
            "math.log",
            "math.sqrt",
            "math.trunc",
        ]);
        let of_two = prop::sample::select(vec![
            "divmod",
            "enumerate",
            "max",
            "min",
            "pow",
            "range",
            "round",
            "sum",
            "zip",
            "math.gcd",
            "math.fmod",
            "math.pow",
        ]);
        let method = prop::sample::select(vec![
            "append",
            "capitalize",
            "center",
            "count",
            "decode",
            "encode",
            "endswith",
            "expandtabs",
            "extend",
            "find",
            "format",
            "get",
            "hex",
            "index",
            "insert",
            "isdigit",
            "istitle",
            "items",
            "join",
            "keys",
            "ljust",
            "lstrip",
            "lower",
            "partition",
            "pop",
            "popitem",
            "remove",
            "removeprefix",
            "replace",
            "rfind",
            "rindex",
            "rpartition",
            "rsplit",
            "rstrip",
            "setdefault",
            "sort",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "update",
            "upper",
            "values",
            "zfill",
        ]);
        let several = prop::collection::vec(inner.clone(), 0..4).prop_map(|all| all.join(", "));
        let part = prop::option::of(inner.clone()).prop_map(Option::unwrap_or_default);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a}) {operator} ({b})")),
            (prop::sample::select(vec!["-", "~", "not "]), inner.clone())
                .prop_map(|(sign, a)| format!("({sign}({a}))")),
            (of_one, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
            (of_two, inner.clone(), inner.clone()).prop_map(|(function, a, b)| format!("{function}({a}, {b})")),
            (
                prop::sample::select(vec!["pow", "range"]),
                inner.clone(),
                inner.clone(),
                inner.clone()
            )
                .prop_map(|(function, a, b, c)| format!("{function}({a}, {b}, {c})")),
            (inner.clone(), method, several.clone()).prop_map(|(of, method, all)| format!("({of}).{method}({all})")),
            (inner.clone(), inner.clone()).prop_map(|(of, index)| format!("({of})[{index}]")),
            (inner.clone(), part.clone(), part.clone(), part)
                .prop_map(|(of, start, stop, step)| format!("({of})[{start}:{stop}:{step}]")),
            several.clone().prop_map(|all| format!("[{all}]")),
            several.prop_map(|all| format!("dict(a=[{all}])")),
            (inner.clone(), inner.clone()).prop_map(|(item, over)| format!("[({item}) for z in ({over})]")),
            inner.prop_map(|value| format!("f'{{x}} {{y:>5}}' + str({value})")),
        ]
    })
}

/// Statements of such expressions, which do much or little.
fn statements() -> impl Strategy<Value = String> {
    let statement = prop_oneof![
        expression().prop_map(|value| format!("x = {value}")),
        expression().prop_map(|value| format!("y = {value}")),
        expression().prop_map(|value| format!("self.n = {value}")),
        expression().prop_map(|value| format!("x += {value}")),
        (expression(), expression()).prop_map(|(index, value)| format!("x[{index}] = {value}")),
        (expression(), expression()).prop_map(|(start, value)| format!("x[{start}:] = {value}")),
        (expression(), expression()).prop_map(|(start, step)| format!("del x[{start}::{step}]")),
        expression().prop_map(|index| format!("del x[{index}]")),
        expression().prop_map(|value| format!("for y in {value}: x = [x, y]")),
        expression().prop_map(|value| value),
    ];
    prop::collection::vec(statement, 1..4).prop_map(|all| all.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// While it is loaded, where constants are computed, and while it runs.
    #[test]
    fn arbitrary_work_never_panics(code in statements(), known in any::<bool>()) {
        let (most, least) = ("9223372036854775807", "-9223372036854775807 - 1");
        let (code, ends) = if known {
            (code.replace('M', most).replace('L', &format!("({least})")), String::new())
        } else {
            (code, format!("M = int('{most}')\nL = -M - 1\n"))
        };
        let told = fault("import math", "return 0", &format!("{ends}x = [1, 2, 3]\ny = 'abc'\nz = 1\n{code}"));
        prop_assert!(!told.contains("panic"), "{}", told);
        prop_assert!(told.is_empty() || told.contains("c.xml:"), "{}", told);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_code_never_panics(code in code(), top in prop_oneof![Just(String::new()), code()]) {
        let told = fault(&top, &code, &format!("x = 1\n{code}"));
        prop_assert!(!told.contains("panic"), "{}", told);
        prop_assert!(told.is_empty() || told.contains("c.xml:"), "{}", told);
    }

    #[test]
    fn arbitrary_characters_never_panic(code in "\\PC{0,60}") {
        let told = fault("", "return 0", &code);
        prop_assert!(!told.contains("panic"), "{}", told);
        prop_assert!(told.is_empty() || told.contains("c.xml:"), "{}", told);
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
