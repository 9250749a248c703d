/* undefined.c: beside good.c, a call of what is in some library. */
int other_library_call(void);
int undefined_user(void);
int undefined_user(void)
{
    return other_library_call();
}
