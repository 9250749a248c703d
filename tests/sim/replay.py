#!/usr/bin/env python3
"""replay.py: a seed that is tried alone runs as it did among others, in every suite with seeds.

    tests/sim/replay.py BUILD_DIR

Otherwise the command that a failure prints would not repeat it. Compared is the text of every
decision (SIM_TRACE)."""
import json
import os
import re
import subprocess
import sys
import tempfile

SEED = 5


def suites(build):
    """(name, command, folder) of each test of the suite sim."""
    with open(os.path.join(build, 'meson-info/intro-tests.json'), encoding='utf-8') as file:
        return [(test['name'], test['cmd'], test['workdir']) for test in json.load(file)
                if any(suite.endswith('sim') for suite in test['suite'])]


def runs_of(trace, seed):
    """Each run of that seed, as text."""
    return re.findall(rf'^\d+ \d+ begin \d+ {seed}\n(?s:.*?) end 0 0\n', trace, re.M)


def trace_of(command, folder, **variables):
    env = {key: value for key, value in os.environ.items()
           if key not in ('SEED', 'SEEDS', 'SEED_FROM')}
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, 'trace')
        done = subprocess.run(command, cwd=folder, env={**env, **variables, 'SIM_TRACE': path},
                              capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f'replay: {command[0]} fails: {done.stdout[-500:]}{done.stderr[-500:]}')
        with open(path, encoding='utf-8') as file:
            return file.read()


def main():
    faults = 0
    for name, command, folder in suites(os.path.abspath(sys.argv[1])):
        alone = runs_of(trace_of(command, folder, SEED=str(SEED)), SEED)
        among = runs_of(trace_of(command, folder, SEEDS='1'), SEED)
        same = all(run in among for run in alone)
        faults += not same
        print(f'{"ok  " if same else "FAIL"} {name}: {len(alone)} runs', flush=True)
    sys.exit(faults > 0)


if __name__ == '__main__':
    main()
