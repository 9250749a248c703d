/* random.c: entropy on a bare machine: ChaCha20 (RFC 8439) over what the architecture has, whose
 * key is replaced by its own output after every use, so that what was given out cannot be computed
 * from what is left. */
#include "base/bytes.h"
#include "machine/bare/arch.h"
#include "machine/bare/bare_int.h"

enum { KEY_WORDS = 8, BLOCK_WORDS = 16, BLOCK_LEN = 64, DOUBLE_ROUNDS = 10 };

static struct {
    struct bare_lock lock;
    bool seeded;
    uint32_t key[KEY_WORDS];
} pool;

static uint32_t rotate(uint32_t x, uint32_t by)
{
    return x << by | x >> (32 - by);
}

static void quarter(uint32_t *x, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(const uint32_t key[KEY_WORDS], uint32_t counter, uint32_t ret[BLOCK_WORDS])
{
    uint32_t in[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(in + 4, key, KEY_WORDS * sizeof(uint32_t));
    in[12] = counter;
    memcpy(ret, in, sizeof(in));
    for (uint32_t i = 0; i < DOUBLE_ROUNDS; i++) {
        for (uint32_t column = 0; column < 4; column++)
            quarter(ret, column, column + 4, column + 8, column + 12);
        for (uint32_t diagonal = 0; diagonal < 4; diagonal++)
            quarter(ret, diagonal, (diagonal + 1) % 4 + 4, (diagonal + 2) % 4 + 8,
                    (diagonal + 3) % 4 + 12);
    }
    for (uint32_t i = 0; i < BLOCK_WORDS; i++)
        ret[i] += in[i];
}

void machine_random(void *at, size_t len)
{
    unsigned char *to = at;
    uint32_t words[BLOCK_WORDS], counter = 0;
    bare_lock_take(&pool.lock);
    if (!pool.seeded && arch_entropy(pool.key, sizeof(pool.key)) < sizeof(pool.key))
        machine_panic("the machine has no entropy", __FILE__, __LINE__);
    pool.seeded = true;
    while (len > 0) {
        size_t n = len < BLOCK_LEN ? len : BLOCK_LEN;
        block(pool.key, ++counter, words);
        memcpy(to, words, n);
        to += n;
        len -= n;
    }
    block(pool.key, 0, words);
    memcpy(pool.key, words, sizeof(pool.key));
    bare_lock_drop(&pool.lock);
}
