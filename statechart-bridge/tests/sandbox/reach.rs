//! What code can't get at.

use crate::fault;

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
