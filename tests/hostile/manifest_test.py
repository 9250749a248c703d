#!/usr/bin/env python3
"""manifest_test.py: a composition that is wrong in any way is refused with exit status 2 before
anything is started; all faults are said, in order, each with its place; and one that asks for
extremes runs within them or says what does not fit."""
import os
import re

import kit

GOOD = """(module (memory 1) (table 2 funcref) (elem (i32.const 1) 0)
  (global (export "tn_component") i32 (i32.const 16))
  (global (export "__heap_base") i32 (i32.const 1024))
  (data (i32.const 16) "%s")
  (func (param i32 i32 i32 i32) (result i32) (i32.const 0)))""" % kit.component(call=1)
HEAD = '[system]\nname = "h"\nmemory = "64 MiB"\n'
PLACE = re.compile(r"^(\S+\.toml):(\d+):(\d+): (.+)", re.M)


class Manifest(kit.Case):
    code = kit.wat(GOOD)

    def faults(self, text, *words, verb="run"):
        """(line, what) of each fault of this system.toml."""
        self.write("c/component.toml", kit.COMPONENT)
        self.write("c/c.wasm", self.code)
        path = self.write("system.toml", text)
        done = kit.tenon(verb, path)
        self.ended(done, 2, *words)
        self.assertIn("fault", done.err)
        places = [(int(match[2]), match[4]) for match in PLACE.finditer(done.err)]
        self.assertEqual(places, sorted(places, key=lambda place: place[0]), done.err)
        return places

    def test_bytes_that_are_no_text(self):
        self.faults("", "lacks 'system'")
        for verb in ("run", "check"):
            self.assertEqual(self.faults(HEAD + 'x = "a\0b"\n', verb=verb)[0][0], 4)
        self.assertEqual(self.faults(HEAD.encode() + b'x = "\xff\xfe"\n')[0][0], 4)
        self.assertEqual(self.faults(HEAD.encode() + b"\xed\xa0\x80\n")[0][0], 4)
        self.assertEqual(self.faults(b"\xff\xfe[\0s\0]\0")[0][0], 1)
        self.assertEqual(self.faults(b"\0" * 100000)[0][0], 1)
        self.faults(os.urandom(100000), "system.toml:")
        self.faults(HEAD + "\x1b[31m = 1\n")
        self.assertNotIn("\x1b", kit.tenon("check", self.path("system.toml")).err)

    def test_depth_and_size(self):
        deep = 100000
        for text in ("x = " + "[" * deep + "]" * deep, "[" + ".".join("a" * deep) + "]",
                     "x = " + "{a=" * deep + "1" + "}" * deep, ".".join("a" * deep) + " = 1"):
            self.faults(HEAD + text + "\n", "TOML_MAX_DEPTH")
        self.faults(HEAD + "k" * 900000 + " = 1\n", "TOML_MAX_KEY_BYTES")
        many = self.faults(HEAD + "".join(f"k{i} = 1\n" for i in range(70000)))
        self.assertLessEqual(len(many), 64)
        self.assertEqual(many[0][0], 4)
        path = self.write("large.toml", HEAD + "#" * (10 << 20))
        self.ended(kit.tenon("run", path), 2, "large.toml", "at most 1048576")

    def test_many_components(self):
        def of(n):
            return HEAD + "".join(f'[components.c{i}]\npackage = "c"\n' for i in range(n))
        self.faults(of(5000) + '[job]\nrun = "c0.job"\n', "SYSTEM_COMPONENTS_MAX")
        self.faults(of(257) + '[job]\nrun = "c0.job"\n', "SYSTEM_COMPONENTS_MAX")
        self.faults(of(256) + '[job]\nrun = "c0.job"\n', "memory in [system]")
        # As many as there may be, each as small as it can be.
        self.write("c/component.toml", kit.COMPONENT + 'memory = "768 KiB"\nstack = "4 KiB"\n')
        self.write("c/c.wasm", self.code)
        path = self.write("system.toml", of(256).replace("64 MiB", "512 MiB")
                          + '[job]\nrun = "c0.job"\n')
        done = kit.tenon("run", path, "-q")
        self.assertIn(done.code, (0, 1), done.err)
        if done.code == 1:
            self.assertIn("memory", done.err)

    def test_wrong_types(self):
        cases = ('[system]\nname = 1\nmemory = "1 GiB"', '[system]\nname = "h"\nmemory = true',
                 'system = 1', '[[system]]\nname = "h"', HEAD + "cpus = 0", HEAD + "cpus = 65",
                 HEAD + "cpus = 1.5", HEAD + 'cpus = "1"', HEAD + 'architecture = "macro"',
                 HEAD + "components = 1", HEAD + "[components]\nc = 1",
                 HEAD + "[components.c]\npackage = 1", HEAD + '[components.c]\npackage = ""',
                 HEAD + '[components.c]\npackage = "c\\u0000"',
                 HEAD + '[components.c]\npackage = "c"\nversion = 1',
                 HEAD + '[components.c]\npackage = "c"\nrestart = "sometimes"',
                 HEAD + '[components.c]\npackage = "c"\nrestarts_max = -1',
                 HEAD + '[components.C]\npackage = "c"', HEAD + '[components."c d"]\npackage = "c"',
                 HEAD + "wires = 1", HEAD + "[wires]\nx = 1", HEAD + "job = 1",
                 HEAD + '[job]\nrun = "nobody.job"', HEAD + '[job]\nrun = "c"',
                 HEAD + '[components.c]\npackage = "c"\n[job]\nrun = "c.other"',
                 HEAD + '[components.c]\npackage = "c"\n[job]\nrun = "c.job"\nargs = [1]',
                 HEAD + '[components.c]\npackage = "c"\n[job]\nrun = "c.job"\ndeadline = "1 year"')
        for text in cases:
            with self.subTest(text=text):
                self.assertGreater(len(self.faults(text + "\n")), 0)

    def test_numbers_at_their_edges(self):
        system = kit.SYSTEM + kit.JOB
        for value in ('"9223372036854775808 ns"', '"18446744073709551616 ns"', '"-1 s"', '"0 s"',
                      '"1.5 s"', '"5124096 h"', "-1", "0", '"s"', '""'):
            self.faults(system + f"deadline = {value}\n", "deadline")
        for value in ('"18446744073709551616 B"', '"17179869184 GiB"', '"-1 MiB"', '"0 B"', "0",
                      "-9223372036854775808"):
            self.faults(HEAD.replace('"64 MiB"', value), "memory")
        for value in ('"1 B"', '"17179869183 GiB"', '"1048576 GiB"', 9223372036854775807):
            text = HEAD.replace('"64 MiB"', str(value))
            self.faults(text + '[components.c]\npackage = "c"\n' + kit.JOB, "memory")

    def test_extremes_that_are_allowed(self):
        for resources, code, words in (
                ('memory = "1 B"', 1, "c: no room for its memory"),
                ('memory = "64 KiB"', 1, "c: c/c.wasm: the memory granted is used up"),
                ('memory = "55 MiB"', None, ""), ('stack = "1 B"', 1, "call stack exhausted"),
                ('stack = "4 GiB"', 1, "c: c/c.wasm: no memory"),
                ("fuel_per_call = 1", None, ""), ("fuel_per_call = 9223372036854775807", 0, ""),
                ("mailbox = 1", 0, ""), ("mailbox = 65536", 0, ""),
                ('deadline = "1 ns"', None, ""), ('deadline = "9223372036854775807 ns"', 0, "")):
            with self.subTest(resources=resources):
                done = kit.tenon("run", self.system(self.code, resources), "-q")
                self.assertIn(done.code, (0, 1) if code is None else (code,), done.err)
                self.assertIn(words, done.err)
        for deadline in ("9223372036854775807 ns", "2562047 h"):
            rest = kit.JOB + f'deadline = "{deadline}"\n'
            self.ended(kit.tenon("run", self.system(self.code, rest=rest), "-q"), 0)

    def test_packages_that_are_not_there(self):
        def of(package):
            return HEAD + f'[components.c]\npackage = "{package}"\n' + kit.JOB
        self.faults(of("none"), "system.toml:5:11", "none")
        self.faults(of("../" * 300), "system.toml:5:11", "no component.toml")
        self.faults(of("x" * 1100), "system.toml:5:11")
        self.faults(of("c/component.toml"), "system.toml:5:11")
        os.mkfifo(self.path("fifo"))
        self.faults(of("fifo"), "system.toml:5:11")
        os.makedirs(self.path("pipe"))
        os.mkfifo(self.path("pipe/component.toml"))
        self.faults(of("pipe"), "system.toml:5:11")
        os.makedirs(self.path("bare"))
        self.write("bare/component.toml", kit.COMPONENT)
        self.faults(of("bare"), "there is no", "build it")
        for path in ("none.toml", "fifo", "pipe", "/dev/zero", "x" * 300):
            done = kit.tenon("run", path if path[0] == "/" else self.path(path))
            self.ended(done, 2, os.path.basename(path)[:100])

    def test_circles_versions_and_trust(self):
        needs = '[needs.work]\ninterface = "tenon.job"\n'
        for name in ("a", "b", "d"):
            self.write(f"{name}/component.toml", kit.COMPONENT.replace('"c"', f'"{name}"').replace(
                "[resources]\n", needs))
            self.write(f"{name}/{name}.wasm", self.code)
        parts = "".join(f'[components.{name}]\npackage = "{name}"\n' for name in "abd")
        wires = '[wires]\n"a.work" = "b.job"\n"b.work" = "d.job"\n"d.work" = "a.job"\n'
        job = '[job]\nrun = "a.job"\n'
        self.faults(HEAD + parts + wires + job, "circle", "a", "b", "d")
        self.faults(HEAD + parts + '[wires]\n"a.work" = "a.job"\n' + job, "a")
        self.faults(HEAD + parts + wires.replace("d.job", "d.jobb") + job, "jobb")
        self.faults(HEAD + parts + job, "work")
        self.faults(kit.SYSTEM + 'version = "^2.0"\n' + kit.JOB, "0.1.0", "^2.0")
        self.faults(kit.SYSTEM + 'version = "^2.0"\nversion = "^1"\n' + kit.JOB, "version")
        self.faults(kit.SYSTEM + kit.JOB + '[place]\nc = "kernel"\n', "may not be in the kernel")
        self.faults(kit.SYSTEM + kit.JOB + '[place]\nc = "process"\n', "not available")
        self.faults(kit.SYSTEM + kit.JOB + '[place]\nd = "wasm"\n', "'d'")
        self.faults(kit.SYSTEM + kit.JOB + '[trust]\ncomponents = ["d"]\n', "'d'")

    def test_all_faults_at_once_in_order(self):
        text = """[system]
nmae = "h"
name = "Bad Name"
memory = "a lot"
[components.c]
package = "c"
version = "^3"
[components.x]
package = "nowhere"
[wires]
"c.nothing" = "x.nothing"
"z.rows" = "c.job"
[place]
c = "moon"
[trust]
components = ["q"]
[job]
run = "c.jab"
deadline = "soon"
[extra]
"""
        lines = [line for line, _ in self.faults(text)]
        for line in (2, 3, 4, 7, 9, 12, 14, 16, 18, 19, 20):
            self.assertIn(line, lines)
        self.assertEqual(lines, [line for line, _ in self.faults(text, verb="check")])

    def test_words_of_the_command_line(self):
        good = self.system(self.code)
        for words in ([], ["run"], ["runn", good], ["run", good, good], ["run", good, "--jsn"],
                      ["run", good, "--place"], ["run", good, "--place", "c"],
                      ["run", good, "--place", "c=moon"], ["run", good, "--place", "=wasm"],
                      ["run", good, "--place", "d=wasm"], ["run", good, "--place", "c=kernel"],
                      ["run", good, "--", *["x"] * 65], ["run", good, *["--place", "c=wasm"] * 300],
                      ["run", ""], ["inspect", ""], ["check", "\x1b[31m"], ["-x"], [""]):
            with self.subTest(words=words[:4]):
                done = kit.tenon(*words)
                self.assertEqual(done.code, 2, done.err)
                self.assertTrue(done.err.startswith("tenon: ") or "system.toml" in done.err)
                self.assertNotIn("\x1b", done.err)
        self.ended(kit.tenon("run", good, "--", "x" * 60000), 0)
        self.ended(kit.tenon("run", good, "--", "x" * 70000), 1, "TN_ETOOBIG")


if __name__ == "__main__":
    kit.main()
