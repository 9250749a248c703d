/* aligned.c: beside good.c, constants that ask for the largest alignment. */
extern const char aligned_constants[16];
__attribute__((aligned(65536), used)) const char aligned_constants[16] = "aligned to 64 K";
