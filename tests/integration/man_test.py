"""man_test.py: the manual page: its examples run, its options are those of help, it is clean."""
import os
import re
import shutil
import subprocess
import unittest

import cli

PAGE = os.path.join(cli.SOURCE, 'docs/man/tenon.1')


def page():
    with open(PAGE, encoding='utf-8') as file:
        return file.read()


def commands():
    """Each command of EXAMPLES, with its here-document."""
    found = []
    for block in re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed$', page(), re.M | re.S):
        for part in re.split(r'^\$ ', block, flags=re.M)[1:]:
            found.append(part)
    return found


class Man(cli.Case):
    @unittest.skipUnless(cli.HAS_WASM, 'clang or wasm-ld is missing')
    def test_examples_run(self):
        os.unlink(self.path('empty.toml'))
        os.unlink(self.path('hello.toml'))
        environment = self.environment()
        environment['PATH'] = os.path.dirname(cli.TENON) + ':' + environment['PATH']
        self.assertGreater(len(commands()), 8)
        for command in commands():
            with self.subTest(command=command):
                done = subprocess.run(['sh', '-ec', command], cwd=self.folder, env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      check=False, timeout=cli.TIMEOUT)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_options_and_verbs_are_those_of_help(self):
        text = page()
        named = set(re.findall(r'^\.It .*?Fl -([a-z]+)', text, re.M))
        known = set()
        for verb in self.expect_json(0, 'help')['verbs']:
            known.update(option['name'] for option in verb['options'])
            self.assertRegex(text, rf'(?m)^\.It Cm {verb["name"]}$')
            self.assertRegex(text, rf'(?m)^\.Cm {verb["name"]}$')
        self.assertEqual(named, known)

    @unittest.skipUnless(shutil.which('mandoc'), 'mandoc is missing')
    def test_lint(self):
        done = subprocess.run(['mandoc', '-T', 'lint', PAGE], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.stdout, '')


if __name__ == '__main__':
    cli.main()
