/* files_test.c: a component that uses tenon.file, on the simulated machine with a simulated disk:
 * whatever comes late, is lost or torn, and wherever the power fails, it finds a whole file. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/sim/drivers.h"
#include "interfaces/tenon_file.h"
#include "machine/sim/sim.h"
#include "tests/kit/kit.h"
#include <tenon/driver.h>

enum { SEEDS_DEFAULT = 60, MEMORY_BYTES = 16 << 20, ROUNDS = 12, LENGTH_MAX = 1500 };
#define SECOND_NS UINT64_C(1000000000)

static struct {
    struct disk disk;
    struct outside outside;
    struct tn_pack grants;
    uint64_t grants_room[64];
    /* Versions 1 to `tried` were written; `sure` is committed and nothing after it is known to be;
     * `sure` may be behind what is there by a commit that answered an error or nothing. */
    uint32_t tried, sure;
    uint32_t late_or_lost, failed, committed, checked;
} world;

static bool io_fault(void *arg, enum outside_fault fault)
{
    static const enum sim_fault faults[] = {
        [OUTSIDE_LATE] = SIM_FAULT_LATE,
        [OUTSIDE_LOST] = SIM_FAULT_LOST,
        [OUTSIDE_TORN] = SIM_FAULT_TORN,
    };
    (void)arg;
    return sim_fault(faults[fault]);
}

static uint64_t io_choose(void *arg, uint64_t n)
{
    (void)arg;
    return sim_choose(n);
}

/* The driver, which gets its grants with its first message: the kit has no load. */
static tn_err loaded_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    if (world.grants.len > 0) {
        KIT_CHECK(driver_sim_files.load(self, turn, &world.grants) == TN_OK);
        world.grants.len = 0;
    }
    return driver_sim_files.call(self, turn, in, out);
}

static void loaded_timer(void *self, const struct tn_turn *turn)
{
    driver_sim_files.timer(self, turn);
}

static uint32_t length_of(uint32_t version)
{
    return 4 + version * 977 % (LENGTH_MAX - 4);
}

static uint8_t byte_of(uint32_t version, uint32_t i)
{
    return (uint8_t)((version * 2654435761u + i) * 2246822519u >> 24);
}

/* A call is done until it is answered. Each has a deadline, so that a lost one ends. */
static tn_time soon(void)
{
    return machine_now_ns() + SECOND_NS;
}

static bool answered(tn_err err)
{
    KIT_CHECK(err == TN_OK || err == TN_ETIME || err == TENON_FILE_E_IO ||
              err == TENON_FILE_E_NOT_FOUND);
    world.late_or_lost += err == TN_ETIME;
    world.failed += err == TENON_FILE_E_IO;
    return err == TN_OK || err == TENON_FILE_E_NOT_FOUND;
}

/* Writes the next version and commits it. */
static void write_version(tn_cap file)
{
    uint8_t bytes[LENGTH_MAX];
    _Alignas(8) uint8_t room[LENGTH_MAX + 64];
    uint32_t version = world.tried + 1, len = length_of(version);
    memcpy(bytes, &version, sizeof(version));
    for (uint32_t i = sizeof(version); i < len; i++)
        bytes[i] = byte_of(version, i);
    if (!answered(tenon_file_truncate(file, 0, soon())))
        return;
    for (uint32_t at = 0, n; at < len; at += n) {
        n = len - at < 600 ? len - at : 600;
        if (!answered(tenon_file_write(file, at, bytes + at, n, room, sizeof(room), soon())))
            return;
    }
    world.tried = version;
    if (answered(tenon_file_commit(file, soon()))) {
        world.sure = version;
        world.committed++;
    }
}

/* What is there is a version, whole: the last sure one, or a later one that was tried. */
static bool check_version(tn_cap file)
{
    _Alignas(8) uint8_t room[LENGTH_MAX + 64];
    struct tenon_file_read_reply reply = {.data = {NULL, 0}};
    tn_err err = tenon_file_close(file, soon()); /* what was not committed is not looked at */
    if (answered(err))
        err = tenon_file_read(file, 0, LENGTH_MAX, &reply, room, sizeof(room), soon());
    if (!answered(err))
        return false;
    world.checked++;
    if (err == TENON_FILE_E_NOT_FOUND)
        return KIT_CHECK(world.sure == 0);
    const uint8_t *at = reply.data.at;
    uint32_t version = 0;
    KIT_CHECK(reply.data.len >= sizeof(version));
    memcpy(&version, at, sizeof(version));
    KIT_CHECK(version >= world.sure && version <= world.tried);
    KIT_CHECK(reply.data.len == length_of(version));
    for (uint32_t i = sizeof(version); i < reply.data.len; i++)
        KIT_CHECK(at[i] == byte_of(version, i));
    return true;
}

static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap file = kit_need("file");
    for (uint32_t tries = 0; tries < 50 && !check_version(file); tries++)
        ;
    for (uint32_t i = 0; i < ROUNDS && !sim_fault(SIM_FAULT_CRASH); i++) {
        write_version(file);
        if (sim_choose(3) == 0)
            (void)check_version(file);
    }
    kit_done();
}

KIT_ROLE(client, .event = client_event);

static void grants_make(void)
{
    world.grants = (struct tn_pack){.data = world.grants_room, .size = sizeof(world.grants_room)};
    const struct tn_grant grant = {.badge = 7,
                                   .rights = TN_R_READ | TN_R_WRITE,
                                   .kind = TN_GRANT_FILE,
                                   .text = "/data/versions",
                                   .text_len = 14};
    assert_int_equal(tn_grants_add(&world.grants, grant), TN_OK);
}

/* One life of the system, from boot to the moment in which the power fails. */
static uint64_t live(const struct sim_machine *config)
{
    const struct tn_component driver = {.abi = TN_ABI,
                                        .size = sizeof(struct tn_component),
                                        .state_size = driver_sim_files.state_size,
                                        .call = loaded_call,
                                        .timer = loaded_timer};
    struct kit kit;
    assert_int_equal(sim_machine_init(config), 0);
    kit_boot(&kit);
    grants_make();
    struct kit_actor *files = kit_make(&kit, "files", &driver, 0, 8);
    struct kit_actor *user = kit_make(&kit, "client", &client, 1, 8);
    kit_timer(files, "timer");
    kit_wire(user, "file", files, TN_R_ALL, 7);
    kit_run_all(&kit, &user, 1);
    uint64_t hash = sim_machine_stats().trace_hash;
    assert_false(sim_machine_stats().deadlock || sim_machine_stats().hung);
    kit_end(&kit);
    disk_cut(&world.disk);
    sim_machine_destroy();
    return hash;
}

static uint64_t lives(uint64_t seed, void *memory)
{
    memset(&world, 0, sizeof(world));
    world.outside = (struct outside){io_fault, io_choose, NULL};
    disk_init(&world.disk, &world.outside, STORE_SECTORS, memory);
    driver_sim_disk = &world.disk;
    uint64_t hash = 0;
    for (uint32_t life = 0; life < 3; life++) {
        const struct sim_machine config = {.seed = seed * 3 + life,
                                           .cpus = 1 + (uint32_t)(seed % 3),
                                           .memory_bytes = MEMORY_BYTES,
                                           .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
                                           .faults = {[SIM_FAULT_LATE] = 10,
                                                      [SIM_FAULT_LOST] = 60,
                                                      [SIM_FAULT_TORN] = 60,
                                                      [SIM_FAULT_CRASH] = 10}};
        snprintf(kit_where, sizeof(kit_where), "seed %" PRIu64 ", life %u", seed, life);
        hash = hash * 31 + live(&config);
    }
    return hash;
}

static void test_file_is_whole(void **state)
{
    (void)state;
    uint64_t late_or_lost = 0, failed = 0, committed = 0, checked = 0;
    void *memory = malloc(disk_bytes(STORE_SECTORS));
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        (void)lives(seed, memory);
        late_or_lost += world.late_or_lost;
        failed += world.failed;
        committed += world.committed;
        checked += world.checked;
    }
    assert_true(sim_one_seed() ||
                (late_or_lost > 100 && failed > 100 && committed > 200 && checked > 200));
    free(memory);
}

static void test_same_seed_same_faults(void **state)
{
    (void)state;
    void *memory = malloc(disk_bytes(STORE_SECTORS));
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint64_t first = lives(seed, memory);
        uint32_t tried = world.tried, checked = world.checked;
        assert_int_equal(lives(seed, memory), first);
        assert_int_equal(world.tried, tried);
        assert_int_equal(world.checked, checked);
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_whole),
        cmocka_unit_test(test_same_seed_same_faults),
    };
    return cmocka_run_group_tests_name("files of the simulator", tests, NULL, NULL);
}
