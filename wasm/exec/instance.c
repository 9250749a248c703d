/* instance.c: makes instances out of modules, and ends them.
 *
 * Invariants:
 * 1. Instances that were linked to each other form a group, for a reference to a function of one
 * can be kept in a table or global of any other. The memory of a group goes when all of it has been
 *    destroyed; until then a destroyed instance's functions can still be called by the others.
 * 2. An instance holds a reference to its module.
 * 3. instance_free takes instances at any stage of their making. */
#include "base/assert.h"
#include "base/bits.h"
#include "wasm/decode/reader.h"
#include "wasm/exec/link.h"

wasm_value const_value(const struct wasm_instance *inst, const struct const_expr *e)
{
    switch (e->kind) {
    case CONST_GLOBAL:
        ASSERT(e->index < inst->module->nglobals);
        return inst->globals[e->index]->value;
    case CONST_FUNC:
        ASSERT(e->index < inst->module->nfuncs);
        return (uintptr_t)inst->funcs[e->index];
    case CONST_VALUE:
        break;
    }
    return e->value;
}

static tn_err fail(struct wasm_error *ret_error, tn_err err, uint32_t offset, const char *text,
                   uint64_t number)
{
    error_set(ret_error, err, offset, UINT32_MAX, text, number);
    return err;
}

/* An array of `n` elements in *ret; none when n is 0. */
static bool take(struct wasm_instance *inst, void *ret, uint64_t n, size_t elem_bytes)
{
    void *at = NULL;
    if (n > 0) {
        at = heap_take(&inst->heap, n * elem_bytes);
        if (at == NULL)
            return false;
    }
    memcpy(ret, &at, sizeof at);
    return true;
}

static void instance_free(struct wasm_instance *inst)
{
    struct heap *h = &inst->heap;
    const struct wasm_module *m = inst->module;
    struct thread *t = &inst->thread;
    ASSERT(list_empty(&inst->group));
    if (inst->own_tables != NULL)
        for (uint32_t i = 0; i < m->ntables - m->nimported_tables; i++)
            heap_give(h, inst->own_tables[i].elems, inst->own_tables[i].cap * sizeof(wasm_value));
    heap_give(h, inst->own_tables, (m->ntables - m->nimported_tables) * sizeof(struct table));
    heap_give(h, inst->tables, m->ntables * sizeof(struct table *));
    heap_give(h, inst->own_funcs, (m->nfuncs - m->nimported_funcs) * sizeof(struct wasm_func));
    heap_give(h, inst->host_funcs, inst->nhost_funcs * sizeof(struct wasm_func));
    heap_give(h, inst->funcs, m->nfuncs * sizeof(struct wasm_func *));
    heap_give(h, inst->own_globals,
              (m->nglobals - m->nimported_globals + inst->nhost_globals) * sizeof(struct global));
    heap_give(h, inst->globals, m->nglobals * sizeof(struct global *));
    heap_give(h, inst->own_memory.base, inst->own_memory.room_bytes);
    heap_give(h, inst->elem_dropped, m->nelems * sizeof(bool));
    heap_give(h, inst->data_dropped, m->ndatas * sizeof(bool));
    heap_give(h, t->slots, (size_t)(t->slots_end - t->slots) * sizeof(wasm_value));
    heap_give(h, t->frames, (size_t)(t->frames_end - t->frames) * sizeof(struct frame));
    ASSERT(h->bytes == sizeof *inst);
    struct heap heap = *h;
    struct wasm_module *module = inst->module;
    heap_give(&heap, inst, sizeof *inst);
    module_release(module);
}

static bool make_arrays(struct wasm_instance *inst, const struct wasm_config *config)
{
    const struct wasm_module *m = inst->module;
    struct thread *t = &inst->thread;
    for (uint32_t i = 0; i < config->nbindings; i++) {
        const struct wasm_binding *b = &config->bindings[i];
        inst->nhost_funcs += b->kind == WASM_EXT_FUNC && b->host_fn != NULL;
        inst->nhost_globals += b->kind == WASM_EXT_GLOBAL && b->instance == NULL;
    }
    uint32_t own_funcs = m->nfuncs - m->nimported_funcs;
    uint32_t own_globals = m->nglobals - m->nimported_globals + inst->nhost_globals;
    uint64_t frames = (uint64_t)config->call_depth_max + 1;
    if (!take(inst, &inst->funcs, m->nfuncs, sizeof *inst->funcs) ||
        !take(inst, &inst->own_funcs, own_funcs, sizeof *inst->own_funcs) ||
        !take(inst, &inst->host_funcs, inst->nhost_funcs, sizeof *inst->host_funcs) ||
        !take(inst, &inst->tables, m->ntables, sizeof *inst->tables) ||
        !take(inst, &inst->own_tables, m->ntables - m->nimported_tables,
              sizeof *inst->own_tables) ||
        !take(inst, &inst->globals, m->nglobals, sizeof *inst->globals) ||
        !take(inst, &inst->own_globals, own_globals, sizeof *inst->own_globals) ||
        !take(inst, &inst->elem_dropped, m->nelems, sizeof *inst->elem_dropped) ||
        !take(inst, &inst->data_dropped, m->ndatas, sizeof *inst->data_dropped))
        return false;
    if (!take(inst, &t->slots, config->stack_slots, sizeof *t->slots))
        return false;
    t->slots_end = t->slots == NULL ? NULL : t->slots + config->stack_slots;
    if (!take(inst, &t->frames, frames, sizeof *t->frames))
        return false;
    t->frames_end = t->frames + frames;
    t->top = t->frames;
    t->fuel = config->fuel;
    return true;
}

static void make_funcs(struct wasm_instance *inst)
{
    const struct wasm_module *m = inst->module;
    for (uint32_t i = m->nimported_funcs; i < m->nfuncs; i++) {
        const struct func_decl *d = &m->funcs[i];
        struct wasm_func *f = &inst->own_funcs[i - m->nimported_funcs];
        ASSERT(d->code != NULL && d->ncode > 1);
        *f = (struct wasm_func){
            .type = d->type,
            .instance = inst,
            .code = d->code + 1,
            .frame_slots = d->frame_slots,
            .nlocals = d->nlocals,
            .nparams = d->type->nparams,
            .index = i,
        };
        inst->funcs[i] = f;
    }
}

static tn_err make_memory(struct wasm_instance *inst, const struct wasm_config *config,
                          struct wasm_error *ret_error)
{
    const struct wasm_module *m = inst->module;
    if (m->nmemories == m->nimported_memories)
        return TN_OK;
    struct memory *mem = &inst->own_memory;
    mem->limits = m->memory;
    mem->room_pages =
        mem->limits.max < WASM_MAX_MEMORY_PAGES ? mem->limits.max : WASM_MAX_MEMORY_PAGES;
    if (mem->room_pages > config->memory_max_pages)
        mem->room_pages = config->memory_max_pages;
    if (mem->limits.min > mem->room_pages)
        return fail(ret_error, TN_ELIMIT, 0, "memory too large: memory_max_pages is",
                    config->memory_max_pages);
    uint64_t room = pages_bytes(mem->room_pages == 0 ? 1 : mem->room_pages);
    if (!take(inst, &mem->base, room, 1))
        return fail(ret_error, TN_ENOMEM, 0, "no memory for the instance's memory", NO_NUMBER);
    mem->room_bytes = room;
    mem->bytes = pages_bytes(mem->limits.min);
    inst->memory = mem;
    return TN_OK;
}

static bool make_tables(struct wasm_instance *inst)
{
    const struct wasm_module *m = inst->module;
    for (uint32_t i = m->nimported_tables; i < m->ntables; i++) {
        struct table *t = &inst->own_tables[i - m->nimported_tables];
        t->type = m->tables[i].type;
        t->limits = m->tables[i].limits;
        t->heap = &inst->heap;
        inst->tables[i] = t;
        if (!heap_grow(t->heap, (void **)&t->elems, &t->cap, t->limits.min, sizeof *t->elems))
            return false;
        t->size = t->limits.min;
        ASSERT(t->size <= t->cap);
    }
    return true;
}

static void make_globals(struct wasm_instance *inst)
{
    const struct wasm_module *m = inst->module;
    for (uint32_t i = m->nimported_globals; i < m->nglobals; i++) {
        struct global *g = &inst->own_globals[i - m->nimported_globals];
        g->type = m->globals[i].type;
        g->mutable = m->globals[i].mutable;
        g->value = const_value(inst, &m->globals[i].init);
        inst->globals[i] = g;
    }
    ASSERT(m->nglobals == 0 || inst->globals[m->nglobals - 1] != NULL);
}

static tn_err run_segments(struct wasm_instance *inst, struct wasm_error *ret_error)
{
    const struct wasm_module *m = inst->module;
    for (uint32_t i = 0; i < m->nelems; i++) {
        const struct elem_segment *s = &m->elems[i];
        if (s->mode == SEGMENT_ACTIVE) {
            uint32_t at = (uint32_t)const_value(inst, &s->at);
            if (table_init(inst, i, inst->tables[s->table], at, 0, s->n) != STOP_NONE)
                return fail(ret_error, TN_ETRAP, s->offset_at,
                            "out of bounds table access: element segment", i);
        }
        if (s->mode != SEGMENT_PASSIVE)
            inst->elem_dropped[i] = true;
    }
    for (uint32_t i = 0; i < m->ndatas; i++) {
        const struct data_segment *s = &m->datas[i];
        if (s->mode != SEGMENT_ACTIVE)
            continue;
        uint32_t at = (uint32_t)const_value(inst, &s->at);
        ASSERT(inst->memory != NULL);
        if (memory_init(inst, i, at, 0, s->len) != STOP_NONE)
            return fail(ret_error, TN_ETRAP, s->offset_at,
                        "out of bounds memory access: data segment", i);
        inst->data_dropped[i] = true;
    }
    return TN_OK;
}

/* Puts the instance into the groups of all it is linked to, which become one. */
static void join_groups(struct wasm_instance *inst, const struct wasm_config *config)
{
    struct wasm_instance *last = NULL;
    for (uint32_t i = 0; i < config->nbindings; i++) {
        struct wasm_instance *other = config->bindings[i].instance;
        if (other == NULL || other == last ||
            (config->bindings[i].kind == WASM_EXT_FUNC && config->bindings[i].host_fn != NULL))
            continue;
        last = other;
        bool joined = other == inst;
        for (struct list *l = inst->group.next; l != &inst->group && !joined; l = l->next)
            joined = l == &other->group;
        if (joined)
            continue;
        /* Two rings: exchanging the links after the two makes them one. */
        struct list *a = inst->group.next, *b = other->group.next;
        inst->group.next = b;
        b->prev = &inst->group;
        other->group.next = a;
        a->prev = &other->group;
    }
}

/* Builds all of `inst`, which on failure is to be freed. */
static tn_err build(struct wasm_instance *inst, const struct wasm_config *config,
                    struct wasm_error *ret_error)
{
    ASSERT(config->nbindings == inst->module->nimports);
    if (!make_arrays(inst, config))
        return fail(ret_error, TN_ENOMEM, 0, "no memory for the instance", NO_NUMBER);
    link_imports(inst, config->bindings);
    make_funcs(inst);
    if (!make_tables(inst))
        return fail(ret_error, TN_ENOMEM, 0, "no memory for the instance's tables", NO_NUMBER);
    tn_err err = make_memory(inst, config, ret_error);
    if (err != TN_OK)
        return err;
    make_globals(inst);
    return TN_OK;
}

tn_err wasm_instantiate(struct wasm_module *module, const struct wasm_alloc *alloc,
                        const struct wasm_config *config, struct wasm_instance **ret_instance,
                        struct wasm_error *ret_error)
{
    ASSERT(module != NULL && alloc != NULL && config != NULL && ret_instance != NULL);
    tn_err err = link_check(module, config->bindings, config->nbindings, ret_error);
    if (err != TN_OK)
        return err;
    struct heap heap = {.alloc = *alloc};
    struct wasm_instance *inst = heap_take(&heap, sizeof *inst);
    if (inst == NULL)
        return fail(ret_error, TN_ENOMEM, 0, "no memory for the instance", NO_NUMBER);
    inst->heap = heap;
    inst->module = module;
    at_add(&module->refs, 1, RELAXED); /* the caller's own reference keeps it meanwhile */
    list_init(&inst->group);
    err = build(inst, config, ret_error);
    if (err != TN_OK) {
        instance_free(inst);
        return err;
    }
    join_groups(inst, config);
    err = run_segments(inst, ret_error);
    if (err != TN_OK) {
        wasm_destroy(inst);
        return err;
    }
    *ret_instance = inst;
    return TN_OK;
}

void wasm_destroy(struct wasm_instance *instance)
{
    if (instance == NULL)
        return;
    ASSERT(!instance->dead && instance->thread.state != THREAD_RUNNING);
    instance->dead = true;
    for (struct list *l = instance->group.next; l != &instance->group; l = l->next)
        if (!CONTAINER_OF(l, struct wasm_instance, group)->dead)
            return;
    while (!list_empty(&instance->group)) {
        struct list *l = list_pop_front(&instance->group);
        instance_free(CONTAINER_OF(l, struct wasm_instance, group));
    }
    instance_free(instance);
}

uint8_t *wasm_memory(struct wasm_instance *instance, uint64_t *ret_bytes)
{
    ASSERT(ret_bytes != NULL);
    *ret_bytes = instance->memory == NULL ? 0 : instance->memory->bytes;
    return instance->memory == NULL ? NULL : instance->memory->base;
}

void *wasm_memory_range(struct wasm_instance *instance, uint32_t at, uint32_t len)
{
    const struct memory *m = instance->memory;
    if (m == NULL || !range_within(at, len, m->bytes))
        return NULL;
    return m->base + at;
}

tn_err wasm_global_get(struct wasm_instance *instance, uint32_t index, wasm_value *ret_value)
{
    if (index >= instance->module->nglobals)
        return TN_EINVAL;
    *ret_value = instance->globals[index]->value;
    return TN_OK;
}

uint32_t wasm_memory_grow(struct wasm_instance *instance, uint32_t pages)
{
    struct memory *m = instance->memory;
    if (m == NULL)
        return UINT32_MAX;
    uint32_t before = (uint32_t)(m->bytes / WASM_PAGE_BYTES);
    if (pages > m->room_pages - before)
        return UINT32_MAX;
    m->bytes += pages_bytes(pages);
    return before;
}

tn_err wasm_table_get(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                      wasm_value *ret_ref)
{
    if (table >= instance->module->ntables || elem >= instance->tables[table]->size)
        return TN_EINVAL;
    *ret_ref = instance->tables[table]->elems[elem];
    return TN_OK;
}

struct wasm_module *wasm_instance_module(struct wasm_instance *instance)
{
    return instance->module;
}

size_t wasm_instance_bytes(const struct wasm_instance *instance)
{
    const struct memory *m = &instance->own_memory;
    ASSERT(instance->heap.bytes >= m->room_bytes);
    return instance->heap.bytes - m->room_bytes + m->bytes;
}
