"""emit_table.py: interfaces_table.c, the interfaces as data for the runtime, and JSON schemas."""
import json

from model import RIGHTS, SCALARS


def text(value):
    """A C string literal. model.py allows no control characters and no backslash."""
    parts = []
    for byte in value.encode():
        plain = 0x20 <= byte < 0x7f and chr(byte) not in '"?'
        parts.append(chr(byte) if plain else f"\\{byte:03o}")
    return '"' + "".join(parts) + '"'


def flag(value):
    return "true" if value else "false"


def field_type(f):
    return {"text": "TN_FIELD_TEXT", "bytes": "TN_FIELD_BYTES"}.get(f.type) or SCALARS[f.type][3]


def fields(name, layout):
    if not layout.fields:
        return ""
    rows = "".join(f"    {{{text(f.name)}, {text(f.doc)}, {field_type(f)}, {flag(f.is_list)}, "
                   f"{flag(f.move)}, {f.off}, {f.max}u}},\n" for f in layout.fields)
    return f"static const struct tn_field {name}[] = {{\n{rows}}};\n"


def layout_row(name, layout):
    if not layout.fields:
        return "{NULL, 0, 0, TN_WIRE_NO_VAR}"
    first = "TN_WIRE_NO_VAR" if layout.first_var is None else f"{layout.first_var}u"
    return f"{{{name}, {len(layout.fields)}, {layout.fixed_len}, {first}}}"


def named(name, items):
    if not items:
        return ""
    rows = "".join(f"    {{{text(e.name)}, {text(e.doc)}, {e.number}LL}},\n" for e in items)
    return f"static const struct tn_named_number {name}[] = {{\n{rows}}};\n"


def one(interface):
    """The arrays of one interface, and its row in the table."""
    c, out, methods = interface.c_name, "", ""
    for m in interface.methods:
        args, returns = f"{c}_{m.name}_args", f"{c}_{m.name}_returns"
        out += fields(args, m.args) + fields(returns, m.returns)
        rights = " | ".join(RIGHTS[r] for r in m.rights) or "0"
        methods += f"    {{{text(m.name)}, {text(m.doc)},\n" \
                   f"     {m.ordinal}, {rights}, {flag(m.oneway)},\n" \
                   f"     {layout_row(args, m.args)},\n     {layout_row(returns, m.returns)}}},\n"
    if methods:
        out += f"static const struct tn_method {c}_methods[] = {{\n{methods}}};\n"
    out += named(f"{c}_errors", interface.errors) + named(f"{c}_constants", interface.constants)

    def pointer(kind, items):
        return f"{c}_{kind}" if items else "NULL"

    row = f"    {{{text(interface.name)}, {text(interface.doc)}, {text(interface.version)},\n" \
          f"     {interface.id}, {len(interface.methods)}, {len(interface.errors)}, " \
          f"{len(interface.constants)}, {pointer('methods', interface.methods)}, " \
          f"{pointer('errors', interface.errors)}, {pointer('constants', interface.constants)}}},\n"
    return out + "\n", row


def table(interfaces):
    """The whole of interfaces_table.c."""
    out = "/* interfaces_table.c: all interfaces as data, made by tools/idl. */\n" \
          "#include <tenon/interface.h>\n#include <tenon/wire.h>\n\n"
    rows = ""
    for interface in interfaces:
        arrays, row = one(interface)
        out += arrays
        rows += row
    return out + f"const struct tn_interface tn_interfaces[] = {{\n{rows}}};\n" \
                 f"const uint32_t tn_interfaces_count = {len(interfaces)};\n"


INTEGERS = {"u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1),
            "u64": (0, 2**64 - 1), "i32": (-2**31, 2**31 - 1),
            "i64": (-2**63, 2**63 - 1)}


def json_item(f):
    if f.type in INTEGERS:
        least, most = INTEGERS[f.type]
        return {"type": "integer", "minimum": least, "maximum": most}
    return {"f64": {"type": "number"}, "bool": {"type": "boolean"},
            "text": {"type": "string"},
            "bytes": {"type": "string", "contentEncoding": "base64"},
            "cap": {"type": "string", "format": "tenon-capability"}}[f.type].copy()


def json_object(layout):
    """Fields may be left out: then they are 0, as on the wire."""
    properties = {}
    for f in layout.fields:
        item = json_item(f)
        if f.is_list:
            item = {"type": "array", "items": item, "maxItems": f.max}
        elif f.type == "text":
            item["maxLength"] = f.max  # characters; the bytes are checked on the wire
        elif f.type == "bytes":
            item["maxLength"] = (f.max + 2) // 3 * 4
        if f.doc:
            item["description"] = f.doc
        properties[f.name] = item
    return {"type": "object", "properties": properties, "additionalProperties": False}


def schema(interface):
    """JSON Schema: $defs holds METHOD.args and METHOD.returns; x-tenon the numbers."""
    defs, methods = {}, {}
    for m in interface.methods:
        defs[f"{m.name}.args"] = json_object(m.args)
        defs[f"{m.name}.returns"] = json_object(m.returns)
        methods[m.name] = {"ordinal": m.ordinal, "rights": m.rights, "oneway": m.oneway,
                           "description": m.doc}
    return json.dumps({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"tenon:interface/{interface.name}/{interface.version}",
        "title": interface.name,
        "description": interface.doc,
        "x-tenon": {
            "id": interface.id,
            "methods": methods,
            "errors": {e.name: {"number": e.number, "description": e.doc}
                       for e in interface.errors},
            "constants": {e.name: e.number for e in interface.constants},
        },
        "$defs": defs,
    }, indent=2, ensure_ascii=False) + "\n"
