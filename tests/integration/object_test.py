"""object_test.py: components with kernel objects wired to them: the same in both domains, shown by
check and inspect, and refused where nobody trusts them."""
import os
import shutil

import cli

MANIFEST = '''[component]
name = "warden"
version = "0.1.0"
kind = "meta"

[provides]
job = "tenon.job"

[needs.store]
interface = "tenon.kernel.untyped"
rights = ["call", "write"]

[needs.space]
interface = "tenon.kernel.space"
rights = ["call", "read", "write", "control"]

[needs.self]
interface = "tenon.kernel.actor"
rights = ["call", "read"]

[needs.other]
interface = "tenon.kernel.actor"
rights = ["call", "read", "control"]

[resources]
memory = "1 MiB"
'''

SYSTEM = '''[system]
name = "ward"
memory = "32 MiB"
cpus = 1

[components.warden]
package = "warden"

[components.hello]
package = "hello"

[wires]
"warden.store" = { kernel = "memory" }
"warden.space" = { kernel = "space" }
"warden.self" = { kernel = "actor" }
"warden.other" = { kernel = "actor", of = "hello" }

[place]
warden = "kernel"
hello = "kernel"

[trust]
components = ["warden", "hello"]

[job]
run = "warden.job"
'''


class Objects(cli.Case):
    def setUp(self):
        super().setUp()
        self.write('warden/component.toml', MANIFEST)
        for ending in ('.wasm', '.tn.so'):
            built = os.path.join(cli.BUILT, 'warden' + ending)
            if os.path.exists(built):
                shutil.copy(built, self.path('warden/warden' + ending))
        self.write('ward.toml', SYSTEM)

    def test_the_same_in_every_domain(self):
        domains = ['kernel', 'wasm'] if cli.HAS_WASM else ['kernel']
        for own in domains:
            for other in domains:
                done = self.expect(0, 'run', 'ward.toml', f'--place=warden={own}',
                                   f'--place=hello={other}')
                # A notification; what was signalled; the memory granted; ready, paused, dead.
                self.assertEqual(done.stdout, 'type 5, bits 9, memory 1024 KiB, '
                                 'the other was 1, 4, 7\n', (own, other))

    def test_check_tells_of_them(self):
        done = self.expect(0, 'check', 'ward.toml')
        self.assertRegex(done.stdout, r'warden\.store +-> +kernel: memory, its own +write,call')
        self.assertRegex(done.stdout,
                         r'warden\.other +-> +kernel: actor of hello +read,call,control')

    def test_inspect_tells_of_them(self):
        found = self.expect_json(0, 'check', 'ward.toml')
        needs = found['components'][0]['needs']
        self.assertEqual(needs[0]['wire'], {'kernel': 'memory', 'of': 'warden'})
        self.assertEqual(needs[3]['wire'], {'kernel': 'actor', 'of': 'hello'})

    def test_nobody_who_is_not_trusted(self):
        self.write('ward.toml', SYSTEM.replace('"warden", "hello"', '"hello"')
                   .replace('warden = "kernel"', 'warden = "wasm"'))
        done = self.expect(2, 'check', 'ward.toml')
        self.assertIn("warden.other is the actor of 'hello': only who is trusted may watch or "
                      "stop others: add 'warden' to components in [trust]", done.stderr)


if __name__ == '__main__':
    cli.main()
