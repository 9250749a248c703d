#!/usr/bin/env python3
"""idl.py: makes C headers, the runtime's table and JSON schemas from interface files.

Usage: idl.py --out DIRECTORY FILE.toml...
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True  # the source tree stays clean; set before our own modules load

import emit_c  # noqa: E402
import emit_table  # noqa: E402
import model  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=pathlib.Path, help="directory to write into")
    parser.add_argument("files", nargs="+", help="interface files")
    options = parser.parse_args()
    try:
        interfaces = model.load_all(options.files)
    except (model.Wrong, OSError) as error:
        sys.exit(f"idl: {error}")
    options.out.mkdir(parents=True, exist_ok=True)
    for interface in interfaces:
        (options.out / f"{interface.c_name}.h").write_text(emit_c.header(interface))
        (options.out / f"{interface.name}.schema.json").write_text(emit_table.schema(interface))
    (options.out / "interfaces_table.c").write_text(emit_table.table(interfaces))


if __name__ == "__main__":
    main()
