//! Arbitrary code.

use proptest::prelude::*;

use crate::fault;

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
