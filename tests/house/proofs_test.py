"""proofs_test.py: check.py passes no model that shows nothing, and every bug is in the tests."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROOFS = os.path.join(ROOT, 'proofs')
PASSED, FAILED, SKIPPED = 0, 1, 77

GOOD = 'byte x;\nactive proctype a() {\n#ifndef BUG_SKIP\nx = 1;\n#endif\nassert(x == 1) }\n'
NO_BUG = GOOD + '#ifdef BUG_NONE\n#endif\n'
STUCK = 'byte x;\nactive proctype a() { x == 1 }\n'
ENDLESS = 'byte x;\nactive proctype a() { do :: x == 0 -> x = 1 :: x == 1 -> x = 0 od }\n'
UNREACHED = 'byte x;\nactive proctype a() { if :: x == 1 -> x = 2 :: x == 0 fi }\n'


def read(name):
    with open(os.path.join(PROOFS, name), encoding='utf-8') as file:
        return file.read()


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def check(self, text, *bug, path=None):
        """Exit status and output for a model of this text."""
        model = os.path.join(self.folder, 'model.pml')
        with open(model, 'w', encoding='utf-8') as file:
            file.write(text)
        environment = dict(os.environ, **({'PATH': path} if path else {}))
        done = subprocess.run(
            [sys.executable, os.path.join(PROOFS, 'check.py'), model,
             os.path.join(self.folder, 'made'), *bug],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        return done.returncode, done.stdout

    def test_without_spin_it_is_skipped_and_says_so(self):
        status, said = self.check(GOOD, path=self.folder)
        self.assertEqual(status, SKIPPED)
        self.assertIn('spin is not installed', said)

    @unittest.skipUnless(shutil.which('spin'), 'spin is not installed')
    def test_what_passes_and_what_does_not(self):
        for text, bug, expected, words in (
                (GOOD, (), PASSED, 'no fault'),
                (GOOD, ('BUG_SKIP',), PASSED, 'was found'),
                (GOOD, ('BUG_OTHER',), FAILED, 'has no #ifdef'),
                (NO_BUG, ('BUG_NONE',), FAILED, 'was not found'),
                (STUCK, (), FAILED, 'invalid end state'),
                (ENDLESS, (), FAILED, 'a run without an end'),
                (UNREACHED, (), FAILED, 'no run comes to'),
                ('byte x\n}', (), FAILED, 'rror')):
            with self.subTest(text=text, bug=bug):
                status, said = self.check(text, *bug)
                self.assertEqual(status, expected, said)
                self.assertIn(words, said)


class Listed(unittest.TestCase):
    def test_every_bug_of_a_model_is_in_its_essay_in_the_tests_and_in_the_table(self):
        listed = dict(re.findall(r"^  '(\w+)': \[(.*?)\]", read('meson.build'), re.M | re.S))
        table = dict(re.findall(r'^\| `(\w+)` \|.*\| (.*) \|$', read('README.md'), re.M))
        models = [n[:-4] for n in os.listdir(PROOFS) if n.endswith('.pml') and n != 'tso.pml']
        self.assertEqual(sorted(models), sorted(listed))
        for model in models:
            text = read(model + '.pml')
            bugs = set(re.findall(r'^#.*\bBUG_(\w+)', text, re.M))
            bugs |= set(re.findall(r'defined\(BUG_(\w+)\)', text))
            with self.subTest(model=model):
                self.assertEqual(set(re.findall(r'^ \*   BUG_(\w+)', text, re.M)), bugs)
                self.assertEqual({b.upper() for b in re.findall(r"'(\w+)'", listed[model])}, bugs)
                self.assertEqual(set(re.findall(r'`(\w+)`', table[model])), bugs)


if __name__ == '__main__':
    unittest.main()
