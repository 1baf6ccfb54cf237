/* 64-bit division and the count of bits, which gcc calls by these names. Debian's libgcc would do, but its 32-bit half is compiled
 * for later processors: it starts with ENDBR32, which a 486 does not know. */
#include "floor.h"

typedef int64_t s64;

/* One step of long division: (high:low) / divisor, high < divisor. */
static inline u32 divide_step(u32 high, u32 low, u32 divisor, u32 *remainder) {
  u32 quotient;
  __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "rm"(divisor));
  return quotient;
}

/* A divisor above 32 bits has a quotient of one word: it is estimated from the high words, shifted so that
 * the divisor's top bit is set, and is then at most one too large (Knuth, volume 2, 4.3.1, theorem B). */
static u64 divide_long(u64 dividend, u64 divisor, u64 *remainder) {
  u32 shift = __builtin_clz((u32)(divisor >> 32)), rest;
  u64 numerator = dividend >> 1; /* so that its high word is below the divisor's */
  u32 estimate = divide_step((u32)(numerator >> 32), (u32)numerator, (u32)(divisor << shift >> 32), &rest);
  u64 quotient = (u64)estimate << shift >> 31;
  if (quotient) quotient--;
  *remainder = dividend - quotient * divisor;
  if (*remainder >= divisor) {
    quotient++;
    *remainder -= divisor;
  }
  return quotient;
}

static u64 divide(u64 dividend, u64 divisor, u64 *remainder) {
  if (divisor >> 32) return divide_long(dividend, divisor, remainder);
  u32 small = (u32)divisor, rest;
  u32 high = (u32)(dividend >> 32) / small;
  u32 low = divide_step((u32)(dividend >> 32) % small, (u32)dividend, small, &rest);
  *remainder = rest;
  return (u64)high << 32 | low;
}

u64 __udivmoddi4(u64 a, u64 b, u64 *rest) { return divide(a, b, rest); }
u64 __udivdi3(u64 a, u64 b) { u64 rest; return divide(a, b, &rest); }
u64 __umoddi3(u64 a, u64 b) { u64 rest; divide(a, b, &rest); return rest; }

static u64 magnitude(s64 x) { return x < 0 ? -(u64)x : (u64)x; }

s64 __divdi3(s64 a, s64 b) {
  u64 rest, quotient = divide(magnitude(a), magnitude(b), &rest);
  return (a < 0) != (b < 0) ? -(s64)quotient : (s64)quotient;
}

s64 __moddi3(s64 a, s64 b) {
  u64 rest;
  divide(magnitude(a), magnitude(b), &rest);
  return a < 0 ? -(s64)rest : (s64)rest;
}

/* Adds neighbours in ever wider fields (Hacker's Delight, 5-1). */
int __popcountsi2(u32 x) {
  x -= x >> 1 & 0x55555555;
  x = (x & 0x33333333) + (x >> 2 & 0x33333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f;
  return x * 0x01010101 >> 24;
}

int __popcountdi2(u64 x) { return __popcountsi2((u32)x) + __popcountsi2((u32)(x >> 32)); }
