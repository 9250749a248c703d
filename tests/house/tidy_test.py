"""tidy_test.py: tools/tidy finds each fault that it is there to find, and nothing else."""
import sys
import unittest

from scratch import Tree, tool

tidy = tool('tidy')


def c_file(path, body):
    return f'/* {path.split("/")[-1]}: a file. */\n{body}'


def function(lines, name='f', head='static int {}(int a)'):
    """A function of so many lines, head and last brace counted."""
    return '\n'.join([head.format(name), '{'] + ['    a++;'] * (lines - 3) + ['}']) + '\n'


class Tidy(unittest.TestCase):
    def problems(self, files, exempt=frozenset()):
        with Tree(files) as root:
            return tidy.check(root, set(exempt))[0]

    def one(self, path, body, message, line=2):
        """The C file with this body has exactly this one fault."""
        found = self.problems({path: c_file(path, body)})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f'{path}:{line}: '), found)
        self.assertIn(message, found[0])

    def none(self, path, body):
        self.assertEqual(self.problems({path: c_file(path, body)}), [])

    def test_function_at_and_over_the_limit(self):
        for head in ('static int {}(int a)', 'int *{}(int a, void (*b)(int))',
                     '__attribute__((noinline, cold)) static void {}(int a)',
                     'int {}(int a) __attribute__((x))', 'struct s {}(struct t t)'):
            self.none('base/a.c', function(70, head=head))
            self.one('base/a.c', function(71, head=head), 'f has 71 lines')

    def test_function_with_head_over_lines_counts_from_its_name(self):
        self.one('base/a.c', function(71, head='static int {}(int a,\n             int b)'),
                 'f has 72 lines')
        self.none('base/a.c', function(69, head='static int {}(int a,\n             int b)'))

    def test_braces_in_strings_comments_and_macros_do_not_confuse(self):
        odd = ('/* { */\n#define OPEN {\n#define LOOP(x) \\\n    do { \\\n    } while (0)\n'
               'static const char *s = "{\\"{";\nstatic const char c = \'{\';\n// {\n'
               'struct x {\n    int a;\n};\nenum { A, B };\nstatic const int t[] = {\n    1,\n};\n'
               'extern "C" {\n' + function(20, 'g') + '}\n')
        self.none('base/a.c', odd)
        self.one('base/a.c', odd + function(71), 'f has 71 lines', odd.count('\n') + 2)

    def test_long_tables_are_no_functions(self):
        table = 'static const struct t t[] = {\n' + '    ITEM(1),\n' * 100 + '};\n'
        self.none('base/a.c', table)

    def test_dispatch_loops_are_exempt_by_name(self):
        path, text = 'wasm/exec/run.c', function(200, 'run')
        files = {path: c_file(path, text)}
        self.assertEqual(self.problems(files, {(path, 'run')}), [])
        self.assertEqual(len(self.problems(files, {('wasm/exec/walk.c', 'run')})), 1)
        found = self.problems({path: c_file(path, '')}, {(path, 'run')})
        self.assertEqual(len(found), 1, found)
        self.assertIn('run is not in wasm/exec/run.c', found[0])

    def test_goto_jumps_forward_only(self):
        text = 'int f(int a)\n{\n%s    if (a)\n        goto there;\n%s    return a;\n}\n'
        self.none('base/a.c', text % ('', 'there:\n'))
        self.one('base/a.c', text % ('there:\n', ''), 'goto there jumps backwards', 6)

    def test_file_at_and_over_the_limit(self):
        self.none('base/a.c', 'int a;\n' * 799)
        self.one('base/a.c', 'int a;\n' * 800, '801 lines', 801)

    def test_banned_functions(self):
        for name in tidy.BANNED:
            self.one('apps/tenon/a.c', f'int a = {name}(1);\n', f'{name} is banned')
            self.one('tests/sim/a.c', f'int a = {name} (1);\n', f'{name} is banned')
            self.none('apps/tenon/a.c', f'int a = x->{name}(1) + x.{name}(1) + my_{name}(1);\n')
            self.none('apps/tenon/a.c', f'/* {name}(1) */\nconst char *s = "{name}(1)";\n')

    def test_functions_banned_in_some_places(self):
        for name in tidy.BANNED_OUTSIDE_TESTS:
            self.one('machine/linux/a.c', f'int a = {name}(b);\n', 'is banned')
            for path in ('machine/linux/a_test.c', 'kernel/mem/stub_test.h', 'bench/a.c',
                         'runtime/elf/elf_test/a.c', 'sdk/test/a.c', 'tests/sim/a.c'):
                self.none(path, f'int a = {name}(b);\n')
            self.one('kernel/mem/attest/a.c', f'int a = {name}(b);\n', 'is banned')
        for name in tidy.BANNED_IN_TESTS:
            self.one('kernel/cap/a_test.c', f'int a = {name}(1);\n', 'is banned')
            self.none('machine/linux/a.c', f'int a = {name}(1);\n')
        for name in tidy.BANNED_FREESTANDING:
            for folder in tidy.FREESTANDING:
                self.one(f'{folder}x/a.c', f'int a = {name}(1);\n', 'is banned')
            self.none('kernel/cap/a_test.c', f'int a = {name}(1);\n')
            self.none('machine/linux/a.c', f'int a = {name}(1);\n')

    def test_no_libc_words_in_freestanding_folders(self):
        for word in ('errno', '_Thread_local', '__thread', 'thread_local', 'pthread_mutex_t'):
            self.one('wasm/a.c', f'int b;\n{word} a;\n', word, 3)
            self.none('machine/linux/a.c', f'{word} a;\n')

    def test_atomics_only_in_their_header(self):
        for word in ('_Atomic', '__atomic_load_n', '__sync_synchronize', 'memory_order_relaxed',
                     'atomic_load_explicit', 'atomic_thread_fence', 'atomic_int', 'atomic_flag',
                     'atomic_uint_fast32_t', 'atomic_bool'):
            for path in ('kernel/cap/cap.c', 'machine/linux/a.c', 'tests/sim/a.c'):
                self.one(path, f'int b;\n{word} a;\n', f'{word}: atomics only through', 3)
            self.none('base/atomic.h', f'{word} a;\n')
        for word in ('atomic_u32', 'atomic_i32', 'atomic_u64', 'atomic_ptr', 'my_atomic_load'):
            self.none('kernel/cap/cap.c', f'{word} a;\n')

    def test_no_if_on_targets(self):
        for condition in ('ifdef __x86_64__', 'if defined(__aarch64__)', 'ifndef __linux__',
                          'if __has_builtin(x)', 'ifdef _WIN32', ' if  __GNUC__ > 3'):
            for path in ('kernel/cap/a.c', 'wasm/a.h', 'services/registry/a.c'):
                self.one(path, f'#{condition}\n#endif\n', 'the build picks whole files')
            self.none('machine/linux/a.c', f'#{condition}\n#endif\n')
        self.one('wasm/a.c', '#if A\n#elif __wasm__\n#endif\n', '__wasm__', 3)
        self.none('kernel/cap/cap.h', '#ifndef KERNEL_CAP_H\n#define KERNEL_CAP_H\n#endif\n')

    def test_first_line_says_the_purpose(self):
        bad = {'base/a.c': '#include <stdint.h>\n', 'base/a.h': '/* b.h: wrong name. */\n',
               'machine/x86_64/a.S': '/* starts */\n', 'tools/a': '#!/bin/sh\nset -e\n',
               'tools/a.py': 'import os\n', 'base/meson.build': 'x = 1\n',
               'systems/demo/system.toml': '[system]\n', 'interfaces/tenon.log.toml': 'a = 1\n'}
        for path, text in bad.items():
            found = self.problems({path: text})
            self.assertEqual(len(found), 1, found)
            self.assertIn('first line' if text[:2] != '#!' else 'behind #!', found[0])
        self.assertEqual(self.problems({
            'base/a.c': '/* a.c: x. */\n', 'base/b.h': '/* b.h for real machines: x. */\n',
            'tools/a': '#!/bin/sh\n# a: does it.\n',
            'tools/b': '#!/usr/bin/env python3\n"""b: x."""\n',
            'tools/a.py': '"""a.py: x."""\n', 'base/meson.build': '# Sources.\n',
            'dev': '#!/bin/sh\n# ./dev: x\n',
            'systems/demo/system.toml': '# Demo.\n', 'tests/data/odd.toml': '[x]\n',
            'systems/demo/data/LICENSE.txt': 'theirs\t'}), [])

    def test_left_overs_and_words(self):
        for word in ('TO' 'DO', 'FIX' 'ME', 'XX' 'X', 'HA' 'CK', '/wo' 'rk/', '/fa' 'rm/',
                     '/.lib' 'rary', 'is' 'sue #12', 'Is' 'sue 7', 'this ses' 'sion',
                     'not imple' 'mented', 'place' 'holder'):
            self.one('base/a.c', f'/* a {word} b */\n', f'"{word}"')
            found = self.problems({'docs/a.md': f'# A\n\nsee {word}\n'})
            self.assertEqual(len(found), 1, found)
            self.assertTrue(found[0].startswith('docs/a.md:3: '), found)
        self.none('base/a.c', '/* a network session; issues are tracked; mkstemp XXXX' 'XX */\n')

    def test_white_space(self):
        self.one('base/a.c', 'int a; \n', 'white space')
        self.one('base/a.c', '\tint a;\n', 'a tab')
        self.one('base/a.c', 'int a;\r\n', 'white space')
        self.one('base/a.c', 'int a;', 'no newline')
        self.one('systems/demo/README.md', 'a', 'no newline')
        for path in ('LICENSE', 'systems/demo/data/LICENSE.txt', 'fuzz/corpus/toml_parse/a.toml'):
            self.none(path, 'a \tb')
        self.assertEqual(len(self.problems({'docs/a.md': '# A \n'})), 1)

    def test_columns(self):
        self.none('base/a.c', 'int ' + 'a' * 95 + ';\n')
        self.one('base/a.c', 'int ' + 'a' * 96 + ';\n', '101 columns')
        self.none('base/a.c', '/* ' + '\u00e9' * 90 + ' */\n')
        self.assertEqual(self.problems({'docs/a.md': '| ' + 'a' * 200 + ' |\n'}), [])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
