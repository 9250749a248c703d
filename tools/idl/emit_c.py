"""emit_c.py: the C header of one interface: numbers, structs, coders, client stubs."""
from model import SCALARS

VAR_TYPES = {"text": "struct tn_text", "bytes": "struct tn_bytes"}


def c_type(f):
    """The type of a field in a generated struct."""
    if f.is_list:
        return f"struct tn_{f.type}s"
    return VAR_TYPES.get(f.type) or SCALARS[f.type][1]


def comment(text, indent=""):
    """A C comment, wrapped at 100 columns."""
    lines, line = [], f"{indent}/*"
    words = text.split()
    words[-1] += " */"
    for word in words:
        if len(line) + 1 + len(word) > 100:
            lines.append(line)
            line = f"{indent} *"
        line += " " + word
    return "\n".join(lines + [line]) + "\n"


def struct(name, layout):
    out = f"struct {name} {{\n"
    for f in layout.fields:
        line = f"    {c_type(f)} {f.name};"
        out += line + (f" /* {f.doc} */" if f.doc else "") + "\n"
    return out + "};\n\n"


def read_field(f, first_var):
    if f.variable:
        most = f"{f.max}u" if f.type != "text" or not f.is_list else "UINT32_MAX"
        return f"tn_wire_var(&in, {f.off}, {f.item}, {most})"
    return f"tn_wire_{SCALARS[f.type][2]}(&in, {f.off})"


def decode(name, layout):
    first = "TN_WIRE_NO_VAR" if layout.first_var is None else f"{layout.first_var}u"
    out = comment("TN_EARGS: the bytes are malformed; *ret is untouched.")
    out += f"static inline TN_MUST tn_err {name}_decode(const struct tn_pack *pack,\n"
    out += f"    struct {name} *ret)\n{{\n"
    out += f"    struct tn_wire_in in = tn_wire_open(pack, {first});\n    struct {name} v;\n"
    for f in layout.fields:
        if not f.variable:
            out += f"    v.{f.name} = {read_field(f, first)};\n"
            continue
        out += f"    struct tn_bytes {f.name}_var = {read_field(f, first)};\n"
        if f.is_list and f.type != "text":
            out += f"    v.{f.name} = (struct tn_{f.type}s){{{f.name}_var.at, " \
                   f"{f.name}_var.len / {f.item}}};\n"
        else:
            out += f"    v.{f.name} = ({c_type(f)}){{{f.name}_var.at, {f.name}_var.len}};\n"
    out += "    if (in.bad)\n        return TN_EARGS;\n"
    return out + "    *ret = v;\n    return TN_OK;\n}\n\n"


def write_field(f):
    value = f"v->{f.name}"
    if f.variable:
        if f.is_list:
            count = f"{value}.len / 4" if f.type == "text" else f"{value}.count"
        else:
            count = f"{value}.len"
        most = "UINT32_MAX" if f.is_list and f.type == "text" else f"{f.max}u"
        return f"    tn_wire_put_var(&out, {f.off}, {value}.at, {count}, {f.item}, {most});\n"
    if f.type == "cap":
        return f"    tn_wire_put_cap(&out, {f.off}, {value}, {'true' if f.move else 'false'});\n"
    return f"    tn_wire_put(&out, {f.off}, &{value}, sizeof({value}));\n"


def encode(name, layout):
    out = comment("Into pack->data, which has room for pack->size bytes. TN_ETOOBIG: it has not; "
                  "TN_EARGS: a field is longer than its maximum. The pack is then untouched.")
    out += f"static inline TN_MUST tn_err {name}_encode(const struct {name} *v,\n"
    out += "    struct tn_pack *pack)\n{\n"
    out += f"    struct tn_wire_out out = tn_wire_begin(pack, {layout.fixed_len});\n"
    out += "".join(write_field(f) for f in layout.fields)
    return out + "    return tn_wire_end(&out, pack);\n}\n\n"


def room(name, layout):
    if len(layout.variables) != 1:
        return ""
    f = layout.variables[0]
    out = comment(f"Where `{f.name}` will sit in the pack, to fill it without a copy: then encode "
                  "with its `at` set to this.")
    out += f"static inline void *{name}_room(const struct tn_pack *pack, uint32_t *ret_bytes)\n{{\n"
    return out + f"    return tn_wire_room(pack, {layout.fixed_len}, {f.item}, ret_bytes);\n}}\n\n"


def parameters(layout):
    """Parameters of a stub for the arguments, and how they become the struct."""
    names, values = [], []
    for f in layout.fields:
        if not f.variable:
            names.append(f"{c_type(f)} {f.name}")
            values.append(f".{f.name} = {f.name}")
            continue
        length = "count" if f.is_list and f.type != "text" else "len"
        item = {"text": "const char", "bytes": "const void"}.get(f.type) \
            or f"const {SCALARS[f.type][1]}"
        if f.is_list and f.type == "text":
            names.append(f"struct tn_texts {f.name}")
            values.append(f".{f.name} = {f.name}")
            continue
        names += [f"{item} *{f.name}", f"uint32_t {f.name}_{length}"]
        values.append(f".{f.name} = {{{f.name}, {f.name}_{length}}}")
    return names, values


def stub_comment(method, needs_room):
    text = method.doc
    if method.rights:
        text += f" Needs {' and '.join(method.rights)}, besides call."
    if method.oneway:
        text += " Sent without a reply; flags: TN_SEND_WAIT. Errors: of tn_send."
    else:
        text += " [waits] Errors: of the interface (> 0), of tn_call; *ret is then untouched." \
            if method.returns.fields else " [waits] Errors: of the interface (> 0), of tn_call."
    if needs_room:
        text += " `room`, aligned to 8, holds the arguments while the call lasts"
        text += ", then the reply: what *ret points to." if method.returns.variables else "."
    return comment(text)


def stub(c, method):
    """The function that a client calls."""
    upper, args, returns = c.upper(), method.args, method.returns
    needs_room = bool(args.variables or returns.variables)
    params, values = parameters(args)
    params = ["tn_cap to"] + params
    if returns.fields:
        params.append(f"struct {c}_{method.name}_reply *ret")
    if needs_room:
        params += ["void *room", "uint32_t room_bytes"]
    params.append("uint32_t flags" if method.oneway else "tn_time deadline")
    out = stub_comment(method, needs_room)
    out += wrap(f"static inline TN_MUST tn_err {c}_{method.name}(", params) + "\n{\n"
    out += "    struct tn_pack pack_ = tn_pack_room(NULL, 0);\n"
    used = "0"
    if args.fields:
        if args.variables:
            out += "    pack_ = tn_pack_room(room, room_bytes);\n"
            used = "(pack_.len + 7u) & ~7u"
        else:
            out += f"    uint64_t fixed_[{(args.fixed_len + 7) // 8}];\n"
            out += "    pack_ = tn_pack_room(fixed_, sizeof(fixed_));\n"
        out += wrap(f"    struct {c}_{method.name}_args args_ = {{", values, "};") + "\n"
        out += f"    tn_err err_ = {c}_{method.name}_args_encode(&args_, &pack_);\n"
        out += "    if (err_ != TN_OK)\n        return err_;\n    pack_.size = 0;\n"
    number = f"{upper}_{method.name.upper()}"
    if method.oneway:
        return out + f"    return tn_send(to, {number}, &pack_, flags);\n}}\n\n"
    if not returns.fields:
        return out + f"    return tn_call(to, {number}, &pack_, NULL, deadline);\n}}\n\n"
    if returns.variables:
        out += f"    uint32_t used_ = {used};\n" \
               "    if (used_ > room_bytes)\n        used_ = room_bytes;\n" \
               "    struct tn_pack reply_ =\n" \
               "        tn_pack_room((uint8_t *)room + used_, room_bytes - used_);\n"
    else:
        # surplus fields of a newer callee need room too
        out += f"    uint64_t answer_[{max(8, (returns.fixed_len + 7) // 8 * 2)}];\n"
        out += "    struct tn_pack reply_ = tn_pack_room(answer_, sizeof(answer_));\n"
    ncaps = sum(f.type == "cap" for f in returns.fields)
    if ncaps > 0:
        out += f"    reply_.ncaps = {ncaps};\n"
    out += "    " if args.fields else "    tn_err "
    out += f"err_ = tn_call(to, {number}, &pack_, &reply_, deadline);\n"
    return out + "    if (err_ != TN_OK)\n        return err_;\n" \
                 f"    return {c}_{method.name}_reply_decode(&reply_, ret);\n}}\n\n"


def wrap(head, items, tail=")"):
    """head, items with commas, tail; broken at 100 columns."""
    lines, line = [], head
    for i, item in enumerate(items):
        piece = item + (tail if i == len(items) - 1 else ",")
        if len(line) + 1 + len(piece) > 100:
            lines.append(line)
            line = "        " + piece
        else:
            line += piece if line.endswith(("(", "{")) else " " + piece
    return "\n".join(lines + [line])


def header(interface):
    """The whole header."""
    c, upper = interface.c_name, interface.c_name.upper()
    guard = f"INTERFACES_{upper}_H"
    out = comment(f"{c}.h: {interface.name} {interface.version}, made by tools/idl from "
                  f"interfaces/{interface.name}.toml. {interface.doc}")
    out += f"#ifndef {guard}\n#define {guard}\n\n#include <tenon/wire.h>\n\n"
    out += f"#define {upper}_ID {interface.id}u\n\n"
    for m in interface.methods:
        out += f"#define {upper}_{m.name.upper()} TN_METHOD({upper}_ID, {m.ordinal}u)\n"
    out += "\n"
    if interface.errors:
        out += "enum {\n" + "".join(
            (comment(e.doc, "    ") if e.doc else "")
            + f"    {upper}_E_{e.name.upper()} = {e.number},\n"
            for e in interface.errors) + "};\n\n"
    if interface.constants:
        out += "enum {\n" + "".join(
            (comment(e.doc, "    ") if e.doc else "")
            + f"    {upper}_{e.name.upper()} = " + c_number(e.number) + ",\n"
            for e in interface.constants) + "};\n\n"
    for m in interface.methods:
        for what, layout in (("args", m.args), ("reply", m.returns)):
            if layout.fields:
                name = f"{c}_{m.name}_{what}"
                out += struct(name, layout) + decode(name, layout)
                out += encode(name, layout) + room(name, layout)
        out += stub(c, m)
    return out + "#endif\n"


def c_number(number):
    """-2147483648 has no literal of type int."""
    return "INT32_MIN" if number == -2**31 else str(number)
