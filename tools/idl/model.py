"""model.py: reads interface files, checks them, and lays out each method's arguments.

An Interface that comes out of load() is right: names are C identifiers that do not clash, numbers
are unique and fit, and every field has its offset. What is wrong with a file is a Wrong, whose
text names the file and the key.
"""
import re
import tomllib
from dataclasses import dataclass, field

ARGS_MAX = 64 * 1024  # TN_ARGS_MAX
PACK_CAPS = 4         # TN_PACK_CAPS
NAME_MAX = 63         # TN_NAME_MAX
FIXED_MAX = 4096      # bytes of a fixed part
RIGHTS = {"read": "TN_R_READ", "write": "TN_R_WRITE", "grant": "TN_R_GRANT",
          "control": "TN_R_CONTROL"}

# name: (bytes, C type, suffix of the tn_wire_ reader, enum tn_field_type)
SCALARS = {
    "u8": (1, "uint8_t", "u8", "TN_FIELD_U8"),
    "u16": (2, "uint16_t", "u16", "TN_FIELD_U16"),
    "u32": (4, "uint32_t", "u32", "TN_FIELD_U32"),
    "u64": (8, "uint64_t", "u64", "TN_FIELD_U64"),
    "i32": (4, "int32_t", "i32", "TN_FIELD_I32"),
    "i64": (8, "int64_t", "i64", "TN_FIELD_I64"),
    "f64": (8, "double", "f64", "TN_FIELD_F64"),
    "bool": (1, "bool", "bool", "TN_FIELD_BOOL"),
    "cap": (1, "tn_cap", "cap", "TN_FIELD_CAP"),
}
LISTABLE = ("u8", "u16", "u32", "u64", "i32", "i64", "f64", "text")

IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
INTERFACE_NAME = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)+")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# C's own words, and the names of the parameters that every client stub has.
C_WORDS = set("""auto bool break case char const continue default do double else enum extern false
    float for goto if inline int long register restrict return short signed sizeof static struct
    switch true typedef union unsigned void volatile while""".split())
STUB_WORDS = {"to", "ret", "room", "room_bytes", "flags", "deadline"}


class Wrong(Exception):
    """Something in an interface file that its author has to put right."""


@dataclass
class Field:
    name: str
    type: str      # "u32", "text", "bytes", ...; of the items when it is a list
    is_list: bool
    move: bool
    max: int       # of variable fields
    doc: str
    off: int = 0

    @property
    def variable(self):
        return self.is_list or self.type in ("text", "bytes")

    @property
    def size(self):
        """Bytes in the fixed part."""
        return 8 if self.variable else SCALARS[self.type][0]

    @property
    def align(self):
        return 4 if self.variable else self.size

    @property
    def item(self):
        """Bytes of one item in the tail, also its alignment there."""
        if self.type in ("text", "bytes"):
            return 4 if self.is_list else 1
        return SCALARS[self.type][0]


@dataclass
class Layout:
    fields: list
    fixed_len: int = 0

    @property
    def variables(self):
        return [f for f in self.fields if f.variable]

    @property
    def first_var(self):
        return self.variables[0].off if self.variables else None


@dataclass
class Method:
    name: str
    ordinal: int
    rights: list
    oneway: bool
    doc: str
    args: Layout
    returns: Layout


@dataclass
class Named:
    """An error or a constant."""
    name: str
    number: int
    doc: str


@dataclass
class Interface:
    path: str
    name: str
    id: int
    version: str
    doc: str
    errors: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    methods: list = field(default_factory=list)

    @property
    def c_name(self):
        return self.name.replace(".", "_")


class Table:
    """A TOML table with the place where it stands; finish() refuses keys that nobody asked for."""

    def __init__(self, path, key, table):
        self.path, self.key, self.table, self.known = path, key, table, set()
        if not isinstance(table, dict):
            raise Wrong(f"{path}: {key}: must be a table")

    def wrong(self, key, text):
        place = f"{self.key}.{key}" if self.key and key else self.key or key
        return Wrong(f"{self.path}: {place}: {text}")

    def get(self, key, kind, default=None):
        """The value of a key; it must be there when there is no default."""
        self.known.add(key)
        if key not in self.table:
            if default is None:
                raise self.wrong(key, "is missing")
            return default
        value = self.table[key]
        names = {str: "text", int: "a whole number", bool: "true or false", list: "a list",
                 dict: "a table"}
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {names[kind]}")
        return value

    def number(self, key, least, most):
        value = self.get(key, int)
        if not least <= value <= most:
            raise self.wrong(key, f"{value} is not in {least} to {most}")
        return value

    def identifier(self, key="name", banned=frozenset()):
        value = self.get(key, str)
        if not IDENTIFIER.fullmatch(value) or len(value) > NAME_MAX:
            raise self.wrong(key, f'"{value}" is not a name: lower case words joined by _, '
                                  f"at most {NAME_MAX} bytes")
        if value in C_WORDS or value in banned:
            raise self.wrong(key, f'"{value}" is reserved in the generated C')
        return value

    def doc(self):
        text = " ".join(self.get("doc", str, "").split())
        if not text.isprintable() or "*/" in text or "\\" in text:
            raise self.wrong("doc", "must be plain text, without \\ and */")
        return text

    def tables(self, key):
        """The tables of an array, each knowing its place: method[2]."""
        return [Table(self.path, f"{self.key}.{key}[{i}]" if self.key else f"{key}[{i}]", t)
                for i, t in enumerate(self.get(key, list, []))]

    def finish(self):
        for key in self.table:
            if key not in self.known:
                raise self.wrong(key, "is not a key of this table; known are "
                                      + ", ".join(sorted(self.known)))


def load(path, text=None):
    """One file as an Interface. `text` instead of what is in the file, for tests."""
    try:
        if text is None:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        root = Table(path, "", tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{path}: {error}") from error
    head = Table(path, "interface", root.get("interface", dict))
    name = head.get("name", str)
    if not INTERFACE_NAME.fullmatch(name) or len(name) > NAME_MAX:
        raise head.wrong("name", f'"{name}" is not an interface name: lower case words joined by '
                                 f"dots, at least two, at most {NAME_MAX} bytes")
    interface = Interface(path, name, head.number("id", 0, 0xffff), head.get("version", str),
                          head.doc())
    if not VERSION.fullmatch(interface.version):
        raise head.wrong("version", f'"{interface.version}" is not MAJOR.MINOR.PATCH')
    head.finish()
    for t in root.tables("error"):
        # INT32_MAX is TN_DEFERRED
        interface.errors.append(Named(t.identifier(), t.number("number", 1, 2**31 - 2), t.doc()))
        t.finish()
    for t in root.tables("constant"):
        value = t.number("value", -2**31, 2**31 - 1)
        interface.constants.append(Named(t.identifier(), value, t.doc()))
        t.finish()
    for t in root.tables("method"):
        interface.methods.append(load_method(t))
    root.finish()
    check_unique(root, "error", interface.errors, ("name", "number"))
    check_unique(root, "constant", interface.constants, ("name",))
    check_unique(root, "method", interface.methods, ("name", "ordinal"))
    check_symbols(root, interface)
    interface.errors.sort(key=lambda e: e.number)
    interface.methods.sort(key=lambda m: m.ordinal)
    return interface


def load_method(t):
    name = t.identifier()
    t.key += f' "{name}"'
    rights = t.get("rights", list, [])
    for right in rights:
        if right not in RIGHTS:
            raise t.wrong("rights", f"{right!r} is not one of " + ", ".join(RIGHTS))
    if len(set(rights)) != len(rights):
        raise t.wrong("rights", "names a right twice")
    method = Method(name, t.number("ordinal", 1, 0xffff), rights, t.get("oneway", bool, False),
                    t.doc(), load_layout(t, "args", STUB_WORDS), load_layout(t, "returns"))
    if method.oneway and method.returns.fields:
        raise t.wrong("returns", "must be empty: a oneway method has no reply")
    t.finish()
    return method


def load_layout(method, key, banned=frozenset()):
    """Fields with their offsets: in order, each aligned to its own size."""
    layout = Layout([])
    for t in method.tables(key):
        f = load_field(t, banned)
        f.off = (layout.fixed_len + f.align - 1) // f.align * f.align
        layout.fixed_len = f.off + f.size
        layout.fields.append(f)
        if layout.fixed_len > FIXED_MAX:
            raise t.wrong("name", f"does not fit: a fixed part has at most {FIXED_MAX} bytes")
    check_unique(method, key, layout.fields, ("name",))
    names = {f.name for f in layout.fields}
    for f in layout.variables:
        for suffix in ("_len", "_count"):  # stubs split a variable field: pointer and length
            if f.name + suffix in names and key == "args":
                raise method.wrong(key, f'"{f.name}{suffix}" clashes with the length of '
                                        f'"{f.name}" in the client stub')
    if sum(f.type == "cap" for f in layout.fields) > PACK_CAPS:
        raise method.wrong(key, f"has more than {PACK_CAPS} capabilities")
    return layout


def load_field(t, banned):
    name = t.identifier(banned=banned)
    full = t.get("type", str)
    is_list = full.endswith("[]")
    type_ = full.removesuffix("[]")
    if type_ not in SCALARS and type_ not in ("text", "bytes"):
        raise t.wrong("type", f'"{full}" is not a type: ' + ", ".join(SCALARS)
                              + ", text, bytes, or a list such as u32[]")
    if is_list and type_ not in LISTABLE:
        raise t.wrong("type", f"there are no lists of {type_}; lists are of " + ", ".join(LISTABLE))
    f = Field(name, type_, is_list, t.get("move", bool, False), 0, t.doc())
    most = ARGS_MAX // f.item
    if "max" in t.table:
        if not f.variable:
            raise t.wrong("max", f"is for what varies in length, not for {full}")
        f.max = t.number("max", 1, most)
    elif f.variable:
        f.max = most
    if f.move and type_ != "cap":
        raise t.wrong("move", f"is for capabilities, not for {full}")
    t.finish()
    return f


def check_unique(table, key, items, attributes):
    for attribute in attributes:
        seen = {}
        for i, item in enumerate(items):
            value = getattr(item, attribute)
            if value in seen:
                raise table.wrong(f"{key}[{i}]", f"{attribute} {value!r} is taken by "
                                                 f"{key}[{seen[value]}]")
            seen[value] = i


def check_symbols(root, interface):
    """Errors are E_NAME; methods, constants and ID share what is left."""
    seen = {"id": "the interface's own id"}
    for kind, items in (("method", interface.methods), ("constant", interface.constants)):
        for item in items:
            if item.name in seen:
                raise root.wrong(f'{kind} "{item.name}"', f"clashes with {seen[item.name]}")
            if item.name.startswith("e_"):
                raise root.wrong(f'{kind} "{item.name}"', "e_ begins the names of errors")
            seen[item.name] = f"a {kind} of that name"


def load_all(paths):
    """All files, in order of their ids, which are unique as are the names."""
    interfaces, ids, names = [], {}, {}
    for path in paths:
        interface = load(path)
        for seen, value, key in ((ids, interface.id, "id"), (names, interface.c_name, "name")):
            if value in seen:
                raise Wrong(f"{path}: interface.{key}: {value} is taken by {seen[value]}")
            seen[value] = path
        interfaces.append(interface)
    return sorted(interfaces, key=lambda i: i.id)
