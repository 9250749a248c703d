/* setjmp.h: nothing: the tests include it for cmocka alone, and ours jumps nowhere. */
