//! Time and memory: what takes too much is stopped, wherever it takes it.

use crate::{fault, load, stopped};

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

/// A file of many expressions takes no more than one when it is loaded.
#[test]
fn constants_of_all_expressions() {
    let constants = |count: usize| {
        let lines = (0..count).map(|number| format!("C{number} = bytes(10000000)\n"));
        load(&lines.collect::<String>(), "return 0", "self.x = C0").map(drop)
    };
    assert_eq!(constants(6), Ok(()));
    assert_eq!(constants(7), Err("c.xml:7:11: expected a constant".to_owned()));
    // What needs no constant is computed when it runs.
    let many = "self.x = bytes(10000000)\n".repeat(20);
    assert_eq!(fault("", "return 0", &many), "");
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
