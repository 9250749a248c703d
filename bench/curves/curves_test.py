"""curves_test.py: curves of two programs stand together, by group and point."""
import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location('curves', os.path.join(FOLDER, 'curves.py'))
curves = importlib.util.module_from_spec(spec)
spec.loader.exec_module(curves)


def curve(group, name, points):
    return {'group': group, 'name': name, 'what': 'what it is', 'unit': 'ns',
            'points': [{'n': n, 'value': value} for n, value in points]}


class Curves(unittest.TestCase):
    def run_on(self, real, sim, *words):
        with tempfile.TemporaryDirectory() as folder:
            for name, found in (('bench_curves', real), ('bench_curves_sim', sim)):
                result = {'cpu': 'a CPU', 'cpus': 2, 'compiler': 'cc 1', 'date': 'today',
                          'method': name, 'load_start': 0, 'load_end': 1, 'curves': found}
                path = os.path.join(folder, name)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(f"#!/bin/sh\ncat <<'END'\n{json.dumps(result)}\nEND\n")
                os.chmod(path, 0o755)
            out = io.StringIO()
            with contextlib.redirect_stdout(out), \
                    mock.patch.object(sys, 'argv', ['curves.py', folder, *words]):
                curves.main()
            return out.getvalue()

    def test_a_row_for_each_curve_and_how_it_rises(self):
        out = self.run_on([curve('by actors', 'ring', [(10, 20), (1000, 25.5), (100000, None)]),
                           curve('by actors', 'raw', [(1000, 3)])],
                          [curve('by CPUs', 'busy', [(2, 40), (64, 40)])])
        rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
        self.assertEqual(rows['ring'][1:6], ['20', '25.5', '-', '1.3', 'ns'])
        self.assertEqual(rows['raw'][1:4], ['3', '-', 'ns'])
        self.assertEqual(rows['busy'][1:4], ['40', '40', '1.0'])
        self.assertIn('\nby actors\n', out)
        self.assertIn('method    bench_curves\n', out)

    def test_markdown(self):
        out = self.run_on([curve('by actors', 'ring', [(10, 20), (1000, 30)])], [], '--markdown')
        self.assertIn('| by actors | 10 | 1,000 | x | unit | what |\n'
                      '| --- | ---: | ---: | ---: | --- | --- |\n'
                      '| ring | 20 | 30 | 1.5 | ns | what it is |\n', out)

    def test_json_has_both(self):
        out = json.loads(self.run_on([curve('a', 'ring', [(1, 2)])], [curve('b', 'busy', [(2, 3)])],
                                     '--json'))
        self.assertEqual([c['name'] for c in out['curves']], ['ring', 'busy'])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
