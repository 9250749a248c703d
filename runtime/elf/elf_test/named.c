/* named.c: beside good.c, an export whose name the build chooses. */
__attribute__((visibility("default"))) void EXPORT_NAME(void);
void EXPORT_NAME(void)
{
}
