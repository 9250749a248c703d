/* none.c: not a component: it defines no tn_component. */
void other(void);
__attribute__((visibility("default"))) void other(void)
{
}
