/* arena.c: memory of the caller's, given out piece by piece, and paths made in it. */
#include "base/bits.h"
#include "runtime/package/package_int.h"

enum { ARENA_ALIGN = 16 };

void *arena_get(struct reading *reading, uint64_t bytes)
{
    struct toml_arena *arena = &reading->arena;
    uint64_t skip = -((uint64_t)(uintptr_t)arena->at + arena->used) & (ARENA_ALIGN - 1);
    uint64_t room = arena->bytes - arena->used;
    if (reading->full || skip > room || bytes > room - skip) {
        reading->full = true;
        return NULL;
    }
    uint8_t *at = arena->at + arena->used + skip;
    arena->used += (size_t)(skip + bytes);
    return memset(at, 0, (size_t)bytes);
}

struct str path_join(struct reading *reading, struct str folder, struct str file)
{
    size_t slash = folder.len > 0 && folder.at[folder.len - 1] != '/';
    char *at = arena_get(reading, folder.len + slash + file.len);
    if (at == NULL)
        return STR("");
    if (folder.len > 0)
        memcpy(at, folder.at, folder.len);
    if (slash == 1)
        at[folder.len] = '/';
    memcpy(at + folder.len + slash, file.at, file.len);
    return (struct str){at, folder.len + slash + file.len};
}
