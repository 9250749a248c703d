#!/usr/bin/env python3
"""boot.py: how long `tenon run` takes to be ready, and what it holds, with its peers.

Usage: boot.py COMPILER TENON FOLDER_OF_HELLO_S_CODE MANIFEST [--json] [--check]. Each figure is
the median of five runs, warm. `ready` is from the start of the process, exec and dynamic linking
included, to the line that says so; resident memory is the process's then, shared library pages
included. Conditions and floors (an empty system is ready in 20 ms and holds at most 16 MB) are
printed as bench/conditions.h says; with --check a missed floor makes the exit status 1."""
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
READY_MS_MAX, RESIDENT_MB_MAX = 20, 16
METHOD = f'wall-clock time, median of {RUNS} runs, warm'

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


def boot(command, folder):
    boot_once(command, folder)  # warms the caches
    runs = [boot_once(command, folder) for _ in range(RUNS)]
    ready, end, held = (statistics.median(column) for column in zip(*runs))
    return {'ready_ms': ready, 'to_end_ms': end, 'resident_mb': held / 1e6}


def cpu_model():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return 'unknown'


def conditions(compiler):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {'benchmark': 'boot', 'cpus': os.cpu_count(), 'cpu': cpu_model(), 'compiler': compiler,
            'date': now.strftime('%Y-%m-%dT%H:%M:%SZ'), 'method': METHOD,
            'load_start': os.getloadavg()[0]}


def print_conditions(found):
    print(f'cpu       {found["cpu"]}, {found["cpus"]} online')
    for key in ('compiler', 'date', 'method'):
        print(f'{key:10}{found[key]}')
    print(f'{"load":10}{found["load_start"]:.2f} at the start\n')


def print_figures(found):
    print(f'{"tenon run":34} {"ready":>11} {"to end":>11} {"resident":>11}')
    for name, figure in found['systems'].items():
        print(f'{name:34} {figure["ready_ms"]:8.2f} ms {figure["to_end_ms"]:8.2f} ms '
              f'{figure["resident_mb"]:8.2f} MB')
    for name, took_ms in found['peers_ms'].items():
        print(f'{"peer: " + name + ", start to end":34} {took_ms:8.2f} ms')


def check_floors(found):
    """Notes the load at the end and which floors were missed; the line that says it."""
    empty = found['systems']['an empty system']
    floors = [('ready', empty['ready_ms'], READY_MS_MAX, 'ms'),
              ('resident', empty['resident_mb'], RESIDENT_MB_MAX, 'MB')]
    missed = [floor for floor in floors if floor[1] > floor[2]]
    found.update(load_end=os.getloadavg()[0], floors=len(floors),
                 missed=[name for name, *_ in missed])
    if not missed:
        return f'all {len(floors)} hold'
    line = f'{len(missed)} of {len(floors)} missed: ' + ', '.join(
        f'{name} ({figure:.1f} {unit}, floor {most})' for name, figure, most, unit in missed)
    if os.environ.get('BENCH_MISSED'):
        with open(os.environ['BENCH_MISSED'], 'a', encoding='utf-8') as file:
            file.write(f'boot: {line}\n')
    return line


def main():
    words = [word for word in sys.argv[1:] if not word.startswith('--')]
    tenon, hello, manifest = os.path.abspath(words[1]), words[2], words[3]
    found = conditions(words[0])
    if '--json' not in sys.argv:
        print_conditions(found)
    with tempfile.TemporaryDirectory(prefix='tenon-boot-') as folder:
        os.mkdir(os.path.join(folder, 'hello'))
        for name in ('hello.wasm', 'hello.tn.so'):
            if os.path.exists(os.path.join(hello, name)):
                shutil.copy(os.path.join(hello, name), os.path.join(folder, 'hello'))
        shutil.copy(manifest, os.path.join(folder, 'hello/component.toml'))
        systems = {'an empty system': EMPTY, '16 components, kernel': components(16, 'kernel')}
        if os.path.exists(os.path.join(folder, 'hello/hello.wasm')):
            systems['16 components, wasm'] = components(16, 'wasm')
        found.update(systems={}, peers_ms={})
        for name, text in systems.items():
            with open(os.path.join(folder, 'system.toml'), 'w', encoding='utf-8') as file:
                file.write(text)
            found['systems'][name] = boot([tenon, 'run', 'system.toml'], folder)
        for peer in (['true'], ['python3', '-c', ''], ['node', '-e', '']):
            if shutil.which(peer[0]):
                found['peers_ms'][peer[0]] = statistics.median(
                    peer_once(peer) for _ in range(RUNS))
    floors = check_floors(found)
    if '--json' in sys.argv:
        print(json.dumps(found, indent=2))
    else:
        print_figures(found)
        print(f'\n{"load":10}{found["load_end"]:.2f} at the end\n{"floors":10}{floors}')
    sys.exit('--check' in sys.argv and len(found['missed']) > 0)


if __name__ == '__main__':
    main()
