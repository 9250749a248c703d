/* constructor.c: beside good.c, code that wants to run when the file is loaded. */
void constructed(void);
__attribute__((constructor)) void constructed(void)
{
    __asm__ volatile("");
}
