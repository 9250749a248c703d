#!/usr/bin/env python3
"""build_component.py: builds a component from its sources, as NAME.wasm or NAME.tn.so.

What it links is what every loader of Tenon takes: position-independent or wasm32, nothing undefined
but tn_*, no writable static data, the same floating point everywhere. It says which symbol breaks
a rule. Sources are C files; objects (the sdk's) are linked as they are.

Usage: build_component.py wasm|native --cc COMPILER --out FILE [options] SOURCE...
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile

# The same language and the same arithmetic on every target.
COMMON = ["-std=gnu17", "-O2", "-ffreestanding", "-fvisibility=hidden", "-ffunction-sections",
          "-fdata-sections", "-fno-math-errno", "-ffp-contract=off", "-Wall", "-Wextra",
          "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
WASM = ["--target=wasm32-unknown-unknown", "-mbulk-memory", "-msign-ext", "-mmutable-globals",
        "-mnontrapping-fptoint"]
NATIVE = ["-fPIC", "-fno-plt", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"]
ARCH = {"x86_64": ["-march=x86-64-v2", "-mno-red-zone", "-fcf-protection=none"],
        "aarch64": ["-mno-outline-atomics"]}
WASM_LINK = ["--no-entry", "--export=tn_component", "--export-table", "--export=__heap_base",
             "--export=__stack_pointer", "--stack-first", "--import-undefined",
             "--gc-sections", "--strip-debug"]
NATIVE_LINK = ["-shared", "-nostdlib", "-Wl,-z,now,-z,relro,-z,noexecstack,-z,text",
               "-Wl,-z,max-page-size=4096", "-Wl,--hash-style=both", "-Wl,--gc-sections",
               "-Wl,--build-id=none"]
# Sections that are written while relocations are applied, and sealed then.
SEALED = re.compile(r"\.(data\.rel\.ro.*|dynamic|got|got\.plt|init_array|fini_array)$")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        sys.exit(f"build_component: failed: {shlex.join(command)}")
    return done.stdout


def compile_all(options, folder):
    """Objects of all sources, in order."""
    flags = COMMON + [f"-I{path}" for path in options.include]
    flags.append(f"-I{os.path.join(options.root, 'base', 'race', 'none')}")  # for base/atomic.h
    flags.append(f"-ffile-prefix-map={os.path.abspath(options.root)}=.")
    if options.target == "wasm":
        flags += WASM
    else:
        machine = run(options.cc + ["-dumpmachine"]).split("-")[0]
        if machine not in ARCH:
            sys.exit(f"build_component: no components for {machine}: use a compiler for "
                     + " or ".join(ARCH))
        flags += NATIVE + ARCH[machine]
    objects, depends = [], set()
    for i, source in enumerate(options.sources):
        if source.endswith(".o"):
            objects.append(source)
            continue
        out = os.path.join(folder, f"{i}.o")
        own = ["-fno-builtin"] if os.path.basename(source) == "memfn.c" else []
        run(options.cc + flags + own + options.cflag
            + ["-MMD", "-MF", out + ".d", "-c", source, "-o", out])
        with open(out + ".d", encoding="utf-8") as file:
            depends.update(file.read().replace("\\\n", " ").split(":", 1)[1].split())
        objects.append(out)
    return objects, depends


def link(options, objects):
    if options.target == "wasm":
        linker = [options.wasm_ld, "-m", "wasm32"]
        if options.object:
            run(linker + ["-r", *objects, "-o", options.out])
            return
        with tempfile.NamedTemporaryFile("r", suffix=".map") as map_file:
            run(linker + WASM_LINK + ["-z", f"stack-size={options.stack_bytes}",
                                      f"-Map={map_file.name}"]
                + [f"--export={name}" for name in options.export] + objects + ["-o", options.out])
            check_wasm(options, map_file.read())
        return
    if options.object:
        run(options.cc + ["-nostdlib", "-r", *objects, "-o", options.out])
        return
    run(options.cc + NATIVE_LINK + objects + ["-o", options.out])
    check_native(options)


def leb(data, at):
    """An unsigned number of a wasm file, and what comes after it."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def wasm_imports(data):
    """(module, name) of each function that the module imports; the linker makes no others."""
    at = 8
    while at < len(data):
        section = data[at]
        size, at = leb(data, at + 1)
        if section != 2:
            at += size
            continue
        count, at = leb(data, at)
        for _ in range(count):
            words = []
            for _ in range(2):
                length, at = leb(data, at)
                words.append(data[at:at + length].decode())
                at += length
            _, at = leb(data, at + 1)
            yield tuple(words)
        return


LIBC = "is undefined: a component has no libc; the sdk may have it"
STATIC = "is writable static data: keep it in the state (self)"


def refuse(options, problems):
    """Ends the program when there are problems, and takes what was built away."""
    if problems:
        os.unlink(options.out)
        sys.exit("\n".join(f"build_component: {options.out}: {p}" for p in sorted(set(problems))))


def check_wasm(options, link_map):
    """Imports come from Tenon's own module; no writable data, as the linker's map lists it."""
    with open(options.out, "rb") as file:
        problems = [f"{name} {LIBC}" for module, name in wasm_imports(file.read())
                    if module != "tenon_0"]
    for name in re.findall(r":\(\.(?:data|bss)\.(\S+)\)", link_map):
        problems.append(f"{name} {STATIC}")
    refuse(options, problems)


def check_native(options):
    """Nothing undefined but tn_*, no writable data, the component there."""
    problems, found = [], False
    for line in run([options.nm, "-D", options.out]).splitlines():
        kind, name = line.split()[-2:]
        found = found or name == "tn_component" and kind not in "Uw"
        if kind in "Uw" and not name.startswith("tn_"):
            problems.append(f"{name} {LIBC}")
    if not found:
        problems.append("tn_component is not defined: const struct tn_component tn_component")
    writable = set()
    for line in run([options.readelf, "-SW", options.out]).splitlines():
        match = re.match(
            r"\s*\[ *(\d+)\] (\S+)\s+\S+\s+\S+\s+\S+\s+(\S+)\s+\S+\s+(\S*)", line)
        if match and "W" in match[4] and "A" in match[4] and not SEALED.match(match[2]) \
                and int(match[3], 16) > 0:
            writable.add(match[1])
    named = False
    for line in run([options.readelf, "-sW", options.out]).splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[3] == "OBJECT" and fields[6] in writable:
            problems.append(f"{fields[7]} {STATIC}")
            named = True
    if writable and not named:
        problems.append(f"a section {STATIC}")
    refuse(options, problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=["wasm", "native"])
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--cc", type=shlex.split, default=["clang"])
    parser.add_argument("--out", required=True)
    parser.add_argument("--root", default=".", help="source tree, for paths in the output")
    parser.add_argument("--include", "-I", action="append", default=[])
    parser.add_argument("--cflag", action="append", default=[], help="one more compiler flag")
    parser.add_argument("--stack-bytes", type=int, default=65536, help="wasm: room for the C stack")
    parser.add_argument("--export", action="append", default=[], help="wasm: one more function")
    parser.add_argument("--object", action="store_true", help="make one object, to link later")
    parser.add_argument("--depfile", help="write the headers used, for ninja")
    parser.add_argument("--wasm-ld", default="wasm-ld")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--readelf", default="readelf")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        objects, depends = compile_all(options, folder)
        link(options, objects)
    if options.depfile:
        with open(options.depfile, "w", encoding="utf-8") as file:
            file.write(f"{options.out}: " + " ".join(sorted(depends)) + "\n")


if __name__ == "__main__":
    main()
