"""model.py: the kernel's structures as a debugger sees them, in a live program or a core dump.

Only memory is read: no function of the program is called, so all of it works on a dump. Kernel
objects are found by walking the page maps of untyped memory (kernel/mem), because the kernel keeps
no list of them."""
import struct

import gdb

PAGE = 4096
# enum page_kind
FREE, AWAY, BLOCK, SLAB = 2, 3, 4, 5
# A slot's word (kernel/cap/lookup.h).
WORD_LIVE, WORD_REVOKING, WORD_POSTED, WORD_GENERATION_SHIFT = 1 << 16, 1 << 17, 1 << 19, 24
CHUNK_SLOTS = 8
CHUNK = 1024  # bytes of a chunk of cells
LINK_UP, OWNER_CHUNK = 1, 15
RIGHTS = 'RWCGX'  # read, write, call, grant, control
# enum cell_flag
CELL_CALL, CELL_BLOCK, CELL_EMBEDDED, CELL_AWAY = 2, 4, 8, 16
WAIT_OPEN = 1
NEVER = 2 ** 64 - 1
# Objects by their class's name, where that is not the name of the struct.
STRUCTS = {'notification': 'note'}


class Problem(gdb.GdbError):
    """What cannot be shown, and why; printed without a traceback."""


def number(value):
    """An integer or an address, also of an atomic."""
    return int(value.cast(value.type.strip_typedefs().unqualified()))


def typed(name):
    try:
        return gdb.lookup_type('struct ' + name)
    except gdb.error as error:
        raise Problem(f'{error}: is this a program with the kernel in it, built with debug '
                      'information?') from None


def at(address, name):
    """The struct at an address; None for NULL."""
    address = address if isinstance(address, int) else number(address)
    if address == 0:
        return None
    return gdb.Value(address).cast(typed(name).pointer()).dereference()


def address_of(value):
    return int(value.address)


def timer_owner(value):
    """The address of the actor that a struct timer belongs to: it is in its message's body."""
    return number(value['embedded']['cell']['body']['block'])


def container(address, name, *path):
    """The struct `name` in which the member at `path` has this address."""
    offset, kind = 0, typed(name)
    for member in path:
        field = next(f for f in kind.fields() if f.name == member)
        offset, kind = offset + field.bitpos // 8, field.type
    return at(address - offset, name)


def enum(name, value):
    """The enumerator's own word in small letters: ACTOR_IDLE is idle."""
    for field in gdb.lookup_type('enum ' + name).fields():
        if field.enumval == value:
            return field.name.split('_', 1)[1].lower()
    return f'?{value}'


def listed(head, limit=1 << 20):
    """Addresses of the links of a struct list but the head's."""
    first, n = address_of(head), 0
    link = number(head['next'])
    while link not in (first, 0) and n < limit:
        yield link
        link, n = number(at(link, 'list')['next']), n + 1


def symbol(address):
    """The name of what is at exactly this address, or ''."""
    text = gdb.execute(f'info symbol {address:#x}', to_string=True)
    word = text.split(' ')[0]
    return word if ' + ' not in text.split(' in section')[0] and text.find('No symbol') < 0 else ''


def read(address, size):
    """Bytes; pages that a dump left out read as zero."""
    inferior = gdb.selected_inferior()
    try:
        return bytes(inferior.read_memory(address, size))
    except gdb.MemoryError:
        if size <= PAGE:
            return bytes(size)
        step = PAGE - address % PAGE
        parts = [read(address, step)]
        parts += [read(address + i, min(PAGE, size - i)) for i in range(step, size, PAGE)]
        return b''.join(parts)


class Untyped:
    """One untyped: its numbers, what was made from it, and the untypeds inside it."""

    def __init__(self, heap, address):
        self.address = address
        self.value = at(address, 'untyped')
        self.objects, self.children, self.other = [], [], 0
        pages = number(self.value['pages'])
        head = address + typed('untyped').sizeof + typed('buddy').sizeof
        entries = struct.iter_unpack('<IIBBBBBBBB', read(head, 16 * pages))
        skip = number(self.value['head_pages'])
        for page, entry in enumerate(entries):
            if page < skip:
                continue
            count, _, kind, order = entry[:4]
            if kind in (FREE, AWAY):
                skip = page + (1 << order)
            elif kind == BLOCK:
                skip = page + count
                self.found(heap, address + page * PAGE)
            elif kind == SLAB:
                self.slab(heap, address + page * PAGE, entry)

    def slab(self, heap, page, entry):
        kind, used, first, fresh = entry[5], entry[6], entry[7], entry[8]
        if used == 0:
            return
        size, data, free = heap.sizes[kind], read(page, PAGE), set()
        while first != 0 and first - 1 not in free:
            free.add(first - 1)
            first = data[(first - 1) * size]
        for i in range(fresh):
            if i not in free:
                self.found(heap, page + i * size, data[i * size:i * size + 8])

    def found(self, heap, address, head=None):
        name = heap.class_name(struct.unpack('<Q', head or read(address, 8))[0])
        if name is None:
            self.other += 1
        elif name == 'untyped':
            self.children.append(Untyped(heap, address))
        else:
            self.objects.append((name, address))


class Heap:
    """All kernel objects, found in all untyped memory."""

    def __init__(self, kernel):
        self.names, self.near = {}, 0
        table = next((s for s in gdb.lookup_static_symbols('sizes')
                      if s.symtab.filename.endswith('mem/slab.c')), None)
        if table is None:
            raise Problem('the sizes of kernel objects (kernel/mem/slab.c) are not to be found')
        sizes = table.value()
        self.sizes = [int(sizes[i]['bytes']) for i in range(sizes.type.range()[1] + 1)]
        root = number(kernel['root'])
        self.near = number(at(root, 'object')['class'])
        self.root = Untyped(self, root)

    def class_name(self, word):
        """The name of the object class at this address; None where there is none."""
        if abs(word - self.near) > 1 << 26:
            return None
        if word not in self.names:
            self.names[word] = None
            if symbol(word).endswith('_class'):
                self.names[word] = at(word, 'object_class')['name'].string()
        return self.names[word]

    def untypeds(self, untyped=None):
        untyped = untyped or self.root
        yield untyped
        for child in untyped.children:
            yield from self.untypeds(child)

    def all(self, name):
        """Every object of that class, by address: (address, struct)."""
        found = [a for u in self.untypeds() for n, a in u.objects if n == name]
        return [(a, at(a, STRUCTS.get(name, name))) for a in sorted(found)]


class Wait:
    """One wait of a turn that is not over."""

    def __init__(self, value):
        self.value = value
        self.address = address_of(value)
        self.actor = number(value['actor'])
        self.callee = number(value['callee'])
        self.credit_of = number(value['credit_of'])
        self.held = number(value['held'])
        self.open = number(value['state']) & 3 == WAIT_OPEN

    def until(self):
        return number(self.value['expiry']['timer']['at_ns']) if self.value['expires'] else NEVER

    def on(self):
        """The address of the actor that it waits for; 0: for none."""
        return self.credit_of or self.callee


class World:
    """What one command looks at: read anew each time, because the program goes on between."""

    chosen = None  # where the kernel is, if the user said so

    def __init__(self):
        self.kernel = self.find()
        self.heap = Heap(self.kernel)
        self.cpus = [at(self.kernel['cpu'][i], 'cpu')
                     for i in range(number(self.kernel['ncpus']))]
        self.actors = self.heap.all('actor')
        self.names = {}
        shared = {}
        for address, actor in self.actors:
            name = actor['name'].string() if number(actor['name']) else 'nameless'
            shared.setdefault(name, []).append(address)
        for name, addresses in shared.items():
            for i, address in enumerate(addresses):
                self.names[address] = name if len(addresses) == 1 else f'{name}#{i + 1}'

    @classmethod
    def find(cls):
        """The kernel stands at the start of the memory that the machine handed over."""
        where = cls.chosen
        if where is None:
            ranges = [s for s in gdb.lookup_static_symbols('range')
                      if s.symtab.filename.endswith('machine/hosted/memory.c')]
            try:
                where = number(ranges[0].value()['base']) if ranges else 0
            except gdb.MemoryError:
                where = 0
        kernel = at(where, 'kernel')
        try:
            if kernel is None or not 1 <= number(kernel['ncpus']) <= 4096 \
                    or number(kernel['root']) == 0:
                raise Problem('no kernel has booted here; if one has, say where: '
                              'tenon kernel ADDRESS')
        except gdb.MemoryError:
            raise Problem('the kernel\'s memory cannot be read') from None
        return kernel

    def name(self, address):
        return self.names.get(address, f'{address:#x}')

    def actor(self, word):
        """The actor that a user named: by name, name#N or address."""
        found = [a for a, name in self.names.items() if name == word]
        if not found:
            try:
                address = int(gdb.parse_and_eval(word))
                found = [a for a in self.names if a == address]
            except gdb.error:
                pass
        if not found:
            known = ', '.join(sorted(self.names.values()))
            raise Problem(f'there is no actor {word}; there are: {known}')
        return found[0], at(found[0], 'actor')

    @staticmethod
    def waits(actor):
        """All waits of an actor that a turn has."""
        wait = at(actor['waits'], 'wait')
        while wait is not None:
            if number(wait['turn']) != 0:
                yield Wait(wait)
            wait = at(wait['made'], 'wait')

    @staticmethod
    def cells(actor):
        """(door, cell) in the order in which they will be taken."""
        cell = at(actor['mbox']['first'], 'cell')
        while cell is not None:
            yield 'home', cell
            cell = at(cell['link'], 'cell')
        pushed, cell = [], at(actor['mbox']['pushed'], 'cell')
        while cell is not None:
            pushed.append(cell)
            cell = at(cell['link'], 'cell')
        for cell in reversed(pushed):
            yield 'away', cell

    def sender(self, cell):
        """Whose pool a cell came from: a chunk of cells names its pool, an actor has one."""
        pool = number(at(address_of(cell) // CHUNK * CHUNK, 'chunk')['pool'])
        return next((self.name(a) for a, actor in self.actors if number(actor['pool']) == pool),
                    'one that is dead')

    def object_text(self, address):
        """An object in a few words."""
        object_ = at(address, 'object')
        name = self.heap.class_name(number(object_['class'])) or 'object'
        if name == 'actor':
            return f'actor {self.name(address)}'
        value = at(address, STRUCTS.get(name, name))
        if name == 'endpoint':
            return f'endpoint to {self.name(number(value["target"]))}'
        if name == 'timer':
            return f'timer of {self.name(timer_owner(value))}'
        if name == 'buffer':
            return f'buffer of {number(value["size_bytes"])} bytes'
        if name == 'untyped':
            return f'untyped of {number(value["pages"]) * PAGE} bytes'
        if name == 'reply':
            caller = at(value['caller'], 'wait')
            return f'reply to {self.name(number(caller["actor"]))}'
        return f'{name} {address:#x}'


class Slot:
    """One slot of a space."""

    def __init__(self, value):
        self.value = value
        self.address = address_of(value)
        self.word = number(value['word'])
        self.object = number(value['object'])
        self.badge = number(value['badge'])

    def live(self):
        return self.word & WORD_LIVE != 0

    def rights(self):
        return ''.join(c if self.word >> i & 1 else '-' for i, c in enumerate(RIGHTS))

    def space(self):
        return number(self.value['owner']) & ~OWNER_CHUNK

    def index(self):
        """Its index in its space: the chunk's number is in the low bits of `owner`."""
        chunk = number(self.value['owner']) & OWNER_CHUNK
        return chunk_first(chunk) + (self.address - chunk_at(self.space(), chunk)) // 64

    def handle(self):
        return self.word >> WORD_GENERATION_SHIFT << WORD_GENERATION_SHIFT | self.index()

    def up(self):
        """Its parent, None for a root; and whether there are siblings without a parent."""
        link = number(self.value['next'])
        while link != 0 and link & LINK_UP == 0:
            link = number(at(link, 'slot')['next'])
        return Slot(at(link & ~LINK_UP, 'slot')) if link != 0 else None

    def first_sibling(self):
        slot, link = self, number(self.value['prev'])
        while link != 0 and link & LINK_UP == 0:
            slot = Slot(at(link, 'slot'))
            link = number(slot.value['prev'])
        return slot

    def siblings(self):
        """Itself and those after it below the same parent."""
        slot = self
        while slot is not None:
            yield slot
            link = number(slot.value['next'])
            slot = Slot(at(link, 'slot')) if link != 0 and link & LINK_UP == 0 else None

    def children(self):
        first = number(self.value['first'])
        return Slot(at(first, 'slot')).siblings() if first != 0 else iter(())


def chunk_first(chunk):
    return CHUNK_SLOTS * ((1 << chunk) - 1)


def chunk_at(space, chunk):
    """The address of a chunk of slots, or 0."""
    value = at(space, 'space')
    if chunk == 0:
        return number(value['near'])
    far = at(value['far'], 'far_chunks')
    return number(far['chunk'][chunk - 1]) if far is not None else 0


def slot_at(space, index):
    chunk = (index // CHUNK_SLOTS + 1).bit_length() - 1
    base = chunk_at(space, chunk)
    return Slot(at(base + 64 * (index - chunk_first(chunk)), 'slot')) if base != 0 else None


def slots(space):
    """Every slot that was used, in order."""
    for index in range(number(at(space, 'space')['fresh'])):
        slot = slot_at(space, index)
        if slot is not None:
            yield slot
