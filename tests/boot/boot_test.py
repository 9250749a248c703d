"""boot_test.py: the first program on every machine of an architecture, and on 1 to 8 CPUs."""
import kit

boot = kit.boot


class First(kit.Boots):
    def first(self, **how):
        out = self.boot('first', **how)
        cpus = how.get('cpus', 2)
        self.assertIn(f'first: {cpus} CPUs, 100 calls answered on CPU {cpus - 1}\n', out)
        self.assertIn('first: the guest says: Hello, Ada! This is run 1.\n', out)
        self.assertIn('first: the timer came\n', out)

    def test_machines(self):
        for machine in boot.MACHINES[kit.ARCH]:
            with self.subTest(machine=machine):
                self.first(machine=machine, threads=True)

    def test_cpus(self):
        for cpus in (1, 4, 8):
            with self.subTest(cpus=cpus):
                self.first(cpus=cpus)

    def test_memory_of_several_gib(self):
        self.first(memory_mib=5120)

    def test_exit_codes_are_the_machines(self):
        self.boot('wild', expect=42, append='exit')
        self.boot('wild', expect=1, append='no such word')


if __name__ == '__main__':
    kit.main()
