#!/usr/bin/env python3
"""curves.py: what operations cost by how much of everything there is; flat is what is wanted.

Usage: curves.py FOLDER [--json | --markdown] [NAME[@POINT]...]. FOLDER has bench_curves, which
measures on this machine, and bench_curves_sim, which counts in the simulator; both print JSON.
NAMEs choose curves, or points of them. A row ends with the last figure by the first. What the
machine itself takes (see docs/benchmarks.md) stands beside each group whose memory outgrows the
caches."""
import json
import os
import subprocess
import sys
import textwrap

PROGRAMS = ('bench_curves', 'bench_curves_sim')
FOOT = """\
x: the last figure by the first. A dash: not enough memory was free. \"The machine\" is a bare chase
of pointers through as many cache lines of as much memory, in the same order: where a row rises as
that one does, it is the caches' and the memory's doing."""


def run(folder, program, names):
    command = [os.path.join(folder, program), *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        out = process.communicate()[0]
    if process.returncode != 0:
        sys.exit(f'curves.py: {program} ended with {process.returncode}')
    return json.loads(out)


def measure(folder, names):
    result = None
    for program in PROGRAMS:
        found = run(folder, program, names)
        if result is None:
            result = found
        else:
            result['curves'] += found['curves']
            result['load_end'] = found['load_end']
    return result


def shown(value):
    if value is None:
        return '-'
    return f'{value:,.0f}' if value >= 1000 else f'{value:.1f}'.removesuffix('.0')


def rise(points):
    """The last figure by the first, of those that there are."""
    values = [point['value'] for point in points if point['value'] is not None]
    return f'{values[-1] / values[0]:.1f}' if len(values) > 1 and values[0] > 0 else '-'


def tables(curves):
    """(group, head, rows) as text: a column for each point that a curve of the group has."""
    for group in dict.fromkeys(curve['group'] for curve in curves):
        members = [curve for curve in curves if curve['group'] == group]
        at = sorted({point['n'] for curve in members for point in curve['points']})
        head = ['', *(f'{n:,}' for n in at), 'x', 'unit', 'what']
        rows = []
        for curve in members:
            values = {point['n']: shown(point['value']) for point in curve['points']}
            rows.append([curve['name'], *(values.get(n, '') for n in at), rise(curve['points']),
                         curve['unit'], curve['what']])
        yield group, head, rows


def conditions(result):
    yield 'cpu', f'{result["cpu"]}, {result["cpus"]} online'
    for key in ('compiler', 'date', 'method'):
        yield key, result[key]
    yield 'load', f'{result["load_start"]:.2f} at the start, {result["load_end"]:.2f} at the end'


def print_tables(result):
    for key, text in conditions(result):
        print(f'{key:10}{text}')
    for group, head, rows in tables(result['curves']):
        print(f'\n{group}')
        width = max(len(row[0]) for row in rows)
        for name, *values, unit, what in [head, *rows]:
            print(f'{name:{width}}' + ''.join(f'{value:>10}' for value in values)
                  + f'  {unit:5}  {what}')
    print('\n' + FOOT)


def print_markdown(result):
    for key, text in conditions(result):
        print(textwrap.fill(f'- **{key}**: {text}', 100, subsequent_indent='  '))
    for group, head, rows in tables(result['curves']):
        head[0] = group
        print('\n| ' + ' | '.join(head) + ' |')
        print('| --- |' + ' ---: |' * (len(head) - 3) + ' --- | --- |')
        for row in rows:
            print('| ' + ' | '.join(row) + ' |')
    print('\n' + FOOT)


def main():
    options = {word for word in sys.argv[1:] if word.startswith('--')}
    words = [word for word in sys.argv[1:] if not word.startswith('--')]
    if not words or options - {'--json', '--markdown'}:
        sys.exit('usage: curves.py FOLDER [--json | --markdown] [NAME[@POINT]...]')
    result = measure(words[0], words[1:])
    if '--json' in options:
        json.dump(result, sys.stdout, indent=2)
        print()
    elif '--markdown' in options:
        print_markdown(result)
    else:
        print_tables(result)


if __name__ == '__main__':
    main()
