"""table_test.py: the table joins what was measured, and says what was not."""
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
spec = importlib.util.spec_from_file_location('table', os.path.join(FOLDER, 'table.py'))
table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(table)


def figure(name, median, **more):
    return {'name': name, 'what': name, 'unit': 'ns', 'median': median, 'holds': True, **more}


class Table(unittest.TestCase):
    def run_on(self, programs, *more):
        """(exit status, output, talk) with --check on programs {name: what it prints}."""
        with tempfile.TemporaryDirectory() as folder:
            for name, printed in programs.items():
                path = os.path.join(folder, name)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
                os.chmod(path, 0o755)
            out, err = io.StringIO(), io.StringIO()
            words = ['table.py', folder, '--peers', folder, '--check', *more]
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                    mock.patch.object(sys, 'argv', words), \
                    mock.patch.dict(os.environ, {'BENCH_MISSED': ''}), \
                    mock.patch.object(table.shutil, 'which', lambda name: None):
                status = table.main()
            return status, out.getvalue(), err.getvalue()

    def core(self, *figures):
        return json.dumps({'compiler': 'cc 1', 'figures': figures})

    def test_figures_meet_by_name_and_absent_peers_are_skipped(self):
        status, out, _ = self.run_on({
            'bench_core': self.core(figure('message', 25, floor=60), figure('own', 7)),
            'bench_raw': '{"version": "", "message": 3.5, "cache_line": 99}',
            'zmq': '{"version": "4.3", "message": 70, "channel_bulk": 2}',
            'nng': 'no JSON'})
        self.assertEqual(status, 0)
        rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
        self.assertEqual(rows['message'][1:8], ['25', '25', '60', '70', '-', '3.5', 'ns'])
        self.assertEqual(rows['own'][1], '7')
        self.assertEqual(rows['cache_line'][1], '99')
        self.assertIn('skipped  erlang: erlang-base is not installed', out)
        self.assertIn('skipped  caf: libcaf-dev is not installed', out)
        self.assertIn('skipped  nng: one: printed no JSON', out)
        self.assertIn('Pony', out)
        self.assertIn('floors    all 1 hold\n', out)
        self.assertIn('goals     all 1 reached\n', out)

    def test_a_figure_beyond_its_floor_is_marked_and_fails(self):
        status, out, _ = self.run_on(
            {'bench_core': self.core(figure('message', 61, floor=60), figure('ring', 1))})
        self.assertEqual(status, 1)
        self.assertRegex(out, r'message +61 !')
        self.assertIn('floors    1 of 1 missed: message (61.0 ns, floor 60)\n', out)

    def test_a_missed_goal_is_marked_and_no_more(self):
        status, out, _ = self.run_on(
            {'bench_core': self.core(figure('message', 26, floor=60), figure('ring', 20))})
        self.assertEqual(status, 0)
        self.assertRegex(out, r'message +26 \* +25')
        self.assertIn('goals     1 of 2 missed: message (26.0 ns, goal 25)\n', out)

    def test_markdown_says_the_same(self):
        status, out, _ = self.run_on(
            {'bench_core': self.core(figure('message', 26, floor=60)),
             'zmq': '{"version": "4.3", "message": 70}'}, '--markdown')
        self.assertEqual(status, 0)
        self.assertIn('| operation | tenon | goal | floor | zmq | unit | what |\n'
                      '| --- | ---: | ---: | ---: | ---: | --- | --- |\n'
                      '| message | 26 \\* | 25 | 60 | 70 | ns |', out)
        self.assertIn('- **goals**: 1 of 1 missed', out)

    def test_where_more_is_better_the_floor_is_below(self):
        for bulk, status in ((0.5, 1), (1.5, 0)):
            self.assertEqual(self.run_on({'bench_core': self.core(
                figure('channel_bulk', bulk, unit='GB/s'))})[0], status)

    def test_the_better_of_two_runs_counts(self):
        self.assertEqual(table.better('message', 2, 1), 1)
        self.assertEqual(table.better('channel_bulk', 2, 1), 2)

    def test_names_are_unique(self):
        names = [op.name for op in table.OPERATIONS + table.MACHINE]
        self.assertEqual(len(names), len(set(names)))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
