/* buddy_int.h: the inside of the buddy arena, for its files and their tests. */
#ifndef KERNEL_MEM_BUDDY_INT_H
#define KERNEL_MEM_BUDDY_INT_H

#include "base/bits.h"
#include "kernel/mem/mem_int.h"

enum {
    MEM_ORDERS = 29,       /* a block has 2^0 to 2^28 pages */
    MEM_ORDER_RELEASE = 9, /* log2 of MEM_RELEASE / MEM_PAGE */
    MEM_CLASSES = 22,      /* sizes of small objects */
    MEM_CLASS_MIN = 32,    /* bytes of the smallest: at most 128 objects in a page */
};
_Static_assert((MEM_PAGE << MEM_ORDER_RELEASE) == MEM_RELEASE, "one order");
_Static_assert(MEM_UNTYPED_MAX == (uint64_t)MEM_PAGE << (MEM_ORDERS - 1), "the largest order");

enum page_kind {
    PAGE_INSIDE, /* not the first page of anything, or a map entry never touched: all zero */
    PAGE_HEAD,   /* first page of the head; only page 0 */
    PAGE_FREE,   /* first page of a free block, in the list of its order */
    PAGE_AWAY,   /* first page of a free block whose memory is being given back: in no list */
    PAGE_BLOCK,  /* first page of pages handed out */
    PAGE_SLAB,   /* a page of small objects */
};

/* One entry of the page map. All zero unless it is the first page of something. */
struct page {
    uint32_t next, prev; /* in a free or slab list, by page index, 0: none; block: next = pages */
    uint8_t kind;        /* enum page_kind */
    uint8_t order;       /* free, away: log2 of its pages */
    uint8_t zero;        /* free: reads as zero; slab: the objects from `fresh` on do */
    uint8_t class;       /* slab: which size */
    uint8_t used;        /* slab: objects handed out */
    uint8_t first;       /* slab: the first object that came back, index + 1; 0: none */
    uint8_t fresh;       /* slab: objects from this index on were never handed out */
    uint8_t unused;
};
_Static_assert(sizeof(struct page) == 16, "0.4 % of the memory");

/* Behind struct untyped, with the page map behind it. Under the untyped's lock. */
struct buddy {
    _Alignas(64) uint64_t orders; /* bit i: free[i] is not empty */
    uint32_t warm;                /* the one free block of MEM_RELEASE that may be dirty; 0: none */
    uint32_t away;                /* blocks that are being given back */
    uint32_t free[MEM_ORDERS];    /* free blocks, by order */
    uint32_t slab[MEM_CLASSES];   /* slab pages with room, by class */
    uint32_t empty[MEM_CLASSES];  /* the one slab page of the class that is kept though empty */
};
_Static_assert(sizeof(struct untyped) + sizeof(struct buddy) + 4 * sizeof(struct page) <= MEM_PAGE,
               "the head of the smallest untyped is one page");

static inline struct buddy *buddy_of(struct untyped *untyped)
{
    return (struct buddy *)(void *)(untyped + 1);
}

static inline struct page *page_map(struct untyped *untyped)
{
    return (struct page *)(void *)(buddy_of(untyped) + 1);
}

/* Doubly linked lists of page map entries (free blocks of one order, slab pages of one class). */
void page_link(struct untyped *untyped, uint32_t *head, uint32_t page);
void page_unlink(struct untyped *untyped, uint32_t *head, uint32_t page);

/* buddy.c. All with the lock held; pages_take and pages_put may drop it and take it again. */

/* `count` pages in a row, marked PAGE_BLOCK; 0 when there is no room. */
uint32_t pages_take(struct untyped *untyped, uint32_t count, bool *ret_zero);
/* Makes [first, first + count) free; their map entries are zero. */
void pages_put(struct untyped *untyped, uint32_t first, uint32_t count, bool zero);

/* slab.c. As above. */

/* The class of the smallest objects that hold `bytes` <= MEM_SLAB_MAX; their size and how many are
 * in a page. */
uint32_t slab_class(size_t bytes);
uint32_t slab_bytes(uint32_t class);
uint32_t slab_objects(uint32_t class);
void *slab_alloc(struct untyped *untyped, uint32_t class, bool *ret_zero);
void slab_free(struct untyped *untyped, uint32_t class, void *at);
/* Makes the slab pages that are kept though empty free; true when there were any. */
bool slab_flush(struct untyped *untyped);

#endif
