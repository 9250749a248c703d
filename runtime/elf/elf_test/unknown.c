/* unknown.c: beside good.c, a tn_ function that there is not. */
int tn_frobnicate(void);
int unknown_user(void);
int unknown_user(void)
{
    return tn_frobnicate();
}
