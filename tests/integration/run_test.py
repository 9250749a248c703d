"""run_test.py: `tenon run`: jobs and servers, both domains, faults, files, signals and reports."""
import json
import os
import re
import signal
import unittest

import cli

needs_wasm = unittest.skipUnless(cli.HAS_WASM, 'clang or wasm-ld is missing')
PHASES = ['core', 'configuration', 'security', 'core services', 'system capabilities',
          'monitoring', 'API gateway', 'user capabilities']


class Run(cli.Case):
    def probe(self, *words, domain='kernel', status=0, options=()):
        return self.expect(status, 'run', 'probe.toml', '--place', f'probe={domain}', *options,
                           '--', *words)

    def domains(self):
        return ['kernel', 'wasm'] if cli.HAS_WASM else ['kernel']

    def test_hello_says_the_same_everywhere(self):
        for domain in self.domains():
            done = self.expect(0, 'run', 'hello.toml', '--place', f'hello={domain}')
            self.assertEqual(done.stdout, 'Hello, Ada! This is run 1.\n', domain)
            self.assertIn('hello-system is ready after ', done.stderr)
            done = self.expect(0, 'run', 'hello.toml', f'--place=hello={domain}', '-q', '--',
                               'Grace', '--stats')
            self.assertEqual(done.stdout, 'Hello, Grace! This is run 1.\n', domain)
            self.assertEqual(done.stderr, '')

    def test_log_lines_go_to_standard_error(self):
        text = cli.system('hello', before='domain = "kernel"')
        self.write('hello.toml', text + '[wires]\n"hello.log" = { driver = "log" }\n')
        done = self.expect(0, 'run', 'hello.toml')
        self.assertRegex(done.stderr, r'(?m)^\[ *\d+\.\d{6}\] hello info: Hello, world!')
        quiet = self.expect(0, 'run', 'hello.toml', '-q', '-v')
        self.assertEqual((quiet.stdout, quiet.stderr), (done.stdout, ''))

    def test_place_is_held_to_the_rules(self):
        self.write('hello.toml', cli.system('hello').replace('components = ["hello"]', ''))
        done = self.expect(2, 'run', 'hello.toml', '--place=hello=kernel')
        self.assertIn("hello.toml: --place hello=kernel: 'hello' is of ring 2 and may not be in "
                      'the kernel: write "wasm"', done.stderr)
        found = self.expect_json(2, 'run', 'hello.toml', '--place=hello=kernel')
        self.assertEqual([f['line'] for f in found['faults']], [0])
        done = self.expect(2, 'run', 'hello.toml', '--place=hello=process')
        self.assertIn('--place hello=process: domain "process" is not available yet', done.stderr)
        os.unlink(self.path('hello/hello.tn.so'))
        self.write('hello.toml', cli.system('hello', before='domain = "wasm"'))
        done = self.expect(2, 'run', 'hello.toml', '--place=hello=kernel')
        self.assertIn("--place hello=kernel: 'hello' runs in kernel, but there is no ", done.stderr)

    def test_exit_codes_of_a_job(self):
        for code, status in ((0, 0), (1, 1), (3, 3), (254, 254), (255, 255), (256, 255),
                             (4294967295, 255)):
            done = self.probe('exit', str(code), status=status)
            self.assertEqual(done.stdout, 'ended\n')
            self.assertEqual('ended with exit code' in done.stderr, code != 0)

    def test_a_job_that_fails(self):
        for domain in self.domains():
            done = self.probe('fail', domain=domain, status=1)
            self.assertEqual(done.stdout, '')
            self.assertIn('tenon: probe-system: probe: the job failed: TN_EDENIED', done.stderr)

    @needs_wasm
    def test_a_trap_is_reported_with_its_backtrace(self):
        done = self.probe('trap', domain='wasm', status=1)
        self.assertRegex(done.stderr, r'tenon: probe: trap: out of bounds memory access\n'
                                      r'  in .+ \(offset 0x[0-9a-f]+\)\n')
        self.assertIn('it has failed: it may not be restarted any more', done.stderr)
        self.write('probe.toml', cli.system('probe', before='restart = "always"'))
        done = self.probe('trap', domain='wasm', status=1)
        self.assertIn('it goes on with a fresh instance', done.stderr)

    @needs_wasm
    def test_a_recursion_is_one_line_of_a_backtrace(self):
        done = self.probe('deeper', domain='wasm', status=1)
        self.assertRegex(done.stderr, r'tenon: probe: trap: call stack exhausted\n')
        self.assertRegex(done.stderr, r'  in deeper \(offset 0x[0-9a-f]+\), \d+ frames\n')
        self.assertLess(len(done.stderr.splitlines()), 8)

    @needs_wasm
    def test_fuel_ends_a_loop(self):
        done = self.probe('loop', domain='wasm', status=1)
        self.assertIn('tenon: probe: stopped: the fuel of this call is used up', done.stderr)

    def test_a_file_as_argument(self):
        wire = '[wires]\n"probe.in" = { driver = "files", path = "$1", rights = ["read"] }\n'
        self.write('probe.toml', cli.system('probe', before='domain = "kernel"') + wire)
        self.write('read', 'what is in the file\n')  # the probe's command and the file in one word
        done = self.expect(0, 'run', '../probe.toml', '-q', '--', 'read',
                           cwd=self.made('elsewhere', {'read': 'seen from here'}))
        self.assertEqual(done.stdout, 'seen from here\n')
        done = self.expect(2, 'run', 'probe.toml')
        self.assertIn('argument 1 is missing: the file for probe.in', done.stderr)
        done = self.expect(2, 'run', 'probe.toml', '--', 'none')
        self.assertIn('none: for probe.in: no such file', done.stderr)
        os.mkfifo(self.path('fifo'))
        done = self.expect(2, 'run', 'probe.toml', '--', 'fifo')
        self.assertIn('a FIFO where a file is expected', done.stderr)

    def made(self, folder, files):
        for name, text in files.items():
            self.write(f'{folder}/{name}', text)
        return self.path(folder)

    def test_a_file_that_the_system_names(self):
        wire = '[wires]\n"probe.in" = { driver = "files", path = "data.txt", rights = ["read"] }\n'
        self.write('probe.toml', cli.system('probe', before='domain = "kernel"') + wire)
        self.write('data.txt', 'beside the system.toml')
        here = self.made('elsewhere', {'data.txt': 'not this'})
        done = self.expect(0, 'run', '../probe.toml', '-q', '--', 'read', cwd=here)
        self.assertEqual(done.stdout, 'beside the system.toml\n')
        os.unlink(self.path('data.txt'))
        self.expect(2, 'run', 'probe.toml', '-q', '--', 'read')

    def test_arguments_at_their_limit(self):
        self.probe(*['echo', 'x'] * 32)
        done = self.probe(*['x'] * 65, status=2)
        self.assertIn('65 arguments behind --, at most 64', done.stderr)
        done = self.expect(2, 'run', 'probe.toml', '--', b'\xff')
        self.assertIn(r"argument 1 behind -- is not UTF-8: '\xff'", done.stderr)

    def test_summary_is_printed_as_it_is_but_not_to_a_terminal(self):
        odd = 'a\x1b[31m\tb\nc'
        self.assertEqual(self.probe('echo', odd, options=('-q',)).stdout, odd + '\n')

    def test_code_that_is_none(self):
        self.write('probe/probe.tn.so', 'no code')
        done = self.probe('echo', status=1)
        self.assertRegex(done.stderr, r'the boot failed in phase 8, user capabilities: probe: ')
        found = self.expect_json(1, 'run', 'probe.toml', '--place=probe=kernel')
        self.assertEqual([p['ok'] for p in found['phases']], [True] * 7 + [False])
        self.assertIsNone(found['ready_ms'])
        self.assertIsNone(found['job'])
        self.assertIn('phase 8', found['error'])

    def test_verbose_tells_the_phases(self):
        told = self.probe('echo', options=('-v',)).stderr
        for number, name in enumerate(PHASES, 1):
            self.assertRegex(told, rf'tenon: phase {number} of 8: {name} +\d+\.\d{{3}} m?s\n')

    def test_stats(self):
        told = self.probe('echo', options=('--stats', '-q')).stderr.splitlines()
        self.assertEqual(told[0].split(), ['COMPONENT', 'DOMAIN', 'CALLS', 'MESSAGES', 'FUEL',
                                           'PEAK', 'GRANTED', 'TIME', 'ERRORS', 'RESTARTS'])
        row = re.split(r'  +', told[1])
        self.assertEqual(row[:2], ['probe', 'kernel'])
        self.assertGreater(int(row[2]), 0)
        self.assertEqual(row[6], '2 MiB')

    def test_json(self):
        for domain in self.domains():
            found = self.expect_json(0, 'run', 'hello.toml', f'--place=hello={domain}')
            self.assertEqual([p['name'] for p in found['phases']], PHASES)
            self.assertTrue(all(p['ok'] and p['ms'] >= 0 for p in found['phases']))
            self.assertGreater(found['ready_ms'], 0)
            self.assertEqual(found['job'], {'exit_code': 0,
                                            'summary': 'Hello, Ada! This is run 1.'})
            self.assertEqual((found['ok'], found['stopped'], found['faults'], found['written']),
                             (True, False, [], []))
            one = found['components'][0]
            self.assertEqual((one['name'], one['domain'], one['failed']),
                             ('hello', domain, False))
            self.assertGreater(one['calls_answered'], 0)
            self.assertEqual(one['fuel_used'] > 0, domain == 'wasm')
            self.assertGreater(one['memory_peak_bytes'], 0)
            self.assertEqual(one['memory_granted_bytes'], 2 << 20)

    @needs_wasm
    def test_json_of_a_fault(self):
        done = self.expect(1, 'run', 'probe.toml', '--json', '--', 'trap')
        found = json.loads(done.stdout)
        self.assertIs(found['ok'], False)
        self.assertIn('the job failed', found['error'])
        fault = found['faults'][0]
        self.assertEqual((fault['component'], fault['error'], fault['text'], fault['restarted']),
                         ('probe', 'TN_ETRAP', 'out of bounds memory access', False))
        self.assertGreater(fault['frames'][0]['offset'], 0)
        self.assertEqual(found['components'][0]['faults'], 1)

    def until_busy(self, process):
        """Waits until it has computed for a while: its job runs."""
        ticks = 0
        while ticks < 10:
            self.assertIsNone(process.poll())
            with open(f'/proc/{process.pid}/stat', encoding='utf-8') as file:
                ticks = int(file.read().rsplit(')', 1)[1].split()[11])

    def test_an_empty_system_serves_until_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = self.start('run', 'empty.toml')
            self.until(process, 'it serves until')
            process.send_signal(number)
            out, err = process.communicate(timeout=cli.TIMEOUT)
            self.assertEqual((process.returncode, out), (0, ''), err)
            self.assertIn('empty has stopped', err)

    def test_a_signal_during_the_boot(self):
        for _ in range(10):  # wherever it comes, the end is in order
            process = self.start('run', 'empty.toml', '-v')
            self.until(process, 'phase 1')
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=cli.TIMEOUT)
            self.assertIn(process.returncode, (0, 1))

    @needs_wasm
    def test_a_signal_stops_a_job(self):
        manifest = cli.PROBE_MANIFEST.replace('2_000_000', '1_000_000_000_000_000')
        self.write('probe/component.toml', manifest)
        process = self.start('run', 'probe.toml', '--json', '--', 'loop')
        self.until_busy(process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=cli.TIMEOUT)
        self.assertEqual(process.returncode, 1, err)
        found = json.loads(out)
        self.assertIs(found['stopped'], True)
        self.assertIn('stopped before its job was done', found['error'])

    def test_a_second_signal_ends_at_once(self):
        process = self.start('run', 'probe.toml', '--place=probe=kernel', '--', 'loop')
        self.until_busy(process)
        # Native code is not preempted: the first signal cannot stop it.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.05)
            except cli.subprocess.TimeoutExpired:
                pass
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_an_ignored_signal_stays_ignored(self):
        process = cli.subprocess.Popen(
            [cli.TENON, 'run', 'empty.toml'], cwd=self.folder, env=self.environment(), text=True,
            stdout=cli.subprocess.PIPE, stderr=cli.subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.addCleanup(self.finish, process)
        self.until(process, 'it serves until')
        process.send_signal(signal.SIGHUP)
        with self.assertRaises(cli.subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=cli.TIMEOUT)
        self.assertEqual(process.returncode, 0)

    def test_files_are_closed_on_exec_and_none_is_left_open(self):
        process = self.start('run', 'empty.toml')
        self.until(process, 'it serves until')
        open_files = os.listdir(f'/proc/{process.pid}/fd')
        self.assertEqual(sorted(open_files), ['0', '1', '2'])
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=cli.TIMEOUT)


if __name__ == '__main__':
    cli.main()
