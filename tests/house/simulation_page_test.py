"""simulation_page_test.py: docs/simulation.md, the code and the patches of tests/sim/broken name
the same invariants, and each patch still applies."""
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import unittest

from scratch import ROOT

SPEC = importlib.util.spec_from_file_location('broken', os.path.join(ROOT, 'tests/sim/broken.py'))
broken = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(broken)


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def in_the_code():
    """{name: files that look at it}"""
    found = {}
    for top in ('base', 'kernel', 'machine', 'tests/kit', 'tests/sim'):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if not name.endswith(('.c', '.h')) or name == 'order_test.c':
                    continue
                for invariant in re.findall(r'(?:INVARIANT\(\s*"|"invariant )([a-z-]+)[":]',
                                            read(path)):
                    found.setdefault(invariant, set()).add(path)
    return found


class SimulationPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = read('docs/simulation.md')
        cls.rows = re.findall(r'^\| (`[a-z-]+`.*?) \| .* \| (.*) \|$', cls.page, re.M)
        cls.named = {name for names, _ in cls.rows for name in re.findall(r'`([a-z-]+)`', names)}
        cls.patches = sorted(name.removesuffix('.patch') for name in os.listdir(broken.PATCHES))

    def test_every_invariant_has_a_row_and_every_row_an_invariant(self):
        self.assertGreaterEqual(len(self.named), 12)
        self.assertEqual(self.named, set(in_the_code()))

    def test_a_row_says_where(self):
        code = in_the_code()
        for names, where in self.rows:
            for path in re.findall(r'`([\w/]+\.c)`', where):
                for name in re.findall(r'`([a-z-]+)`', names):
                    self.assertIn(path, code[name])

    def test_every_path_exists(self):
        for path in re.findall(r'`((?:kernel|machine|tests)/[\w/.]+)`', self.page):
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)

    def test_patches_name_what_is_to_find_them(self):
        self.assertGreaterEqual(len(self.patches), 10)
        for name in self.patches:
            for found_by in broken.Patch(name).found_by:
                if re.fullmatch(r'[a-z-]+', found_by):
                    self.assertIn(found_by, self.named, name)

    def test_patches_apply(self):
        for name in self.patches:
            patch = broken.Patch(name)
            with tempfile.TemporaryDirectory() as folder:
                for path in re.findall(r'^\+\+\+ b/(\S+)', patch.diff, re.M):
                    os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                    shutil.copy(os.path.join(ROOT, path), os.path.join(folder, path))
                patch.apply(folder)

    def test_a_patch_that_does_not_apply_says_so(self):
        patch = broken.Patch(self.patches[0])
        patch.diff = ('--- a/base/list.h\n+++ b/base/list.h\n@@ -1,1 +1,1 @@\n'
                      '-no such line\n+another\n')
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, 'base'))
            shutil.copy(os.path.join(ROOT, 'base/list.h'), os.path.join(folder, 'base/list.h'))
            with self.assertRaisesRegex(broken.Wrong, 'it no longer applies: base/list.h'):
                patch.apply(folder)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
