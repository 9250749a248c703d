/* assert.h: assertions against our own mistakes, kept on in release builds. Nothing that a
 * component, a file or a client sends may trip one. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Implemented by the machine (also declared in kernel/machine.h): says what failed and where on the
 * console, and ends the kernel with a core dump or its like. Never returns. */
__attribute__((noreturn, cold)) void machine_panic(const char *what, const char *file, int line);

#define ASSERT(cond)                                                       \
    do {                                                                   \
        if (__builtin_expect(!(cond), 0))                                  \
            machine_panic("assertion failed: " #cond, __FILE__, __LINE__); \
    } while (0)

/* What a checker or a machine looks at beside the program: says which invariant is broken, by the
 * name that docs/simulation.md tells of. */
#define INVARIANT(name, cond)                                                \
    do {                                                                     \
        if (__builtin_expect(!(cond), 0))                                    \
            machine_panic("invariant " name ": " #cond, __FILE__, __LINE__); \
    } while (0)

#define UNREACHABLE(why) machine_panic("unreachable: " why, __FILE__, __LINE__)

#endif
