#!/usr/bin/env python3
"""ends_test.py: a run that is killed or interrupted, whenever that is, leaves no report or a whole
one, and what was there before stays as it was until then."""
import os
import random
import re
import signal
import time

import kit

DEMO = os.path.join(kit.DEMO, "system.toml")
CSV = os.path.join(kit.DEMO, "csv.toml")
KILLS = 16
PROMPT = 20 if kit.SANITIZED else 6  # seconds: what is stopped may take 2 for each of its parts
LOOP = """(module (memory 1) (table 2 funcref) (elem (i32.const 1) 0)
  (global (export "tn_component") i32 (i32.const 16))
  (global (export "__heap_base") i32 (i32.const 1024))
  (data (i32.const 16) "%s")
  (func (param %s) (result i32) (loop (br 0)) (i32.const 0)))"""
FUEL = "fuel_per_call = 9_000_000_000_000_000_000"
ROWS = "".join(f"{1400000000 + i * 60},{i % 97}\n" for i in range(1200000))
MIDDLE = re.compile(r": \d+ rows")  # said about once a second
DRAFT = re.compile(r"\.tenon-[0-9a-f]{16}$")


class Ends(kit.Case):
    def left(self, before):
        """Nothing but the report, whole, or as it was; the number of drafts that have stayed."""
        drafts = [name for name in self.files("out") if DRAFT.match(name)]
        rest = [name for name in self.files("out") if name not in drafts]
        self.assertIn(rest, ([], ["report.html"]))
        if rest:
            with open(self.path("out/report.html"), encoding="utf-8") as file:
                text = file.read()
            if text != before:
                self.whole_page(self.path("out/report.html"))
        else:
            self.assertIsNone(before)
        return len(drafts)

    def test_killed_at_any_moment(self):
        began = time.monotonic()
        os.mkdir(self.path("out"))
        self.ended(kit.tenon("run", DEMO, "-q", "--", self.path("out/report.html")), 0)
        took = time.monotonic() - began
        chance = random.Random(7)
        drafts = 0
        for i in range(KILLS):
            before = "as it was" if i % 2 else None
            for name in self.files("out"):
                os.unlink(self.path("out", name))
            if before:
                self.write("out/report.html", before)
            process = kit.start("run", DEMO, "-q", "--", self.path("out/report.html"))
            until = time.monotonic() + chance.random() * took * 1.1
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.001)  # until the moment that is wanted
            process.kill()
            process.wait()
            for file in process.files:
                file.close()
            drafts += self.left(before)
        # A draft has a name only for the moment before it takes its place (CAVEATS.md).
        self.assertLessEqual(drafts, 2)

    def interrupted(self, number, times=1):
        self.write("in.csv", ROWS)
        os.makedirs(self.path("out"), exist_ok=True)
        process = kit.start("run", CSV, "--", self.path("in.csv"), self.path("out/report.html"))
        began = time.monotonic()
        while not MIDDLE.search(kit.said(process)):
            self.assertLess(time.monotonic(), began + kit.PATIENCE)
            self.assertIsNone(process.poll(), kit.said(process))
            time.sleep(0.001)  # until it is in the middle
        for _ in range(times):
            process.send_signal(number)
        began = time.monotonic()
        done = kit.finish(process)
        self.assertLess(time.monotonic() - began, PROMPT)
        self.assertEqual(self.files("out"), [])
        return done

    def test_interrupted_in_the_middle(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                self.ended(self.interrupted(number), 1, "stopped before its job was done")

    def test_interrupted_impatiently(self):
        done = self.interrupted(signal.SIGINT, 50)
        self.assertIn(done.code, (1, -signal.SIGINT))

    def test_interrupted_at_any_moment(self):
        chance = random.Random(9)
        os.mkdir(self.path("out"))
        for _ in range(KILLS // 2):
            process = kit.start("run", DEMO, "-q", "--", self.path("out/report.html"))
            until = time.monotonic() + chance.random() * 0.5
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.001)  # until the moment that is wanted
            process.send_signal(signal.SIGTERM)
            done = kit.finish(process)
            self.assertIn(done.code, (0, 1, -signal.SIGTERM), done.err)
            self.assertEqual(self.left(None) if done.code else 0, 0)
            for name in self.files("out"):
                self.whole_page(self.path("out", name))
                os.unlink(self.path("out", name))

    def loops(self, where, parameters, rest=kit.JOB, patience=PROMPT):
        code = kit.wat(LOOP % (kit.component(**{where: 1}), parameters))
        process = kit.start("run", self.system(code, FUEL, rest))
        began = time.monotonic()
        while rest == kit.JOB and where == "call" and "ready" not in kit.said(process):
            self.assertLess(time.monotonic(), began + kit.PATIENCE)
            time.sleep(0.001)  # until the job runs
        process.send_signal(signal.SIGINT)
        done = kit.finish(process)
        self.assertLess(time.monotonic() - began, patience)
        return done

    def test_code_that_never_returns(self):
        self.ended(self.loops("call", "i32 i32 i32 i32"), 1, "stopped before its job was done")
        self.assertIn(self.loops("load", "i32 i32 i32").code, (1, -signal.SIGINT))

    def test_code_that_never_returns_has_a_deadline(self):
        for where, parameters in (("load", "i32 i32 i32"), ("start_", "i32 i32")):
            code = kit.wat(LOOP % (kit.component(**{where: 1}), parameters))
            done = kit.tenon("run", self.system(code, FUEL))
            self.ended(done, 1, "c: its " + where.strip("_") + " failed: TN_ETIME")
        code = kit.wat(LOOP % (kit.component(call=1), "i32 i32 i32 i32"))
        done = kit.tenon("run", self.system(code, FUEL, kit.JOB + 'deadline = "100 ms"\n'))
        self.ended(done, 1, "c: the job failed: TN_ETIME")

    def test_a_system_that_serves_is_stopped(self):
        code = kit.wat(LOOP % (kit.component(), "i32 i32"))
        process = kit.start("run", self.system(code, rest=""))
        began = time.monotonic()
        while "it serves until" not in kit.said(process):
            self.assertLess(time.monotonic(), began + kit.PATIENCE)
            time.sleep(0.001)  # until it serves
        process.send_signal(signal.SIGTERM)
        self.ended(kit.finish(process), 0, "has stopped")


if __name__ == "__main__":
    kit.main()
