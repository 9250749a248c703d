/* function.c: a tn_component that is code. */
void tn_component(void);
__attribute__((visibility("default"))) void tn_component(void)
{
}
