#!/usr/bin/env python3
"""check.py: checks one model with spin, as it is or with a bug that must be found.

    proofs/check.py MODEL.pml FOLDER [BUG]

FOLDER takes what spin and the compiler make. Exit status 0: without BUG no run has a fault, every
run ends, and every step of the model is in some run; with it a fault was found. 77: spin is not
installed, so nothing is known. Anything else, an unfinished search among it, is a failure."""
import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
MEMORY_MB = 2048
TIME_MAX_S = 250
STEPS_MAX = 1000000  # of one run: the depth of the search
TRAIL_LINES = 150
COMPILE = ['gcc', '-O1', '-w', f'-DMEMLIM={MEMORY_MB}', '-DCOLLAPSE']
# What a bug may lead to.
FAULTS = ('assertion violated (', 'invalid end state')


class Failure(Exception):
    """The model, spin or the compiler is not as it should be."""


def run(command, folder):
    """What a command prints; a failure when it cannot do its work, or in time."""
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=TIME_MAX_S)
    except subprocess.TimeoutExpired as late:
        raise Failure(f'{" ".join(command)} takes more than {TIME_MAX_S} s') from late
    if done.returncode != 0:
        raise Failure(f'{" ".join(command)} ended with {done.returncode}:\n{done.stdout}')
    return done.stdout


def search(folder, compiled_for, options):
    """What the verifier says of all runs."""
    run(COMPILE + compiled_for + ['-o', 'pan', 'pan.c'], folder)
    said = run(['./pan', f'-m{STEPS_MAX}'] + options, folder)
    unfinished = 'Search not completed' in said and 'errors: 0' in said
    if unfinished or 'max search depth too small' in said or 'MEMLIM bound' in said:
        raise Failure('the search is not complete:\n' + said)
    return said


def errors(said):
    """How many errors the verifier counts, and its first line on one."""
    counted = re.search(r'errors: (\d+)', said)
    if counted is None:
        raise Failure('the verifier gives no verdict:\n' + said)
    first = re.search(r'^pan:\d+: (.*)$', said, re.M)
    return int(counted[1]), first[1] if first else ''


def trail(folder, defines, model):
    """The run that the verifier found, its last steps."""
    found = os.path.basename(model) + '.trail'
    done = subprocess.run(['spin', '-k', found, '-p'] + defines + [model], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    # The inner steps of a buffer tell nothing.
    steps = [line for line in done.stdout.splitlines() if 'tso_i' not in line]
    return '\n'.join(steps[-TRAIL_LINES:])


def states(said):
    """The size of the search, for people."""
    stored = re.search(r'(\S+) states, stored', said)
    return stored[1] if stored else 'an unknown number of'


def unreached(said):
    """Steps that no run came to, so of which nothing was shown."""
    return [line.strip() for line in re.findall(r'^\t\S.*, state \d+, .*$', said, re.M)
            if '"-end-"' not in line]


def check(model, folder, bug):
    """One line on what was found; a Failure when that is not what should be."""
    defines = []
    if bug:
        with open(model, encoding='utf-8') as file:
            if not re.search(rf'^#.*\b{re.escape(bug)}\b', file.read(), re.M):
                raise Failure(f'{model} has no #ifdef {bug}')
        defines = ['-D' + bug]
    os.makedirs(folder, exist_ok=True)
    # spin leaves its trail beside where it runs, under the name of the model.
    for name in os.listdir(folder):
        if name.endswith('.trail'):
            os.remove(os.path.join(folder, name))
    made = run(['spin', '-a'] + defines + [model], folder)
    if 'Error' in made:
        raise Failure(made)
    said = search(folder, ['-DSAFETY'], [])
    count, first = errors(said)
    if bug:
        if count == 0:
            raise Failure(f'{bug} was not found in {states(said)} states')
        if not first.startswith(FAULTS):
            raise Failure(f'{bug} led to something else: {first}')
        return f'{bug} was found: {first}'
    if count != 0:
        raise Failure(f'{first}\n{trail(folder, defines, model)}')
    if unreached(said):
        raise Failure('no run comes to\n' + '\n'.join(unreached(said)))
    # No progress label anywhere: a cycle of any kind is a run without an end.
    endless = search(folder, ['-DNP'], ['-l'])
    if errors(endless)[0] != 0:
        raise Failure(f'a run without an end\n{trail(folder, defines, model)}')
    return f'no fault in {states(said)} states'


def main(arguments):
    """Status of the whole."""
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    model, folder = (os.path.abspath(path) for path in arguments[:2])
    for tool in ('spin', 'gcc'):
        if shutil.which(tool) is None:
            print(f'skipped: {tool} is not installed, so {os.path.basename(model)} is not checked')
            return SKIPPED
    try:
        print(f'{os.path.basename(model)}:',
              check(model, folder, arguments[2] if len(arguments) > 2 else None))
    except Failure as failure:
        print(f'{os.path.basename(model)}: {failure}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
