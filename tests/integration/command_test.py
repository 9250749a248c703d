"""command_test.py: words: version, help, what is wrong with a command line, and its exit status."""
import json
import os
import pty
import subprocess

import cli


class Command(cli.Case):
    def test_version(self):
        for words in (['--version'], ['-V'], ['version']):
            done = self.expect(0, *words)
            self.assertRegex(done.stdout, r'^tenon \d+\.\d+\.\d+ \(component interface \d+\)\n$')
            self.assertEqual(done.stderr, '')
        found = self.expect_json(0, '--version')
        self.assertEqual(found['name'], 'tenon')
        self.assertEqual(sorted(found), ['abi', 'fuel_table', 'name', 'version'])

    def test_help(self):
        whole = self.expect(0, 'help').stdout
        self.assertEqual(self.expect(0, '--help').stdout, whole)
        verbs = self.expect_json(0, 'help')['verbs']
        self.assertEqual([v['name'] for v in verbs], ['run', 'check', 'inspect', 'version', 'help'])
        for verb in verbs:
            self.assertIn(f"  {verb['name']} ", whole)
            told = self.expect(0, 'help', verb['name']).stdout
            self.assertIn(verb['text'], told)
            for option in verb['options']:
                self.assertIn('--' + option['name'], told)
            if verb['name'] != 'help':
                self.assertEqual(self.expect(0, verb['name'], '--help').stdout, told)
                self.assertEqual(self.expect_json(0, verb['name'], '--help'), {'verbs': [verb]})

    def test_wrong_words(self):
        cases = [
            ([], 'what shall be done?'),
            (['chekc'], "there is no verb 'chekc': did you mean 'tenon check'?"),
            (['deploy'], "there is no verb 'deploy': 'tenon help' lists them"),
            (['help', 'rnu'], "did you mean 'tenon run'?"),
            (['--jsno'], 'a verb comes first'),
            (['run'], 'run needs a file: tenon run SYSTEM.toml'),
            (['run', 'a.toml', 'b.toml'], "'b.toml' is one too many (arguments of the job"),
            (['run', 'hello.toml', '--stat'], 'did you mean --stats?'),
            (['run', 'hello.toml', '--wibble'], "'tenon help run' lists its options"),
            (['run', 'hello.toml', '-vx'], 'run has no option -vx'),
            (['run', 'hello.toml', '--stats=yes'], '--stats takes no value'),
            (['run', 'hello.toml', '--place'], '--place needs a value: --place NAME=DOMAIN'),
            (['run', 'hello.toml', '--place', '--', 'x'], '--place needs a value'),
            (['run', 'hello.toml', '--place', 'hello'], 'write --place NAME=DOMAIN'),
            (['run', 'hello.toml', '--place', '=wasm'], 'write --place NAME=DOMAIN'),
            (['run', 'hello.toml', '--place=hello=moon'], "there is no domain 'moon'"),
            (['run', 'hello.toml', '--place=helo=wasm'], "did you mean 'hello'?"),
            (['run', 'hello.toml', '--place=wibble=wasm'], "has no component 'wibble'"),
            (['check', 'hello.toml', '-v'], 'check has no option -v'),
            (['check', 'hello.toml', '--', 'x'], 'check takes nothing behind --'),
            (['version', 'x'], "version takes no arguments: 'x' is one too many"),
        ]
        for words, message in cases:
            with self.subTest(words=words):
                done = self.expect(2, *words)
                self.assertIn(message, done.stderr)
                self.assertTrue(done.stderr.startswith('tenon: '), done.stderr)
                self.assertEqual(done.stdout, '')
                end = words.index('--') if '--' in words else len(words)
                asked = self.expect(2, *words[:end], '--json', *words[end:])
                found = json.loads(asked.stdout)
                self.assertIs(found['ok'], False)
                self.assertEqual(asked.stderr, f"tenon: {found['error']}\n")
                if words:
                    self.assertIn(message, found['error'])

    def test_words_that_would_act_on_a_terminal_are_escaped(self):
        done = self.expect(2, 'evil\x1b[2Jverb\n')
        self.assertIn(r'evil\x1b[2Jverb\n', done.stderr)
        self.assertNotIn('\x1b', done.stderr)
        done = self.expect(2, 'check', 'no\x1b]0;such\u202efile')
        self.assertIn(r'no\x1b]0;such\u{202e}file: no such file', done.stderr)

    def test_values_of_place_at_their_limit(self):
        places = ['--place=hello=wasm'] * 256
        self.expect(0 if cli.HAS_WASM else 2, 'run', 'hello.toml', '-q', *places)
        done = self.expect(2, 'run', 'hello.toml', *places, '--place=hello=wasm')
        self.assertIn('more than 256 times', done.stderr)

    def test_results_that_cannot_be_written_are_a_failure(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = self.tenon('help', stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn('standard output cannot be written', done.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        done = self.tenon('help', stdout=writer)
        os.close(writer)
        self.assertEqual(done.returncode, 1)
        self.assertIn('standard output cannot be written', done.stderr)

    def terminal(self, words, environment):
        """What a terminal gets on both streams."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([cli.TENON, *words], cwd=self.folder, stdout=theirs,
                                   stderr=theirs, stdin=subprocess.DEVNULL, env=environment)
        os.close(theirs)
        found = b''
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            found += part
        os.close(ours)
        process.wait(cli.TIMEOUT)
        return found.decode()

    def test_colour_only_on_a_terminal_and_where_it_is_wanted(self):
        environment = self.environment()
        words = ['check', 'empty.toml']
        self.assertNotIn('\x1b', self.expect(0, *words).stdout)
        self.assertIn('\x1b[', self.terminal(words, environment))
        self.assertIn('\x1b[', self.terminal(words, {**environment, 'NO_COLOR': ''}))
        self.assertNotIn('\x1b', self.terminal(words, {**environment, 'NO_COLOR': '1'}))
        self.assertNotIn('\x1b', self.terminal(words, {**environment, 'TERM': 'dumb'}))


if __name__ == '__main__':
    cli.main()
