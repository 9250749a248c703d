/* undefined.c: beside good.c, a call of libc. */
int puts(const char *text);
void undefined_user(void);
void undefined_user(void)
{
    puts("no libc here");
}
