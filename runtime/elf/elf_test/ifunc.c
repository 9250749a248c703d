/* ifunc.c: beside good.c, a function that is chosen when the file is loaded. */
typedef void chosen_type(void);
void chosen_one(void);
void chosen_one(void)
{
}

static chosen_type *choose(void)
{
    return chosen_one;
}

__attribute__((visibility("default"), ifunc("choose"))) void chosen(void);
