#!/usr/bin/env python3
"""build_component_test.py: what breaks a rule of the loaders is refused with the symbol's name, and
what is built is the same bytes every time.

Usage: build_component_test.py SOURCE_ROOT
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".").resolve()
GOOD = """
#include <tenon/component.h>
static tn_err start(void *self, const struct tn_turn *turn)
{
    tn_cap *cap = self;
    (void)turn;
    return tn_need("log", 3, cap);
}
const struct tn_component tn_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .state_size = 8, .start = start};
"""
COUNTER = GOOD.replace("tn_cap *cap", "static int counter;\n    counter += turn->flags;\n"
                                      "    tn_cap *cap").replace("3, cap", "(uint32_t)counter, cap")
TABLE = "int table[3] = {1, 2, 3};\n" + GOOD.replace("(void)turn", "table[turn->flags & 1]++")
LIBC = "int puts(const char *text);\n" + GOOD.replace("(void)turn", '(void)turn; puts("x")')
WARNING = GOOD.replace("(void)turn;", "")

TARGETS = {"native": ["gcc"], "native clang": ["clang"],
           "native aarch64": ["aarch64-linux-gnu-gcc"], "wasm": ["clang"]}


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, name, text, *options):
        compiler = TARGETS[name]
        if not shutil.which(compiler[0]) or (name == "wasm" and not shutil.which("wasm-ld")):
            self.skipTest(f"no {compiler[0]} or linker")
        source, out = self.folder / "c.c", self.folder / "out"
        source.write_text(text)
        done = subprocess.run(
            [sys.executable, ROOT / "tools/build_component.py", name.split()[0], "--cc",
             compiler[0], "--out", out, "-I", ROOT / "include", *options, source],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, out.read_bytes() if out.exists() else None

    def test_good_and_reproducible(self):
        for name, compiler in TARGETS.items():
            if not shutil.which(compiler[0]):
                continue
            with self.subTest(name):
                code, errors, first = self.build(name, GOOD)
                self.assertEqual((code, errors), (0, ""))
                self.assertEqual(self.build(name, GOOD)[2], first)
                self.assertEqual(first[:4], b"\0asm" if name == "wasm" else b"\x7fELF")
                self.assertNotIn(str(self.folder).encode(), first)

    def refused(self, name, text, message):
        (self.folder / "out").unlink(missing_ok=True)
        code, errors, out = self.build(name, text)
        self.assertEqual(code, 1)
        self.assertIn(message, errors)
        self.assertIsNone(out)

    def test_libc(self):
        self.refused("native", LIBC, "puts is undefined: a component has no libc")
        self.refused("wasm", LIBC, "puts is undefined: a component has no libc")

    def test_writable_data(self):
        self.refused("native", COUNTER, "is writable static data: keep it in the state")
        self.refused("native", TABLE, "table is writable static data: keep it in the state")
        self.refused("wasm", TABLE, "table is writable static data: keep it in the state")
        self.refused("wasm", COUNTER, "start.counter is writable static data: keep it in the state")

    def test_warnings(self):
        self.refused("native", WARNING, "unused parameter")

    def test_no_component(self):
        self.refused("native", "int nothing;\n", "tn_component is not defined")
        self.refused("wasm", "int nothing;\n", "not found: tn_component")

    def test_stack(self):
        for pages in (1, 4):
            code, _, out = self.build("wasm", GOOD, "--stack-bytes", str(pages * 65536))
            self.assertEqual(code, 0)
            self.assertIn(wasm_memory(out), (pages + 1, pages))


def wasm_memory(data):
    """Pages of the memory section."""
    at = 8
    while data[at] != 5:
        at += 2 + data[at + 1] if data[at + 1] < 0x80 else \
            3 + (data[at + 1] & 0x7f) + (data[at + 2] << 7)
    return data[at + 4]


if __name__ == "__main__":
    unittest.main()
