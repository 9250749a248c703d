"""tenon.py: gdb commands that show a kernel, live or in a core dump: `help tenon`.

    gdb -x tools/gdb/tenon.py PROGRAM          (or: ./dev gdb PROGRAM)

docs/debugging.md shows them at work."""
import os
import sys

import gdb

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model  # noqa: E402
from model import at, enum, number  # noqa: E402

CLASSES = {0: 'user', 1: 'syscall request', 2: 'interrupt', 3: 'timer', 4: 'module load',
           5: 'AI analysis', 6: 'fault', 7: 'recovery'}
NAMES_MAX = 3  # actors of one untyped that are named, not counted


def table(rows):
    """Prints rows with their columns in line; the first is the head."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def size(count):
    """Bytes for people, exact where they are round."""
    for unit, shift in (('GiB', 30), ('MiB', 20), ('KiB', 10)):
        if count >= 1 << shift:
            exact = count % (1 << shift) == 0
            return f'{count >> shift} {unit}' if exact else f'{count / (1 << shift):.1f} {unit}'
    return f'{count} B'


def when(at_ns, now_ns):
    """A time as seen from another."""
    if at_ns == model.NEVER:
        return 'never'
    sign, distance = ('in ', at_ns - now_ns) if at_ns >= now_ns else ('', now_ns - at_ns)
    text = f'{distance / 1e6:.3f} ms'
    return sign + text if sign else text + ' ago'


def method(value):
    return f'{value >> 16}:{value & 0xffff}'


def plural(count, word):
    return f'{count} {word}' if count == 1 else f'{count} {word}s'


def wait_text(world, wait):
    """What a wait is for, in a few words."""
    if wait.credit_of:
        what = f'room at {world.name(wait.credit_of)}'
    elif wait.callee:
        what = f'an answer of {world.name(wait.callee)}'
    elif wait.held:
        what = world.object_text(wait.held)
    else:
        what = 'nothing'
    return what if wait.open else what + ' (over, not gone on yet)'


def home_of(world, actor):
    cpu = number(actor['home'])
    return next((i for i, c in enumerate(world.cpus) if model.address_of(c) == cpu), '?')


class Tenon(gdb.Command):
    """Shows the Tenon kernel of this program or core dump: help tenon."""

    def __init__(self):
        super().__init__('tenon', gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class Command(gdb.Command):
    """A command below `tenon`; its first documentation line is its help."""

    word, least, most, usage = '', 0, 0, ''

    def __init__(self):
        super().__init__('tenon ' + self.word, gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not self.least <= len(words) <= self.most:
            raise model.Problem(f'usage: tenon {self.word}{self.usage}')
        try:
            self.show(*words)
        except gdb.MemoryError as error:
            raise model.Problem(f'memory that is not there: {error}') from None

    def show(self, *words):
        raise NotImplementedError


class Kernel(Command):
    """Says where the kernel is, if these commands do not find it: tenon kernel ADDRESS"""

    word, least, most, usage = 'kernel', 1, 1, ' ADDRESS'

    def show(self, *words):
        model.World.chosen = int(gdb.parse_and_eval(words[0]))


class Actors(Command):
    """Every actor: how it lives and runs, its home, turns, mailbox, and what it waits for."""

    word = 'actors'

    def show(self, *words):
        world = model.World()
        rows = [('actor', 'life', 'run', 'cpu', 'turns', 'mail', 'free', 'waits for')]
        for _, actor in world.actors:
            credits = number(actor['mbox']['credits']) + number(actor['mbox']['away'])
            waits = ', '.join(wait_text(world, w) for w in world.waits(actor))
            rows.append((world.name(model.address_of(actor)),
                         enum('actor_life', number(actor['life'])),
                         enum('actor_run', number(actor['run'])), home_of(world, actor),
                         f'{number(actor["turns"])}/{number(actor["concurrency"])}',
                         len(list(world.cells(actor))), credits, waits or '-'))
        table(rows)


class Mailbox(Command):
    """The messages of an actor, in the order it will take them: tenon mailbox ACTOR"""

    word, least, most, usage = 'mailbox', 1, 1, ' ACTOR'

    def show(self, *words):
        world = model.World()
        address, actor = world.actor(words[0])
        rows = [('door', 'class', 'method', 'badge', 'bytes', 'caps', 'from')]
        for door, cell in world.cells(actor):
            flags, length, block = number(cell['flags']), number(cell['len']), 0
            sender = world.sender(cell)
            if flags & model.CELL_EMBEDDED:
                sender = 'the kernel'
            elif flags & model.CELL_CALL:
                call = cell['body']['call']
                caller = at(call['caller'], 'wait')
                sender = f'a call of {world.name(number(caller["actor"]))}'
                block, length = number(call['block']), 0
            elif flags & model.CELL_BLOCK:
                block = number(cell['body']['block'])
            if block != 0:
                length = number(at(block, 'block')['len'])
            cls = number(cell['cls'])
            rows.append((door, CLASSES.get(cls, cls), method(number(cell['method'])),
                         number(cell['badge']), length, number(cell['ncaps']), sender))
        mbox = actor['mbox']
        print(f'{world.name(address)}: {plural(len(rows) - 1, "message")}, room for '
              f'{number(mbox["credits"])} from its CPU and {number(mbox["away"])} from others')
        if len(rows) > 1:
            table(rows)


def slot_row(world, slot, owners):
    marks = ' (being revoked)' if slot.word & model.WORD_REVOKING else ''
    marks += ' (in a message)' if slot.word & model.WORD_POSTED else ''
    return (f'{owners.get(slot.space(), hex(slot.space()))}:{slot.handle():#x}', slot.rights(),
            slot.badge, world.object_text(slot.object) + marks)


def owners_of(world):
    """{space: its actor's name}"""
    owners = {}
    for address, actor in world.actors:
        owners.setdefault(number(actor['space']), world.name(address))
    return owners


class Caps(Command):
    """The capabilities of an actor: tenon caps ACTOR

    Rights are R read, W write, C call, G grant, X control."""

    word, least, most, usage = 'caps', 1, 1, ' ACTOR'

    def show(self, *words):
        world = model.World()
        address, actor = world.actor(words[0])
        space, owners = number(actor['space']), owners_of(world)
        value = at(space, 'space')
        print(f'{world.name(address)}: {number(value["count"])} of at most '
              f'{number(value["slots_max"])} capabilities, {number(value["reserved"])} reserved, '
              f'{number(value["retired"])} retired')
        rows = [('capability', 'rights', 'badge', 'object')]
        rows += [slot_row(world, s, owners) for s in model.slots(space) if s.live()]
        if len(rows) > 1:
            table(rows)


class Tree(Command):
    """The derivation tree that a capability is in, and it marked: tenon tree ACTOR:HANDLE"""

    word, least, most, usage = 'tree', 1, 1, ' ACTOR:HANDLE'

    def show(self, *words):
        world = model.World()
        name, colon, text = words[0].rpartition(':')
        if not colon:
            raise model.Problem(f'usage: tenon tree{self.usage}, as tenon caps prints it')
        _, actor = world.actor(name)
        handle = int(gdb.parse_and_eval(text))
        slot = model.slot_at(number(actor['space']), handle & (1 << 24) - 1)
        if slot is None or not slot.live() or slot.handle() != handle:
            raise model.Problem(f'{words[0]} names nothing: stale, or never granted')
        top = slot
        while top.up() is not None:
            top = top.up()
        top = top.first_sibling()
        if len(list(top.siblings())) > 1:
            print('what these were derived from is deleted')
        rows, owners = [('capability', 'rights', 'badge', 'object')], owners_of(world)
        todo = [(0, s) for s in reversed(list(top.siblings()))]
        while todo:
            depth, one = todo.pop()
            cap, rights, badge, what = slot_row(world, one, owners)
            mark = '> ' if one.address == slot.address else '  '
            rows.append((mark + '  ' * depth + cap, rights, badge, what))
            todo += [(depth + 1, s) for s in reversed(list(one.children()))]
        table([('  ' + rows[0][0],) + rows[0][1:]] + rows[1:])


class Queues(Command):
    """What is queued on each CPU, most urgent first, who asked it, and who has its lock."""

    word = 'queues'

    def show(self, *words):
        world = model.World()
        for i, cpu in enumerate(world.cpus):
            marks = [word for word, on in (('asleep', number(cpu['asleep'])),
                                           ('inside', number(cpu['inside'])),
                                           ('wanted by others', number(cpu['wanted']))) if on]
            stats = cpu['stats']
            print(f'CPU {i}: {plural(number(stats["messages_processed"]), "message")}, '
                  f'{number(stats["context_switches"])} switches, '
                  f'{number(stats["parks"])} sleeps' + (f' ({", ".join(marks)})' if marks else ''))
            head = number(cpu['next'])
            if head:
                priority = number(at(head, 'actor')['queued_at'])
                print(f'  head, priority {priority}: {world.name(head)}')
            for priority in range(cpu['queue'].type.range()[1] + 1):
                names = [world.name(model.address_of(
                    model.container(link, 'actor', 'queue_link')))
                         for link in model.listed(cpu['queue'][priority])]
                if names:
                    print(f'  priority {priority}: {", ".join(names)}')
            asked, names = number(cpu['asked']), []
            while asked:
                names.append(world.name(asked))
                asked = number(at(asked, 'actor')['asked_link'])
            if names:
                print(f'  asked: {", ".join(reversed(names))}')


class Timers(Command):
    """What will happen on each CPU at which time, earliest first."""

    word = 'timers'

    def show(self, *words):
        world = model.World()
        rows = [('cpu', 'when', 'what')]
        for i, cpu in enumerate(world.cpus):
            slots, now, found = cpu['wheel']['slot'], number(cpu['now']), []
            for level in range(slots.type.range()[1] + 1):
                for n in range(slots[level].type.range()[1] + 1):
                    found += [self.event(world, link) for link in model.listed(slots[level][n])]
            rows += [(i, when(at_ns, now), what) for at_ns, what in sorted(found)]
        table(rows)

    @staticmethod
    def event(world, link):
        event = model.container(link, 'event', 'timer', 'link')
        at_ns, name = number(event['timer']['at_ns']), model.symbol(number(event['fire']))
        address = model.address_of(event)
        if name == 'expire':
            wait = model.Wait(model.container(address, 'wait', 'expiry'))
            return at_ns, f'{world.name(wait.actor)} stops waiting for {wait_text(world, wait)}'
        if name == 'timer_fire':
            timer = model.container(address, 'timer', 'event')
            return at_ns, (f'timer of {world.name(model.timer_owner(timer))}, '
                           f'cookie {number(timer["cookie"])}')
        return at_ns, name or hex(number(event['fire']))


def circles(edges):
    """Each circle of a graph {node: nodes} once, from its first node on."""
    found = []

    def walk(path):
        for to in edges.get(path[-1], ()):
            if to in path:
                circle = path[path.index(to):]
                first = circle.index(min(circle))
                circle = circle[first:] + circle[:first]
                if circle not in found:
                    found.append(circle)
            else:
                walk(path + [to])

    for node in sorted(edges):
        walk([node])
    return found


class Waits(Command):
    """Who waits for whom, and the circles in it."""

    word = 'waits'

    def show(self, *words):
        world = model.World()
        rows, edges = [('who', 'waits for', 'until')], {}
        for address, actor in world.actors:
            cpu = home_of(world, actor)
            now = number(world.cpus[cpu]['now']) if cpu != '?' else 0
            for wait in world.waits(actor):
                rows.append((world.name(address), wait_text(world, wait),
                             when(wait.until(), now)))
                if wait.open and wait.on():
                    edges.setdefault(address, []).append(wait.on())
        if len(rows) == 1:
            print('nobody waits')
            return
        table(rows)
        for circle in circles(edges):
            spare = [a for a in circle
                     if number(at(a, 'actor')['turns']) < number(at(a, 'actor')['concurrency'])]
            names = [world.name(a) for a in circle + circle[:1]]
            how = f' ({world.name(spare[0])} has a turn to spare)' if spare else ''
            print(f'circle: {" -> ".join(names)}{how}')


class Memory(Command):
    """The untyped memory: what is used of it, by what; with ACTOR, what that one is charged to."""

    word, most, usage = 'memory', 1, ' [ACTOR]'

    def show(self, *words):
        world = model.World()
        begin = world.heap.root
        if words:
            _, actor = world.actor(words[0])
            home = number(actor['object']['home'])
            begin = next((u for u in world.heap.untypeds() if u.address == home), None)
            if begin is None:
                raise model.Problem(f'the memory of {words[0]} is not to be found')
        todo = [(0, begin)]
        while todo:
            depth, one = todo.pop()
            counts = {}
            for name, _ in one.objects:
                counts[name] = counts.get(name, 0) + 1
            actors = [world.name(a) for name, a in one.objects if name == 'actor']
            made = [plural(n, name) for name, n in sorted(counts.items()) if name != 'actor']
            if len(actors) > NAMES_MAX:
                made.insert(0, plural(len(actors), 'actor'))
            else:
                made[:0] = [f'actor {name}' for name in actors]
            if one.children:
                made.append(plural(len(one.children), 'untyped'))
            if one.other:
                made.append(f'{one.other} other')
            dying = ', dying' if one.value['dying'] else ''
            indent = '    ' * depth
            print(f'{indent}untyped {one.address:#x}: {size(number(one.value["pages"]) * 4096)}, '
                  f'used {size(number(one.value["used_bytes"]))}, '
                  f'at most {size(number(one.value["peak_bytes"]))}{dying}')
            if made:
                print(f'{indent}  {", ".join(made)}')
            todo += [(depth + 1, child) for child in reversed(one.children)]


def program_of_core():
    """The program that a core dump is of, where gdb was not told: its first mapped file."""
    try:
        text = gdb.execute('info proc mappings', to_string=True)
    except gdb.error:
        return
    files = [line.split()[-1] for line in text.splitlines() if line.rstrip()[-1:] and '/' in line]
    if files and os.path.isfile(files[0]):
        gdb.execute(f'file {files[0]}', to_string=True)


Tenon()
for each in Command.__subclasses__():
    each()
if gdb.current_progspace().filename is None and gdb.selected_inferior().pid:
    program_of_core()
