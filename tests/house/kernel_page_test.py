"""kernel_page_test.py: the examples of docs/kernel.md are pieces of tests, and its names exist."""
import os
import re
import sys
import textwrap
import unittest

from scratch import ROOT

EXAMPLES = 'kernel/ipc/examples_test.c'


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def sources():
    """All C text of the tree below kernel/, include/ and machine/, in one."""
    found = []
    for top in ('kernel', 'include', 'machine'):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            found += [read(os.path.relpath(os.path.join(folder, name), ROOT))
                      for name in names if name.endswith(('.c', '.h'))]
    return '\n'.join(found)


class KernelPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = read('docs/kernel.md')

    def test_every_example_is_run(self):
        blocks = re.findall(r'^```c\n(.*?)^```$', self.page, re.M | re.S)
        self.assertGreaterEqual(len(blocks), 13)
        test = read(EXAMPLES)
        for block in blocks:
            self.assertIn(block, test, textwrap.dedent(block))

    def test_every_object_has_a_picture_or_an_example(self):
        for section in re.split(r'^## ', self.page, flags=re.M)[1:]:
            self.assertIn('```c\n', section, section.splitlines()[0])
            self.assertIn('- Code: `kernel/', section, section.splitlines()[0])

    def test_every_name_exists(self):
        text = sources()
        for name in set(re.findall(r'`((?:tn_|TN_|limbo_|actor_|cap_|cpu_|kernel_|wait_)\w+)`',
                                   self.page)):
            self.assertRegex(text, rf'\b{name}\b')

    def test_every_path_exists(self):
        for path in set(re.findall(r'`((?:kernel|runtime|include|machine)/[\w/.]+)`', self.page)):
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
