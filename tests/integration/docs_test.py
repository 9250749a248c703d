"""docs_test.py: what the docs tell a newcomer to type works, in both domains."""
import os
import re
import subprocess
import unittest

import cli

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(cli.TENON)))  # the build folder
GUIDE = 'docs/writing-components.md'


def blocks(page, kind):
    """The fenced blocks of a page that are of this kind, as they stand."""
    with open(os.path.join(cli.SOURCE, page), encoding='utf-8') as file:
        return re.findall(rf'^```{kind}\n(.*?)^```$', file.read(), re.M | re.S)


class Docs(cli.Case):
    def clone(self):
        """A home with a clone of Tenon that was built, as far as links can make it one."""
        os.makedirs(self.path('tenon/build'))
        for name in os.listdir(cli.SOURCE):
            if name not in ('build', 'out', '.git'):
                os.symlink(os.path.join(cli.SOURCE, name), self.path('tenon/' + name))
        os.symlink(ROOT, self.path('tenon/build/release'))
        return {**self.environment(), 'HOME': self.folder}

    @unittest.skipUnless(cli.HAS_WASM, 'clang or wasm-ld is missing')
    def test_the_guide_to_components(self):
        script = ''.join(blocks(GUIDE, 'sh'))
        done = subprocess.run(['sh', '-euc', script], cwd=self.folder, env=self.clone(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=cli.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        counts = re.findall(r'^(\d+) lines, the longest has (\d+) bytes$', done.stdout, re.M)
        with open(self.path('count/lines/lines.c'), encoding='utf-8') as file:
            lines = file.read().splitlines()
        with open(self.path('count/lines/component.toml'), encoding='utf-8') as file:
            manifest = file.read().splitlines()
        # In wasm, in the kernel, and in the kernel on a file that the command line names.
        expected = [(str(len(text)), str(max(map(len, text)))) for text in (lines, lines, manifest)]
        self.assertEqual(counts, expected)
        self.assertIn('"exit_code": 0', done.stdout)
        # Through a channel: both in wasm, one of them in the kernel, both there.
        sums = re.findall(r'^(\d+) numbers, their sum is (\d+)$', done.stdout, re.M)
        self.assertEqual(sums, [('1000', str(sum(range(1000))))] * 3)

    def test_the_example_of_the_readme_is_that_of_the_guide(self):
        guide = ''.join(blocks(GUIDE, 'sh'))
        shown = blocks('README.md', 'toml')
        self.assertEqual(len(shown), 2)
        for text in shown:
            self.assertIn(text.split('\n', 1)[1], guide)


if __name__ == '__main__':
    cli.main()
