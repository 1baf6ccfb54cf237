/* Physical pages, and the map of virtual memory.
 *
 *   0x00001000  RAM, one to one (page 0 unmapped; the kernel's code and constants read-only)
 *   LINEAR_AT   linear memory: constants, read-only in the kernel | static data | plane's memory | guard | stack | heap, with holes in between
 *   WINDOW_AT   the static data and the heap once more, side by side: the snapshot is unpacked into it
 *   STACK_AT    guard | the machine's stack
 *
 * Pages are taken once, at boot, and never given back. Those of the packed overlays, on a small board, when control asks. */
#include "floor.h"
#include "engine-constants.h" /* engine_constants[], whole pages */

#define PRESENT 1u
#define WRITABLE 2u
#define UNCACHED 0x18u
#define STACK_PAGES 54u

extern u8 read_only_end[], kernel_end[];

u32 heap_bytes, heap_end, stack_top, overlays_given;
u32 boot_info[BOOT_INFO_BYTES / 4];

/* RAM that is free: on both sides of the unpackers' scratch below 640 KiB, from the kernel to the packed
 * snapshot, and behind that. */
#define RANGES 4u
static struct range { u32 next, end; } ranges[RANGES];
static u32 *directory;

void *memset(void *, int, size_t);
void paging_on(u32 *);

static u32 pages_left(void) {
  u32 pages = 0;
  for (u32 i = 0; i < RANGES; i++) {
    pages += (ranges[i].end - ranges[i].next) / PAGE;
    if (ranges[i].next <= CRASH_PAGE && CRASH_PAGE < ranges[i].end) pages--;
  }
  return pages;
}

static u32 page_take(void) {
  for (u32 i = 0; i < RANGES; i++) {
    if (ranges[i].next >= ranges[i].end) continue;
    u32 page = ranges[i].next;
    ranges[i].next += PAGE;
    if (page == CRASH_PAGE) return page_take();
    return page;
  }
  panic("out of memory at boot, KiB:", BOOT(BOOT_AT_MEMORY_KIB));
}

static u32 page_zeroed(void) {
  u32 page = page_take();
  memset((void *)page, 0, PAGE);
  clock_poll();
  return page;
}

static u32 *entry_of(u32 virtual) {
  u32 *slot = &directory[virtual >> 22];
  if (!*slot) *slot = page_zeroed() | PRESENT | WRITABLE;
  return (u32 *)(*slot & ~(PAGE - 1)) + (virtual >> 12 & 1023);
}

static void map(u32 virtual, u32 physical, u32 flags) { *entry_of(virtual) = physical | flags | PRESENT; }

u32 physical_of(u32 linear) { return (*entry_of(LINEAR_AT + linear) & ~(PAGE - 1)) + (linear & (PAGE - 1)); }

/* Maps fresh pages to linear addresses [from, to), whole pages, as zeroes. */
static void map_linear(u32 from, u32 to) {
  for (u32 at = from; at < to; at += PAGE) map(LINEAR_AT + at, page_zeroed(), WRITABLE);
}

/* Lets the window show linear addresses [from, to) at `offset`; answers the offset behind them. */
static u32 map_window(u32 offset, u32 from, u32 to) {
  for (u32 at = from; at < to; at += PAGE, offset += PAGE)
    map(WINDOW_AT + offset, *entry_of(LINEAR_AT + at) & ~(PAGE - 1), WRITABLE);
  return offset;
}

/* The plane's memory. A small board goes without the last places of the session table, and the first packet buffers, which lie
 * behind them: there a page of zeroes is seen, read-only, and who writes to it is wrong. */
static void map_plane(u32 less, u32 less_buffers) {
  u32 end = PLANE_BASE + BUFFERS_AT;
  u32 from = (end - less * MASQUERADE_BYTES + PAGE - 1) & ~(PAGE - 1), to = (end + less_buffers * BUFFER_BYTES) & ~(PAGE - 1);
  if (!less) from = to;
  map_linear(PLANE_BASE, from);
  if (less) for (u32 at = from, zeroes = page_zeroed(); at < to; at += PAGE) map(LINEAR_AT + at, zeroes, 0);
  map_linear(to, PLANE_BASE + CRASH_AT);
}

static void find_ranges(u32 ram_end) {
  u32 packed = BOOT(BOOT_AT_SNAPSHOT) & ~(PAGE - 1);
  u32 packed_end = (BOOT(BOOT_AT_SNAPSHOT) + BOOT(BOOT_AT_SNAPSHOT_PACKED) + PAGE - 1) & ~(PAGE - 1);
  ranges[0] = (struct range){PAGE, CRC_TABLES_AT};
  ranges[1] = (struct range){UNPACK_AT + UNPACK_BYTES, BOOT(BOOT_AT_LOW_MEMORY_KIB) * 1024 & ~(PAGE - 1)};
  ranges[2] = (struct range){(u32)kernel_end, packed};
  ranges[3] = (struct range){packed_end, ram_end > packed_end ? ram_end : packed_end};
}

static void fill_linear(u32 to, const u32 *from, u32 bytes) {
  for (u32 at = 0; at < bytes; at += 4) *(u32 *)physical_of(to + at) = *from++;
}

/* A floppy's saved settings lie at the end of the packed kernel, whose pages are taken last: here at the latest. Long ones get
 * pages of their own, which control gives to the heap when it has read them. */
static void keep_settings(void) {
  const u32 *from = (const u32 *)BOOT(BOOT_AT_SETTINGS);
  if (!from) return;
  u32 bytes = *from == CONFIG_MAGIC ? CONFIG_AT_TEXT + from[CONFIG_AT_LENGTH / 4] : 4;
  fill_linear(PLANE_BASE + STORE_AT, from, bytes < STORE_BYTES ? bytes : STORE_BYTES);
  if (bytes <= STORE_BYTES) return;
  map_linear(PLANE_BASE + LONG_SETTINGS_AT, PLANE_BASE + LONG_SETTINGS_AT + bytes);
  fill_linear(PLANE_BASE + LONG_SETTINGS_AT, from, bytes);
}

/* Tables of pages that the bytes [from, to) need beside that of `from`. */
static u32 further_tables(u32 from, u32 to) { return ((to - 1) >> 22) - (from >> 22); }

/* The heap gets what is left, less the tables that map it and the window's. Its first page and the device's have theirs, with
 * the stacks'. */
static void map_heap(void) {
  u32 pages = pages_left();
  u32 tables = further_tables(SNAPSHOT_HEAP_AT, SNAPSHOT_HEAP_AT + pages * PAGE);
  tables += 1 + further_tables(WINDOW_AT, WINDOW_AT + SNAPSHOT_STATIC_BYTES + SNAPSHOT_HEAP_BYTES);
  u32 limit = HEAP_LIMIT_BYTES / PAGE;
  pages = pages > tables ? pages - tables : 0;
  if (pages > limit) pages = limit;
  heap_bytes = pages * PAGE;
  heap_end = SNAPSHOT_HEAP_AT + heap_bytes;
  if (heap_bytes < SNAPSHOT_HEAP_BYTES + HEAP_ROOM_BYTES) panic("too little memory, heap:", heap_bytes);
  for (u32 at = SNAPSHOT_HEAP_AT; at < heap_end; at += PAGE) map(LINEAR_AT + at, page_take(), WRITABLE);
}

void pages_init(const u32 *loader_info) {
  for (u32 i = 0; i < BOOT_INFO_BYTES / 4; i++) boot_info[i] = loader_info[i];
  u32 ram_end = BOOT(BOOT_AT_MEMORY_KIB) * 1024;
  if (BOOT(BOOT_AT_MAGIC) != BOOT_MAGIC) panic("no boot information, magic:", BOOT(BOOT_AT_MAGIC));
  find_ranges(ram_end);
  directory = (u32 *)page_zeroed();
  for (u32 at = PAGE; at < ram_end; at += PAGE)
    map(at, at, (at >= 0x100000 && at < (u32)read_only_end) || (at >= (u32)overlays_at && at < (u32)image_end) ? 0 : WRITABLE);
  for (u32 at = 0; at < ENGINE_CONSTANT_BYTES; at += PAGE) map(LINEAR_AT + at, (u32)engine_constants + at, 0);
  map_linear(ENGINE_CONSTANT_BYTES, SNAPSHOT_STATIC_BYTES);
  u32 is_small = BOOT(BOOT_AT_MEMORY_KIB) < SMALL_BOARD_KIB;
  u32 less = is_small ? MASQUERADE_COUNT - MASQUERADE_COUNT_SMALL : 0, less_buffers = is_small ? BUFFER_COUNT - BUFFER_COUNT_SMALL : 0;
  map_plane(less, less_buffers);
  keep_settings();
  map(LINEAR_AT + PLANE_BASE + CRASH_AT, CRASH_PAGE, WRITABLE);
  map_linear(SNAPSHOT_HEAP_AT - LINEAR_STACK_BYTES, SNAPSHOT_HEAP_AT);
  for (u32 i = 1; i <= STACK_PAGES; i++) map(STACK_AT + i * PAGE, page_take(), WRITABLE);
  map(BIOS_DATA_AT, 0, WRITABLE);
  stack_top = STACK_AT + (STACK_PAGES + 1) * PAGE;
  map_heap();
  u32 heap_in_window = map_window(0, ENGINE_CONSTANT_BYTES, SNAPSHOT_STATIC_BYTES);
  map_window(heap_in_window, SNAPSHOT_HEAP_AT, SNAPSHOT_HEAP_AT + SNAPSHOT_HEAP_BYTES);
  paging_on(directory);
  CELL(SESSIONS_LESS_AT) = less;
  CELL(BUFFERS_LESS_AT) = less_buffers;
}

static void move_page(u32 from, u32 to) {
  u32 *entry = entry_of(LINEAR_AT + from);
  *entry_of(LINEAR_AT + to) = *entry;
  *entry = 0;
  __asm__ volatile("invlpg (%0)" ::"r"(LINEAR_AT + from) : "memory");
}

u32 pages_lend(u32 from, u32 to, u32 end) {
  for (u32 at = from; at < end; at += PAGE) {
    u32 there = *entry_of(LINEAR_AT + at);
    if (at < to && !there) {
      if (heap_end - PAGE < LINEAR_WORD(ENGINE_BREAK_AT)) return 0;
      move_page(heap_end -= PAGE, at);
      memset((void *)(LINEAR_AT + at), 0, PAGE);
    } else if (at >= to && there) {
      move_page(at, heap_end);
      heap_end += PAGE;
    }
  }
  heap_bytes = heap_end - SNAPSHOT_HEAP_AT;
  return 1;
}

/* Not further than the last table of pages reaches, which it never does on so small a board. */
void pages_give(void) {
  if (overlays_given || BOOT(BOOT_AT_MEMORY_KIB) >= SMALL_BOARD_KIB) return;
  for (u32 at = (u32)overlays_at; at < (u32)image_end && heap_end << 10; at += PAGE, heap_end += PAGE)
    map(LINEAR_AT + heap_end, at, WRITABLE);
  heap_bytes = heap_end - SNAPSHOT_HEAP_AT;
  overlays_given = 1;
}

volatile void *device_register(u32 physical) {
  map(DEVICE_AT, physical & ~(PAGE - 1), WRITABLE | UNCACHED);
  __asm__ volatile("invlpg (%0)" ::"r"(DEVICE_AT) : "memory");
  return (volatile void *)(DEVICE_AT + (physical & (PAGE - 1)));
}

void snapshot_restore(void) {
  u32 bytes = SNAPSHOT_STATIC_BYTES - ENGINE_CONSTANT_BYTES + SNAPSHOT_HEAP_BYTES;
  if (!unpack(BOOT(BOOT_AT_SNAPSHOT), BOOT(BOOT_AT_SNAPSHOT_PACKED), WINDOW_AT, bytes, 0)) panic("bad snapshot:", bytes);
}
