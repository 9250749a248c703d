"""fault_test.py: what goes wrong in code on a bare machine is said by name, with registers and a
backtrace, and ends the machine."""
import re

import kit

# Word of tests/boot/wild.c: what the machine says in each architecture, which function is in the
# backtrace.
WRITTEN = {'x86_64': 'page fault: written, nothing there',
           'aarch64': 'data abort: written, nothing there'}
READ_ONLY = {'x86_64': 'page fault: read only, written',
             'aarch64': 'data abort: read only, written'}
NO_CODE = {'x86_64': 'page fault: no code, executed',
           'aarch64': 'instruction abort: no code, executed'}
NOT_THERE = {'x86_64': 'page fault: executed, nothing there',
             'aarch64': 'instruction abort: executed, nothing there'}
FAULTS = {
    'null': (WRITTEN, r'at 0x0,', 'write_to'),
    'call-null': (NOT_THERE, r'at 0x0,', 'call_to'),
    'lower-half': (WRITTEN, r'at 0x100000,', 'write_to'),
    'text': (READ_ONLY, r'at 0xffffffff8', 'write_to'),
    'rodata': (READ_ONLY, r'at 0xffffffff8', 'write_to'),
    'data-code': (NO_CODE, r'at 0xffffffff8', 'call_to'),
    'memory-code': (NO_CODE, r'at 0xffff80', 'call_to'),
    'first-page': (WRITTEN, r'at 0xffff800000000000,', 'write_to'),
    'sealed-write': (READ_ONLY, r'at 0xffffe0', 'write_to'),
    'sealed-call': (NO_CODE, r'at 0xffffe0', 'call_to'),
    'opcode': ({'x86_64': 'invalid opcode', 'aarch64': 'breakpoint'}, 'pc 0x', 'bare_main'),
    'no-address': ({'x86_64': 'general protection fault', 'aarch64': 'data abort: '}, 'pc 0x',
                   'write_to'),
}


class Faults(kit.Boots):
    def fault(self, word, code=kit.FAULT, more=True, **how):
        out = self.boot('wild', expect=code, append=word, **how)
        self.assertIn('backtrace:\n', out)
        if code == kit.FAULT:
            self.assertRegex(out, r'\b(rax|x0) 0x[0-9a-f]{16} ')
            self.assertEqual('wild: asked to say more\n' in out, more)
        return out

    def test_every_fault_is_named(self):
        for word, (what, where, function) in FAULTS.items():
            with self.subTest(word=word):
                out = self.fault(word)
                self.assertRegex(out, 'tenon: ' + re.escape(what[kit.ARCH]) + '.*' + where)
                self.assertRegex(out, rf'0x[0-9a-f]{{16}} {function}(\.\w+)*\+0x')
                self.assertRegex(out, r' first_main\+0x')

    def test_a_stack_that_overflows_is_told_as_that(self):
        out = self.fault('overflow', more=False)  # there is no stack to be read
        self.assertIn('tenon: stack overflow of a native turn: guard page touched', out)
        self.assertRegex(out, r' wild_recursion(\.\w+)*\+0x')

    def test_a_panic_says_where(self):
        out = self.fault('panic', code=kit.PANIC)
        self.assertRegex(out, r'tenon: kernel panic: assertion failed: .*wild\.c:\d+\), CPU 0\n')
        self.assertRegex(out, r' bare_main(\.\w+)*\+0x')

    def test_a_fault_of_another_cpu_ends_the_machine(self):
        out = self.fault('other-cpu', cpus=4)
        self.assertRegex(out, r'at 0x8, pc 0x[0-9a-f]+, CPU 3\n')
        self.assertIn(' bare_cpu_main+0x', out)


if __name__ == '__main__':
    kit.main()
