"""bad_test.py: a machine that has not what the kernel needs, or tells nonsense: one line on the
console says so, and it ends with a code."""
import os
import re
import struct
import subprocess
import tempfile
import unittest

import kit

boot = kit.boot


class Everywhere(kit.Boots):
    def test_too_little_memory(self):
        for mib in (16, 40):
            with self.subTest(mib=mib):
                self.cannot('too little memory: [0-9]+ MiB are available', memory_mib=mib)

    def test_the_least_memory_that_is_promised(self):
        self.boot('first', memory_mib=128, cpus=1)

    def test_more_cpus_than_the_limit(self):
        machine = {'x86_64': 'q35', 'aarch64': 'virt-gicv3'}[kit.ARCH]
        self.cannot('65 CPUs are more than the limit of 64', cpus=65, machine=machine)


@unittest.skipUnless(kit.ARCH == 'x86_64', 'of a PC')
class Pc(kit.Boots):
    def test_no_timer(self):
        for machine in ('microvm,pit=off', 'q35,pit=off,hpet=off'):
            with self.subTest(machine=machine):
                self.cannot('no timer: neither an HPET nor a PIT', machine=machine)

    def test_either_timer_is_enough(self):
        for machine in ('q35,pit=off', 'q35,hpet=off'):
            with self.subTest(machine=machine):
                self.boot('first', machine=machine)

    def test_no_firmware_tables(self):
        self.cannot('no firmware tables', machine='microvm,acpi=off')

    def test_a_cpu_that_is_too_old(self):
        self.cannot('the CPU has no SSSE3; x86-64-v2 is the least', cpu='qemu64')

    def begin(self, ranges, magic=0x336ec578, version=1, entries=None, memmap=0x7100, **how):
        """How the machine ends that begins with these ranges: (base, bytes, type)."""
        info = struct.pack('<4I4Q2I', magic, version, 0, 0, 0, 0, 0, memmap,
                           len(ranges) if entries is None else entries, 0)
        table = b''.join(struct.pack('<2Q2I', *row, 0) for row in ranges)
        names = subprocess.run(['nm', kit.image('first')], check=True, capture_output=True,
                               text=True).stdout
        entry = int(re.search(r'^(\w+) \w boot_pvh$', names, re.M)[1], 16) - 0xffffffff80000000
        with tempfile.TemporaryDirectory() as folder:
            more = ['-bios', os.path.join(kit.IMAGES, 'firmware.bin'),
                    '-device', f'loader,file={kit.image("first")}']
            for where, data in ((0x6000, struct.pack('<I', entry)), (0x7000, info),
                                (0x7100, table)):
                path = os.path.join(folder, f'{where:x}')
                with open(path, 'wb') as file:
                    file.write(data or bytes(24))
                more += ['-device', f'loader,file={path},force-raw=on,addr={where:#x}']
            return boot.run(boot.command(None, kit.ARCH, more=more, **how), kit.ARCH, kit.SECONDS)

    def refused(self, expect, ranges, **how):
        code, out, said = self.begin(ranges, **how)
        self.assertEqual(code, kit.CANNOT, out + said)
        self.assertEqual(out.count('tenon: cannot boot: '), 1, out)
        self.assertRegex(out, expect)

    def test_a_broken_memory_map(self):
        low, high = (0, 0x9f000, 1), (0x100000, 127 << 20, 1)
        for expect, ranges in (
                ('it has 0 entries', []),
                ('entry 1: a range wraps round', [low, (0x100000, 2**64 - 1, 1)]),
                ('the page at 0x8000, where CPUs start, is not available', [high]),
                ('more ranges than the limit', [low, high] + [(2**32, 4096, 2)] * 126)):
            with self.subTest(expect=expect):
                self.refused(expect, ranges)
        self.refused('it has 129 entries', [low, high], entries=129)
        self.refused('the memory map is at 0x0', [low, high], memmap=0)
        self.refused('the memory map is at 0x100000000', [low, high], memmap=1 << 32)

    def test_boot_information_that_is_none(self):
        self.refused('magic 0x0', [], magic=0)
        self.refused('version 0', [], version=0)
        # A map that is in order leads to the next thing that is missing.
        self.refused('no firmware tables', [(0, 0x9f000, 1), (0x100000, 127 << 20, 1)])

    def test_no_entropy_is_no_matter_before_it_is_asked_for(self):
        self.boot('first', cpu='max,rdrand=off,rdseed=off')


@unittest.skipUnless(kit.ARCH == 'aarch64', 'of a board with a device tree')
class Board(kit.Boots):
    """Trees are the board's own, changed; the machine begins in a few instructions of ours."""
    BEGIN, IMAGE, TREE = 0x44000000, 0x40200000, 0x46000000

    def tree(self):
        path = os.path.join(self.folder.name, 'tree')
        subprocess.run(['qemu-system-aarch64', '-machine', f'virt,gic-version=2,dumpdtb={path}',
                        '-cpu', 'max', '-smp', '2', '-m', '128M', '-display', 'none'],
                       check=True, capture_output=True)
        with open(path, 'rb') as file:
            return file.read()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def begin(self, tree, at=None, **how):
        """How the machine ends that begins with this tree."""
        at = self.TREE if at is None else at
        # ldr x0, tree; ldr x1, image; br x1
        code = struct.pack('<4I2Q', 0x58000080, 0x580000a1, 0xd61f0020, 0xd503201f, at, self.IMAGE)
        more = []
        for name, data, where in (('begin', code, f'{self.BEGIN:#x},cpu-num=0'),
                                  ('tree', tree, f'{self.TREE:#x}')):
            path = os.path.join(self.folder.name, name)
            with open(path, 'wb') as file:
                file.write(data)
            more += ['-device', f'loader,file={path},force-raw=on,addr={where}']
        more += ['-device', f'loader,file={kit.image("first")},force-raw=on,addr={self.IMAGE:#x}']
        words = boot.command(None, kit.ARCH, more=more, **how)
        return boot.run(words, kit.ARCH, kit.SECONDS)

    def refused(self, expect, tree, **how):
        code, out, said = self.begin(tree, **how)
        self.assertEqual(code, kit.CANNOT, out + said)
        self.assertEqual(out.count('tenon: cannot boot: '), 1, out)
        self.assertRegex(out, expect)

    def change(self, old, new):
        tree = self.tree()
        self.assertTrue(old in tree, old)
        self.assertEqual(len(old), len(new))
        return tree.replace(old, new)

    def test_a_tree_as_it_is(self):
        code, out, said = self.begin(self.tree())
        self.assertEqual(code, 0, out + said)

    def test_no_tree(self):
        self.refused('no device tree', b'', at=0)
        self.refused('no device tree', b'', at=self.TREE + 4)
        self.refused('no device tree', b'', at=1 << 40)
        self.refused('it does not begin as one', bytes(64))

    def test_a_tree_cut_short_or_damaged(self):
        tree = self.tree()
        words = [struct.unpack_from('>I', tree, 4 * i)[0] for i in range(10)]
        structure, length = words[2], words[9]

        def with_word(i, value):
            return tree[:4 * i] + struct.pack('>I', value) + tree[4 * i + 4:]

        self.refused('its parts lie outside', with_word(1, 64))
        self.refused('its parts lie outside', with_word(2, 0xfffffff0))
        self.refused('of a version that nobody knows', with_word(5, 3))
        self.refused('it is cut short', with_word(9, length // 8 * 4))
        self.refused('it is cut short', tree[:structure + 4] + bytes(64) + b'\xff' * 4 +
                     tree[structure + 72:])

    def test_no_memory_in_the_tree(self):
        self.refused('the memory map is broken: no memory is available',
                     self.change(b'memory\0', b'nemory\0'))

    def test_memory_that_is_not_where_the_image_is(self):
        tree = self.tree()
        here = struct.pack('>QQ', 0x40000000, 128 << 20)
        self.assertTrue(here in tree)
        self.refused('the image, at 0x40200000, is not in available memory',
                     tree.replace(here, struct.pack('>QQ', 0x44000000, 64 << 20)))
        self.refused('wraps round', tree.replace(here, struct.pack('>QQ', 0x40000000, 2**64 - 1)))

    def test_no_timer_no_controller(self):
        self.refused('no timer', self.change(b'arm,armv8-timer', b'arm,armv9-timer'))
        self.refused('no interrupt controller',
                     self.change(b'arm,cortex-a15-gic', b'arm,cortex-a16-gic'))

    def test_the_cpu_that_boots_is_not_in_the_tree(self):
        self.refused('the CPU that boots, 0x0, is not in it',
                     self.change(b'cpu\0', b'cpv\0'))

    def test_from_the_level_of_hypervisors(self):
        self.boot('first', machine='virt,virtualization=on')
        self.boot('first', machine='virt,virtualization=on,gic-version=3')


if __name__ == '__main__':
    kit.main()
