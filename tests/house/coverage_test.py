"""coverage_test.py: tools/coverage counts what ran over all programs, and assertions as claims."""
import io
import sys
import unittest

from scratch import tool

coverage = tool('coverage')

SOURCE = '''/* x.c: a file. */
int f(int a)
{
    ASSERT(a != 1 ||
           a != 2);
    if (a > 0)
        return 1;
    UNREACHABLE("ASSERT(never)");
}
'''


def line(number, count, *branches):
    return {'line_number': number, 'count': count, 'branches': [{'count': b} for b in branches]}


def document(*lines, path='kernel/x.c'):
    return {'files': [{'file': path, 'lines': list(lines)}]}


class Coverage(unittest.TestCase):
    def files(self, *documents):
        return coverage.collect(documents, 'kernel/', lambda path: SOURCE)

    def test_claims_are_found_over_lines_and_not_in_strings(self):
        self.assertEqual(coverage.claims(SOURCE), {4: 'ASSERT', 5: 'ASSERT', 8: 'UNREACHABLE'})

    def test_what_any_program_ran_has_run(self):
        files = self.files(document(line(6, 1, 1, 0), line(7, 1)),
                           document(line(6, 2, 0, 2), line(7, 0)))
        self.assertEqual(files['kernel/x.c'].totals(), [2, 2, 2, 2])
        self.assertEqual(list(files['kernel/x.c'].missed()), [])

    def test_what_none_ran_is_missed(self):
        file = self.files(document(line(3, 0), line(6, 0, 0, 0), line(7, 0)),
                          document(line(3, 1)))['kernel/x.c']
        self.assertEqual(file.totals(), [1, 3, 0, 2])
        self.assertEqual(list(file.missed()), [(6, 'never run, to line 7')])

    def test_the_branches_of_an_assertion_do_not_count_and_its_lines_do(self):
        file = self.files(document(line(4, 1, 1, 0), line(5, 0, 0, 0)))['kernel/x.c']
        self.assertEqual(file.totals(), [1, 2, 0, 0])

    def test_what_is_unreachable_does_not_count(self):
        self.assertEqual(self.files(document(line(8, 0)))['kernel/x.c'].totals(), [0, 0, 0, 0])

    def test_the_fullest_shape_of_a_line_counts(self):
        file = self.files(document(line(6, 1, 1, 0)),
                          document(line(6, 1, 1, 0, 1, 0)))['kernel/x.c']
        self.assertEqual(file.totals()[2:], [2, 4])

    def test_only_the_folder_without_its_tests_counts(self):
        self.assertEqual(self.files(document(line(6, 1), path='base/x.c'),
                                    document(line(6, 1), path='kernel/x_test.c')), {})

    def test_targets_decide(self):
        out = io.StringIO()
        good = [line(n, 1) for n in range(10, 50)]
        self.assertTrue(coverage.report(self.files(document(*good)), 'kernel/', out))
        bad = good + [line(n, 0) for n in range(50, 60)]
        self.assertFalse(coverage.report(self.files(document(*bad)), 'kernel/', out))
        self.assertFalse(coverage.report({}, 'kernel/', out))
        self.assertIn('kernel/x.c:50: never run, to line 59', out.getvalue())


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
