#!/usr/bin/env python3
"""table.py: what the kernel core costs, beside its peers and the machine's limits, in one run.

Usage: table.py FOLDER [--peers FOLDER] [--json] [--check] [NAME...]. FOLDER has bench_core,
bench_libc and bench_raw, the other one the programs of bench/peers that need somebody's library
(build/peers of this tree unless said). Each program is run for itself and prints JSON; figures meet
by the name of the operation. A peer that is not there is said to be skipped. NAMEs choose the
operations that are printed. Conditions and floors are printed as bench/conditions.h says; with
--check a missed floor makes the exit status 1.

To add an operation: one line in OPERATIONS; to add a figure to it: print its name in a program."""
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CPUS = sorted(os.sched_getaffinity(0))
PEER_SECONDS_MAX, CORE_SECONDS_MAX = 300, 1200  # on a busy machine, too

# name: in bench_core and in the peers; goal: what we want; floor: what must be, where bench_core
# does not say it itself. More is better where the unit is GB/s.
Operation = collections.namedtuple('Operation', 'name goal floor what unit', defaults=['ns'])

OPERATIONS = (
    Operation('message', None, None, 'message there and back on one CPU, each way'),
    Operation('message_threads', None, None, 'the same between two threads that sleep'),
    Operation('message_free', None, None, 'the same, a worker a CPU, placed by the runtime'),
    Operation('message_across', None, None, 'the same, forced apart onto two CPUs'),
    Operation('message_one_way', None, None, 'one producer to one consumer, one CPU'),
    Operation('message_one_way_across', None, None, 'the same on two CPUs'),
    Operation('eight_to_one', None, None, 'eight producers to one consumer, one CPU'),
    Operation('eight_to_one_free', None, None, 'the same, placed by the runtime'),
    Operation('eight_to_one_across', None, None, 'the same, forced apart onto two CPUs'),
    Operation('ring', None, None, 'ring of 1,000 actors, a hop'),
    Operation('call', 30, None, 'call and reply, one CPU'),
    Operation('call_across', None, None, 'call and reply between two CPUs'),
    Operation('actor_make', None, None, 'actor made, until it has run or could'),
    Operation('actor_destroy', None, None, 'actor killed, until it is gone'),
    Operation('actor_bytes', None, None, 'memory of an idle actor', 'bytes'),
    Operation('actor_bytes_asleep', None, None, 'the same, hibernated', 'bytes'),
    Operation('actor_space_bytes', None, None, 'an idle actor with an empty space', 'bytes'),
    Operation('timer', None, None, 'timer set and cancelled'),
    Operation('timer_fire', None, None, 'one of 100,000 timers that end at once, till handled'),
    Operation('channel_round_trip', 190, 2000, 'between processes: 32 bytes there and back'),
    Operation('channel_message', 15, None, 'between processes: 32 bytes, one way'),
    Operation('channel_bulk', 10, 1, 'between processes: 64 KiB at a time', 'GB/s'),
    Operation('channel_round_trip_cpus', None, None, 'between actors that poll: there and back'),
    Operation('channel_message_cpus', None, None, 'between actors that poll: one way'),
    Operation('channel_bulk_cpus', None, None, 'between actors that poll: 64 KiB a time', 'GB/s'),
    Operation('channel_asleep', None, None, 'between actors that sleep, one CPU: there and back'),
    Operation('swap', None, None, 'an actor\'s instance replaced, 1 KiB of state, on one CPU'),
    Operation('swap_under_load', None, None, 'the same between CPUs, while messages come'),
    Operation('hook_site', None, None, 'call site of a hook point where nobody hooked'),
    Operation('fiber_switch', None, None, 'fiber switch (libc: swapcontext)'),
)

MACHINE = (
    Operation('cache_line', None, None, 'a cache line between two CPUs, there and back'),
    Operation('futex_wake', None, None, 'a thread that sleeps on another CPU woken, until it runs'),
    Operation('clock_read', None, None, 'the clock read'),
    Operation('copy_cache', None, None, 'memcpy of 64 KiB', 'GB/s'),
    Operation('copy_memory', None, None, 'memcpy of 64 MiB', 'GB/s'),
)

# One program run in one mode. Of a figure that several runs of a peer print, the better one counts.
Run = collections.namedtuple('Run', 'mode pinned cpus flags', defaults=[False, 1, ''])
Peer = collections.namedtuple('Peer', 'name title package how runs')

PEERS = (
    Peer('erlang', 'Erlang/OTP', 'erlang-base', (
        'Processes; gen_server:call; consumers keep their message queues off the heap. '
        'One CPU: +S 1:1, bound. Left to it: +S with a scheduler a CPU. Across: +S 2:2 +sbt db '
        '+sbwt very_long, each process bound to a scheduler.'),
         (Run('one', True, 1, '+S 1:1 +SDcpu 1:1 +SDio 1'),
          Run('free', False, 1, f'+S {len(CPUS)}:{len(CPUS)}'),
          Run('across', False, 2, '+S 2:2 +sbt db +sbwt very_long'))),
    Peer('caf', 'C++ Actor Framework', 'libcaf-dev', (
        'Event-based actors, messages of one integer, work stealing. One CPU: max-threads 1, '
        'bound. Left to it: a worker a CPU. Across: detached actors, bound; message_across also '
        'with two bound workers that spin and do not steal, which is the faster.'),
         (Run('one'), Run('free'), Run('across', False, 2), Run('spin', False, 2), Run('bytes'))),
    Peer('zmq', 'ZeroMQ', 'libzmq3-dev', (
        'inproc in a context without I/O threads, no high-water mark. message and message_one_way: '
        'one thread drives both sockets; else threads. call: REQ and REP. channel: ipc, one I/O '
        'thread a process, not bound.'),
         (Run(None),)),
    Peer('nng', 'nng', 'libnng-dev', (
        'inproc, largest buffers, messages handed on without a copy. message: one thread drives '
        'both sockets; else threads. call: req and rep. channel: ipc over abstract sockets, not '
        'bound.'),
         (Run('one'), Run('free'), Run('across', False, 2))),
    Peer('libc', 'the C library', None, (
        'A queue under a mutex with conditions, between threads; swapcontext; timerfd. '
        'actor_make: a thread made and joined. channel: a pair of Unix sockets, not bound.'),
         (Run(None),)),
    Peer('raw', 'the machine', None, (
        'No runtime: a plain ring in one thread; rings between threads or processes that spin; a '
        'call through a pointer; registers swapped by hand; memcpy through shared memory.'),
         (Run(None),)),
)

METHOD = 'one CPU: CPU time of all that take part; else wall-clock time; medians of five runs, warm'
FOOT = """\
A dash: it has no such thing, or it is not measured. An exclamation mark: beyond its floor. Figures
of wall-clock time are spoilt by a busy machine. Pony is not here: Debian does not package its
runtime."""
LOAD_MAX = 0.25  # a CPU; with more before the start, figures between CPUs mean little


def cpu_model():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return 'unknown'


def load():
    return os.getloadavg()[0]


def run_json(command, pinned=False, env=None, seconds=PEER_SECONDS_MAX):
    """What the program prints, or a sentence that says why there is nothing."""
    def bind():
        if pinned:
            os.sched_setaffinity(0, CPUS[:1])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, **(env or {})), preexec_fn=bind,
                          start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f'took more than {seconds} s'
    if process.returncode not in (0, 1) or not out:
        said = err.strip().splitlines()
        return f'ended with {process.returncode}' + (f': {said[-1]}' if said else '')
    try:
        return json.loads(out)
    except json.JSONDecodeError:
        return 'printed no JSON'


def command_of(peer, core_folder, peers_folder):
    """The command, or None when the peer is not there."""
    if peer.name == 'erlang':
        script = os.path.join(ROOT, 'bench/peers/erlang.erl')
        return ['escript', script] if shutil.which('escript') else None
    if peer.package is None:
        program = os.path.join(core_folder, 'bench_' + peer.name)
    else:
        program = os.path.join(peers_folder, peer.name)
    return [program] if os.path.exists(program) else None


def better(name, a, b):
    more = any(op.name == name and op.unit == 'GB/s' for op in OPERATIONS + MACHINE)
    return max(a, b) if more else min(a, b)


def measure_peer(peer, command):
    """(figures, version, why what is missing is missing)"""
    figures, version, problems = {}, '', []
    for run in peer.runs:
        if len(CPUS) < run.cpus:
            problems.append(f'{run.mode}: needs {run.cpus} CPUs')
            continue
        print(f'core: {peer.title}{", " + run.mode if run.mode else ""}', file=sys.stderr)
        found = run_json(command + ([run.mode] if run.mode else []), run.pinned,
                         {'ERL_AFLAGS': run.flags} if peer.name == 'erlang' else None)
        if isinstance(found, str):
            problems.append(f'{run.mode}: {found}' if run.mode else found)
            continue
        version = found.pop('version', version)
        for name, value in found.items():
            figures[name] = better(name, value, figures.get(name, value))
    return figures, version, problems


def measure(core_folder, peers_folder):
    result = {'benchmark': 'core', 'cpu': cpu_model(), 'cpus': len(CPUS), 'load_start': load(),
              'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), 'method': METHOD,
              'versions': {}, 'how': {},
              'skipped': {'pony': 'Debian does not package its runtime'}}
    print('core: Tenon', file=sys.stderr)
    core = run_json([os.path.join(core_folder, 'bench_core'), '--json'],
                    env={'BENCH_MISSED': ''},  # the table names what was missed
                    seconds=CORE_SECONDS_MAX)
    if isinstance(core, str):
        sys.exit(f'table.py: bench_core: {core}')
    result['compiler'], result['core'] = core['compiler'], core
    figures = {}
    for peer in PEERS:
        command = command_of(peer, core_folder, peers_folder)
        if command is None:
            result['skipped'][peer.name] = (
                f'{peer.package} is not installed, or its program is not built'
                if peer.package else 'not built for this machine')
            continue
        figures[peer.name], version, problems = measure_peer(peer, command)
        if problems:
            result['skipped'][peer.name] = '; '.join(problems)
        if version:
            result['versions'][peer.name] = version
        result['how'][peer.name] = peer.how
    result['load_end'] = load()
    result['operations'] = join({f['name']: f for f in core['figures']}, figures)
    result['machine'] = [{'name': op.name, 'what': op.what, 'unit': op.unit,
                          'value': figures['raw'][op.name]}
                         for op in MACHINE if op.name in figures.get('raw', {})]
    return result


def join(tenon, figures):
    """A row for each operation; then what only bench_core asks."""
    names = {op.name for op in OPERATIONS}
    only = [Operation(name, None, None, figure['what'], figure['unit'])
            for name, figure in tenon.items() if name not in names]
    rows = []
    for op in OPERATIONS + tuple(only):
        own = tenon.get(op.name, {})
        peers = {peer: found[op.name] for peer, found in figures.items() if op.name in found}
        value, floor = own.get('median'), own.get('floor', op.floor)
        holds = (value is None or floor is None
                 or (value >= floor if op.unit == 'GB/s' else value <= floor))
        if peers or value is not None:
            rows.append({'name': op.name, 'what': op.what, 'unit': op.unit, 'tenon': value,
                         'goal': op.goal, 'floor': floor, 'holds': holds, 'peers': peers})
    return rows


def check_floors(result):
    """Notes which floors were missed; the line that says it."""
    rows = [row for row in result['operations']
            if row['floor'] is not None and row['tenon'] is not None]
    missed = [row for row in rows if not row['holds']]
    result.update(floors=len(rows), missed=[row['name'] for row in missed])
    if not missed:
        return f'all {len(rows)} hold'
    line = f'{len(missed)} of {len(rows)} missed: ' + ', '.join(
        f'{row["name"]} ({row["tenon"]:.1f} {row["unit"]}, floor {row["floor"]:g})'
        for row in missed)
    if os.environ.get('BENCH_MISSED'):
        with open(os.environ['BENCH_MISSED'], 'a', encoding='utf-8') as file:
            file.write(f'core: {line}\n')
    return line


def shown(value):
    if value is None:
        return '-'
    return f'{value:,.0f}' if value >= 1000 else f'{value:.1f}'.removesuffix('.0')


def print_table(result, floors, wanted):
    print(f'cpu       {result["cpu"]}, {result["cpus"]} to use')
    for key in ('compiler', 'date', 'method'):
        print(f'{key:10}{result[key]}')
    print(f'load      {result["load_start"]:.2f} at the start, {result["load_end"]:.2f} at the end')
    print(f'floors    {floors}\n')
    columns = [peer.name for peer in PEERS if peer.name in result['how']]
    width = max(len(row['name']) for row in result['operations'])
    print(f'{"operation":{width}} {"tenon":>10}{"goal":>7}{"floor":>7}'
          + ''.join(f'{name:>9}' for name in columns) + '  unit   what')
    for row in result['operations']:
        if wanted and row['name'] not in wanted:
            continue
        own = shown(row['tenon']) + ('' if row['holds'] else ' !')
        print(f'{row["name"]:{width}} {own:>10}{shown(row["goal"]):>7}{shown(row["floor"]):>7}'
              + ''.join(f'{shown(row["peers"].get(name)):>9}' for name in columns)
              + f'  {row["unit"]:5}  {row["what"]}')
    print('\nthe machine')
    for row in result['machine']:
        print(f'{row["name"]:{width}} {shown(row["value"]):>10} {row["unit"]:5}  {row["what"]}')
    print()
    for peer in PEERS:
        if peer.name in result['how']:
            version = result['versions'].get(peer.name)
            print(textwrap.fill(f'{peer.title}{" " + version if version else ""}: {peer.how}', 100,
                                initial_indent=f'{peer.name:9}', subsequent_indent=' ' * 9))
    for name, why in result['skipped'].items():
        if name != 'pony':
            print(textwrap.fill(f'skipped  {name}: {why}', 100, subsequent_indent=' ' * 9))
    print(FOOT)
    if result['load_start'] > LOAD_MAX * result['cpus']:
        print('The machine was busy before this began: figures between CPUs mean little.')


def main():
    arguments = sys.argv[1:]
    peers_folder = os.path.join(ROOT, 'build/peers')
    if '--peers' in arguments[:-1]:
        at = arguments.index('--peers')
        peers_folder = arguments[at + 1]
        del arguments[at:at + 2]
    options = {word for word in arguments if word.startswith('--')}
    words = [word for word in arguments if not word.startswith('--')]
    if not words or options - {'--json', '--check'}:
        sys.exit('usage: table.py FOLDER [--peers FOLDER] [--json] [--check] [NAME...]')
    result = measure(words[0], peers_folder)
    floors = check_floors(result)
    if '--json' in options:
        json.dump(result, sys.stdout, indent=2)
        print()
    else:
        print_table(result, floors, words[1:])
    return 1 if result['missed'] and '--check' in options else 0


if __name__ == '__main__':
    sys.exit(main())
