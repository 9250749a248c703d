#!/usr/bin/env python3
"""table.py: what the kernel core costs, beside its peers and the machine's limits, in one run.

Usage: table.py FOLDER [--peers FOLDER] [--json | --markdown] [--check] [NAME...]. FOLDER has
bench_core, bench_libc and bench_raw, the other one the programs of bench/peers that need somebody's
library (build/peers of this tree unless said). Each program is run for itself and prints JSON;
figures meet by the name of the operation. A peer that is not there is said to be skipped. NAMEs
choose the operations that are printed. Conditions and floors are printed as bench/conditions.h
says; with --check a missed floor makes the exit status 1. A missed goal is marked, and no more.
--markdown prints what docs/benchmarks.md shows.

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
    Operation('message', 25, None, 'message there and back (round trip), one CPU'),
    Operation('message_threads', None, None, 'the same between two threads that sleep'),
    Operation('message_free', 40, None, 'the same, a worker a CPU, placed by the runtime'),
    Operation('message_across', 200, None, 'the same, forced apart onto two CPUs'),
    Operation('message_one_way', 10, None, 'one producer to one consumer, one CPU, a message'),
    Operation('message_one_way_across', 30, None, 'the same on two CPUs'),
    Operation('eight_to_one', 10, None, 'eight producers to one consumer, one CPU, a message'),
    Operation('eight_to_one_free', 20, None, 'the same, placed by the runtime'),
    Operation('eight_to_one_across', 20, None, 'the same, forced apart onto two CPUs'),
    Operation('ring', 20, None, 'ring of 1,000 actors, a hop'),
    Operation('call', 30, None, 'call and reply (round trip), one CPU'),
    Operation('call_across', None, None, 'the same between two CPUs'),
    Operation('actor_make', 120, None, 'actor made, until it has run or could; memory used before'),
    Operation('actor_make_touch', 220, None, 'the same in memory that nobody has touched'),
    Operation('actor_destroy', None, None, 'actor killed, until it is gone'),
    Operation('actor_bytes', 384, None, 'memory of an idle actor with its mailbox', 'bytes'),
    Operation('actor_bytes_asleep', None, None, 'the same, hibernated', 'bytes'),
    Operation('actor_space_bytes', None, None, 'an idle actor with an empty space', 'bytes'),
    Operation('object_call', None, None, 'call on a kernel object and its reply, one CPU'),
    Operation('cap_lookup', 2, None, 'capability looked up, type and rights checked'),
    Operation('cap_lookup_chain', None, None, 'the same, each waits for the last one\'s answer'),
    Operation('cap_mint', 20, None, 'capability mint'),
    Operation('cap_delete', None, None, 'capability delete'),
    Operation('cap_mint_delete', None, None, 'mint and delete in turn, both'),
    Operation('cap_revoke', 20, None, 'revoke, each of 1,000 descendants'),
    Operation('note', None, None, 'signal and wait, both, the bits are there'),
    Operation('note_switch', 25, None, 'signal to an actor that waits, until it runs, one CPU'),
    Operation('timer', 15, None, 'timer set and cancelled, both'),
    Operation('timer_fire', 60, None, 'one of 1,000,000 timers that end at once, till handled'),
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
    Operation('fiber_switch', 8, None, 'fiber switch (libc: swapcontext)'),
    Operation('yield', None, None, 'yield: leave the turn, come back'),
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
        'call through a pointer; registers swapped by hand; memcpy through shared memory. '
        'actor_make_touch: as many bytes as an actor and its space, written.'),
         (Run(None),)),
)

METHOD = 'one CPU: CPU time of all that take part; else wall-clock time; medians of five runs, warm'
FOOT = """\
A dash: it has no such thing, or it is not measured. *: the goal is missed. !: beyond its floor.
Each figure is of one operation; a round trip is one. Figures of wall-clock time are spoilt by a
busy machine. Pony is not here: Debian does not package its runtime."""
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
        if peers or value is not None:
            rows.append({'name': op.name, 'what': op.what, 'unit': op.unit, 'tenon': value,
                         'goal': op.goal, 'reached': keeps(op, value, op.goal),
                         'floor': floor, 'holds': keeps(op, value, floor), 'peers': peers})
    return rows


def keeps(op, value, bound):
    """Whether a figure is no worse than a bound, of which either may be None."""
    return value is None or bound is None or (value >= bound if op.unit == 'GB/s'
                                              else value <= bound)


def missed(result, bound, kept, name):
    """(how many figures have such a bound, rows that miss it, the line that says so)"""
    rows = [row for row in result['operations']
            if row[bound] is not None and row['tenon'] is not None]
    beyond = [row for row in rows if not row[kept]]
    if not beyond:
        return len(rows), beyond, f'all {len(rows)} {name}'
    return len(rows), beyond, f'{len(beyond)} of {len(rows)} missed: ' + ', '.join(
        f'{row["name"]} ({row["tenon"]:.1f} {row["unit"]}, {bound} {row[bound]:g})'
        for row in beyond)


def check_bounds(result):
    """Notes which floors and goals were missed; the lines that say it."""
    floors, beyond, line = missed(result, 'floor', 'holds', 'hold')
    goals, short, goal_line = missed(result, 'goal', 'reached', 'reached')
    result.update(floors=floors, missed=[row['name'] for row in beyond],
                  goals=goals, goals_missed=[row['name'] for row in short])
    if beyond and os.environ.get('BENCH_MISSED'):
        with open(os.environ['BENCH_MISSED'], 'a', encoding='utf-8') as file:
            file.write(f'core: {line}\n')
    return line, goal_line


def shown(value):
    if value is None:
        return '-'
    return f'{value:,.0f}' if value >= 1000 else f'{value:.1f}'.removesuffix('.0')


def conditions(result):
    """(key, text) of what the figures depend on, and of what they miss."""
    yield 'cpu', f'{result["cpu"]}, {result["cpus"]} to use'
    for key in ('compiler', 'date', 'method'):
        yield key, result[key]
    yield 'load', f'{result["load_start"]:.2f} at the start, {result["load_end"]:.2f} at the end'
    yield from zip(('floors', 'goals'), check_bounds(result))


def peer_lines(result):
    """(name, how it was set up), then (skipped, who and why)."""
    for peer in PEERS:
        if peer.name in result['how']:
            version = result['versions'].get(peer.name)
            yield peer.name, f'{peer.title}{" " + version if version else ""}: {peer.how}'
    for name, why in result['skipped'].items():
        if name != 'pony':
            yield 'skipped', f'{name}: {why}'


def cells(result, wanted):
    """The table's head and rows, as text."""
    columns = [peer.name for peer in PEERS if peer.name in result['how']]
    yield ['operation', 'tenon', 'goal', 'floor', *columns, 'unit', 'what']
    for row in result['operations']:
        if wanted and row['name'] not in wanted:
            continue
        mark = ' !' if not row['holds'] else ' *' if not row['reached'] else ''
        yield [row['name'], shown(row['tenon']) + mark, shown(row['goal']), shown(row['floor']),
               *(shown(row['peers'].get(name)) for name in columns), row['unit'], row['what']]


def busy(result):
    return result['load_start'] > LOAD_MAX * result['cpus']


BUSY = 'The machine was busy before this began: figures between CPUs mean little.'


def print_table(result, wanted):
    for key, text in conditions(result):
        print(textwrap.fill(f'{key:10}{text}', 100, subsequent_indent=' ' * 10))
    print()
    width = max(len(row['name']) for row in result['operations'])
    for name, own, goal, floor, *peers, unit, what in cells(result, wanted):
        print(f'{name:{width}} {own:>10}{goal:>7}{floor:>7}' + ''.join(f'{x:>9}' for x in peers)
              + f'  {unit:5}  {what}')
    print('\nthe machine')
    for row in result['machine']:
        print(f'{row["name"]:{width}} {shown(row["value"]):>10} {row["unit"]:5}  {row["what"]}')
    print()
    for name, text in peer_lines(result):
        print(textwrap.fill(text, 100, initial_indent=f'{name:9}', subsequent_indent=' ' * 9))
    print(FOOT)
    if busy(result):
        print(BUSY)


def markdown_row(words):
    return '| ' + ' | '.join(word.replace('*', '\\*').replace('|', '\\|') for word in words) + ' |'


def print_markdown(result, wanted):
    for key, text in conditions(result):
        print(textwrap.fill(f'- **{key}**: {text}', 100, subsequent_indent='  '))
    print()
    for i, row in enumerate(cells(result, wanted)):
        print(markdown_row(row))
        if i == 0:
            print(markdown_row(['---'] + ['---:'] * (len(row) - 3) + ['---', '---']))
    print('\n| the machine | | unit | what |\n| --- | ---: | --- | --- |')
    for row in result['machine']:
        print(markdown_row([row['name'], shown(row['value']), row['unit'], row['what']]))
    print()
    for name, text in peer_lines(result):
        print(textwrap.fill(f'- *{name}*: {text}', 100, subsequent_indent='  '))
    print('\n' + FOOT.replace('*:', '\\*:') + ('\n' + BUSY if busy(result) else ''))


def main():
    arguments = sys.argv[1:]
    peers_folder = os.path.join(ROOT, 'build/peers')
    if '--peers' in arguments[:-1]:
        at = arguments.index('--peers')
        peers_folder = arguments[at + 1]
        del arguments[at:at + 2]
    options = {word for word in arguments if word.startswith('--')}
    words = [word for word in arguments if not word.startswith('--')]
    if not words or options - {'--json', '--markdown', '--check'}:
        sys.exit('usage: table.py FOLDER [--peers FOLDER] [--json | --markdown] [--check] '
                 '[NAME...]')
    result = measure(words[0], peers_folder)
    if '--json' in options:
        check_bounds(result)
        json.dump(result, sys.stdout, indent=2)
        print()
    elif '--markdown' in options:
        print_markdown(result, words[1:])
    else:
        print_table(result, words[1:])
    return 1 if result['missed'] and '--check' in options else 0


if __name__ == '__main__':
    sys.exit(main())
