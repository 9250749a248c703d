/* replay.c: runs a fuzz target over files without libFuzzer: the corpus as a test, and a crash
 * again under a debugger.
 *
 *   replay [--mutations N] PATH...
 *
 * A PATH is a file, or a folder whose files are taken in the order of their names. With
 * --mutations each file is also run N times with some bytes changed, cut or doubled. The changes
 * come from a generator that is seeded by the file's bytes alone, so every run does the same. */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXIT_USAGE = 2, MAX_INPUT_BYTES = 1 << 20, PATH_BYTES = 4096 };

static uint64_t inputs;

/* xorshift64* (Vigna, 2016); the state is never 0. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t hash(const uint8_t *data, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * UINT64_C(0x100000001b3);
    return h | 1;
}

/* The copy has the exact size, for a sanitizer to watch its end. */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

/* Changes `data`, which has room for 2 * size bytes, and returns its new size. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *seed)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x0b, 0x41};
    uint64_t times = 1 + next_random(seed) % 4;
    for (uint64_t i = 0; i < times && size > 0; i++) {
        uint64_t r = next_random(seed);
        size_t at = (size_t)((r >> 16) % size);
        switch (r & 7) {
        case 0:
            data[at] ^= (uint8_t)(1u << ((r >> 8) & 7));
            break;
        case 1:
        case 2:
            data[at] = telling[(r >> 8) & 7];
            break;
        case 3:
            data[at] = (uint8_t)(data[at] + 1);
            break;
        case 4:
            data[at] = (uint8_t)(r >> 8);
            break;
        case 5:
            data[at] = data[(size_t)((r >> 40) % size)];
            break;
        case 6:
            memmove(&data[at], &data[at + 1], size - at - 1);
            size--;
            break;
        default:
            size = (r >> 62) == 0 ? at : size; /* cut, but not often */
            break;
        }
    }
    return size;
}

static bool run_file(const char *path, uint64_t mutations)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(MAX_INPUT_BYTES), *changed = malloc(MAX_INPUT_BYTES);
    size_t size = 0;
    bool ok = file != NULL && data != NULL && changed != NULL;
    if (ok) {
        size = fread(data, 1, MAX_INPUT_BYTES, file);
        ok = ferror(file) == 0 && size < MAX_INPUT_BYTES;
    }
    if (file != NULL)
        fclose(file);
    if (ok) {
        run_copy(data, size);
        uint64_t seed = hash(data, size);
        for (uint64_t i = 0; i < mutations; i++) {
            memcpy(changed, data, size);
            run_copy(changed, mutate(changed, size, &seed));
        }
    } else {
        fprintf(stderr, "replay: %s: cannot be read, or is longer than %d bytes\n", path,
                MAX_INPUT_BYTES);
    }
    free(data);
    free(changed);
    return ok;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool run_path(const char *path, uint64_t mutations)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return run_file(path, mutations);
    struct dirent **entries;
    int n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) {
        perror(path);
        return false;
    }
    bool ok = n > 0; /* an empty corpus tests nothing */
    for (int i = 0; i < n; i++) {
        char file[PATH_BYTES];
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        ok = run_file(file, mutations) && ok;
        free(entries[i]);
    }
    free(entries);
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t mutations = 0;
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "--mutations") == 0) {
        mutations = strtoull(argv[2], NULL, 10);
        at = 3;
    }
    if (at >= argc) {
        fprintf(stderr, "usage: %s [--mutations N] PATH...\n", argv[0]);
        return EXIT_USAGE;
    }
    bool ok = true;
    for (; at < argc; at++)
        ok = run_path(argv[at], mutations) && ok;
    printf("%" PRIu64 " inputs\n", inputs);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
