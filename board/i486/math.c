/* What the engine needs of a C library: memory and the few functions of doubles that the x87 can do.
 * The x87 runs at 53-bit precision (control.c sets it), so its sums are the sums of IEEE doubles. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t n) {
  void *result = to;
  size_t words = n >> 2;
  n &= 3;
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words)::"memory");
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
  return result;
}

void *memset(void *to, int value, size_t n) {
  void *result = to;
  size_t words = n >> 2;
  n &= 3;
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"((value & 0xff) * 0x01010101u) : "memory");
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}

void *memmove(void *to, const void *from, size_t n) {
  if ((uintptr_t)to - (uintptr_t)from >= n) return memcpy(to, from, n);
  char *last_to = (char *)to + n - 1;
  const char *last_from = (const char *)from + n - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(n)::"memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (; n--; x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

static double rounded(double x, uint16_t mode) {
  uint16_t before, during;
  double result;
  __asm__ volatile("fnstcw %0" : "=m"(before));
  during = (before & ~0xc00) | mode;
  __asm__ volatile("fldcw %0" ::"m"(during));
  __asm__ volatile("frndint" : "=t"(result) : "0"(x));
  __asm__ volatile("fldcw %0" ::"m"(before));
  return result;
}

double floor(double x) { return rounded(x, 0x400); }
double ceil(double x) { return rounded(x, 0x800); }
double trunc(double x) { return rounded(x, 0xc00); }
double nearbyint(double x) { return rounded(x, 0); }
double sqrt(double x) { __asm__("fsqrt" : "+t"(x)); return x; }
double fabs(double x) { __asm__("fabs" : "+t"(x)); return x; }

double copysign(double magnitude, double sign) {
  union { double d; uint64_t u; } a = {magnitude}, b = {sign};
  a.u = (a.u & ~(1ull << 63)) | (b.u & (1ull << 63));
  return a.d;
}
