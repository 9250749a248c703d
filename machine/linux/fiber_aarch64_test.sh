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
dir=machine/linux
for level in -O0 -O2; do
    aarch64-linux-gnu-gcc -std=gnu17 $level -Wall -Wextra -Werror -D_GNU_SOURCE -static -pthread \
        -I. -Iinclude -Ibase/race/none -o "$out" \
        $dir/fiber_cross.c $dir/fiber_checks.c $dir/fiber.c $dir/fiber_plain.c $dir/linux.c \
        $dir/memory.c $dir/stack.c $dir/console.c $dir/fault.c $dir/fault_aarch64.c \
        $dir/relax_aarch64.c $dir/fiber_aarch64.S $dir/fiber_regs_aarch64.S \
        $dir/code_sample_aarch64.S
    echo "gcc $level:"
    qemu-aarch64 "$out"
done
