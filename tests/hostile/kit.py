"""kit.py: what the hostile tests share: running tenon under a watch, and small systems to run."""
import html.parser
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("TENON_BUILD", os.path.join(HERE, "../../build"))
TENON = os.environ.get("TENON", os.path.join(BUILD, "apps/tenon/tenon"))
SUITE = os.environ.get("WASM_SUITE", os.path.join(HERE, "../../../shared/data/wasm-core-2.0"))
SANITIZED = os.environ.get("TENON_SANITIZED", "") != ""
DEMO = os.path.join(BUILD, "systems/demo")
PATIENCE = 60  # seconds that nothing may take

COMPONENT = """[component]
name = "c"
version = "0.1.0"
kind = "agent"
[provides]
job = "tenon.job"
[resources]
"""
SYSTEM = """[system]
name = "hostile"
memory = "64 MiB"
cpus = 1
[components.c]
package = "c"
"""
JOB = '[job]\nrun = "c.job"\n'


class Done:
    """How a process ended: code (negative: the signal), out, err, seconds, and the most kilobytes
    that it held."""

    def __init__(self, process, deadline):
        self.code = process.returncode  # where poll() has seen its end; its memory is not known
        self.rss_kb = 0
        while self.code is None:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                process.returncode = self.code = os.waitstatus_to_exitcode(status)
                self.rss_kb = usage.ru_maxrss
            elif time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise AssertionError(f"hangs: {process.args}")
            else:
                time.sleep(0.002)  # between looks: wait4 has no timeout


def start(*words, **options):
    """tenon with its output in files, so that no pipe is ever full."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = subprocess.Popen([TENON, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                               **options)
    process.files = out, err
    return process


def said(process):
    """What it has said on standard error until now."""
    return os.pread(process.files[1].fileno(), 1 << 20, 0).decode(errors="replace")


def finish(process, patience=PATIENCE):
    done = Done(process, time.monotonic() + patience)
    done.out, done.err = (os.pread(file.fileno(), 1 << 24, 0).decode(errors="replace")
                          for file in process.files)
    for file in process.files:
        file.close()
    for word in ("AddressSanitizer", "runtime error:", "ASSERT", "memory fault"):
        if word in done.err:
            raise AssertionError(done.err)
    return done


def tenon(*words, **options):
    return finish(start(*words, **options))


class Page(html.parser.HTMLParser):
    """A page of which every element is closed, in order; some ends HTML lets one leave out."""
    VOID = {"meta", "br", "hr", "link", "img", "input"}
    OPTIONAL = {"th", "td", "tr", "thead", "tbody", "li", "p", "dt", "dd"}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.elements = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.elements += 1
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("d", "x", "y", "points", "width", "height") and \
                    any(word in (value or "") for word in ("nan", "inf")):
                self.wrong.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        while self.open and self.open[-1] in self.OPTIONAL and self.open[-1] != tag:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="tenon-hostile-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def system(self, code=b"", resources="", rest=JOB, system=SYSTEM, file="c.wasm"):
        """A system of one component `c` with that code; its system.toml."""
        self.write("c/component.toml", COMPONENT + resources + "\n")
        self.write("c/" + file, code)
        return self.write("system.toml", system + rest)

    def ended(self, done, code, *words):
        """It ended with that code, and said all of these words."""
        self.assertEqual(done.code, code, done.err + done.out)
        for word in words:
            self.assertIn(word, done.err + done.out)

    def whole_page(self, path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        page = Page()
        page.feed(text)
        page.close()
        self.assertEqual((page.wrong, page.open), ([], []), path)
        self.assertGreater(page.elements, 20)
        self.assertTrue(text.lower().startswith("<!doctype html"))
        self.assertTrue(text.rstrip().endswith("</html>"))
        return text

    def files(self, folder="."):
        return sorted(os.listdir(self.path(folder)))


def component(state=0, load=0, start_=0, call=0, event=0, timer=0, stop=0, abi=0, size=48):
    """struct tn_component as text of a wat data segment."""
    packed = struct.pack("<12I", abi, size, state, 0, load, start_, call, event, timer, 0, 0, stop)
    return "".join(f"\\{byte:02x}" for byte in packed)


def wat(text):
    """The module as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "a.wat"), os.path.join(folder, "a.wasm")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["wat2wasm", "--no-check", source, "-o", out], check=True, timeout=PATIENCE)
        with open(out, "rb") as file:
            return file.read()


def main():
    unittest.main(argv=[sys.argv[0]], verbosity=2)
