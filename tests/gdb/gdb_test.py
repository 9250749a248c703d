"""gdb_test.py: what tools/gdb shows of a kernel, live at a breakpoint and from a core dump.

The commands and what they print are those of docs/debugging.md."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, WAITING = os.environ['SOURCE'], os.environ['WAITING']
HELPERS = os.path.join(SOURCE, 'tools/gdb/tenon.py')
SKIP = 77  # the exit status by which meson knows it
STOPPED = ['break look_here', 'run']


def run(commands, *program, helpers=True):
    """What gdb prints, batch mode; each command is announced as in the docs."""
    words = ['gdb', '-q', '-nx', '-batch', '-ex', 'set pagination off']
    words += ['-x', HELPERS] if helpers else []
    for command in commands:
        words += ['-ex', f'echo (gdb) {command}\\n', '-ex', command]
    done = subprocess.run(words + list(program), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, check=False, timeout=240)
    return done.stdout


def sections(text):
    """{command: what it printed, as comparable lines}"""
    found = {}
    for part in re.split(r'^\(gdb\) ', text, flags=re.M)[1:]:
        command, _, output = part.partition('\n')
        output = output.split('```')[0]
        found[command] = [comparable(line) for line in output.splitlines() if line.strip()]
    return found


def comparable(line):
    """Without what differs from run to run or from version to version of the kernel."""
    line = re.sub(r'0x[0-9a-f]{9,}', 'ADDRESS', line)
    line = re.sub(r'\d+\.\d+ ms', 'TIME', line)
    line = re.sub(r'[\d.]+ (?=KiB|messages?, |switches|sleeps|other)', 'N ', line)
    return ' '.join(line.split())


def shown():
    """The commands of the page and what they print there."""
    with open(os.path.join(SOURCE, 'docs/debugging.md'), encoding='utf-8') as file:
        blocks = re.findall(r'^```console\n(.*?)^```$', file.read(), re.M | re.S)
    found = sections(''.join(blocks))
    return {command: lines for command, lines in found.items() if command.startswith('tenon ')}


class Debugging(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='tenon-gdb-')
        cls.addClassCleanup(cls.folder.cleanup)
        cls.core = os.path.join(cls.folder.name, 'core')
        cls.page = shown()
        cls.live = sections(run(STOPPED + list(cls.page) + ['gcore ' + cls.core, 'kill'], WAITING))

    def test_the_page_shows_every_command(self):
        with open(HELPERS, encoding='utf-8') as file:
            words = set(re.findall(r"^    word(?:, \w+)* = '(\w+)'", file.read(), re.M))
        self.assertGreaterEqual(len(words), 9)
        self.assertEqual({command.split()[1] for command in self.page}, words - {'kernel'})

    def test_a_live_program_is_as_on_the_page(self):
        for command, lines in self.page.items():
            self.assertEqual(self.live[command], lines, command)

    def test_a_core_dump_is_as_on_the_page(self):
        self.assertLess(os.path.getsize(self.core), 256 << 20)
        for program in ([WAITING], []):  # it is found by the name in the dump
            dump = sections(run(self.page, '--core', self.core, *program))
            for command, lines in self.page.items():
                self.assertEqual(dump[command], lines, (command, program))

    def test_two_states_of_one_program_differ(self):
        """The commands look anew each time."""
        text = run(['break store_call', 'break look_here', 'run', 'tenon waits', 'continue',
                    'tenon timers', 'kill'], WAITING)
        early = sections(text)['tenon waits']
        self.assertIn('server an answer of store in TIME', early)
        self.assertNotIn('sender room at store never', early)
        self.assertEqual(sections(text)['tenon timers'], self.page['tenon timers'])

    def test_what_cannot_be_shown_is_said(self):
        said = sections(run(['tenon actors'], WAITING))['tenon actors']
        self.assertIn('no kernel has booted here', ' '.join(said))
        commands = ['tenon caps nobody', 'tenon tree client', 'tenon tree client:0x2000002',
                    'tenon tree client:77', 'tenon mailbox', 'tenon memory nobody',
                    'tenon kernel 0', 'tenon actors']
        said = sections(run(STOPPED + commands + ['kill'], WAITING))
        self.assertIn('there is no actor nobody; there are: client, late, main',
                      ' '.join(said['tenon caps nobody']))
        self.assertIn('usage: tenon tree', ' '.join(said['tenon tree client']))
        self.assertIn('names nothing', ' '.join(said['tenon tree client:0x2000002']))
        self.assertIn('names nothing', ' '.join(said['tenon tree client:77']))
        self.assertEqual(said['tenon mailbox'], ['usage: tenon mailbox ACTOR'])
        self.assertIn('no kernel', ' '.join(said['tenon actors']))
        for lines in said.values():
            self.assertNotIn('Traceback', ' '.join(lines))

    def test_one_actor_by_address_is_the_same(self):
        text = run(STOPPED + ['tenon mailbox store->actor', 'tenon caps store->actor'], WAITING)
        self.assertEqual(sections(text)['tenon mailbox store->actor'],
                         self.page['tenon mailbox store'])

    def test_the_memory_of_one_actor(self):
        said = sections(run(STOPPED + ['tenon memory client'], WAITING))['tenon memory client']
        self.assertEqual(said, self.page['tenon memory'])  # it is charged to all of it


def usable():
    """Whether there is a gdb with Python that may trace a program here; else why not."""
    if shutil.which('gdb') is None:
        return 'gdb is missing'
    text = run(['python print(6 * 7)', 'break main', 'run', 'kill'], WAITING, helpers=False)
    if '42' not in text:
        return 'gdb has no Python'
    if 'Breakpoint 1, main' not in text:
        return 'no program may be traced here: ' + ' '.join(text.split()[-20:])
    return None


if __name__ == '__main__':
    why = usable()
    if why is not None:
        print('skipped: ' + why)
        sys.exit(SKIP)
    unittest.main(argv=sys.argv[:1])
