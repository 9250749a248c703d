/* thread.c: computations from outside: begin, run, resume, cancel, and what can be asked of one
 * that stands still. */
#include "base/assert.h"
#include "wasm/exec/exec_int.h"

/* The thread that an instance's host functions see, and otherwise its own. */
static struct thread *thread_of(const struct wasm_instance *inst)
{
    return inst->active != NULL ? inst->active : (struct thread *)(uintptr_t)&inst->thread;
}

const char *stop_text(enum stop stop)
{
    static const char *const texts[STOP_COUNT] = {
        [TRAP_UNREACHABLE] = "unreachable",
        [TRAP_DIVIDE] = "integer divide by zero",
        [TRAP_OVERFLOW] = "integer overflow",
        [TRAP_CONVERSION] = "invalid conversion to integer",
        [TRAP_MEMORY] = "out of bounds memory access",
        [TRAP_TABLE] = "out of bounds table access",
        [TRAP_UNDEFINED] = "undefined element",
        [TRAP_UNINITIALIZED] = "uninitialized element",
        [TRAP_SIGNATURE] = "indirect call type mismatch",
        [TRAP_STACK] = "call stack exhausted",
    };
    ASSERT(stop > STOP_FUEL && stop < STOP_COUNT);
    return texts[stop];
}

static void copy_text(struct thread *t, const char *text)
{
    size_t n = str_length(text);
    if (n > sizeof t->trap_text - 1)
        n = sizeof t->trap_text - 1;
    memmove(t->trap_text, text, n);
    t->trap_text[n] = '\0';
}

void thread_trap(struct thread *t, const char *text)
{
    ASSERT(text != NULL);
    copy_text(t, text);
    t->trap = t->trap_text;
    t->state = THREAD_TRAPPED;
}

static void tidy_results(const struct wasm_functype *type, wasm_value *slots)
{
    for (uint32_t i = 0; i < type->nresults; i++)
        slots[i] = value_tidy(type->results[i], slots[i]);
}

enum wasm_status host_call(struct thread *t, struct wasm_func *f, struct wasm_instance *inst,
                           wasm_value *slots)
{
    ASSERT(f->host_fn != NULL && t->state == THREAD_RUNNING);
    struct thread *before = inst->active;
    inst->active = t;
    copy_text(t, "the host function failed");
    enum wasm_status status = f->host_fn(f->host, inst, slots, slots);
    inst->active = before;
    switch (status) {
    case WASM_DONE:
        tidy_results(f->type, slots);
        break;
    case WASM_TRAP:
        t->trap = t->trap_text;
        t->state = THREAD_TRAPPED;
        break;
    case WASM_PENDING:
        t->host = f;
        t->host_slots = slots;
        t->state = THREAD_PENDING;
        break;
    case WASM_FUEL:
        UNREACHABLE("a host function returns DONE, TRAP or PENDING");
    }
    return status;
}

static tn_err begin(struct wasm_instance *instance, struct wasm_func *f, const wasm_value *args,
                    uint32_t nargs)
{
    struct thread *t = &instance->thread;
    if (t->state != THREAD_IDLE && t->state != THREAD_TRAPPED)
        return TN_EBUSY;
    if (nargs != f->type->nparams)
        return TN_EINVAL;
    ASSERT(nargs == 0 || args != NULL);
    t->trap = NULL;
    t->unpaid = false;
    t->host = NULL;
    t->top = t->frames;
    *t->top = (struct frame){run_exit, t->slots, NULL};
    uint64_t results = f->type->nresults > nargs ? f->type->nresults : nargs;
    uint64_t need = f->code == NULL ? results : f->frame_slots;
    if (need > (uint64_t)(t->slots_end - t->slots) || t->frames_end - t->frames < 2) {
        thread_trap(t, stop_text(TRAP_STACK));
        return TN_OK;
    }
    for (uint32_t i = 0; i < nargs; i++)
        t->slots[i] = value_tidy(f->type->params[i], args[i]);
    if (f->code == NULL) {
        t->host = f;
        t->host_slots = t->slots;
    } else {
        *++t->top = (struct frame){f->code, t->slots, f};
        for (uint32_t i = nargs; i < f->nlocals; i++)
            t->slots[i] = 0;
        t->unpaid = true;
    }
    t->state = THREAD_READY;
    return TN_OK;
}

tn_err wasm_begin(struct wasm_instance *instance, uint32_t func, const wasm_value *args,
                  uint32_t nargs)
{
    if (func >= instance->module->nfuncs)
        return TN_EINVAL;
    return begin(instance, instance->funcs[func], args, nargs);
}

/* The function at `elem` of a table, or NULL. */
static struct wasm_func *elem_func(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                                   const struct wasm_functype *type)
{
    wasm_value ref;
    if (wasm_table_get(instance, table, elem, &ref) != TN_OK ||
        instance->tables[table]->type != WASM_FUNCREF)
        return NULL;
    struct wasm_func *f = (struct wasm_func *)(uintptr_t)ref;
    return f != NULL && functype_eq(f->type, type) ? f : NULL;
}

tn_err wasm_elem_check(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                       const struct wasm_functype *type)
{
    return elem_func(instance, table, elem, type) != NULL ? TN_OK : TN_EINVAL;
}

tn_err wasm_begin_elem(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                       const struct wasm_functype *type, const wasm_value *args)
{
    struct wasm_func *f = elem_func(instance, table, elem, type);
    return f != NULL ? begin(instance, f, args, type->nparams) : TN_EINVAL;
}

tn_err wasm_start(struct wasm_instance *instance)
{
    if (instance->module->start == NO_INDEX)
        return TN_ENOTFOUND;
    return wasm_begin(instance, instance->module->start, NULL, 0);
}

enum wasm_status wasm_run(struct wasm_instance *instance)
{
    struct thread *t = &instance->thread;
    switch (t->state) {
    case THREAD_IDLE:
        return WASM_DONE;
    case THREAD_PENDING:
        return WASM_PENDING;
    case THREAD_TRAPPED:
        return WASM_TRAP;
    case THREAD_RUNNING:
        UNREACHABLE("a host function runs the instance that called it");
    case THREAD_READY:
        break;
    }
    t->state = THREAD_RUNNING;
    t->fuel_wanted = 0;
    if (t->host != NULL) { /* begun with a host function */
        struct wasm_func *f = t->host;
        t->host = NULL;
        enum wasm_status status = host_call(t, f, instance, t->host_slots);
        if (status != WASM_DONE)
            return status;
    }
    return run_thread(t);
}

enum wasm_status wasm_resume(struct wasm_instance *instance, const wasm_value *results,
                             uint32_t nresults)
{
    struct thread *t = &instance->thread;
    if (t->state != THREAD_PENDING)
        return wasm_run(instance);
    const struct wasm_functype *type = t->host->type;
    ASSERT(nresults == type->nresults);
    if (nresults > 0)
        memmove(t->host_slots, results, nresults * sizeof *results);
    tidy_results(type, t->host_slots);
    t->host = NULL;
    t->state = THREAD_READY;
    return wasm_run(instance);
}

void wasm_resume_trap(struct wasm_instance *instance, const char *text)
{
    struct thread *t = &instance->thread;
    ASSERT(text != NULL);
    if (t->state != THREAD_PENDING)
        return;
    t->host = NULL;
    if (t->top->func != NULL)
        t->top->pc--; /* to the call, where a trap stands */
    thread_trap(t, text);
}

const wasm_value *wasm_results(const struct wasm_instance *instance)
{
    return instance->thread.slots;
}

void wasm_cancel(struct wasm_instance *instance)
{
    struct thread *t = &instance->thread;
    ASSERT(t->state != THREAD_RUNNING);
    t->state = THREAD_IDLE;
    t->host = NULL;
    t->trap = NULL;
    t->unpaid = false;
    t->top = t->frames;
}

void wasm_trap(struct wasm_instance *instance, const char *text)
{
    ASSERT(text != NULL && instance->active != NULL);
    copy_text(thread_of(instance), text);
}

const char *wasm_trap_text(const struct wasm_instance *instance)
{
    const struct thread *t = &instance->thread;
    return t->state == THREAD_TRAPPED ? t->trap : NULL;
}

uint32_t wasm_backtrace(const struct wasm_instance *instance, struct wasm_frame_info *frames,
                        uint32_t n)
{
    const struct thread *t = thread_of(instance);
    uint32_t found = 0;
    if (t->state == THREAD_IDLE || t->top == NULL)
        return 0;
    for (const struct frame *f = t->top; f > t->frames; f--) {
        if (f->func == NULL)
            continue;
        if (found < n) {
            const struct wasm_module *m = f->func->instance->module;
            const struct func_decl *decl = &m->funcs[f->func->index];
            /* Below the top, and at a host call, pc is behind the call. */
            bool at_pc = f == t->top && (t->state == THREAD_TRAPPED || t->state == THREAD_READY);
            uint32_t at = (uint32_t)(f->pc - decl->code) - (at_pc ? 0 : 1);
            struct wasm_frame_info *info = &frames[found];
            info->func = f->func->index;
            info->offset = func_offset(decl, at, f == t->top && t->unpaid);
            info->name = wasm_func_name(m, f->func->index, &info->name_len);
        }
        found++;
    }
    return found;
}

uint64_t wasm_fuel_left(const struct wasm_instance *instance)
{
    return thread_of(instance)->fuel;
}

uint64_t wasm_fuel_wanted(const struct wasm_instance *instance)
{
    return thread_of(instance)->fuel_wanted;
}

void wasm_fuel_set(struct wasm_instance *instance, uint64_t fuel)
{
    thread_of(instance)->fuel = fuel;
}

bool wasm_fuel_take(struct wasm_instance *instance, uint64_t fuel)
{
    struct thread *t = thread_of(instance);
    if (t->fuel < fuel)
        return false;
    t->fuel -= fuel;
    return true;
}
