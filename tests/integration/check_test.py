"""check_test.py: `tenon check`: what it says of good systems and of every kind of bad file."""
import os

import cli

GOOD = '''hello.toml: system hello-system is valid: 1 component, architecture hybrid

COMPONENT  VERSION  KIND      RING  DOMAIN  MEMORY  PACKAGE
hello      0.1.0    operator     2  {domain}   2 MiB  hello

{trust}

Wires
  hello.log  ->  log  call

Memory: 2 MiB of 32 MiB are given to components, 8 MiB are the kernel's own
'''

BAD = '''[system]
name = "bad"
memmory = "32 MiB"

[components.hello]
package = "hello"
domain = "wsm"

[components.gone]
package = "not/there"

[wires]
\t"hello.lgo" = { driver = "log" }
'''

BAD_SAID = '''bad.toml:1:2: [system] lacks 'memory': write memory = "64 MiB"
    [system]
     ^
bad.toml:3:1: unknown key 'memmory' in [system]: did you mean 'memory'?
    memmory = "32 MiB"
    ^
'''


class Check(cli.Case):
    def setUp(self):
        super().setUp()
        for ending in ('.wasm', '.tn.so'):  # whatever could be built, the files are there
            if not os.path.exists(self.path('hello/hello' + ending)):
                self.write('hello/hello' + ending, 'code')
        self.wired('')

    def wired(self, before):
        text = cli.system('hello', before=before)
        self.write('hello.toml', text + '[wires]\n"hello.log" = { driver = "log" }\n')

    def test_good_systems(self):
        done = self.expect(0, 'check', 'hello.toml')
        self.assertEqual(done.stdout, GOOD.format(
            domain='wasm  ',
            trust='Trusted with everything: no component; only this program and its drivers\n\n'
                  'Trusted enough to be placed in the kernel, and in the sandbox now: hello'))
        self.assertEqual(done.stderr, '')
        self.wired('domain = "kernel"')
        done = self.expect(0, 'check', 'hello.toml')
        self.assertEqual(done.stdout, GOOD.format(
            domain='kernel',
            trust='Trusted with everything (native code in the kernel domain, not confined):\n'
                  '  hello  ring 2  hello/hello.tn.so'))
        self.assertIn('0 components', self.expect(0, 'check', 'empty.toml').stdout)

    def test_faults_with_their_lines(self):
        self.write('bad.toml', BAD)
        done = self.expect(2, 'check', 'bad.toml')
        self.assertEqual(done.stdout, '')
        self.assertTrue(done.stderr.startswith(BAD_SAID), done.stderr)
        for part in ("bad.toml:7:10: ", "    domain = \"wsm\"\n             ^\n",
                     "did you mean 'wasm'?", 'bad.toml:10:', "did you mean 'log'?",
                     # a tab is one blank, so that the caret stands below the place
                     '\n     "hello.lgo" = { driver = "log" }\n     ^\n',
                     'tenon: bad.toml: 5 faults\n'):
            self.assertIn(part, done.stderr)

    def test_paths_are_seen_from_the_system_and_shown_from_here(self):
        os.mkdir(self.path('elsewhere'))
        self.write('hello/component.toml', '[component]\nnme = "x"\n')
        done = self.expect(2, 'check', '../hello.toml', cwd=self.path('elsewhere'))
        self.assertIn("../hello/component.toml:2:1: unknown key 'nme'", done.stderr)
        self.assertIn('\n    nme = "x"\n    ^\n', done.stderr)

    def test_more_faults_than_are_kept(self):
        keys = ''.join(f'k{i} = 1\n' for i in range(100))
        self.write('many.toml', cli.EMPTY + keys)
        done = self.expect(2, 'check', 'many.toml')
        self.assertIn('and 36 more\ntenon: many.toml: 100 faults\n', done.stderr)
        found = self.expect_json(2, 'check', 'many.toml')
        self.assertEqual((len(found['faults']), found['faults_total']), (64, 100))

    def test_lines_that_are_long_or_odd(self):
        self.write('odd.toml', cli.EMPTY.encode() + b'\xef\xbb\xbf = 1\n')
        self.expect(2, 'check', 'odd.toml')
        self.write('odd.toml', '\ufeff' + cli.EMPTY + 'caf\u00e9 = "\x1b[2J"\n')
        done = self.expect(2, 'check', 'odd.toml')
        self.assertNotIn('\x1b', done.stderr)
        self.write('odd.toml', cli.EMPTY + 'cpu = "' + 'y' * 5000 + '"\n')
        done = self.expect(2, 'check', 'odd.toml')
        self.assertLess(max(map(len, done.stderr.splitlines())), 200)
        self.write('odd.toml', '[system]\nname = "' + 'n' * 300 + '" = 1\n')
        done = self.expect(2, 'check', 'odd.toml')
        excerpt, caret = done.stderr.splitlines()[1:3]
        self.assertEqual(excerpt[caret.index('^')], '=')

    def test_files_that_cannot_be_read(self):
        os.mkdir(self.path('folder'))
        os.mkfifo(self.path('fifo'))
        self.write('unreadable.toml', cli.EMPTY)
        os.chmod(self.path('unreadable.toml'), 0)
        with open(self.path('huge.toml'), 'wb') as file:
            file.truncate((1 << 20) + 1)
        cases = {'none.toml': 'no such file', 'folder': 'a folder where a file is expected',
                 'hello.toml/x': 'no such file', '/dev/null': 'a device',
                 'fifo': 'a FIFO where a file is expected', 'huge.toml': 'at most 1048576'}
        if os.geteuid() != 0:
            cases['unreadable.toml'] = 'permission denied'
        for verb in ('check', 'run', 'inspect'):
            for file, message in cases.items():
                if (verb, file) == ('inspect', 'huge.toml'):
                    message = 'neither a WebAssembly module'
                with self.subTest(verb=verb, file=file):
                    done = self.expect(2, verb, file)
                    self.assertIn(f'tenon: {file}: ', done.stderr)
                    self.assertIn(message, done.stderr)
                    found = self.expect_json(2, verb, file)
                    self.assertIs(found['ok'], False)
                    self.assertIn(message, found['error'])

    def test_unreadable_for_somebody_else(self):
        if os.geteuid() != 0:
            self.skipTest('only root can become somebody else')
        self.write('unreadable.toml', cli.EMPTY)
        os.chmod(self.path('unreadable.toml'), 0o600)
        os.chmod(self.folder, 0o755)
        if not os.access(cli.TENON, os.X_OK) or self.tenon('help', user=65534).returncode != 0:
            self.skipTest('nobody cannot run the command here')
        done = self.expect(2, 'check', 'unreadable.toml', user=65534)
        self.assertIn('permission denied', done.stderr)

    def test_largest_file_that_is_read(self):
        text = cli.EMPTY + '# '
        self.write('large.toml', text + 'x' * ((1 << 20) - len(text)))
        self.expect(0, 'check', 'large.toml')

    def test_a_system_that_takes_much_memory_to_read(self):
        keys = ''.join(f'k{i} = [{i}]\n' for i in range(50000))
        self.wired('[components.hello.config]\n' + keys)
        with open(self.path('hello.toml'), encoding='utf-8') as file:
            self.assertGreater(len(file.read()), 700_000)
        self.expect(0, 'check', 'hello.toml')

    def test_a_package_that_cannot_be_read(self):
        os.unlink(self.path('hello/component.toml'))
        os.mkfifo(self.path('hello/component.toml'))
        self.assertIn('hello.toml:', self.expect(2, 'check', 'hello.toml').stderr)
        os.unlink(self.path('hello/component.toml'))
        os.mkdir(self.path('hello/component.toml'))
        self.assertIn('hello.toml:', self.expect(2, 'check', 'hello.toml').stderr)

    def test_code_that_is_not_there(self):
        os.unlink(self.path('hello/hello.wasm'))
        done = self.expect(2, 'check', 'hello.toml')
        self.assertIn("there is no 'hello/hello.wasm'", done.stderr)

    def test_json(self):
        found = self.expect_json(0, 'check', 'hello.toml')
        self.assertIs(found['ok'], True)
        self.assertEqual(found['system'], 'hello-system')
        self.assertEqual(found['order'], ['hello'])
        self.assertEqual(found['memory_bytes'], 32 << 20)
        self.assertEqual(found['memory_granted_bytes'], 2 << 20)
        one = found['components'][0]
        self.assertEqual((one['name'], one['domain'], one['ring'], one['trusted']),
                         ('hello', 'wasm', 2, False))
        self.assertEqual(one['needs'][0]['wire'], {'driver': 'log'})
        self.write('bad.toml', BAD)
        found = self.expect_json(2, 'check', 'bad.toml')
        self.assertIs(found['ok'], False)
        self.assertEqual(found['faults'][1], {
            'file': 'bad.toml', 'line': 3, 'column': 1,
            'text': "unknown key 'memmory' in [system]: did you mean 'memory'?"})


if __name__ == '__main__':
    cli.main()
