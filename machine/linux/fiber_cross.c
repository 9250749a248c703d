/* fiber_cross.c: the Linux machine and the fiber checks as a program without a test library, to run
 * cross-compiled under an emulator. Exits with 1 and says what is wrong, or with 0. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/common/fiber_checks.h"
#include "machine/linux/linux.h"

enum { MEMORY_BYTES = 2 * 1024 * 1024, PAGE_BYTES = 4096, PING_PONGS = 100 };

extern const unsigned char code_sample[], code_sample_end[];

struct game {
    atomic_u32 turn;
    const char *wrong[6];
};

static const char *check_code(void)
{
    void *code = machine_code_get(PAGE_BYTES);
    if (code == NULL)
        return "no memory for code";
    memcpy(code, code_sample, (size_t)(code_sample_end - code_sample));
    if (!machine_code_seal(code, PAGE_BYTES, PAGE_BYTES))
        return "code cannot be sealed";
    int (*function)(void) = (int (*)(void))(uintptr_t)code;
    const char *wrong = function() == 1742 ? NULL : "code runs wrong";
    machine_code_put(code, PAGE_BYTES);
    return wrong;
}

static void on_cpu(void *arg, uint32_t cpu)
{
    struct game *game = arg;
    for (uint32_t i = 0; i < PING_PONGS; i++) {
        while (at_load(&game->turn, ACQUIRE) % 2 != cpu)
            machine_park(cpu, UINT64_MAX);
        at_add(&game->turn, 1, RELEASE);
        machine_unpark(cpu ^ 1);
        machine_relax();
    }
    if (cpu != 0)
        return;
    game->wrong[0] = fiber_check_switches();
    game->wrong[1] = fiber_check_nesting();
    game->wrong[2] = fiber_check_alignment();
    game->wrong[3] = fiber_check_registers();
    game->wrong[4] = fiber_check_reuse();
    game->wrong[5] = check_code();
}

int main(void)
{
    static const char *const names[] = {"switches",  "nesting", "alignment",
                                        "registers", "reuse",   "code"};
    struct linux_machine config = {.cpus = 2, .memory_bytes = MEMORY_BYTES};
    struct game game = {0};
    int err = linux_machine_init(&config);
    if (err != 0) {
        (void)printf("linux_machine_init: error %d\n", err);
        return 1;
    }
    machine_run(on_cpu, &game);
    linux_machine_destroy();
    bool failed = false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)printf("%s: %s\n", names[i], game.wrong[i] == NULL ? "ok" : game.wrong[i]);
        failed |= game.wrong[i] != NULL;
    }
    return failed ? 1 : 0;
}
