#!/usr/bin/env python3
"""native_test.py: each bad native component that the loader's test knows is refused by `tenon run`
with its name and the reason, and can be looked into; so is each that was cut off or changed."""
import glob
import os
import random

import kit

SAMPLES = sorted(glob.glob(os.path.join(kit.BUILD, "runtime/elf/*.tn.so")))
TRUSTED = '[trust]\ncomponents = ["c"]\n[place]\nc = "kernel"\n'
HOSTS = {"x86_64": "good_aarch64", "aarch64": "good_x86_64"}
CHANGES = 60


class Native(kit.Case):
    def run_code(self, code):
        return kit.tenon("run", self.system(code, rest=kit.JOB + TRUSTED, file="c.tn.so"), "-q")

    def refused(self, code):
        done = self.run_code(code)
        self.ended(done, 1, "c: c/c.tn.so: ")
        reason = done.err.split("c.tn.so: ", 1)[1]
        self.assertGreater(len(reason.strip()), 10, done.err)
        return reason

    def test_samples(self):
        self.assertGreater(len(SAMPLES), 40)
        for path in SAMPLES:
            name = os.path.basename(path).split(".")[0]
            with open(path, "rb") as file:
                code = file.read()
            with self.subTest(name=name):
                if name.startswith("good") and name != HOSTS.get(os.uname().machine):
                    self.ended(self.run_code(code), 0)
                else:
                    self.refused(code)
            self.assertIn(kit.tenon("inspect", path).code, (0, 2))

    def good(self):
        with open(os.path.join(kit.BUILD, "runtime/elf/good_plain.tn.so"), "rb") as file:
            return file.read()

    def test_cut_off(self):
        code = self.good()
        for length in [0, 1, 4, 16, 63, 64, 65, 500, 4096, len(code) // 2]:
            self.refused(code[:length])

    def test_changed(self):
        """Looked into, not run: what still loads is trusted by whoever says so."""
        code, chance = self.good(), random.Random(3)
        for _ in range(CHANGES):
            at = chance.randrange(len(code))
            path = self.write("c.tn.so", code[:at] + bytes([chance.randrange(256)]) + code[at + 1:])
            self.assertIn(kit.tenon("inspect", path).code, (0, 2))

    def test_not_trusted(self):
        system = self.system(self.good(), rest=kit.JOB + '[place]\nc = "kernel"\n', file="c.tn.so")
        self.ended(kit.tenon("run", system, "-q"), 2, "may not be in the kernel")

    def test_no_file(self):
        os.makedirs(self.path("c"))
        for make, words in ((os.mkdir, "there is no"), (os.mkfifo, "there is no")):
            make(self.path("c/c.tn.so"))
            self.write("c/component.toml", kit.COMPONENT)
            system = self.write("system.toml", kit.SYSTEM + kit.JOB + TRUSTED)
            self.ended(kit.tenon("run", system), 2, "c.tn.so", words)
            os.rmdir(self.path("c/c.tn.so")) if make is os.mkdir else os.unlink(
                self.path("c/c.tn.so"))
        with open(self.path("c/c.tn.so"), "wb") as file:
            file.truncate(1 << 32)
        self.ended(kit.tenon("run", system), 2, "c.tn.so", "at most")


if __name__ == "__main__":
    kit.main()
