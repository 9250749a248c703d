/* tls.c: beside good.c, a variable of each thread's own. */
extern _Thread_local int per_thread;
__attribute__((used)) _Thread_local int per_thread = 1;
