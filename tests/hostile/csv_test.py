#!/usr/bin/env python3
"""csv_test.py: whatever is handed to the demo as a CSV file, or as the place for its report, it
ends with a report that is whole, or with the reason and nothing written."""
import os
import random
import subprocess
import unittest

import kit

CSV = os.path.join(kit.DEMO, "csv.toml")
HEAD = "time,value\n"
LARGE = 40 << 20
FLAT_KB = 16 << 10  # by which a large file may take more memory than a small one


def rows(n, value=lambda i: i % 97, time=lambda i: 1400000000 + i * 300, mark=","):
    return "".join(f"{time(i)}{mark}{value(i)}\n" for i in range(n))


class Csv(kit.Case):
    def run_csv(self, content=None, name="in.csv", out="report.html", **options):
        if content is not None:
            self.write(name, content)
        words = ["run", CSV, "-q", "--", self.path(name)]
        return kit.tenon(*words, *([self.path(out)] if out else []), **options)

    def refused(self, content, *words):
        if os.path.exists(self.path("report.html")):
            os.unlink(self.path("report.html"))
        done = self.run_csv(content)
        self.ended(done, 1, "in.csv", *words)
        self.assertEqual(self.files(), ["in.csv"])

    def accepted(self, content):
        done = self.run_csv(content)
        self.ended(done, 0)
        self.assertEqual(self.files(), ["in.csv", "report.html"])
        return self.whole_page(self.path("report.html"))

    def test_files_without_rows(self):
        self.refused("", "the file is empty")
        self.refused(HEAD, "a header and no rows")
        self.refused("\n\r\n  \n", "the file has no rows")
        self.refused("\ufeff" + HEAD, "a header and no rows")
        self.refused(b"\0" * 100000, "line 1", "longer than")
        self.refused(b"x" * 5000000, "line 1", "longer than")
        self.refused(random.Random(1).randbytes(200000), "line ", "are no rows")
        self.refused("\n" * 100000 + "1" * 999, "line 100001", "one field")

    def test_separators(self):
        for mark in ("|", ":", " ", "\u2063"):
            self.refused(rows(100, mark=mark), "line 1", "one field", "divided by , ; or tab")
        for mark in (",", ";", "\t", " , "):
            self.accepted(rows(100, mark=mark))

    def test_values_that_are_no_numbers(self):
        for value in ("NaN", "nan", "inf", "-inf", "Infinity", "1e400", "-1e400", "0x10", "1,5",
                      "", "--1", "1e", "9" * 400):
            text = HEAD + rows(100, value=lambda i, v=value: f'"{v}"')
            self.refused(text, "line 2", "lines are no rows")

    def test_values_at_the_edges_of_numbers(self):
        for value in ("1.7976931348623157e308", "-1.7976931348623157e308", "1e-308", "-0.0"):
            self.accepted(rows(300, value=lambda i, v=value: v if i % 3 else 0))
        self.accepted(rows(300, value=lambda i: (-1) ** i * 1.7e308))

    def test_times_that_go_back_stand_still_or_are_none(self):
        chance = random.Random(2)
        self.accepted(rows(500, time=lambda i: 1400000000 + chance.randrange(10**8)))
        self.accepted(rows(500, time=lambda i: 1400000000))
        self.accepted(rows(500, time=lambda i: 1400000000 - i))
        self.refused(rows(500, time=lambda i: "2014-02-30 00:00:00"), "is not a time")
        self.refused(rows(500, time=lambda i: 10**30), "is not a time")
        self.refused(rows(500, time=lambda i: "1400000000" + "0" * 100), "is not a time")

    def test_good_and_bad_lines(self):
        def mixed(every):
            return "".join("oops\n" if i % every == 0 else row
                           for i, row in enumerate(rows(2000).splitlines(True)))
        page = self.accepted(HEAD + mixed(20))
        self.assertIn("100", page)  # lines that were passed over
        self.refused(HEAD + mixed(5), "line 2", "'oops' is one field")
        self.accepted(rows(1) + "oops")  # few are always passed over

    def test_lines_around_the_longest(self):
        for length in (1023, 1024):
            row = "1400000000,5," + "x" * (length - 13)
            self.accepted((row + "\n") * 100)
            self.accepted((row + "\r\n") * 100 if length < 1024 else row)
        self.refused(("1400000000,5," + "x" * 1012 + "\n") * 100, "longer than 1024")

    def test_names_with_markup(self):
        name = "<script>&\"'.csv"
        done = self.run_csv(rows(50), name=name)
        self.ended(done, 0)
        self.assertNotIn("<script>&", self.whole_page(self.path("report.html")))
        terminal, other_end = os.openpty()
        name = self.write("a\x1b[31m.csv", "")
        code = subprocess.run([kit.TENON, "run", CSV, "-q", "--", name, self.path("other.html")],
                              stdin=subprocess.DEVNULL, stdout=other_end, stderr=other_end,
                              check=False, timeout=kit.PATIENCE).returncode
        shown = os.read(terminal, 65536)
        os.close(terminal)
        os.close(other_end)
        self.assertEqual(code, 1, shown)
        self.assertIn(b"the file is empty", shown)
        self.assertNotIn(b"\x1b[31m", shown)

    @unittest.skipIf(kit.SANITIZED, "a sanitizer's own memory and time are not the kernel's")
    def test_a_large_file_takes_no_more_memory(self):
        small = self.run_csv(rows(1000))
        line = "1400000000,%d," + "x" * 180 + "\n"
        with open(self.path("large.csv"), "w", encoding="ascii") as file:
            piece = "".join(line % (i % 97) for i in range(10000))
            for _ in range(LARGE // len(piece) + 1):
                file.write(piece)
        large = self.run_csv(name="large.csv")
        self.ended(large, 0)
        self.assertLess(large.rss_kb, small.rss_kb + FLAT_KB)

    def test_what_is_no_file(self):
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("folder"))
        os.symlink("nowhere", self.path("dangling"))
        os.symlink("circle", self.path("circle"))
        for name, words in (("fifo", "a FIFO"), ("folder", "a folder"), ("missing", "no such"),
                            ("dangling", "no such file"), ("circle", "links in circles"),
                            ("missing/x", "no such file"), ("x" * 300, "too long"),
                            ("../" * 2000, "too long")):
            done = self.run_csv(name=name)
            self.ended(done, 2, "reader.file", words)
        for name in ("/dev/null", "/dev/zero", "/dev/full"):
            done = kit.tenon("run", CSV, "-q", "--", name, self.path("report.html"))
            self.ended(done, 2, name, "a device")
        done = kit.tenon("run", CSV, "-q", "--", "", self.path("report.html"))
        self.ended(done, 2, "argument 1 is empty")
        done = kit.tenon("run", CSV, "-q")
        self.ended(done, 2, "argument 1 is missing", "reader.file")
        done = kit.tenon("run", CSV, "-q", "--", b"a\xff.csv")
        self.ended(done, 2, "argument 1 behind -- is not UTF-8")
        self.assertNotIn("report.html", self.files())

    def test_links_are_followed_to_read(self):
        self.write("data.csv", rows(50))
        os.symlink("data.csv", self.path("link"))
        self.ended(self.run_csv(name="link"), 0)
        self.whole_page(self.path("report.html"))

    def test_places_for_the_report_that_are_none(self):
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("folder"))
        self.write("target.html", "as it was")
        os.symlink("target.html", self.path("link"))
        for out, words in (("fifo", "a FIFO"), ("folder", "a folder"), ("link", "a link"),
                           ("no/report.html", "no such folder"), ("x" * 300, "too long"),
                           ("in.csv/report.html", "no such file"), ("/dev/full", "a device")):
            done = self.run_csv(rows(50), out=out)
            self.ended(done, 2, "report.out", words)
        with open(self.path("target.html"), encoding="ascii") as file:
            self.assertEqual(file.read(), "as it was")
        self.assertEqual(len(self.files()), 5)

    def test_the_report_is_not_written_over_the_data(self):
        content = rows(50)
        self.write("in.csv", content)
        os.link(self.path("in.csv"), self.path("same.csv"))
        for out in ("in.csv", "same.csv", "./in.csv"):
            self.ended(self.run_csv(out=out), 2, "would be written over")
        with open(self.path("in.csv"), encoding="ascii") as file:
            self.assertEqual(file.read(), content)

    @unittest.skipIf(os.getuid() == 0, "root may read and write all")
    def test_permissions(self):
        self.write("in.csv", rows(50))
        os.chmod(self.path("in.csv"), 0)
        self.ended(self.run_csv(), 2, "in.csv", "permission denied")
        os.chmod(self.path("in.csv"), 0o600)
        os.mkdir(self.path("closed"), 0o500)
        self.ended(self.run_csv(out="closed/report.html"), 2, "permission denied")

    def test_a_file_system_that_takes_no_files(self):
        done = kit.tenon("run", CSV, "-q", "--", self.write("in.csv", rows(50)), "/proc/r.html")
        self.assertIn(done.code, (1, 2))
        self.assertIn("written" if done.code == 1 else "report.out", done.err + done.out)

    def test_a_full_disk(self):
        os.mkdir(self.path("full"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs",
                                  self.path("full")], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", self.path("full")], check=False)
        done = self.run_csv(rows(3000), out="full/report.html")
        self.ended(done, 1, "cannot be written: the disk is full")
        self.assertEqual(self.files("full"), [])
        self.write("full/report.html", "as it was")
        self.ended(self.run_csv(rows(3000), out="full/report.html"), 1, "the disk is full")
        self.assertEqual(self.files("full"), ["report.html"])
        with open(self.path("full/report.html"), encoding="ascii") as file:
            self.assertEqual(file.read(), "as it was")

    def test_standard_output_that_is_full_or_gone(self):
        self.write("in.csv", rows(50))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([kit.TENON, "run", CSV, "-q", "--", self.path("in.csv"),
                                   self.path("report.html")], stdout=full, check=False,
                                  stderr=subprocess.PIPE, timeout=kit.PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output cannot be written", done.stderr)


if __name__ == "__main__":
    kit.main()
