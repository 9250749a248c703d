#!/usr/bin/env python3
"""demo_test.py: the demo as a user runs it: what it says, the page it writes, and what it does with
files that are no series.

Usage: demo_test.py TENON FOLDER, where FOLDER is systems/demo of the build tree.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from html.parser import HTMLParser

TENON, DEMO = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
VOID = {"meta", "br"}          # elements without an end
OPEN_ENDED = {"td", "th", "p"}  # whose end the next one implies


class Balanced(HTMLParser):
    """Notes elements that end without having begun, and all addresses of other files."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.outside = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.outside += [v for k, v in attrs if k in ("href", "src") and not v.startswith("#")]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in OPEN_ENDED:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.page = os.path.join(self.folder.name, "report.html")

    def tearDown(self):
        self.folder.cleanup()

    def run_tenon(self, system, *arguments, options=()):
        done = subprocess.run([TENON, "run", *options, os.path.join(DEMO, system), "--",
                               *arguments], capture_output=True, text=True, check=False,
                              timeout=100)
        return done.returncode, done.stdout, done.stdout + done.stderr

    def run_csv(self, data):
        path = os.path.join(self.folder.name, "series.csv")
        with open(path, "wb") as file:
            file.write(data)
        return self.run_tenon("csv.toml", path, self.page)

    def check_page(self):
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        parser = Balanced()
        parser.feed(page)
        self.assertEqual(parser.wrong, [])
        self.assertEqual(parser.outside, [])
        self.assertNotIn("\0", page)
        self.assertTrue(page.endswith("</main></body></html>\n"))
        pictures = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
        for picture in pictures:
            xml.dom.minidom.parseString(picture)
        return page, pictures

    def test_demo(self):
        code, out, said = self.run_tenon("system.toml", self.page)
        self.assertEqual(code, 0, said)
        # Exactly: the detector's quality is a promise, and the forecast has the same bits anywhere.
        for series in (r"machine_temperature_system_failure +22,695 +2 +2 of 4 +0 ",
                       r"cpu_utilization_asg_misconfiguration +18,050 +6 +1 of 1 +4 ",
                       r"ec2_request_latency_system_failure +4,032 +3 +3 of 3 +0 ",
                       r"rds_cpu_utilization_e47b3b +4,032 +2 +2 of 2 +0 "):
            self.assertRegex(out, series)
        self.assertIn("found 8 of 10 labelled failures, with 4 false alarms", out)
        for attempt, error in (("read a file it was not given", "TN_EBADCAP"),
                               ("call what it is not wired to", "TN_ENOTWIRED"),
                               ("forge capabilities", "TN_EBADCAP"),
                               ("hand the kernel wild pointers", "TN_EFAULT"),
                               ("flood a mailbox", "TN_EFULL"),
                               ("call in a circle", "TN_EDEADLK"),
                               ("overflow its stack", "TN_ETRAP"),
                               ("loop for ever", "TN_EFUEL"),
                               ("eat all memory", "TN_ENOMEM")):
            self.assertRegex(out, rf"{attempt} +{error} +0 +yes")
        page, pictures = self.check_page()
        self.assertEqual(len(pictures), 4)
        self.assertEqual(page.count('class="bad">false alarm'), 4)
        self.assertEqual(page.count(">missed<"), 2)

    def test_same_bits_in_the_kernel(self):
        pages = []
        for domain in ("wasm", "kernel"):
            code, _, said = self.run_tenon("system.toml", self.page,
                                           options=["--place", f"forecaster={domain}"])
            self.assertEqual(code, 0, said)
            pages.append(self.check_page()[0])
        self.assertEqual(pages[0], pages[1])

    def test_wrong_labels(self):
        labels = os.path.join(self.folder.name, "labels.csv")
        with open(labels, "w", encoding="utf-8") as file:
            file.write("series,start,end\na,2014-03-07 03:41,2014-03-08 03:41\na,tomorrow,never\n")
        with open(os.path.join(DEMO, "system.toml"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text.count('"data/labels.csv"'), 1)
        path = os.path.join(DEMO, f"labels-{os.getpid()}.toml")
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("data/labels.csv", labels))
            code, _, said = self.run_tenon(path, self.page)
        finally:
            os.unlink(path)
        self.assertEqual(code, 1, said)
        self.assertIn("labels: line 3 is not series,start,end", said)

    def test_own_csv(self):
        rows = "".join(f"{1700000000 + 60 * i};{i % 60},5\r\n" for i in range(5000))
        code, out, said = self.run_csv(("when;what\r\n" + rows + "oops\r\n").encode())
        self.assertEqual(code, 0, said)
        self.assertRegex(out, r"series\.csv +5,000 ")
        self.assertNotIn("labelled", out)
        self.assertNotIn("hostile", out)
        page, pictures = self.check_page()
        self.assertEqual(len(pictures), 1)
        self.assertIn("line 5002: 'oops' is one field", page)

    def test_few_rows(self):
        code, _, said = self.run_csv(b"2014-03-07,1\n")
        self.assertEqual(code, 0, said)
        self.assertIn("Too short for a forecast", self.check_page()[0])

    def test_no_series(self):
        """Says why, exits with 1, and leaves the target as it was."""
        for data, why in ((b"", "the file is empty"),
                          (b"t,v\n1,x\n", "line 2: 'x' is not a number"),
                          (bytes(range(256)) * 100, "is not a time"),
                          (b"x" * 3000000, "longer than 1024 bytes")):
            with open(self.page, "w", encoding="utf-8") as file:
                file.write("before")
            code, _, said = self.run_csv(data)
            self.assertEqual(code, 1, said)
            self.assertIn(why, said)
            with open(self.page, encoding="utf-8") as file:
                self.assertEqual(file.read(), "before")
            self.assertEqual(sorted(os.listdir(self.folder.name)), ["report.html", "series.csv"])

    def test_missing_file(self):
        code, _, said = self.run_tenon("csv.toml", os.path.join(self.folder.name, "none.csv"),
                                       self.page)
        self.assertNotEqual(code, 0, said)
        self.assertIn("none.csv", said)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_wrong_argument(self):
        code, _, said = self.run_tenon("system.toml", self.page, "paths=0")
        self.assertEqual(code, 1, said)
        self.assertIn("paths= (1 to 4000)", said)
        self.assertEqual(os.listdir(self.folder.name), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
