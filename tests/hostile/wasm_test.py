#!/usr/bin/env python3
"""wasm_test.py: modules that are malformed, invalid or no component, and components that lie about
themselves: `tenon run` refuses or stops each with its name and the reason, `tenon inspect` shows
it or says why not, and neither crashes, hangs or takes more memory than was granted."""
import json
import os
import shutil
import subprocess
import unittest

import kit

# Of the suite: files of malformed modules and of which how many are taken, files of invalid ones.
MALFORMED = {"binary": 1, "binary-leb128": 1, "custom": 1, "global": 1, "data": 1,
             "utf8-custom-section-id": 16, "utf8-import-field": 16, "utf8-import-module": 16}
INVALID = ("block", "call_indirect", "elem", "func", "global", "memory", "ref_func", "table_set",
           "unreached-invalid")
INVALID_STEP = 5  # every 5th of each
GLOBALS = """(global (export "tn_component") i32 (i32.const 16))
(global (export "__heap_base") i32 (i32.const 1024))"""
TABLE = "(table 4 funcref) (elem (i32.const 1) 0)"
CALL = "(func (param i32 i32 i32 i32) (result i32) "


def data(**fields):
    return f'(data (i32.const 16) "{kit.component(**fields)}")'


def module(*parts, memory="(memory 1)"):
    return kit.wat("(module " + memory + GLOBALS + " ".join(parts) + ")")


def exports(component="i32 (i32.const 16)", base="i32 (i32.const 1024)", rest=data()):
    return kit.wat(f"""(module (memory 1) (global (export "tn_component") {component})
        (global (export "__heap_base") {base}) {rest})""")


def imports(what, rest=""):
    return kit.wat(f"(module {what} (memory 1) {GLOBALS} {data()} {rest})")


# name: the module, and what is said of it when it is loaded.
REFUSED = {
    "nothing": (lambda: b"", "c.wasm"),
    "text": (lambda: b"(module)", "c.wasm"),
    "no exports": (lambda: kit.wat("(module)"), "exports no tn_component"),
    "no memory": (lambda: kit.wat(f"(module {GLOBALS})"), "outside of its memory"),
    "no heap base": (lambda: kit.wat(f"""(module (memory 1) {data()}
        (global (export "tn_component") i32 (i32.const 16)))"""), "exports no __heap_base"),
    "a function for it": (lambda: kit.wat("""(module (memory 1)
        (func (export "tn_component")))"""), "exports no tn_component"),
    "at a wild place": (lambda: exports("i32 (i32.const -4)"), "outside of its memory"),
    "over the end": (lambda: exports("i32 (i32.const 65520)", rest="""(data (i32.const 65520)
        "\\00\\00\\00\\00\\30\\00\\00\\00")"""), "a size that cannot be"),
    "of 64 bits": (lambda: exports("i64 (i64.const 16)"), "exports no tn_component"),
    "of f32": (lambda: exports("f32 (f32.const 16)"), "exports no tn_component"),
    "of null": (lambda: exports("funcref (ref.null func)"), "exports no tn_component"),
    "another abi": (lambda: module(data(abi=7)), "another version of the component ABI"),
    "too small": (lambda: module(data(size=15)), "a size that cannot be"),
    "huge state": (lambda: module(data(state=0xffffffff)), "GUEST_STATE_MAX"),
    "state over its memory": (lambda: module(data(state=60 << 20)), "no room for its state"),
    "heap base at the end": (lambda: exports(base="i32 (i32.const -1)"), "no room for its state"),
    "heap base beyond": (lambda: exports(base="i32 (i32.const 0x7fffffff)"), "no room for its"),
    "start that traps": (lambda: module(data(), "(start 0) (func unreachable)"), "start function"),
    "start that loops": (lambda: module(data(), "(start 0) (func (loop (br 0)))"),
                         "start function"),
    "handler without a table": (lambda: module(data(call=1)), "handler `call`, element 1"),
    "handler out of range": (lambda: module(data(stop=99), "(table 4 funcref)"),
                             "handler `stop`, element 99"),
    "handler far out of range": (lambda: module(data(load=0xffffffff), "(table 4 funcref)"),
                                 "handler `load`, element 4294967295"),
    "handler null": (lambda: module(data(timer=2), TABLE, "(func)"), "handler `timer`"),
    "handler external": (lambda: module(data(call=1), "(table 4 externref)"), "handler `call`"),
    "handler of floats": (lambda: module(data(call=1), TABLE, """(func (param f32 f32 f32 f32)
        (result i32) (i32.const 0))"""), "is no function of 4 i32 to i32"),
    "handler of references": (lambda: module(data(call=1), TABLE, """(func
        (param funcref funcref funcref funcref) (result i32)
        (table.set 0 (i32.const 2) (local.get 0)) (call_indirect (i32.const 2)) (i32.const 0))"""),
                              "is no function of 4 i32 to i32"),
    "handler with a float": (lambda: module(data(start_=1), TABLE,
                                            "(func (param i32 i32) (result f32) (f32.const 1))"),
                             "handler `start`"),
    "handler with two results": (lambda: module(data(event=1), TABLE, """(func (param i32 i32 i32)
        (result i32 i32) (i32.const 1) (i32.const 2))"""), "handler `event`"),
    "giant memory": (lambda: module(data(), memory="(memory 65536)"), "memory too large"),
    "large memory": (lambda: module(data(), memory="(memory 200)"), "memory too large"),
    "giant table": (lambda: module(data(), "(table 4294967295 funcref)"), "c.wasm"),
    "large tables": (lambda: module(data(), "(table 4000000 funcref)" * 9), "c.wasm"),
    "other module": (lambda: imports('(import "env" "exit" (func))'), "imports env.exit"),
    "wasi": (lambda: imports('(import "wasi_snapshot_preview1" "fd_write" (func))'), "fd_write"),
    "other name": (lambda: imports('(import "tenon_0" "tn_root" (func))'), "tenon_0.tn_root"),
    "imported memory": (lambda: kit.wat(f"""(module (import "tenon_0" "memory" (memory 1))
        {GLOBALS} {data()})"""), "tenon_0.memory"),
    "imported global": (lambda: imports('(import "tenon_0" "g" (global i32))'), "tenon_0.g"),
    "imported table": (lambda: imports('(import "tenon_0" "t" (table 1 funcref))'), "tenon_0.t"),
    "import of another type": (lambda: imports("""(import "tenon_0" "tn_call"
        (func (param f32)))"""), "c.wasm"),
    "too many imports": (lambda: imports('(import "tenon_0" "tn_yield" (func (result i32)))' * 100),
                         "imports more"),
    "data out of bounds": (lambda: module('(data (i32.const 65535) "xx")'), "c.wasm"),
    "elements out of bounds": (lambda: module(data(), "(table 1 funcref) (func)"
                                              "(elem (i32.const 1) 0)"), "c.wasm"),
}
# name: the module, and how its job ends.
STOPPED = {
    "trap": (lambda: module(data(call=1), TABLE, CALL + "unreachable)"), "TN_ETRAP"),
    "loop": (lambda: module(data(call=1), TABLE, CALL + "(loop (br 0)) (i32.const 0))"),
             "TN_EFUEL"),
    "recursion": (lambda: module(data(call=1), TABLE, CALL + """(call 0 (local.get 0)
        (local.get 1) (local.get 2) (local.get 3)))"""), "TN_ETRAP"),
    "memory.fill of all": (lambda: module(data(call=1), TABLE, CALL + """
        (loop (memory.fill (i32.const 0) (i32.const 255)
        (i32.mul (memory.size) (i32.const 65536))) (br 0)) (i32.const 0))"""), "TN_EFUEL"),
    "memory grows": (lambda: module(data(call=1), TABLE, CALL + """
        (loop (drop (memory.grow (i32.const 1))) (br 0)) (i32.const 0))"""), "TN_EFUEL"),
    "table grows": (lambda: module(data(call=1), TABLE, CALL + """
        (loop (drop (table.grow 0 (ref.null func) (i32.const 100000))) (br 0)) (i32.const 0))"""),
                    "TN_EFUEL"),
    "no handler": (lambda: module(data()), "TN_EMETHOD"),
    "handler taken away": (lambda: module(data(start_=2, call=1), """(table 4 funcref)
        (elem (i32.const 1) 0 1)""", CALL + """(i32.const 0))
        (func (param i32 i32) (result i32) (table.set 0 (i32.const 1) (ref.null func))
        (i32.const 0))"""), "TN_EFORMAT"),
    "handler that is an import": (lambda: kit.wat(f"""(module
        (import "tenon_0" "tn_need" (func (param i32 i32 i32) (result i32))) (memory 1) {GLOBALS}
        {data(load=1)} {TABLE})"""), "load failed"),
    "an error of nobody": (lambda: module(data(call=1), TABLE, CALL + "(i32.const -999))"),
                           "TN_EINTERNAL"),
    "not deferred": (lambda: module(data(call=1), TABLE, CALL + "(i32.const 0x7fffffff))"),
                     "TN_EINTERNAL"),
    "reply of garbage": (lambda: module(data(call=1), TABLE, CALL + """
        (i32.store offset=8 (local.get 3) (i32.const 4096)) (i32.const 0))"""), "TN_EARGS"),
    "reply at a wild place": (lambda: module(data(call=1), TABLE, CALL + """
        (i32.store (local.get 3) (i32.const -8)) (i32.store offset=8 (local.get 3) (i32.const 64))
        (i32.const 0))"""), "TN_EFAULT"),
    "heap base 0": (lambda: exports(base="i32 (i32.const 0)", rest=data(call=1) + TABLE + CALL
                                    + "unreachable)"), "TN_ETRAP"),
}


class Wasm(kit.Case):
    def check(self, code, *words):
        done = kit.tenon("run", self.system(code, "fuel_per_call = 20_000_000"), "-q")
        self.ended(done, 1, "hostile: ", *words)
        if not kit.SANITIZED:
            self.assertLess(done.rss_kb, 100 << 10)
        looked = kit.tenon("inspect", self.path("c/c.wasm"))
        self.assertIn(looked.code, (0, 2), looked.err)
        if looked.code == 2:
            self.assertIn("c.wasm", looked.err)

    def test_refused(self):
        for name, (make, words) in REFUSED.items():
            with self.subTest(name=name):
                self.check(make(), "c: c/c.wasm: ", words)

    def test_stopped(self):
        for name, (make, words) in STOPPED.items():
            with self.subTest(name=name):
                self.check(make(), words)

    def test_good(self):
        code = module(data(call=1), TABLE, CALL + "(i32.const 0))")
        self.ended(kit.tenon("run", self.system(code), "-q"), 0)
        for length in range(0, len(code), 11):
            self.check(code[:length], "c.wasm")
        for at in range(8, len(code), 5):
            changed = code[:at] + bytes([code[at] ^ 0xff]) + code[at + 1:]
            done = kit.tenon("run", self.system(changed, "fuel_per_call = 1_000_000"), "-q")
            self.assertIn(done.code, (0, 1), done.err)


@unittest.skipUnless(os.path.isdir(kit.SUITE) and shutil.which("wast2json"), "no suite, no tool")
class Suite(kit.Case):
    def modules(self, name, kind):
        """(file, its bytes) of that kind of assertion, in binary form."""
        out = self.path(name + ".json")
        subprocess.run(["wast2json", os.path.join(kit.SUITE, name + ".wast"), "-o", out],
                       capture_output=True, check=True, timeout=kit.PATIENCE)
        with open(out, encoding="utf-8") as file:
            commands = json.load(file)["commands"]
        for command in commands:
            if command["type"] == kind and command["module_type"] == "binary":
                with open(self.path(command["filename"]), "rb") as file:
                    yield command["filename"], file.read()

    def refused(self, name, code):
        with self.subTest(name=name):
            done = kit.tenon("run", self.system(code), "-q")
            self.ended(done, 1, "c: c/c.wasm: ")
            self.assertEqual(kit.tenon("inspect", self.path("c/c.wasm")).code, 2)

    def test_malformed(self):
        n = 0
        for file, step in MALFORMED.items():
            for name, code in list(self.modules(file, "assert_malformed"))[::step]:
                self.refused(name, code)
                n += 1
        self.assertGreater(n, 100)

    def test_invalid(self):
        n = 0
        for file in INVALID:
            for name, code in list(self.modules(file, "assert_invalid"))[::INVALID_STEP]:
                self.refused(name, code)
                n += 1
        self.assertGreater(n, 20)


if __name__ == "__main__":
    kit.main()
