/* The crash page: src/base/crash-page.ts draws it. */
#include "floor.h"

#define WORD(offset) (((u32 *)CRASH_PAGE)[(offset) / 4])
#define TRACE_WORDS 512u

extern u8 read_only_end[];
void *memset(void *, int, size_t);

static void seal(void) {
  u32 sum = 0;
  WORD(CRASH_AT_SUM) = 0;
  for (u32 at = 0; at < PAGE; at += 4) sum += WORD(at);
  WORD(CRASH_AT_SUM) = -sum;
}

/* What lies on control's stack and points into the code. */
static void trace(u32 *to, const u32 *stack) {
  u32 found = 0;
  for (u32 i = 0; i < TRACE_WORDS && found < RECORD_TRACE; i++) {
    if ((u32)(stack + i) < STACK_AT || (u32)(stack + i) >= stack_top) return;
    if (stack[i] >= KERNEL_AT && stack[i] < (u32)read_only_end) to[found++] = stack[i];
  }
}

void crash_record(u32 kind, const u32 *registers, const u32 *stack, const char *text) {
  u32 number = ++WORD(CRASH_AT_COUNT);
  u32 at = CRASH_RECORDS_AT + (number - 1) % CRASH_RECORD_COUNT * CRASH_RECORD_BYTES;
  memset(&WORD(at), 0, CRASH_RECORD_BYTES);
  WORD(at + RECORD_AT_KIND) = kind;
  WORD(at + RECORD_AT_NUMBER) = number;
  WORD(at + RECORD_AT_BOOT) = WORD(CRASH_AT_BOOT);
  WORD(at + RECORD_AT_TICK) = stack_top ? CELL(NOW_AT) : 0; /* before, there is no plane's memory */
  WORD(at + RECORD_AT_WRAPS) = stack_top ? CELL(NOW_WRAPS_AT) : 0;
  WORD(at + RECORD_AT_CLOCK) = WORD(CRASH_AT_CLOCK);
  WORD(at + RECORD_AT_CLOCK_TICK) = WORD(CRASH_AT_CLOCK_TICK);
  if (registers)
    for (u32 i = 0; i < RECORD_REGISTERS; i++) WORD(at + RECORD_AT_REGISTERS + 4 * i) = registers[i];
  if (stack) trace(&WORD(at + RECORD_AT_TRACE), stack);
  char *to = (char *)&WORD(at + RECORD_AT_TEXT);
  for (u32 i = 0; i < RECORD_TEXT_BYTES - 1 && text[i]; i++) to[i] = text[i];
  seal();
}

u32 crash_start(void) {
  u32 sum = 0;
  for (u32 at = 0; at < PAGE; at += 4) sum += WORD(at);
  if (WORD(CRASH_AT_MAGIC) != CRASH_MAGIC || sum) {
    memset((void *)CRASH_PAGE, 0, PAGE);
    WORD(CRASH_AT_MAGIC) = CRASH_MAGIC;
  } else if (WORD(CRASH_AT_RUNNING)) {
    crash_record(CRASH_SILENT, 0, 0, "");
  }
  WORD(CRASH_AT_RUNNING) = 1;
  WORD(CRASH_AT_CLOCK) = 0;
  WORD(CRASH_AT_BOOT)++;
  WORD(CRASH_AT_STARTS)++;
  seal();
  return WORD(CRASH_AT_STARTS) > CRASH_STARTS_MOST;
}

void crash_end(u32 orderly) {
  WORD(CRASH_AT_RUNNING) = 0;
  if (orderly) WORD(CRASH_AT_STARTS) = 0;
  seal();
}
