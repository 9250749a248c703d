/* fuel.h: what WebAssembly opcodes cost, version WASM_FUEL_TABLE_VERSION. Which opcode has which
 * cost stands in opcodes.h. Any change to either is a new version: counts are compared and kept.
 *
 * Fuel is charged by basic block, before the block runs. A basic block begins at the function's
 * entry, at each `loop`, at each arm of an `if`, after each `br_if`, and at each `end` that a
 * branch goes to or that joins an `if`; it pays for the opcodes that stand in it, the one that ends
 * it included. Calls do not end a block. Code that cannot be reached costs nothing. A function's
 * first block also pays for the locals that entry sets to zero. Bulk instructions pay for what they
 * touch when they run, on top of their place in the block: a part at a time when fuel is short. */
#ifndef WASM_FUEL_H
#define WASM_FUEL_H

enum {
    FUEL_FREE = 0,   /* structure: block, loop, else, end, nop */
    FUEL_SIMPLE = 1, /* arithmetic, locals, constants, branches */
    FUEL_ACCESS = 2, /* loads, stores, globals, one table element */
    FUEL_DIVIDE = 8, /* division, remainder, square root */
    FUEL_CALL = 8,
    FUEL_CALL_INDIRECT = 12,
    FUEL_BULK = 8, /* to begin a bulk instruction */
    FUEL_GROW = 64,
    FUEL_LOCALS_PER_UNIT = 8,
    FUEL_BYTES_PER_UNIT = 64, /* of memory.copy, memory.fill, memory.init */
    FUEL_ELEMS_PER_UNIT = 8,  /* of table.copy, table.fill, table.init, table.grow */
};

#endif
