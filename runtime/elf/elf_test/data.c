/* data.c: beside good.c, a writable variable that is not zero. */
extern int writable_counter;
__attribute__((used)) int writable_counter = 3;
