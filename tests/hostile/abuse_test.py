#!/usr/bin/env python3
"""abuse_test.py: a component that calls every function of the component interface as it must not
be called gets an error each time, or is stopped; and the others answer after each attempt."""
import os
import shutil

import kit

SYSTEM = """[system]
name = "abuse"
memory = "64 MiB"
%s
[components.judge]
package = "judge"
[components.abuser]
package = "abuser"
restart = "always"
restarts_max = 16
[components.accomplice]
package = "abuser"
restart = "always"
restarts_max = 16
[components.victim]
package = "victim"
[wires]
"judge.abuser" = "abuser.attack"
"judge.victim" = "victim.count"
"abuser.victim" = "victim.count"
"abuser.peer" = "accomplice.attack"
"accomplice.victim" = "victim.count"
"accomplice.peer" = { to = "abuser.attack", circle = true }
[job]
run = "judge.job"
"""
TN_EGONE, TN_EFUEL, TN_ETRAP = -11, -13, -14
# What the caller of an attempt hears that does not come back; all others say what they found.
ENDS = {"trap": TN_ETRAP, "trap mapped": TN_EGONE, "loop": TN_EFUEL}


class Abuse(kit.Case):
    def run_system(self, cpus):
        for name in ("abuser", "judge"):
            for end in (".wasm", ".toml"):
                target = "component.toml" if end == ".toml" else name + end
                os.makedirs(self.path(name), exist_ok=True)
                shutil.copy(os.path.join(kit.BUILD, "tests/hostile", name + end),
                            self.path(name, target))
        shutil.copytree(os.path.join(kit.BUILD, "components/victim"), self.path("victim"),
                        dirs_exist_ok=True)
        system = self.write("system.toml", SYSTEM % cpus)
        done = kit.tenon("run", system)
        self.ended(done, 0)
        attempts = 0
        for line in done.out.splitlines():
            name, _, rest = line.partition(": ")
            answers, _, text = rest.partition(": ")
            err, gained, others = (int(word) for word in answers.split(", "))
            with self.subTest(name=name, cpus=cpus):
                self.assertEqual((err, gained, others), (ENDS.get(name, 0), 0, 0), text)
            attempts += 1
        self.assertEqual(attempts, 24, done.out)

    def test_on_one_cpu(self):
        self.run_system("cpus = 1")

    def test_on_all_cpus(self):
        for _ in range(3):
            self.run_system("")


if __name__ == "__main__":
    kit.main()
