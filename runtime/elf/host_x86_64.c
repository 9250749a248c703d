/* host_x86_64.c: the architecture of components that can run here. */
#include "runtime/elf/elf.h"

const enum elf_arch elf_arch_host = ELF_X86_64;
