"""joins_test.py: systems whose wires lead to several components, channels between needs, and
components that have several turns, a thread of their own or run in the compute pool; in both
domains."""
import itertools
import os
import re
import shutil
import signal

import cli

MANIFEST = '''[component]
name = "parts"
version = "1.0.0"
kind = "operator"
{component}
[provides]
job = "tenon.job"

[needs.peers]
interface = "tenon.job"
optional = true

[needs.out]
channel = "producer"
optional = true

[needs.in]
channel = "consumer"
optional = true

[resources]
memory = "1 MiB"
{resources}
'''

SYSTEM = '''[system]
name = "joins"
memory = "32 MiB"
cpus = 2
{system}
{components}
[wires]
{wires}
[trust]
components = [{names}]

[job]
run = "front.job"
'''


class Joins(cli.Case):
    def setUp(self):
        super().setUp()
        self.package('parts')

    def package(self, name, component='', resources=''):
        """A package of the component parts, under another name and with other keys."""
        self.write(f'{name}/component.toml',
                   MANIFEST.format(component=component, resources=resources))
        for ending in ('.wasm', '.tn.so'):
            built = os.path.join(cli.BUILT, 'parts' + ending)
            if os.path.exists(built):
                shutil.copy(built, self.path(f'{name}/parts{ending}'))

    def system(self, wires, packages, system='', places=()):
        """Components by name, each of that package, with a number; those of `places` in wasm."""
        components = ''
        for number, (name, package) in enumerate(packages.items()):
            domain = 'wasm' if name in places else 'kernel'
            components += (f'[components.{name}]\npackage = "{package}"\ndomain = "{domain}"\n'
                           f'config.number = {number}\n')
        names = ', '.join(f'"{name}"' for name in packages)
        self.write('joins.toml', SYSTEM.format(wires=wires, components=components, names=names,
                                               system=system))

    def run_job(self, *words, status=0):
        return self.expect(status, 'run', 'joins.toml', '-q', '--', *words)

    def everywhere(self, *names):
        """Each way to put these into wasm or the kernel."""
        ways = (False, True) if cli.HAS_WASM else (False,)
        for places in itertools.product(ways, repeat=len(names)):
            yield [name for name, in_wasm in zip(names, places) if in_wasm]

    def peers(self, rule, places=()):
        self.system(f'"front.peers" = {{ to = ["a.job", "b.job", "c.job"], {rule} }}',
                    {'front': 'parts', 'a': 'parts', 'b': 'parts', 'c': 'parts'}, places=places)

    def counts(self, *words):
        """How many answers each gave."""
        said = self.run_job(*words).stdout.strip()
        return {int(who): int(n) for who, n in re.findall(r'(\d+): (\d+)', said)}

    def test_routes(self):
        for places in self.everywhere('front', 'a', 'b'):
            with self.subTest(places=places):
                self.peers('route = "single"', places)
                self.assertEqual(self.counts('ask', '20'), {1: 20})
                self.peers('route = "weights", weights = [3, 0, 1]', places)
                found = self.counts('ask', '400')
                self.assertEqual(sum(found.values()), 400)
                self.assertEqual(sorted(found), [1, 3])
                self.assertGreater(found[1], found[3])
                # The number in the second word: its bytes are 20 to 23 of the arguments.
                self.peers('route = "hash", hash = { at = 20, len = 4 }', places)
                found = self.counts('ask', '100')
                self.assertEqual(sorted(found), [1, 2, 3])
                self.assertEqual(self.counts('ask', '100'), found)
                self.peers('route = "hash", hash = { at = 8, len = 4 }', places)
                self.assertEqual(len(self.counts('ask', '100')), 1)  # they are all alike there
                self.peers('route = "per-cpu"', places)
                self.assertEqual(sum(self.counts('ask', '50').values()), 50)

    def test_a_channel_joins_two_needs(self):
        for places in self.everywhere('front', 'sink'):
            with self.subTest(places=places):
                self.system('"front.peers" = "sink.job"\n'
                            '"front.out" = { channel = "sink.in", capacity = "1 KiB" }',
                            {'front': 'parts', 'sink': 'parts'}, places=places)
                self.assertEqual(self.run_job('pump', '1000').stdout,
                                 '1000 records, their sum is 500500\n')

    def test_several_turns(self):
        self.package('twice', resources='concurrency = 2')
        circle = '"front.peers" = { to = "front.job", circle = true }'
        self.system(circle, {'front': 'twice'})
        self.assertEqual(self.run_job('again').stdout, '')
        self.system(circle, {'front': 'parts'})  # one turn: who waits for itself waits for ever
        self.assertIn('TN_EDEADLK', self.run_job('again', status=1).stderr)
        self.system(circle, {'front': 'twice'}, places=['front'])
        done = self.expect(2, 'check', 'joins.toml')
        self.assertIn("joins.toml:8:10: 'front' runs in wasm, where a component has one turn at a "
                      'time, and asks for concurrency = 2: write concurrency = 1 in '
                      '[components.front.limits], or place it in the kernel\n', done.stderr)

    def threads(self, process):
        names = []
        for task in os.listdir(f'/proc/{process.pid}/task'):
            with open(f'/proc/{process.pid}/task/{task}/comm', encoding='utf-8') as file:
                names.append(file.read().strip())
        return sorted(name for name in names if name.startswith('tenon-'))

    def test_threads_beside_the_cpus(self):
        self.package('blocks', component='blocking = true')
        self.package('computes', component='compute = true')
        for places in self.everywhere('a', 'b'):
            with self.subTest(places=places):
                self.system('"front.peers" = { to = ["a.job", "b.job", "c.job"], route = '
                            '"weights" }',
                            {'front': 'parts', 'a': 'blocks', 'b': 'computes', 'c': 'computes'},
                            'compute = 1', places)
                found = self.counts('ask', '60')
                self.assertEqual((sorted(found), sum(found.values())), ([1, 2, 3], 60))
                with open(self.path('joins.toml'), encoding='utf-8') as file:
                    self.write('joins.toml', file.read().replace('[job]\nrun = "front.job"\n', ''))
                process = self.start('run', 'joins.toml')
                self.until(process, 'is ready')
                self.assertEqual([name for name in self.threads(process) if 'more' in name],
                                 ['tenon-more0', 'tenon-more1'])
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=cli.TIMEOUT)
                self.assertEqual(process.returncode, 0)

    def test_they_are_told(self):
        self.package('blocks', component='blocking = true')
        self.package('computes', component='compute = true', resources='concurrency = 3')
        self.system('"front.peers" = { to = ["a.job", "b.job"], route = "weights", '
                    'weights = [9, 1] }\n"front.out" = { channel = "a.in", capacity = "1 KiB" }',
                    {'front': 'parts', 'a': 'blocks', 'b': 'computes'})
        for verb in ('check', 'inspect'):
            told = self.expect(0, verb, 'joins.toml').stdout
            for line in ('front.peers  ->  weights: a.job 9, b.job 1',
                         'front.out    ->  channel of 1 KiB to a.in         write',
                         'a.in         ->  channel of 1 KiB from front.out  read',
                         'a  on a thread of its own',
                         'b  in the compute pool of 1 thread\n', 'b  up to 3 turns at a time'):
                self.assertIn(line, told)
        found = self.expect_json(0, 'check', 'joins.toml')
        self.assertEqual((found['compute_threads'], found['blocking_threads']), (1, 1))
        front, a, b = found['components']
        self.assertEqual(front['needs'][0]['wire'], {
            'route': 'weights', 'circle': False,
            'targets': [{'component': 'a', 'provide': 'job', 'weight': 9},
                        {'component': 'b', 'provide': 'job', 'weight': 1}]})
        self.assertEqual(front['needs'][1]['channel'], 'producer')
        self.assertEqual(front['needs'][1]['wire'],
                         {'channel': 'a', 'need': 'in', 'capacity_bytes': 1024})
        self.assertEqual((a['blocking'], a['compute'], b['compute'], b['concurrency']),
                         (True, False, True, 3))
        told = self.expect(0, 'inspect', 'computes/component.toml').stdout
        for line in ('out    channel, as its producer  write  optional', 'turns at a time  3',
                     'runs on          the compute pool'):
            self.assertIn(line, told)

    def test_files_have_a_thread_or_share_one(self):
        self.write('numbers', 'twelve')
        for blocking, threads in (('true', 1), ('false', 0)):
            self.write('probe.toml', cli.system(
                'probe', 'args = ["read"]\n[wires]\n"probe.in" = { driver = "files", path = '
                f'"numbers" }}\n[drivers.files]\nblocking = {blocking}\n',
                before='domain = "kernel"'))
            self.assertEqual(self.expect(0, 'run', 'probe.toml', '-q').stdout, 'twelve\n')
            found = self.expect_json(0, 'check', 'probe.toml')
            self.assertEqual((found['blocking_threads'], found['blocking_drivers']),
                             (threads, ['files'] * threads))


if __name__ == '__main__':
    cli.main()
