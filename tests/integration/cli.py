"""cli.py: what the tests of the command share: running it, and small systems in a folder."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

# From meson: the command, and the folder with hello and probe in both forms.
TENON = os.environ.get('TENON', '')
BUILT = os.environ.get('BUILT', '')
SOURCE = os.environ.get('SOURCE', '')
TIMEOUT = 60

HAS_WASM = os.path.exists(os.path.join(BUILT, 'hello.wasm'))

EMPTY = '[system]\nname = "empty"\nmemory = "16 MiB"\ncpus = 1\n'

PROBE_MANIFEST = '''[component]
name = "probe"
version = "1.2.3"
kind = "operator"

[provides]
job = "tenon.job"

[needs.in]
interface = "tenon.file"
rights = ["call", "read"]
optional = true

[resources]
memory = "2 MiB"
fuel_per_call = 2_000_000
'''


def system(name, more='', before=''):
    """A system of one component, `name`, that may run anywhere."""
    return f'''[system]
name = "{name}-system"
memory = "32 MiB"
cpus = 1

[components.{name}]
package = "{name}"
{before}
[trust]
components = ["{name}"]

[job]
run = "{name}.job"
{more}
'''


class Case(unittest.TestCase):
    """A test in a folder of its own, with the packages hello and probe."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix='tenon-test-')
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        with open(os.path.join(SOURCE, 'sdk/templates/hello/component.toml'),
                  encoding='utf-8') as file:
            self.write('hello/component.toml', file.read())
        self.write('probe/component.toml', PROBE_MANIFEST)
        for name in ('hello', 'probe'):
            for ending in ('.wasm', '.tn.so'):
                built = os.path.join(BUILT, name + ending)
                if os.path.exists(built):
                    shutil.copy(built, self.path(f'{name}/{name}{ending}'))
        self.write('hello.toml', system('hello', 'args = ["Ada"]'))
        self.write('probe.toml', system('probe'))
        self.write('empty.toml', EMPTY)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        mode = 'wb' if isinstance(text, bytes) else 'w'
        with open(self.path(name), mode) as file:
            file.write(text)

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if k not in ('NO_COLOR', 'TERM')}
        return {**kept, 'TERM': 'xterm', 'LC_ALL': 'C'}

    def tenon(self, *words, **more):
        """Runs the command in the folder to its end; stdout and stderr are bytes if text=False."""
        options = {'text': True, 'errors': 'replace', 'stdin': subprocess.DEVNULL,
                   'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'cwd': self.folder,
                   'env': self.environment(), 'timeout': TIMEOUT, **more}
        return subprocess.run([TENON, *words], check=False, **options)

    def expect(self, status, *words, **more):
        """The same, with that exit status."""
        done = self.tenon(*words, **more)
        self.assertEqual(done.returncode, status, f'{words}: {done.stdout}{done.stderr}')
        return done

    def expect_json(self, status, *words):
        """One JSON object on standard output, and nothing else there."""
        return json.loads(self.expect(status, *words, '--json').stdout)

    def start(self, *words):
        """A command that goes on running; ended, if need be, with the test."""
        process = subprocess.Popen(
            [TENON, *words], cwd=self.folder, env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def until(self, process, word):
        """Reads standard error up to a line with that word."""
        lines = []
        for line in process.stderr:
            lines.append(line)
            if word in line:
                return lines
        self.fail(f'it ended without saying {word}: {lines}')
        return lines


def main():
    if not TENON:
        sys.exit('TENON, BUILT and SOURCE are not set: meson test --suite integration')
    unittest.main()
