"""kit.py: what the tests of bare machines share: booting an image; skipping where QEMU is not."""
import importlib.machinery
import importlib.util
import os
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77
CANNOT, PANIC, FAULT = 120, 121, 122  # machine/bare/bare.h


def tool(name):
    path = os.path.join(ROOT, 'tools', name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


boot = tool('boot')
ARCH = os.environ['ARCH']
IMAGES = os.environ['IMAGES']
# One thread for all CPUs of the guest, instead of one for each: a host that has fewer, or is busy,
# makes no CPU wait for another that spins.
TOGETHER = ['-accel', 'tcg,thread=single']
# A test machine may be busy: what must not take long is looked at where it is measured.
SECONDS = 120


def image(name, ending=None):
    ending = ending or {'x86_64': '.elf', 'aarch64': '.Image'}[ARCH]
    return os.path.join(IMAGES, f'{ARCH}-{name}{ending}')


class Boots(unittest.TestCase):
    """Each test boots a machine."""

    def boot(self, name, expect=0, threads=False, **how):
        """What was on the console; the machine must have ended with that code."""
        words = boot.command(image(name), ARCH, more=[] if threads else TOGETHER, **how)
        code, out, said = boot.run(words, ARCH, SECONDS)
        self.assertEqual(code, expect, f'{" ".join(words)}\n{out}\n{said}')
        return out

    def cannot(self, expect, name='first', **how):
        """The machine says why it cannot boot, in one line, and ends."""
        out = self.boot(name, expect=CANNOT, **how)
        lines = [line for line in out.splitlines() if line.startswith('tenon: ')]
        self.assertEqual(len(lines), 1, out)
        self.assertIn('tenon: cannot boot: ', lines[0])
        self.assertRegex(lines[0], expect)


def main():
    if not boot.available(ARCH):
        print(f'skipped: {boot.qemu(ARCH)} is not installed')
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv)
