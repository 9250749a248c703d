#!/bin/sh
# fiber_aarch64_test.sh: builds the Linux machine for AArch64 and runs its checks under qemu.
# Usage: fiber_aarch64_test.sh SOURCE_ROOT OUTPUT; exits with 77 (skipped) without the tools.
set -eu
root=$1
out=$2
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: $tool is not installed"
        exit 77
    fi
done
cd "$root"
for level in -O0 -O2; do
    aarch64-linux-gnu-gcc -std=gnu17 $level -Wall -Wextra -Werror -D_GNU_SOURCE -static -pthread \
        -I. -Iinclude -Ibase/race/none -o "$out" machine/linux/fiber_cross.c \
        machine/linux/barrier.c machine/linux/linux.c machine/linux/console.c \
        machine/linux/node.c machine/linux/relax_aarch64.c \
        machine/common/fiber.c machine/common/fiber_plain.c machine/common/fiber_aarch64.S \
        machine/hosted/memory.c machine/hosted/stack.c machine/hosted/fault.c \
        machine/hosted/fault_aarch64.c machine/common/fiber_checks.c \
        machine/common/fiber_regs_aarch64.S machine/common/code_sample_aarch64.S
    echo "gcc $level:"
    qemu-aarch64 "$out"
done
