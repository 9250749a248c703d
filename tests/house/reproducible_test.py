"""reproducible_test.py: tools/check_reproducible notices bytes that depend on place or time."""
import os
import subprocess
import sys
import tempfile
import unittest

from scratch import Tree, tool

check_reproducible = tool('check_reproducible')
MESON = """project('small', 'c')
add_project_arguments('-ffile-prefix-map=' + meson.project_source_root() + '=.',
  '-ffile-prefix-map=' + meson.project_build_root() + '=build', {}language: 'c')
library = static_library('part', 'part.c')
executable('whole', 'whole.c', link_with: library)
executable('whole_test', 'whole.c', link_with: library, c_args: '-DPLACE="@0@"'.format(
  meson.project_source_root()))
"""
FILES = {'part.c': 'const char *part(void);\nconst char *part(void) { return __FILE__; }\n',
         'whole.c': 'const char *part(void);\nint main(void) { return part()[0]; }\n'}
RELATIVE = "'-ffile-prefix-map=../=', '-ffile-prefix-map=../a/deeper/place/=', "


class Reproducible(unittest.TestCase):
    def differing(self, arguments, files):
        with Tree({'meson.build': MESON.format(arguments), **FILES, **files}) as root:
            build = os.path.join(root, 'build')
            subprocess.run(['meson', 'setup', build, root, '-Ddebug=false'], check=True,
                           stdout=subprocess.DEVNULL)
            subprocess.run(['ninja', '--quiet', '-C', build], check=True)
            with tempfile.TemporaryDirectory() as other:
                return check_reproducible.check(build, other)

    def test_same_bytes_and_what_is_compared(self):
        self.assertEqual(self.differing(RELATIVE, {}), ([], 3))

    def test_a_path_in_the_bytes_is_found_in_object_and_program(self):
        differ, _ = self.differing('', {})
        self.assertEqual(differ, ['libpart.a.p/part.c.o', 'whole'])

    def test_a_time_in_the_bytes_is_found(self):
        part = 'const char *part(void);\nconst char *part(void) { return __TIMESTAMP__ STAMP; }\n'
        stamp = "'-DSTAMP=\"' + run_command('date', '+%N', check: true).stdout().strip() + '\"', "
        differ, _ = self.differing(RELATIVE + stamp, {'part.c': part})
        self.assertEqual(differ, ['libpart.a.p/part.c.o', 'whole'])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
