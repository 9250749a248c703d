#!/usr/bin/env python3
"""domains_test.py: one source gives the same output native, in wasm and on another architecture.

Usage: domains_test.py RUN_NATIVE RUN_WASM.js NAME EXPECTED ARGUMENT... with the files NAME.tn.so,
NAME.wasm and, where it could be built, NAME.aarch64 beside RUN_NATIVE. EXPECTED is a part of the
output. Exits with 77, skipped, when only native code can be run here.
"""
import os
import shutil
import subprocess
import sys


def output(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=100)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}")
    return done.stdout.decode()


def main():
    native, script, base, expected, *arguments = sys.argv[1:]
    commands = {}
    if os.path.exists(base + ".wasm") and shutil.which("node"):
        commands["wasm"] = ["node", script, base + ".wasm", *arguments]
    if os.path.exists(base + ".aarch64") and shutil.which("qemu-aarch64"):
        commands["aarch64"] = ["qemu-aarch64", base + ".aarch64", "-", *arguments]
    reference = output([native, base + ".tn.so", *arguments])
    print(f"native: {reference}", end="")
    if expected not in reference:
        sys.exit(f"native: {expected!r} is not in it")
    for name, command in commands.items():
        other = output(command)
        print(f"{name}: {other}", end="")
        if other != reference:
            sys.exit(f"{name} differs from native")
    sys.exit(0 if "wasm" in commands else 77)


if __name__ == "__main__":
    main()
