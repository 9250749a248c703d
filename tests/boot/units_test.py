"""units_test.py: the kernel's tests, unchanged, inside a bare machine."""
import os
import re

import kit


class Units(kit.Boots):
    def test_units(self):
        names = os.environ['UNITS'].split()
        threads = 'THREADS' in os.environ  # of the host, one for each CPU
        out = self.boot('units', machine=os.environ['MACHINE'], cpus=2 if threads else 8,
                        memory_mib=192, append=' '.join(names), threads=threads)
        ran = re.findall(r'^units: (\w+): [1-9]\d* passed in ', out, re.M)
        self.assertEqual(sorted(ran), sorted(names), out)
        self.assertRegex(out, r'\nunits: [1-9]\d* passed, ')


if __name__ == '__main__':
    kit.main()
