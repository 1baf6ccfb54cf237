/* Last words over COM1, by polling with a bound: for faults, when nothing else can be trusted. */
#include "floor.h"

#define COM1 0x3f8u
#define LINE_STATUS (COM1 + 5)
#define TRANSMITTER_EMPTY 0x20u
#define WARM_START 0x472u

void put(u32 character) {
  /* At 115200 baud a character takes 87 microseconds, an ISA read about one: the bound is far above. */
  for (u32 i = 0; i < 20000 && !(in8(LINE_STATUS) & TRANSMITTER_EMPTY); i++) {}
  out8(COM1, character);
}

void print(const char *text) {
  for (; *text; text++) {
    if (*text == '\n') put('\r');
    put((u8)*text);
  }
}

void print_hex(u32 value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

_Noreturn void reset(void) {
  static const struct { u16 limit; u32 base; } __attribute__((packed)) nothing = {0, 0};
  interrupts_off();
  if (stack_top) *(volatile u16 *)(BIOS_DATA_AT + WARM_START) = 0x1234; /* the BIOS tests no memory, and leaves it alone */
  for (u32 i = 0; i < 10000 && (in8(0x64) & 2); i++) {}
  out8(0x64, 0xfe); /* the keyboard controller pulls the processor's reset line */
  for (u32 i = 0; i < 100000; i++) in8(0x80);
  /* No keyboard controller: a fault without a handler shuts the processor down, and boards answer by reset. */
  __asm__ volatile("lidt %0; int3" ::"m"(nothing));
  for (;;) __asm__ volatile("hlt");
}

_Noreturn void panic(const char *what, u32 detail) {
  u32 registers[RECORD_REGISTERS] = {[7] = detail}; /* EAX */
  interrupts_off();
  crash_record(CRASH_PANIC, registers, registers, what);
  crash_end(0);
  print("\nFloor: ");
  print(what);
  print(" ");
  print_hex(detail);
  print("\n");
  reset();
}
