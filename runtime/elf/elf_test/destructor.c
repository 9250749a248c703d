/* destructor.c: beside good.c, code that wants to run when the file is unloaded. */
void destructed(void);
__attribute__((destructor)) void destructed(void)
{
    __asm__ volatile("");
}
