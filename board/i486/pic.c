/* The two 8259A interrupt controllers: lines 0..15 are vectors 32..47, edge-triggered. */
#include "floor.h"

#define MASTER 0x20u
#define SLAVE 0xa0u
#define CASCADE 2u

/* Everything is masked but the timer and the cascade. */
void pic_init(void) {
  out8(MASTER, 0x11);
  out8(SLAVE, 0x11);
  out8(MASTER + 1, FIRST_LINE);
  out8(SLAVE + 1, FIRST_LINE + 8);
  out8(MASTER + 1, 1u << CASCADE);
  out8(SLAVE + 1, CASCADE);
  out8(MASTER + 1, 1);
  out8(SLAVE + 1, 1);
  out8(MASTER + 1, 0xff & ~(1u << CASCADE | 1u << TIMER));
  out8(SLAVE + 1, 0xff);
}

void pic_unmask(u32 line) {
  u32 port = line & 8 ? SLAVE + 1 : MASTER + 1;
  out8(port, in8(port) & ~(1u << (line & 7)));
}

/* Of line 7 or 15: a request that went away shows up as the controller's lowest line, with no bit in service. */
int pic_spurious(u32 line) {
  u32 port = line == 15 ? SLAVE : MASTER;
  out8(port, 0x0b);
  if (in8(port) & 0x80) return 0;
  if (line == 15) out8(MASTER, 0x20);
  return 1;
}

void pic_acknowledge(u32 line) {
  if (line & 8) out8(SLAVE, 0x20);
  out8(MASTER, 0x20);
}
