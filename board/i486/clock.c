/* The programmable interval timer (8254): channel 0 in mode 2, 100 ticks a second. */
#include "floor.h"

#define CHANNEL0 0x40u
#define COMMAND 0x43u
#define COUNTS_PER_SECOND 1193182u
#define DIVISOR ((COUNTS_PER_SECOND + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND)

static void program(u32 divisor) {
  out8(COMMAND, 0x34);
  out8(CHANNEL0, divisor & 0xff);
  out8(CHANNEL0, divisor >> 8);
}

static u32 boot_counts, boot_last;

/* While the floor starts, with interrupts off, the counter runs free through its 65,536 counts, 55 ms. */
void clock_init(void) { program(0); }

u32 clock_poll(void) {
  u32 now = clock_counts();
  boot_counts += (boot_last - now) & 0xffff;
  boot_last = now;
  return boot_counts;
}

void clock_start(void) { program(DIVISOR); }

/* Counts left in this tick, 838 ns each, counting down. */
u32 clock_counts(void) {
  out8(COMMAND, 0);
  u32 low = in8(CHANNEL0);
  return low | in8(CHANNEL0) << 8;
}

static u32 off_since;

void clock_off_from(u32 sample) { off_since = sample; }

static void off(u32 passed, u32 whose) {
  if (!CELL(READY_AT) || passed <= CELL(LONGEST_OFF_AT)) return;
  CELL(LONGEST_OFF_AT) = passed;
  CELL(LONGEST_OFF_BY_AT) = whose;
}

u32 clock_off(u32 whose) {
  u32 now = clock_counts(), passed = off_since >= now ? off_since - now : off_since + DIVISOR - now;
  off_since = now;
  off(passed, whose);
  return passed;
}

/* A difference of two readings is modulo a tick. What lasted longer shows by its tick, which came late. */
void clock_ticked(u32 sample, u32 whose) { off(DIVISOR - sample, whose); }

u32 clock_moment(void) { return (CELL(NOW_AT) + 1) * DIVISOR - clock_counts(); }

/* The reading with which the processor went to sleep, or AWAKE. */
#define AWAKE 0xffffffffu
static u32 asleep_since = AWAKE;

/* A tick that waited already when sleep began ends it in less, 7 us. */
#define AT_ONCE 8u
static u32 shortest;

/* Where nothing but an interrupt has passed since, its last reading will do: each is three accesses to the bus. No tick
 * can wait then, for interrupts were on since. */
void clock_sleep(u32 worked) {
  asleep_since = worked ? clock_counts() : off_since;
  shortest = worked ? AT_ONCE : 0;
}

/* A tick ends each sleep. An emulated processor may wake so late that more than the divisor has passed: the difference
 * of the readings is small then, and only the tick tells. */
void clock_woken(u32 sample, u32 by_tick) {
  if (asleep_since == AWAKE) return;
  u32 slept = asleep_since - sample;
  if (asleep_since < sample || (by_tick && slept >= shortest)) slept += DIVISOR;
  CELL(IDLE_COUNTS_AT) += slept;
  asleep_since = AWAKE;
}
