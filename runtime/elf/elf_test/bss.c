/* bss.c: beside good.c, a writable variable that begins as zero. */
extern int zeroed_counter;
__attribute__((used)) int zeroed_counter;
