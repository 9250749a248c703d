"""inspect_test.py: `tenon inspect`: each kind of file, by its content, and files that are none."""
import os
import shutil
import unittest

import cli


class Inspect(cli.Case):
    @unittest.skipUnless(cli.HAS_WASM, 'clang or wasm-ld is missing')
    def test_wasm(self):
        shutil.copy(self.path('hello/hello.wasm'), self.path('any-name'))
        told = self.expect(0, 'inspect', 'any-name').stdout
        for part in ('any-name: WebAssembly module, ', '\nA component for the wasm domain\n',
                     'tenon_0  tn_need  function  (i32, i32, i32) -> i32', 'tn_component',
                     'of 64 KiB'):
            self.assertIn(part, told)
        found = self.expect_json(0, 'inspect', 'any-name')
        self.assertEqual((found['type'], found['component']), ('wasm', True))
        self.assertEqual(found['bytes'], os.path.getsize(self.path('any-name')))
        self.assertIn({'module': 'tenon_0', 'name': 'tn_send', 'kind': 'function',
                       'type': '(i64, i32, i32, i32) -> i32'}, found['imports'])
        self.assertIn('memory', [e['name'] for e in found['exports']])

    def test_wasm_that_is_no_component(self):
        self.write('bare.wasm', b'\0asm\1\0\0\0')
        done = self.expect(0, 'inspect', 'bare.wasm')
        self.assertIn('Not a component: it exports no tn_component', done.stdout)
        # (import "env" "e\x1b" (func)): a name that would act on a terminal
        self.write('other.wasm', b'\0asm\1\0\0\0\1\4\1\x60\0\0\2\x0a\1\3env\2e\x1b\0\0')
        done = self.expect(0, 'inspect', 'other.wasm')
        self.assertIn(r'Not a component: it imports e\x1b from env', done.stdout)
        self.assertNotIn('\x1b', done.stdout)
        self.assertIs(self.expect_json(0, 'inspect', 'other.wasm')['component'], False)

    def test_native(self):
        told = self.expect(0, 'inspect', 'hello/hello.tn.so').stdout
        for part in ('native component for ', 'Trusted with everything', 'tn_need', 'tn_component'):
            self.assertIn(part, told)
        found = self.expect_json(0, 'inspect', 'hello/hello.tn.so')
        self.assertEqual(found['type'], 'native')
        self.assertEqual([e['name'] for e in found['exports']], ['tn_component'])
        self.assertEqual(sorted(i['name'] for i in found['imports']), ['tn_need', 'tn_send'])

    def test_manifest(self):
        told = self.expect(0, 'inspect', 'hello/component.toml').stdout
        self.assertIn('component hello 0.1.0, operator, ring 2\nGreets the first', told)
        self.assertIn('log  tenon.log  call  optional', told)
        found = self.expect_json(0, 'inspect', 'hello/component.toml')
        self.assertEqual((found['type'], found['name']), ('component', 'hello'))
        self.assertEqual(found['provides'], [{'name': 'job', 'interface': 'tenon.job'}])

    def test_system(self):
        told = self.expect(0, 'inspect', 'empty.toml').stdout
        self.assertIn('system empty, architecture hybrid, 16 MiB of memory, 1 CPU\n', told)
        self.assertIn('No job: it serves until it is stopped', told)
        if cli.HAS_WASM:
            told = self.expect(0, 'inspect', 'hello.toml').stdout
            self.assertIn('Starts in this order: hello\nJob: hello.job', told)
        found = self.expect_json(0, 'inspect', 'empty.toml')
        self.assertEqual((found['type'], found['system'], found['components']),
                         ('system', 'empty', []))

    def test_files_that_are_broken(self):
        with open(self.path('hello/hello.tn.so'), 'rb') as file:
            native = file.read()
        cases = {
            'cut.wasm': (b'\0asm\1\0\0\0\1', 'not a valid WebAssembly module: byte '),
            'old.wasm': (b'\0asm\2\0\0\0', 'not a valid WebAssembly module'),
            'cut.tn.so': (native[:100], 'not a native component: '),
            'text': (b'hello\n', 'neither a WebAssembly module'),
            'none': (b'', 'neither a WebAssembly module'),
            'slip.toml': (b'[component\nname = \n', 'neither a WebAssembly module'),
            'fault.toml': (b'  [component]\nname = \n', 'fault.toml:2:8: '),
            'fault2.toml': (b'[system]\nname = "x"\n', "lacks 'memory'"),
        }
        for name, (content, message) in cases.items():
            with self.subTest(name=name):
                self.write(name, content)
                done = self.expect(2, 'inspect', name)
                self.assertIn(message, done.stderr)
                self.assertEqual(done.stdout, '')
                self.assertIs(self.expect_json(2, 'inspect', name)['ok'], False)

    def test_every_cut_of_a_file_ends_well(self):
        for name in ('hello/hello.tn.so', 'hello/hello.wasm'):
            if not os.path.exists(self.path(name)):
                continue
            with open(self.path(name), 'rb') as file:
                content = file.read()
            for size in range(0, len(content), max(1, len(content) // 40)):
                self.write('cut', content[:size])
                self.assertIn(self.tenon('inspect', 'cut').returncode, (0, 2), (name, size))


if __name__ == '__main__':
    cli.main()
