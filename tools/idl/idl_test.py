#!/usr/bin/env python3
"""idl_test.py: wrong interface files are refused with file and key; what is generated compiles
cleanly for every target that has a compiler here; the example of docs/interfaces.md holds.

Usage: idl_test.py SOURCE_ROOT
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".").resolve()
sys.path.insert(0, str(ROOT / "tools" / "idl"))

import emit_c  # noqa: E402
import emit_table  # noqa: E402
import model  # noqa: E402

HEAD = '[interface]\nname = "a.b"\nid = 9\nversion = "1.0.0"\n'
METHOD = HEAD + '[[method]]\nname = "m"\nordinal = 1\n'
ARGS = METHOD + "args = [{}]\n"

# What stands in the file, and what the error says.
WRONG = [
    ("a = [", "x.toml: "),
    ("", "x.toml: interface: is missing"),
    ("interface = 3", "x.toml: interface: must be a table"),
    (HEAD.replace("a.b", "ab"), 'x.toml: interface.name: "ab" is not an interface name'),
    (HEAD.replace("a.b", "a." + "b" * 62), "interface.name: "),
    (HEAD.replace("9", "65536"), "x.toml: interface.id: 65536 is not in 0 to 65535"),
    (HEAD.replace("9", "true"), "interface.id: must be a whole number"),
    (HEAD.replace("1.0.0", "1.0"), 'interface.version: "1.0" is not MAJOR.MINOR.PATCH'),
    (HEAD + "colour = 1", "x.toml: interface.colour: is not a key"),
    (HEAD + 'doc = "a \\\\ b"', "interface.doc: must be plain text"),
    (HEAD + "[other]", "x.toml: other: is not a key"),
    (HEAD + "[[error]]\nname = 'e'\nnumber = 0", "x.toml: error[0].number: 0 is not in 1 to"),
    (HEAD + "[[error]]\nname = 'e'\nnumber = 2147483647", "error[0].number: "),
    (HEAD + "[[error]]\nname = 'e'\nnumber = 1\n[[error]]\nname = 'f'\nnumber = 1",
     "error[1]: number 1 is taken by error[0]"),
    (HEAD + "[[constant]]\nname = 'id'\nvalue = 1", "clashes with the interface's own id"),
    (METHOD + "[[constant]]\nname = 'm'\nvalue = 1", "clashes with a method of that name"),
    (METHOD.replace('"m"', '"e_m"'), "e_ begins the names of errors"),
    (METHOD.replace('"m"', '"for"'), 'method[0].name: "for" is reserved'),
    (METHOD.replace('"m"', '"Upper"'), '"Upper" is not a name'),
    (METHOD.replace("1\n", "0\n", 1).replace("ordinal = 1", "ordinal = 0"), "ordinal: 0 is not in"),
    (METHOD + "[[method]]\nname = 'n'\nordinal = 1", "method[1]: ordinal 1 is taken by method[0]"),
    (METHOD + "rights = ['call']", "method[0] \"m\".rights: 'call' is not one of"),
    (METHOD + "rights = ['read', 'read']", "names a right twice"),
    (METHOD + "oneway = true\nreturns = [{name = 'x', type = 'u8'}]", "must be empty: a oneway"),
    (ARGS.format("{name = 'x', type = 'u63'}"), 'x.toml: method[0] "m".args[0].type: "u63" is not'),
    (ARGS.format("{name = 'x', type = 'bool[]'}"), "there are no lists of bool"),
    (ARGS.format("{name = 'x', type = 'cap[]'}"), "there are no lists of cap"),
    (ARGS.format("{name = 'to', type = 'u8'}"), '"to" is reserved'),
    (ARGS.format("{name = 'x', type = 'u8', max = 3}"), "max: is for what varies in length"),
    (ARGS.format("{name = 'x', type = 'text', max = 0}"), "max: 0 is not in 1 to 65536"),
    (ARGS.format("{name = 'x', type = 'u64[]', max = 8193}"), "max: 8193 is not in 1 to 8192"),
    (ARGS.format("{name = 'x', type = 'u8', move = true}"), "move: is for capabilities"),
    (ARGS.format("{name = 'x', type = 'u8'}, {name = 'x', type = 'u8'}"),
     "name 'x' is taken by args[0]"),
    (ARGS.format("{name = 'x', type = 'text'}, {name = 'x_len', type = 'u8'}"), "clashes with the"),
    (ARGS.format(", ".join(f"{{name = 'c{i}', type = 'cap'}}" for i in range(5))),
     "has more than 4 capabilities"),
    (ARGS.format(", ".join(f"{{name = 'c{i}', type = 'u64'}}" for i in range(513))),
     "a fixed part has at most 4096 bytes"),
    (ARGS.format("{type = 'u8'}"), 'args[0].name: is missing'),
    (METHOD + "args = 3", "args: must be a list"),
    (METHOD + "args = [3]", "args[0]: must be a table"),
]

WARNINGS = ["-std=gnu17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
            "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror", "-ffreestanding", "-O1", "-c"]
COMPILERS = [["gcc"], ["clang"], ["clang", "--target=wasm32", "-mbulk-memory"],
             ["clang", "--target=aarch64-linux-gnu"], ["aarch64-linux-gnu-gcc"]]


def blocks(language):
    """The fenced blocks of docs/interfaces.md."""
    text = (ROOT / "docs" / "interfaces.md").read_text()
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for kind, block in found if kind == language]


def generate(folder, interfaces):
    out = folder / "interfaces"
    out.mkdir()
    for interface in interfaces:
        (out / f"{interface.c_name}.h").write_text(emit_c.header(interface))
    (out / "interfaces_table.c").write_text(emit_table.table(interfaces))
    return out


class Refused(unittest.TestCase):
    def test_wrong_files(self):
        for text, message in WRONG:
            with self.subTest(message), self.assertRaises(model.Wrong) as caught:
                model.load("x.toml", text)
            self.assertTrue(str(caught.exception).startswith("x.toml: "), caught.exception)
            self.assertIn(message, str(caught.exception))

    def test_limits_themselves(self):
        model.load("x.toml", ARGS.format(
            ", ".join(f"{{name = 'c{i}', type = 'u64'}}" for i in range(512))))
        model.load("x.toml", ARGS.format(
            ", ".join(f"{{name = 'c{i}', type = 'cap'}}" for i in range(4))))
        model.load("x.toml", HEAD.replace("a.b", "a." + "b" * 61))

    def test_two_files(self):
        with tempfile.TemporaryDirectory() as name:
            one, two = pathlib.Path(name, "one.toml"), pathlib.Path(name, "two.toml")
            one.write_text(HEAD)
            for text, message in ((HEAD.replace("a.b", "a.c"), "interface.id: 9 is taken by"),
                                  (HEAD.replace("9", "8"), "interface.name: a_b is taken by")):
                two.write_text(text)
                done = subprocess.run(
                    [sys.executable, ROOT / "tools/idl/idl.py", "--out", name, one, two],
                    capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"idl: {two}: {message}", done.stderr)
            self.assertEqual(sorted(p.name for p in pathlib.Path(name).iterdir()),
                             ["one.toml", "two.toml"])


class Generated(unittest.TestCase):
    def test_compiles_everywhere(self):
        files = sorted(ROOT.glob("interfaces/*.toml")) + [ROOT / "interfaces/test/every_type.toml"]
        example = model.load("docs/interfaces.md", blocks("toml")[0])
        interfaces = model.load_all(files) + [example]
        tried = 0
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            out = generate(folder, interfaces)
            every = folder / "every.c"
            every.write_text("".join(f'#include "interfaces/{i.c_name}.h"\n' for i in interfaces)
                             + "void nothing(void);\nvoid nothing(void)\n{\n}\n")
            sources = [out / "interfaces_table.c", every]
            for i, block in enumerate(blocks("c")):
                sources.append(folder / f"doc{i}.c")
                sources[-1].write_text(block)
            self.assertEqual(len(sources), 4)
            for compiler in COMPILERS:
                if not shutil.which(compiler[0]):
                    continue
                tried += 1
                for source in sources:
                    done = subprocess.run(
                        [*compiler, *WARNINGS, f"-I{folder}", f"-I{ROOT / 'include'}", source,
                         "-o", folder / "out.o"], capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, f"{compiler} {source}\n{done.stderr}")
        self.assertGreater(tried, 0)

    def test_example_bytes(self):
        """The message that the page shows is the one that the example's stub sends."""
        if not shutil.which("gcc"):
            self.skipTest("no gcc")
        shown = next(b for b in blocks("") if "attic" in b).splitlines()[0].split()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            generate(folder, [model.load("docs/interfaces.md", blocks("toml")[0])])
            main = folder / "main.c"
            main.write_text(EXAMPLE_MAIN)
            sources = [main]
            for i, block in enumerate(blocks("c")):
                sources.append(folder / f"doc{i}.c")
                sources[-1].write_text(block)
            subprocess.run(["gcc", f"-I{folder}", f"-I{ROOT / 'include'}", *sources, "-o",
                            folder / "run"], check=True)
            done = subprocess.run([folder / "run"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), shown + ["20.25"])

    def test_schema(self):
        example = model.load("docs/interfaces.md", blocks("toml")[0])
        schema = json.loads(emit_table.schema(example))
        args = schema["$defs"]["history.args"]
        self.assertEqual(args["properties"]["count"]["maximum"], 2**32 - 1)
        self.assertEqual(args["properties"]["place"]["maxLength"], 40)
        self.assertIs(args["additionalProperties"], False)
        celsius = schema["$defs"]["history.returns"]["properties"]["celsius"]
        self.assertEqual(celsius, {"type": "array", "items": {"type": "number"}, "maxItems": 100})
        self.assertEqual(schema["x-tenon"]["methods"]["history"]["rights"], ["read"])
        self.assertEqual(schema["x-tenon"]["errors"]["broken"]["number"], 1)

    def test_same_twice(self):
        files = sorted(ROOT.glob("interfaces/*.toml"))
        self.assertEqual(emit_table.table(model.load_all(files)),
                         emit_table.table(model.load_all(reversed(files))))


EXAMPLE_MAIN = r"""
#include <stdio.h>
#include "interfaces/demo_thermometer.h"
tn_err warmest(tn_cap thermometer, tn_time deadline, double *ret_celsius);
tn_err answer(const struct tn_turn *turn, const struct tn_pack *in, struct tn_pack *out);
tn_err tn_send(tn_cap to, uint32_t method, const struct tn_pack *in, uint32_t flags)
{
    (void)to, (void)method, (void)in, (void)flags;
    return TN_ENOSYS;
}
tn_err tn_call(tn_cap to, uint32_t method, const struct tn_pack *in, struct tn_pack *out,
               tn_time deadline)
{
    (void)to, (void)deadline;
    uint8_t copy[64];
    __builtin_memcpy(copy, in->data, in->len);
    copy[0] = 2; /* the page asks for 2 samples */
    for (uint32_t i = 0; i < in->len; i++)
        printf("%02x ", copy[i]);
    struct tn_turn turn = {.method = method};
    return answer(&turn, in, out);
}
int main(void)
{
    double most = 0;
    tn_err err = warmest(1, TN_NEVER, &most);
    printf("%g\n", most);
    return err;
}
"""

if __name__ == "__main__":
    unittest.main()
