"""dev_test.py: ./dev counts what it runs, and says what to do where it cannot go on."""
import io
import json
import os
import re
import subprocess
import sys
import unittest

from scratch import ROOT, Tree, tool

tally = tool('tally')
DEV = os.path.join(ROOT, 'dev')


def packages():
    """Those that building, testing and linting need: all but the peers of the benchmarks."""
    with open(os.path.join(ROOT, 'packages.txt'), encoding='utf-8') as file:
        needed = file.read().split('# bench: ')[0]
    return [line.strip() for line in needed.splitlines() if line and not line.startswith('#')]


class Tally(unittest.TestCase):
    def test_every_result_is_counted_once(self):
        results = ['OK', 'OK', 'EXPECTEDFAIL', 'FAIL', 'TIMEOUT', 'ERROR', 'UNEXPECTEDPASS',
                   'INTERRUPT', 'SKIP']
        log = ''.join(json.dumps({'name': f't{i}', 'result': r}) + '\n'
                      for i, r in enumerate(results))
        talk = io.StringIO()
        with Tree({'debug/meson-logs/testlog.json': log}) as root:
            path = os.path.join(root, 'debug/meson-logs/testlog.json')
            self.assertEqual(tally.tally([path, path], talk), (6, 10, 2))
        self.assertEqual(talk.getvalue().count('\n'), 10)
        self.assertIn('debug: t3: FAIL', talk.getvalue())


class Dev(unittest.TestCase):
    def dev(self, *arguments, stubs=None, dev=DEV):
        """(exit status, standard output, standard error) of ./dev, with stubs first in the path."""
        with Tree({f'bin/{name}': text for name, text in (stubs or {}).items()}) as folder:
            for name in stubs or {}:
                os.chmod(os.path.join(folder, 'bin', name), 0o755)
            env = {**os.environ, 'PATH': f'{folder}/bin:{os.environ["PATH"]}', 'LOG': folder}
            done = subprocess.run([dev, *arguments], cwd='/', env=env, capture_output=True,
                                  text=True, check=False)
            return done.returncode, done.stdout, done.stderr

    def test_help_lists_every_verb(self):
        with open(DEV, encoding='utf-8') as file:
            verbs = re.findall(r'^verb_(\w+)\(\)', file.read(), re.M)
        status, out, _ = self.dev('help')
        self.assertEqual(status, 0)
        self.assertEqual(sorted(verbs), sorted(re.findall(r'^\./dev (\w+)', out, re.M)))
        self.assertEqual(self.dev(), (0, out, ''))

    def test_wrong_use_ends_with_2(self):
        for arguments in (['nonsense'], ['fuzz', '--often'], ['fuzz', '--seconds'],
                          ['sim', '--seeds'], ['sim', '--sea'], ['sim', '--seeds', 'many'],
                          ['sim', '--seeds', '0'], ['sim', '--minutes'], ['sim', '--seed', '-1'],
                          ['coverage', 'kernel'], ['boot'], ['boot', 'pdp11'],
                          ['boot', 'x86_64', '--image'], ['gdb', '--core'],
                          ['gdb', '--core', '/no/such/file'], ['gdb', '-x']):
            status, out, err = self.dev(*arguments)
            self.assertEqual((status, out), (2, ''), arguments)
            self.assertIn('./dev help', err)

    def test_bench_ends_with_the_floors_that_were_missed(self):
        stubs = {'dpkg-query': '#!/bin/sh\necho installed\n', 'ninja': '#!/bin/sh\nexit 0\n'}
        with open(DEV, encoding='utf-8') as file:
            files = {'dev': file.read(), 'packages.txt': '', 'build/release/build.ninja': ''}
        for line, expected in (('', 0), ('core: 1 of 2 missed: message', 1)):
            stubs['meson'] = f'#!/bin/sh\n[ -z "{line}" ] || echo "{line}" >>"$BENCH_MISSED"\n'
            with Tree(files) as root:
                dev = os.path.join(root, 'dev')
                os.chmod(dev, 0o755)
                status, _, err = self.dev('bench', stubs=stubs, dev=dev)
            self.assertEqual(status, expected, err)
            self.assertEqual('floors were missed' in err, expected == 1)
            self.assertTrue(err.endswith(f'  {line}\n' if line else ''), err)

    def test_missing_packages_without_root_are_named_on_one_line(self):
        stubs = {'dpkg-query': '#!/bin/sh\nexit 1\n', 'id': '#!/bin/sh\necho 1000\n',
                 'sudo': '#!/bin/sh\nexit 1\n', 'meson': '#!/bin/sh\ntouch "$LOG/ran"\nexit 1\n'}
        status, out, err = self.dev('lint', stubs=stubs)
        self.assertEqual((status, out), (2, ''))
        line = [line for line in err.splitlines() if 'apt-get install' in line]
        self.assertEqual(len(line), 1, err)
        self.assertEqual(set(packages()) - set(line[0].split()), set())

    def test_packages_are_installed_by_root_and_by_sudo(self):
        said = '#!/bin/sh\necho "apt $*" >&2\necho "$*" >>/dev/stderr\nexit 100\n'
        for user, sudo in ((0, None), (1000, '#!/bin/sh\n[ "$1" = -n ] && exit 0\nexec "$@"\n')):
            stubs = {'dpkg-query': '#!/bin/sh\n[ "$4" = gcc ] || { echo installed; exit 0; }\n',
                     'id': f'#!/bin/sh\necho {user}\n', 'apt-get': said}
            if sudo:
                stubs['sudo'] = sudo
            status, _, err = self.dev('build', stubs=stubs)
            self.assertEqual(status, 2)
            self.assertIn('apt update', err)
            self.assertIn('apt-get install -y --no-install-recommends gcc\n', err)

    def test_a_verb_needs_the_groups_up_to_its_own(self):
        stubs = {'dpkg-query': '#!/bin/sh\nexit 1\n', 'id': '#!/bin/sh\necho 1000\n',
                 'sudo': '#!/bin/sh\nexit 1\n'}
        sets = {}
        for verb in ('build', 'test', 'lint'):
            err = self.dev(verb, stubs=stubs)[2]
            sets[verb] = set(re.search(r'recommends (.*)', err)[1].split())
        self.assertLess(sets['build'], sets['test'])
        self.assertLess(sets['test'], sets['lint'])
        self.assertEqual(sets['lint'], set(packages()))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
