#!/usr/bin/env python3
"""demo_test.py: the demo as a user runs it: what it says, the page it writes, and what it does with
files that are no series.

Usage: demo_test.py TENON FOLDER, where FOLDER is systems/demo of the build tree.
"""
import decimal
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
        for series in (r"machine_temperature_system_failure +22,695 +2 +2 +0 +2 of 4 ",
                       r"cpu_utilization_asg_misconfiguration +18,050 +6 +2 +4 +1 of 1 ",
                       r"ec2_request_latency_system_failure +4,032 +3 +3 +0 +3 of 3 +2.2% in 4 h ",
                       r"rds_cpu_utilization_e47b3b +4,032 +2 +2 +0 +2 of 2 "):
            self.assertRegex(out, series)
        self.assertIn("13 findings: 9 hits, which find 8 of 10 labelled failures, "
                      "and 4 false alarms", out)
        self.assertIn(f"tenon: wrote {self.page}\n", said)
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
        self.assertIn("findings: 9 hits, 4 false alarms", page)
        self.assertIn("2.2 % in the next 4 h", page)
        # What is wide moves sideways in a box of its own, and no card does.
        self.assertEqual(page.count("overflow-x"), 1)
        self.assertEqual(len(re.findall(r'<div class="wide" tabindex="0">\s*<(?:table|svg)', page)),
                         page.count("<table>") + len(pictures))

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

    def test_findings_are_told(self):
        """The first few with when and what, and how many more."""
        def rows(spikes):
            return "".join(f"{1700000000 + 300 * i},{500 if i in spikes else 10 + i % 7}\n"
                           for i in range(8000)).encode()
        code, out, said = self.run_csv(rows({4000}))
        self.assertEqual(code, 0, said)
        self.assertRegex(out, r"series\.csv: 1 finding \(times are UTC\)\n  2023-11-28 19:33 to "
                              r"2023-11-2\d \d\d:\d\d  range, high: 500\.0 where ")
        self.assertNotIn(" more,", out)
        code, out, said = self.run_csv(rows(range(1000, 8000, 900)))
        found = int(re.search(r"series\.csv: (\d+) findings", out)[1])
        self.assertGreater(found, 5)
        self.assertEqual(len(re.findall(r"(?m)^  2023-.* where .* was expected$", out)), 5)
        self.assertIn(f"  and {found - 5} more, in the report\n", out)
        self.assertIn(f"tenon: wrote {self.page}\n", said)
        code, out, said = self.run_csv(rows(()))
        self.assertIn("series.csv: no findings\n", out)

    def test_rows_out_of_order(self):
        rows = [f"{1700000000 + 60 * i},{i % 5}" for i in range(1000)]
        code, out, said = self.run_csv("\n".join(["t,v", *rows, rows[7], rows[8], "x,1"]).encode())
        self.assertEqual(code, 0, said)
        self.assertIn("series.csv: 1 line is no row, the first is line 1004: 'x' is not a time\n"
                      "series.csv: 2 rows are not later than a row before, the first on line 1002; "
                      "left out of the detection\n", out)
        self.assertIn("2 not later than a row before, the first on line 1002, left out of the "
                      "detection; 1 line is no row, the first is line 1004", self.check_page()[0])
        self.assertIn("1,002 rows from 2023-11-14 22:13 to 2023-11-15 14:52", self.check_page()[0])

    def test_numbers_that_are_hard_to_read(self):
        """The work for a number is bounded, however small it is or long."""
        with decimal.localcontext() as context:
            context.prec = 1200
            middles = [decimal.Decimal(2 * (2**51 + i * 7**15) + 1) * decimal.Decimal(2)**-1075
                       for i in range(50)]
        for numbers in (["4.9e-324"], [f"{middle:e}" for middle in middles],
                        ["7" * 980 + "e-1300"]):
            rows = "".join(f"{1700000000 + 300 * i},{numbers[i % len(numbers)]}\n"
                           for i in range(5000))
            code, out, said = self.run_csv(rows.encode())
            self.assertEqual(code, 0, said)
            self.assertRegex(out, r"series\.csv +5,000 ")

    def test_quiet_is_quiet(self):
        path = os.path.join(self.folder.name, "series.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{1700000000 + 60 * i},{i % 5}\n" for i in range(100))
        code, out, said = self.run_tenon("csv.toml", path, self.page, options=["--quiet"])
        self.assertEqual((code, said), (0, out))

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
