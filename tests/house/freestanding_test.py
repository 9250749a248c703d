"""freestanding_test.py: tools/check_freestanding finds what the core may not ask for."""
import contextlib
import io
import os
import subprocess
import sys
import unittest

from scratch import Tree, tool

check_freestanding = tool('check_freestanding')
MESON = ("project('small', 'c')\nstatic_library('tenon_core', files({}),\n"
         "  include_directories: include_directories('.'))\n")


class Freestanding(unittest.TestCase):
    def check(self, files):
        """How many faults a core of these files has, and what is said about them."""
        names = ', '.join(f"'{name}'" for name in files if name.endswith('.c'))
        with Tree({'meson.build': MESON.format(names), **files}) as root:
            build = os.path.join(root, 'build')
            subprocess.run(['meson', 'setup', build, root], check=True, stdout=subprocess.DEVNULL)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                return check_freestanding.check(build), out.getvalue()

    def test_machine_and_memory_functions_may_stay_undefined(self):
        faults, text = self.check({
            'base/a.h': 'struct s { char at[4096]; };\n',
            'base/a.c': '#include "base/a.h"\nvoid copy(struct s *a, struct s *b);\n'
                        'void copy(struct s *a, struct s *b) { *a = *b; }\n',
            'kernel/b.c': 'int machine_x(void);\nint b(void);\n'
                          'int b(void) { return machine_x(); }\n'})
        self.assertEqual(faults, 0, text)
        self.assertIn('2 files, 6 links', text)

    def test_other_symbols_are_found_on_every_target(self):
        faults, text = self.check({
            'kernel/a.c': 'int puts(const char *);\nint a(void);\n'
                          'int a(void) { return puts("a"); }\n'})
        self.assertEqual(faults, 3, text)
        for target in check_freestanding.TARGETS:
            self.assertIn(f'core, {target}: puts is undefined, asked for by kernel/a.c', text)

    def test_what_a_component_defines_is_not_asked_for(self):
        faults, text = self.check({
            'kernel/a.c': 'extern int tn_component;\nint a(void);\n'
                          'int a(void) { return tn_component; }\n'})
        self.assertEqual(faults, 3, text)
        self.assertIn('tn_component', text)

    def test_compiler_helpers_are_found(self):
        faults, text = self.check({
            'wasm/a.c': 'typedef unsigned __int128 u;\nu a(u x, u y);\n'
                        'u a(u x, u y) { return x / y; }\n'})
        self.assertEqual(faults, 3, text)
        self.assertIn('__udivti3', text)

    def test_components_link_no_machine(self):
        files = {'sdk/a.c': 'int tn_call(void);\nint a(void);\nint a(void) { return tn_call(); }\n',
                 'runtime/b.c': 'int tn_call(void);\nint tn_call(void) { return 1; }\n'}
        self.assertEqual(self.check(files)[0], 0)
        files['sdk/a.c'] = files['sdk/a.c'].replace('tn_call', 'machine_now_ns')
        faults, text = self.check(files)
        self.assertEqual(faults, 3, text)
        self.assertIn('component, aarch64-gcc: machine_now_ns', text)

    def test_code_that_does_not_compile_is_a_fault(self):
        faults, _ = self.check({'base/a.c': 'int a(void);\n#error "no"\n'})
        self.assertEqual(faults, 1)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
