#!/usr/bin/env python3
"""broken.py: the simulator finds what is broken on purpose.

    tests/sim/broken.py BUILD_DIR [NAME...]

Each patch in tests/sim/broken/ breaks one protocol. It is put into a copy of the kernel in the
build folder, which is built anew where the patch touches it, and the simulation that the patch
names must fail with what is to find it, and fail again in the same way with the seed that it says.
The same runs must pass on the copy without a patch. A patch opens with

    Breaks: which protocol, and how
    Found by: an invariant's name (docs/simulation.md), or what is said; ` or ` between several
    Run: a test of the suite sim, and how many seeds at most

and is a unified diff from there on. Where its lines are looked for is decided by what stands in
them alone: they must be there, once."""
import concurrent.futures
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATCHES = os.path.join(ROOT, 'tests/sim/broken')
# What the simulated kernel and its native actors consist of: no engine, no packages, no drivers.
CORE = ('base/', 'kernel/', 'runtime/kernel/', 'runtime/elf/', 'runtime/needs.c')
FOLDERS = ('base', 'include', 'interfaces', 'kernel', 'machine', 'runtime', 'tests/kit',
           'tests/sim', 'toml', 'wasm')
CPU_SECONDS = 60  # of one run
OTHERS_MAX = 8  # failures of another kind, before what is to find it does
NINJA = '''\
rule cc
  command = gcc -std=gnu17 -O1 -g -w -ffreestanding -D_GNU_SOURCE -fno-math-errno $
    -ffp-contract=off -fno-common -fno-stack-protector -pthread $
    -I. -Iinclude -Ibase/race/sim -Ibase/race/checked -MD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
rule ar
  command = rm -f $out && ar cr $out $in
rule ld
  command = gcc -pthread $in -lcmocka -o $out
'''


class Wrong(Exception):
    """What a patch or a run is blamed for."""


class Patch:
    def __init__(self, name):
        self.name = name
        with open(os.path.join(PATCHES, name + '.patch'), encoding='utf-8') as file:
            head, marker, body = file.read().partition('\n--- ')
        fields = dict(re.findall(r'^(Breaks|Found by|Run): (.+)$', head, re.M))
        run = re.fullmatch(r'(\w+) (\d+)', fields.get('Run', ''))
        if len(fields) != 3 or run is None or not marker or not head.startswith('Breaks: '):
            raise Wrong(f'{name}.patch does not open with Breaks, Found by and Run')
        self.breaks, self.test, self.seeds = fields['Breaks'], run[1], int(run[2])
        self.found_by = fields['Found by'].split(' or ')
        self.diff = '--- ' + body

    def finder(self, output):
        """Which of those that are to find it did; None: none."""
        for name in self.found_by:
            text = f'invariant {name}:' if re.fullmatch(r'[a-z-]+', name) else name
            if text in output:
                return name
        return None

    def apply(self, folder):
        for part in re.split(r'^(?=--- )', self.diff, flags=re.M)[1:]:
            path = re.search(r'^\+\+\+ b/(\S+)', part, re.M)[1]
            with open(os.path.join(folder, path), encoding='utf-8') as file:
                text = file.read()
            for hunk in re.split(r'^@@.*\n', part, flags=re.M)[1:]:
                lines = [line for line in hunk.splitlines(True) if line[:1] in '+- ']
                before = ''.join(line[1:] for line in lines if line[0] != '+')
                after = ''.join(line[1:] for line in lines if line[0] != '-')
                if text.count(before) != 1:
                    raise Wrong(f'it no longer applies: {path} has {text.count(before)} times\n'
                                f'{before}make the patch anew, or delete it with its protocol')
                text = text.replace(before, after)
            os.remove(os.path.join(folder, path))
            with open(os.path.join(folder, path), 'w', encoding='utf-8') as file:
                file.write(text)


def sources_of(build, tests):
    """{target: its sources relative to the root}: archives `core` and `machine`, and the tests."""
    with open(os.path.join(build, 'meson-info/intro-targets.json'), encoding='utf-8') as file:
        targets = {target['name']: target for target in json.load(file)}

    def of(name):
        if name not in targets:
            raise Wrong(f'there is no test {name.removesuffix("_test")}')
        return [os.path.relpath(path, ROOT) for part in targets[name]['target_sources']
                for path in part.get('sources', [])]

    found = {'core': [path for path in of('tenon_core_sim') + of('tenon_core_shared')
                       if path.startswith(CORE)],
             'machine': of('machine_sim') + of('machine_hosted')}
    return found | {test: of(test + '_test') for test in tests}


def lay_out(folder, sources):
    """The copy, and how it is built."""
    shutil.rmtree(folder, ignore_errors=True)
    for top in FOLDERS:
        shutil.copytree(os.path.join(ROOT, top), os.path.join(folder, top),
                        ignore=lambda at, names: [
                            name for name in names if not name.endswith(('.c', '.h', '.S'))
                            and not os.path.isdir(os.path.join(at, name))])
    lines, known = [NINJA], set()

    def objects(paths):
        for path in paths:
            if path not in known:
                known.add(path)
                lines.append(f'build {path}.o: cc {path}\n')
        return ' '.join(path + '.o' for path in paths)

    for name, paths in sources.items():
        if name in ('core', 'machine'):
            lines.append(f'build lib{name}.a: ar {objects(paths)}\n')
        else:
            lines.append(f'build {name}_test: ld {objects(paths)} libcore.a libmachine.a\n')
    with open(os.path.join(folder, 'build.ninja'), 'w', encoding='utf-8') as file:
        file.writelines(lines)


def make(folder, jobs, *targets):
    done = subprocess.run(['ninja', '-C', folder, '-j', str(jobs), *targets], text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        said = re.sub(r'^\[\d+/\d+\].*\n', '', done.stdout, flags=re.M)
        raise Wrong(f'it does not build:\n{said[-4000:]}')


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def simulate(folder, test, **variables):
    """(whether it passed, what it said)"""
    env = {key: value for key, value in os.environ.items()
           if key not in ('SEED', 'SEEDS', 'SEED_FROM', 'SIM_TRACE')}
    with subprocess.Popen([f'./{test}_test'], cwd=folder, env={**env, **variables},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace',
                          preexec_fn=limits) as run:
        said = ''
        for line in run.stdout:
            said += line
            if './dev sim --seed ' in line:
                run.kill()  # the rest of a program that has failed is of no use
        status = run.wait()
    return status == 0, said


def try_patch(clean, folder, patch):
    """What found it, and with which seed."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(clean, folder)
    patch.apply(folder)
    make(folder, 1, patch.test + '_test')
    first, others = 0, []
    while first < patch.seeds and len(others) < OTHERS_MAX:
        passed, said = simulate(folder, patch.test, SEEDS=str(patch.seeds - first),
                                SEED_FROM=str(first))
        if passed:
            break
        seed = re.search(rf'to repeat it:\n.*\./dev sim --seed (\d+) {patch.test}\n', said)
        if seed is None:
            raise Wrong(f'it fails, or takes {CPU_SECONDS} s, and says no seed:\n{said[-2000:]}')
        finder = patch.finder(said)
        if finder is not None:
            again, repeated = simulate(folder, patch.test, SEED=seed[1])
            if again or patch.finder(repeated) != finder:
                raise Wrong(f'seed {seed[1]} does not fail in the same way again:\n' +
                            said[-2000:] + '\n--- again:\n' + repeated[-2000:])
            shutil.rmtree(folder)
            return f'seed {seed[1]}: {finder}'
        others.append(said)
        first = int(seed[1]) + 1
    text = f'not found by {" or ".join(patch.found_by)} in {patch.seeds} seeds of {patch.test}'
    if others:
        text += f'; {len(others)} of them failed otherwise, the first so:\n{others[0][-1500:]}'
    raise Wrong(text)


def check_clean(clean, patches):
    """Without a patch the same runs pass."""
    runs = {}
    for patch in patches:
        runs[patch.test] = max(runs.get(patch.test, 0), patch.seeds)
    for test, seeds in sorted(runs.items()):
        passed, said = simulate(clean, test, SEEDS=str(seeds))
        if not passed:
            raise Wrong(f'{test} fails without a patch:\n{said[-4000:]}')
    return ', '.join(f'{test} {seeds}' for test, seeds in sorted(runs.items()))


def main():
    build, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    names = sorted(name.removesuffix('.patch') for name in os.listdir(PATCHES)
                   if name.endswith('.patch'))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        print(f'broken: there is no patch {" ".join(unknown)} in tests/sim/broken', file=sys.stderr)
        return 2
    folder, jobs = os.path.join(build, 'tests/sim/broken'), os.cpu_count() or 1
    clean = os.path.join(folder, 'clean')
    passed, failed = 0, 0

    def timed(what, *arguments):
        start = time.monotonic()
        try:
            return True, what(*arguments), time.monotonic() - start
        except Wrong as wrong:
            return False, str(wrong), time.monotonic() - start

    patches = []
    try:
        for name in wanted or names:
            patches.append(Patch(name))
        tests = sorted({patch.test for patch in patches})
        lay_out(clean, sources_of(build, tests))
        make(clean, jobs, *(test + '_test' for test in tests))
    except Wrong as wrong:
        sys.exit(f'broken: {wrong}')
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(timed, check_clean, clean, patches): 'without a patch'}
        for patch in patches:
            at = os.path.join(folder, patch.name)
            runs[pool.submit(timed, try_patch, clean, at, patch)] = patch.name
        for run in concurrent.futures.as_completed(runs):
            good, text, seconds = run.result()
            verdict = 'ok  ' if good else 'FAIL'
            print(f'{verdict} {runs[run]:20} {seconds:5.1f} s  {text}', flush=True)
            passed, failed = passed + good, failed + (not good)
    print(f'{passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
