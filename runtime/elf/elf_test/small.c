/* small.c: a tn_component that is too small to be one. */
extern const char tn_component[8];
__attribute__((visibility("default"))) const char tn_component[8] = "small";
