"""includes_test.py: tools/check_includes finds each way to include what one may not."""
import sys
import unittest

from scratch import Tree, tool

check_includes = tool('check_includes')

HEADERS = {
    'include/tenon/component.h': '', 'base/bits.h': '', 'base/atomic.h': '', 'sdk/fmt.h': '',
    'base/race/none/race_point.h': '',
    'toml/toml.h': '', 'toml/toml_int.h': '', 'kernel/machine.h': '', 'kernel/mem/mem.h': '',
    'kernel/mem/mem_int.h': '', 'kernel/cap/cap.h': '', 'kernel/sched/sched.h': '',
    'wasm/wasm.h': '', 'wasm/exec/exec.h': '', 'wasm/exec/exec_int.h': '', 'runtime/load.h': '',
    'machine/linux/linux.h': '', 'machine/common/fiber.h': '', 'machine/hosted/memory.h': '',
    'machine/bare/boot.h': '',
    'machine/x86_64/cpu.h': '',
    'services/registry/registry.h': '', 'services/events/events.h': '',
    'drivers/linux/file.h': '', 'drivers/virtio/queue.h': '', 'tests/support/fake.h': '',
    'interfaces/tenon.log.toml': 'name = "tenon.log"\n',
}

# file, include as written, part of the message
FORBIDDEN = [
    ('include/tenon/object.h', '"base/bits.h"', 'include/ may include include/'),
    ('include/tenon/object.h', '<stdio.h>', 'include/ may include'),
    ('base/a.c', '"kernel/machine.h"', 'base/ may include'),
    ('base/a.c', '<string.h>', 'base/ may include'),
    ('base/a.c', '"toml/toml.h"', 'base/ may include'),
    ('interfaces/a.c', '"toml/toml.h"', 'interfaces/ may include'),
    ('toml/a.c', '"kernel/machine.h"', 'toml/ may include'),
    ('toml/a.c', '"sdk/fmt.h"', 'toml/ may include'),
    ('sdk/a.c', '"interfaces/tenon_log.h"', 'sdk/ may include'),
    ('sdk/templates/hello/a.c', '<stdio.h>', 'sdk/templates/ may include'),
    ('sdk/templates/hello/a.c', '"runtime/load.h"', 'sdk/templates/ may include'),
    ('sdk/a.c', '"toml/toml.h"', 'sdk/ may include'),
    ('kernel/mem/a.c', '"toml/toml.h"', 'kernel/ may include'),
    ('kernel/mem/a.c', '"wasm/wasm.h"', 'kernel/ may include'),
    ('kernel/mem/a.c', '"runtime/load.h"', 'kernel/ may include'),
    ('kernel/mem/a.c', '"machine/linux/linux.h"', 'kernel/ may include'),
    ('kernel/mem/a.c', '<stdlib.h>', 'kernel/ may include'),
    ('kernel/mem/a.c', '<pthread.h>', 'kernel/ may include'),
    ('kernel/mem/a.c', '<errno.h>', 'kernel/ may include'),
    ('kernel/mem/a.c', '"kernel/cap/cap.h"', 'kernel/mem/ comes before kernel/cap/'),
    ('kernel/cap/a.c', '"kernel/sched/sched.h"', 'comes before kernel/sched/'),
    ('kernel/odd/a.c', '"kernel/mem/mem.h"', 'not in KERNEL_ORDER'),
    ('kernel/cap/a.c', '"kernel/mem/mem_int.h"', 'mem_int.h is internal to kernel/mem/'),
    ('wasm/a.c', '"kernel/machine.h"', 'wasm/ may include'),
    ('wasm/compile/a.c', '"wasm/exec/exec_int.h"', 'internal to wasm/exec/'),
    ('wasm/a.c', '<math.h>', 'wasm/ may include'),
    ('machine/linux/a.c', '"kernel/mem/mem.h"', 'machine/linux/ may include'),
    ('machine/linux/a.c', '"wasm/wasm.h"', 'machine/linux/ may include'),
    ('machine/linux/a.c', '"machine/bare/boot.h"', 'machine/linux/ may include'),
    ('machine/sim/a.c', '"machine/linux/linux.h"', 'machine/sim/ may include'),
    ('machine/hosted/a.c', '"machine/linux/linux.h"', 'machine/hosted/ may include'),
    ('machine/common/a.c', '<signal.h>', 'machine/common/ may include'),
    ('machine/common/a.c', '"machine/bare/boot.h"', 'machine/common/ may include'),
    ('machine/x86_64/a.c', '"machine/hosted/memory.h"', 'machine/ may include'),
    ('machine/x86_64/a.c', '<stdio.h>', 'machine/ may include'),
    ('machine/aarch64/a.c', '"machine/x86_64/cpu.h"', 'machine/ may include'),
    ('runtime/a.c', '"wasm/exec/exec.h"', 'runtime/ may include'),
    ('runtime/a.c', '"kernel/mem/mem_int.h"', 'internal to kernel/mem/'),
    ('runtime/a.c', '"sdk/fmt.h"', 'runtime/ may include'),
    ('runtime/a.c', '"services/events/events.h"', 'runtime/ may include'),
    ('services/registry/a.c', '"kernel/machine.h"', 'services/ may include'),
    ('services/registry/a.c', '"services/events/events.h"', 'services/ may include'),
    ('services/registry/a.c', '<stdlib.h>', 'services/ may include'),
    ('services/registry/a.c', '"runtime/load.h"', 'services/ may include'),
    ('components/hello/a.c', '"services/events/events.h"', 'components/ may include'),
    ('components/hello/a.c', '<stdio.h>', 'components/ may include'),
    ('drivers/linux/file.c', '"kernel/machine.h"', 'drivers/linux/ may include'),
    ('drivers/linux/file.c', '<lmdb.h>', 'only drivers/linux/lmdb may include'),
    ('drivers/linux/file.c', '<foreign.h>', 'drivers/linux/ may include'),
    ('drivers/linux/lmdb.c', '<sodium.h>', 'only drivers/linux/sodium may include'),
    ('drivers/linux/lmdbx.c', '<lmdb.h>', 'only drivers/linux/lmdb may include'),
    ('drivers/virtio/a.c', '<stdio.h>', 'drivers/ may include'),
    ('drivers/virtio/a.c', '"drivers/linux/file.h"', 'drivers/ may include'),
    ('apps/tenon/a.c', '"toml/toml_int.h"', 'internal to toml/'),
    ('apps/tenon/a.c', '<sodium.h>', 'only drivers/linux/sodium may include'),
    ('apps/host/a.c', '<jansson.h>', 'only drivers/linux/json may include'),
    ('apps/tenon/a.c', '"tests/support/fake.h"', 'nothing includes tests/'),
    ('apps/image/a.c', '<stdio.h>', 'apps/image/ may include'),
    ('kernel/mem/a.c', '"tests/support/fake.h"', 'nothing includes tests/'),
    ('tools/x/a.c', '"kernel/machine.h"', 'tools/ may include'),
    ('odd/a.c', '<stdint.h>', 'no row for odd'),
    # ways of writing
    ('toml/a.c', '"toml.h"', 'write "toml/toml.h"'),
    ('kernel/cap/a.c', '"../mem/mem.h"', 'a path starts at the root'),
    ('kernel/cap/a.c', '"./cap.h"', 'a path starts at the root'),
    ('kernel/cap/a.c', '"/base/bits.h"', 'a path starts at the root'),
    ('kernel/cap/a.c', '"base/none.h"', 'no such file'),
    ('kernel/cap/a.c', '<tenon/none.h>', 'does not exist'),
    ('kernel/cap/a.c', '"tenon/component.h"', 'angle brackets'),
    ('kernel/cap/a.c', '"include/tenon/component.h"', 'write <tenon/component.h>'),
    ('kernel/cap/a.c', '<base/bits.h>', 'in quotes'),
    ('kernel/cap/a.c', 'SOME_HEADER', 'a plain name'),
    ('kernel/cap/a.c', '"race_point.h"', 'no such file'),
    ('kernel/cap/a.c', '<stdatomic.h>', 'only base/atomic.h names atomics'),
    ('machine/linux/a.c', '<stdatomic.h>', 'only base/atomic.h names atomics'),
    ('tests/sim/a.c', '<stdatomic.h>', 'only base/atomic.h names atomics'),
    ('tests/sim/a.c', '"../support/fake.h"', 'a path starts at the root'),
    ('tests/sim/a.c', '"interfaces/tenon_none.h"', 'no such file'),
]

ALLOWED = [
    ('base/atomic.h', '"race_point.h"'), ('base/atomic.h', '<stdatomic.h>'),
    ('base/a.c', '<tenon/component.h>'), ('base/a.c', '"base/bits.h"'), ('base/a.c', '<float.h>'),
    ('toml/a.c', '"toml/toml_int.h"'), ('sdk/a.c', '"sdk/fmt.h"'),
    ('kernel/cap/a.c', '"kernel/mem/mem.h"'), ('kernel/mem/a.c', '"kernel/machine.h"'),
    ('kernel/mem/a.c', '"kernel/mem/mem_int.h"'), ('kernel/boot.c', '"kernel/sched/sched.h"'),
    ('kernel/cap/a_test.c', '"kernel/mem/mem_int.h"'), ('kernel/cap/a_test.c', '<cmocka.h>'),
    ('kernel/mem/stub_test.h', '<stdio.h>'), ('runtime/elf/elf_test/a.c', '<stdio.h>'),
    ('sdk/test/run.c', '<dlfcn.h>'), ('sdk/templates/hello/a.c', '"interfaces/tenon_log.h"'),
    ('wasm/exec/deep/a.c', '"wasm/exec/exec_int.h"'), ('wasm/compile/a.c', '"wasm/exec/exec.h"'),
    ('machine/linux/a.c', '<pthread.h>'), ('machine/linux/a.c', '<sanitizer/asan_interface.h>'),
    ('machine/linux/a.c', '"machine/linux/linux.h"'), ('machine/sim/a.c', '<stdlib.h>'),
    ('machine/hosted/a.c', '<signal.h>'), ('machine/hosted/a.c', '"machine/common/fiber.h"'),
    ('machine/linux/a.c', '"machine/common/fiber.h"'),
    ('machine/sim/a.c', '"machine/common/fiber.h"'),
    ('machine/x86_64/a.c', '"machine/common/fiber.h"'),
    ('machine/x86_64/a.c', '"machine/bare/boot.h"'), ('machine/x86_64/a.c', '<stdarg.h>'),
    ('runtime/wasm/a.c', '"wasm/wasm.h"'), ('runtime/a.c', '"kernel/cap/cap.h"'),
    ('services/registry/a.c', '"services/registry/registry.h"'),
    ('services/registry/a.c', '"interfaces/tenon_log.h"'), ('services/registry/a.c', '"sdk/fmt.h"'),
    ('drivers/linux/file.c', '<fcntl.h>'), ('drivers/linux/file.c', '<sys/stat.h>'),
    ('drivers/linux/lmdb.c', '<lmdb.h>'), ('drivers/linux/lmdb/txn.c', '<lmdb.h>'),
    ('drivers/linux/nats_wire.c', '<nats/nats.h>'),
    ('apps/tenon/a.c', '"kernel/sched/sched.h"'), ('apps/tenon/a.c', '<stdio.h>'),
    ('tests/sim/a.c', '"kernel/mem/mem_int.h"'), ('tests/sim/a.c', '"tests/support/fake.h"'),
    ('apps/tenon/a.c', '<jansson.h>'), ('bench/a.c', '<jansson.h>'),
]


class Includes(unittest.TestCase):
    def problems(self, files):
        with Tree({**HEADERS, **files}) as root:
            return check_includes.check(root)[0]

    def test_clean_tree_has_no_problem(self):
        self.assertEqual(self.problems({}), [])

    def test_each_forbidden_include_is_found_where_it_stands(self):
        for path, written, message in FORBIDDEN:
            with self.subTest(path=path, include=written):
                found = self.problems({path: f'/* a */\n#include {written}\n'})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(
                    f'{path}:1: ' if path.startswith('odd/') else f'{path}:2: '), found)
                self.assertIn(message, found[0])

    def test_each_allowed_include_is_let_through(self):
        for path, written in ALLOWED:
            with self.subTest(path=path, include=written):
                self.assertEqual(self.problems({path: f'#  include {written} /* why */\n'}), [])

    def test_every_row_of_the_table_is_tried(self):
        tried = {check_includes.row_of(path)[0] for path, _, _ in FORBIDDEN
                 if check_includes.row_of(path)}
        self.assertEqual(tried, {row[0] for row in check_includes.TABLE})

    def test_comments_and_strings_do_not_count(self):
        text = '/*\n#include <stdio.h>\n*/\n// #include <stdio.h>\nchar *s = "/*";\n'
        self.assertEqual(self.problems({'base/a.c': text}), [])
        found = self.problems({'base/a.c': text + '#include <stdio.h>\n'})
        self.assertEqual([f.split(' ')[0] for f in found], ['base/a.c:6:'])

    def test_other_directives_are_refused(self):
        for kind in ('include_next', 'import'):
            found = self.problems({'base/a.c': f'#{kind} <stdint.h>\n'})
            self.assertEqual(len(found), 1, found)

    def test_source_and_test_files_are_not_included(self):
        files = {'base/b.c': '', 'base/c_test.h': ''}
        for header in files:
            found = self.problems({**files, 'base/a.c': f'#include "{header}"\n'})
            self.assertEqual(len(found), 1, found)

    def test_circles(self):
        ring = {'base/x.h': '#include "base/y.h"\n', 'base/y.h': '\n#include "base/z.h"\n',
                'base/z.h': '#include "base/x.h"\n'}
        found = self.problems(ring)
        self.assertEqual(len(found), 1, found)
        self.assertIn('base/x.h -> base/y.h -> base/z.h -> base/x.h', found[0])
        self.assertEqual(self.problems({**ring, 'base/z.h': ''}), [])
        found = self.problems({'base/x.h': '#include "base/x.h"\n'})
        self.assertIn('base/x.h -> base/x.h', found[0])

    def test_diamonds_are_no_circles(self):
        self.assertEqual(self.problems({
            'base/x.h': '#include "base/y.h"\n#include "base/z.h"\n',
            'base/y.h': '#include "base/w.h"\n', 'base/z.h': '#include "base/w.h"\n',
            'base/w.h': ''}), [])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
