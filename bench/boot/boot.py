#!/usr/bin/env python3
"""boot.py: how long `tenon run` takes to be ready, and what it holds, with its peers.

Usage: boot.py TENON FOLDER_OF_HELLO_S_CODE MANIFEST [--check]. Each figure is the median of five
runs, warm. `ready` is from the start of the process, exec and dynamic linking included, to the
line that says so; resident memory is the process's then, shared library pages included. With
--check it exits with 1 when an empty system is not ready in 20 ms or holds 16 MB or more."""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
READY_MS_MAX, RESIDENT_BYTES_MAX = 20, 16_000_000

EMPTY = '[system]\nname = "empty"\nmemory = "64 MiB"\n'
SERVING = EMPTY.replace('"empty"', '"serving"') + '''
[trust]
components = [{names}]
'''
ONE = '[components.{name}]\npackage = "hello"\ndomain = "{domain}"\n'


def components(n, domain):
    names = [f'hello{i}' for i in range(n)]
    return (SERVING.format(names=', '.join(f'"{name}"' for name in names))
            + ''.join(ONE.format(name=name, domain=domain) for name in names))


def resident_bytes(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        for line in file:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
    raise ValueError('no VmRSS')


def boot_once(command, folder):
    """Milliseconds to ready, and to the end after SIGTERM, and bytes in memory when ready."""
    before = time.monotonic()
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        ready = time.monotonic()
        if 'is ready after' not in line:
            process.kill()
            sys.exit(f'boot.py: {command}: {line}')
        held = resident_bytes(process.pid)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        status = process.wait(60)
        ended = time.monotonic()
    if status != 0:
        sys.exit(f'boot.py: {command} ended with {status}')
    return (ready - before) * 1000, (ended - asked) * 1000, held


def peer_once(command):
    before = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - before) * 1000


def boot(name, command, folder):
    boot_once(command, folder)  # warms the caches
    runs = [boot_once(command, folder) for _ in range(RUNS)]
    ready, end, held = (statistics.median(column) for column in zip(*runs))
    print(f'{name:34} {ready:8.2f} ms {end:8.2f} ms {held / 1e6:8.2f} MB')
    return ready, held


def main():
    tenon, hello = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory(prefix='tenon-boot-') as folder:
        os.mkdir(os.path.join(folder, 'hello'))
        for name in ('hello.wasm', 'hello.tn.so'):
            if os.path.exists(os.path.join(hello, name)):
                shutil.copy(os.path.join(hello, name), os.path.join(folder, 'hello'))
        shutil.copy(sys.argv[3], os.path.join(folder, 'hello/component.toml'))
        systems = {'an empty system': EMPTY, '16 components, kernel': components(16, 'kernel')}
        if os.path.exists(os.path.join(folder, 'hello/hello.wasm')):
            systems['16 components, wasm'] = components(16, 'wasm')
        print(f'medians of {RUNS} runs, {os.cpu_count()} CPUs')
        print(f'{"tenon run":34} {"ready":>11} {"to end":>11} {"resident":>11}')
        found = {}
        for name, text in systems.items():
            with open(os.path.join(folder, 'system.toml'), 'w', encoding='utf-8') as file:
                file.write(text)
            found[name] = boot(name, [tenon, 'run', 'system.toml'], folder)
        for peer in (['true'], ['python3', '-c', ''], ['node', '-e', '']):
            if shutil.which(peer[0]):
                took = statistics.median(peer_once(peer) for _ in range(RUNS))
                print(f'{"peer: " + peer[0] + ", start to end":34} {took:8.2f} ms')
    ready, held = found['an empty system']
    if '--check' in sys.argv and (ready > READY_MS_MAX or held >= RESIDENT_BYTES_MAX):
        sys.exit(f'boot.py: over {READY_MS_MAX} ms or {RESIDENT_BYTES_MAX} bytes')


if __name__ == '__main__':
    main()
