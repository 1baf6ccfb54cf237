// What the loader cannot say in the portable subset: BIOS calls, the A20 gate, screen and serial line, the
// timer. The decisions are in loader.ts and slots.ts, of which loader-build.ts makes the C included here.
//
// BIOS interfaces: INT 10h AH=0Eh, INT 12h, INT 13h AH=00h 02h 03h 08h 41h 42h 43h 48h, INT 15h AX=2401h E801h AH=88h.
#include "loader-wasm.h"
#include "layout.h"

// --- ports ---------------------------------------------------------------------------------------------
static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

#define WORD(address) (*(volatile u32*)(address))

// What gcc itself calls.
void* memcpy(void* to, const void* from, size_t n) {
  void* start = to;
  u32 words = n >> 2, rest = n & 3;
  __asm__ volatile("rep movsl\n\tmovl %3, %%ecx\n\trep movsb"
                   : "+D"(to), "+S"(from), "+c"(words) : "r"(rest) : "memory");
  return start;
}

void* memset(void* to, int value, size_t n) {
  void* start = to;
  u32 words = n >> 2, rest = n & 3;
  __asm__ volatile("rep stosl\n\tmovl %3, %%ecx\n\trep stosb"
                   : "+D"(to), "+c"(words) : "a"((value & 0xff) * 0x01010101u), "r"(rest) : "memory");
  return start;
}

void* memmove(void* to, const void* from, size_t n) {
  if ((u32)to - (u32)from >= n) return memcpy(to, from, n);
  for (u8* t = to; n-- != 0;) t[n] = ((const u8*)from)[n];
  return to;
}

// --- the clock -------------------------------------------------------------------------------------------
// Timer 0 counts 65,536 down again and again (the boot sector set it so), and the BIOS counts the rounds.
// While interrupts are off clockPoll adds up what has passed, which must be called in each round. Across a
// BIOS call the rounds come from the BIOS's count; a round whose interrupt is still waiting is in the
// interrupt controller's request register.
#define BIOS_TICKS_A_DAY 0x1800b0
static struct { u32 counts, last, ticks; } timer;

static u32 timer_count(void) {
  outb(0x43, 0);
  u32 low = inb(0x40);
  return (u32)-(low | (u32)inb(0x40) << 8) & 0xffff;
}

static u32 tick_waits(void) {
  outb(0x20, 0x0a);
  return inb(0x20) & 1;
}

void Z_machineZ_clockPoll(struct Z_machine_instance_t* machine) {
  (void)machine;
  u32 now = timer_count();
  timer.counts += (now - timer.last) & 0xffff;
  timer.last = now;
}

/** Reads rounds and count as of one moment. */
static u32 read_moment(u32* count) {
  u32 waits = 0;
  for (int i = 0; i < 3; i++) {
    waits = tick_waits();
    *count = timer_count();
    if (tick_waits() == waits) break;
  }
  return WORD(0x46c) + waits;
}

/** Adds what has passed since a moment with that many ticks and timer.last. */
static void clock_advance(u32 ticks_before) {
  u32 now, ticks = read_moment(&now);
  s32 rounds = (s32)(ticks - ticks_before);
  if (rounds < 0) rounds += BIOS_TICKS_A_DAY; // midnight
  s32 passed = rounds * 65536 + (s32)now - (s32)timer.last;
  timer.counts += passed < 0 ? (now - timer.last) & 0xffff : (u32)passed;
  timer.last = now;
}

// --- the BIOS --------------------------------------------------------------------------------------------
struct { u32 eax, ebx, ecx, edx, esi, edi; u16 es, flags; } bios_registers;
u32 bios_vector;
void bios_call(void);
void wait_for_tick(void);
#define CARRY 1

/** Calls an interrupt with bios_registers, in real mode. Answers the carry flag. */
static u32 bios(u32 interrupt) {
  bios_vector = interrupt < 256 ? WORD(4 * interrupt) : interrupt;
  u32 count, ticks = read_moment(&count);
  timer.counts += (count - timer.last) & 0xffff;
  timer.last = count;
  bios_call();
  clock_advance(ticks);
  return bios_registers.flags & CARRY;
}

// --- screen and serial line --------------------------------------------------------------------------------
#define COM1 0x3f8

static void serial_setup(void) {
  outb(COM1 + 1, 0);
  outb(COM1 + 3, 0x80); // divisor latch
  outb(COM1 + 0, 1);    // 115,200
  outb(COM1 + 1, 0);
  outb(COM1 + 3, 3);    // 8 bits, no parity, 1 stop bit
  outb(COM1 + 2, 7);    // FIFOs on and cleared, where there are some
  outb(COM1 + 4, 3);    // DTR, RTS
}

static void put(char c) {
  for (u32 i = 0; i < 50000 && (inb(COM1 + 5) & 0x20) == 0; i++) { }
  outb(COM1, (u8)c);
  bios_registers.eax = 0x0e00 | (u8)c;
  bios_registers.ebx = 7;
  bios(0x10);
}

static void print(const char* text) {
  for (; *text != 0; text++) put(*text);
}

static void print_number(u32 value) {
  char digits[11];
  char* at = digits + sizeof digits;
  *--at = 0;
  do *--at = (char)('0' + value % 10); while ((value /= 10) != 0);
  print(at);
}

// What slots.ts can find, in the order of its numbers. An empty slot is no news.
static const char* const troubles[] = {
  0, 0, "it cannot be read", "its header is damaged", "it is for another board", "it has failed its trial",
  "the board has too little RAM for it", "its contents are damaged", "its kernel cannot be unpacked",
  "its try cannot be noted, for the disk is not written to", "its header has impossible values",
};

void Z_machineZ_report(struct Z_machine_instance_t* machine, u32 event, u32 slot, u32 value) {
  (void)machine;
  if (event == SLOT_ON_TRIAL) {
    print("Masqbox loader: slot ");
    put((char)('A' + slot));
    print(" is on trial, boots left after this one: ");
    print_number(value);
    print("\r\n");
    return;
  }
  if (event != 0 && (event >= sizeof troubles / sizeof *troubles || troubles[event] == 0)) return;
  print(event == 0 ? "Masqbox loader: slot " : "Cannot boot slot ");
  put((char)('A' + slot));
  if (event == 0) {
    print(", ");
    print_number(value);
    print(" KiB\r\n");
  } else {
    print(": ");
    print(troubles[event]);
    print("\r\n");
  }
}

// --- the disk --------------------------------------------------------------------------------------------
// edd: the BIOS takes sector numbers. sectors: where the disk ends, 0 if that is not known.
static struct { u32 drive, track_sectors, heads, edd, sectors; } disk;
static struct { u8 size, zero; u16 count, offset, segment; u32 sector, sector_high; } packet;
static struct { u16 size, flags; u32 cylinders, heads, track_sectors, sectors, sectors_high; u16 bytes; } drive_facts;
#define TRIES 5

static void disk_setup(void) {
  disk.drive = WORD(BOOT_INFO_AT + BOOT_AT_DRIVE);
  disk.track_sectors = FLOPPY_TRACK_SECTORS;
  disk.heads = FLOPPY_HEADS;
  disk.edd = 0;
  disk.sectors = IMAGE_SECTORS;
  if (disk.drive < 0x80) return;
  disk.sectors = 0;
  bios_registers.eax = 0x0800;
  bios_registers.edx = disk.drive;
  bios_registers.es = 0;
  bios_registers.edi = 0;
  if (!bios(0x13) && (bios_registers.ecx & 63) != 0) {
    disk.track_sectors = bios_registers.ecx & 63;
    disk.heads = (bios_registers.edx >> 8 & 0xff) + 1;
  }
  bios_registers.eax = 0x4100;
  bios_registers.ebx = 0x55aa;
  bios_registers.edx = disk.drive;
  disk.edd = !bios(0x13) && (bios_registers.ebx & 0xffff) == 0xaa55 && (bios_registers.ecx & 1) != 0;
  if (!disk.edd) return;
  drive_facts.size = 26;
  bios_registers.eax = 0x4800;
  bios_registers.edx = disk.drive;
  bios_registers.esi = (u32)&drive_facts;
  if (!bios(0x13)) disk.sectors = drive_facts.sectors_high == 0 ? drive_facts.sectors : 0;
}

/** Between BOUNCE_AT and the disk by EDD, or within one track: reads, or writes if `write` is 1. Answers 1 if that worked. */
static u32 transfer_once(u32 sector, u32 count, u32 write) {
  bios_registers.edx = disk.drive;
  if (disk.edd) {
    packet.size = 16;
    packet.count = (u16)count;
    packet.segment = BOUNCE_AT >> 4;
    packet.sector = sector;
    bios_registers.eax = 0x4200 + (write << 8);
    bios_registers.esi = (u32)&packet;
  } else {
    u32 track = sector / disk.track_sectors, cylinder = track / disk.heads;
    bios_registers.eax = (0x0200 + (write << 8)) | count;
    bios_registers.ecx = (cylinder & 0xff) << 8 | (cylinder >> 2 & 0xc0) | (sector % disk.track_sectors + 1);
    bios_registers.edx |= track % disk.heads << 8;
    bios_registers.ebx = 0;
    bios_registers.es = BOUNCE_AT >> 4;
  }
  return !bios(0x13);
}

static u32 transfer(u32 sector, u32 count, u32 write) {
  for (u32 try = 0; try < TRIES; try++) {
    if (transfer_once(sector, count, write)) return 1;
    bios_registers.eax = 0;
    bios_registers.edx = disk.drive;
    bios(0x13);
  }
  return 0;
}

u32 Z_machineZ_readSectors(struct Z_machine_instance_t* machine, u32 sector, u32 count, u32 p) {
  (void)machine;
  if (disk.sectors != 0 && sector + count > disk.sectors) return 0;
  while (count != 0) {
    u32 n = count < BOUNCE_SECTORS ? count : BOUNCE_SECTORS;
    u32 in_track = disk.track_sectors - sector % disk.track_sectors;
    if (!disk.edd && n > in_track) n = in_track;
    if (!transfer(sector, n, 0)) return 0;
    memcpy((void*)p, (const void*)BOUNCE_AT, n * SECTOR_BYTES);
    sector += n;
    p += n * SECTOR_BYTES;
    count -= n;
  }
  return 1;
}

u32 Z_machineZ_writeSector(struct Z_machine_instance_t* machine, u32 sector, u32 p) {
  (void)machine;
  if (disk.sectors != 0 && sector >= disk.sectors) return 0;
  memcpy((void*)BOUNCE_AT, (const void*)p, SECTOR_BYTES);
  return transfer(sector, 1, 1);
}

// --- memory ----------------------------------------------------------------------------------------------
/** 1 if address bit 20 is driven: 1 MiB and address 0 are different memory. */
static u32 a20_is_on(void) {
  u32 before = WORD(CRC_TABLES_AT);
  for (u32 i = 0; i < 32; i++) {
    WORD(CRC_TABLES_AT) = i;
    WORD(KERNEL_AT + CRC_TABLES_AT) = ~i;
    if (WORD(CRC_TABLES_AT) == i) {
      WORD(CRC_TABLES_AT) = before;
      return 1;
    }
  }
  return 0;
}

static void keyboard_wait(void) {
  for (u32 i = 0; i < 50000 && (inb(0x64) & 2) != 0; i++) { }
}

/** Opens the A20 gate by whatever way works: BIOS, port 92h, keyboard controller. */
static u32 open_a20(void) {
  if (a20_is_on()) return 1;
  bios_registers.eax = 0x2401;
  bios(0x15);
  if (a20_is_on()) return 1;
  outb(0x92, (u8)((inb(0x92) | 2) & ~1)); // bit 0 would reset
  for (u32 i = 0; i < 1000; i++) if (a20_is_on()) return 1;
  keyboard_wait();
  outb(0x64, 0xd1); // write output port: A20 on, no reset, as every AT has it
  keyboard_wait();
  outb(0x60, 0xdf);
  keyboard_wait();
  for (u32 i = 0; i < 10000; i++) if (a20_is_on()) return 1;
  return 0;
}

/** KiB of RAM from address 0, without a hole, at most MEMORY_MAX_KIB. */
static u32 memory_kib(void) {
  bios_registers.eax = 0xe801;
  bios_registers.ebx = bios_registers.ecx = bios_registers.edx = 0;
  u32 extended = 0;
  if (!bios(0x15)) { // some answer in AX, others in CX
    extended = bios_registers.eax & 0xffff;
    if (extended == 0) extended = bios_registers.ecx & 0xffff;
  }
  if (extended == 0 || extended > MEMORY_MAX_KIB) {
    bios_registers.eax = 0x8800;
    bios(0x15);
    extended = bios_registers.eax & 0xffff;
  }
  u32 all = 1024 + extended;
  return all < MEMORY_MAX_KIB ? all : MEMORY_MAX_KIB;
}

static u32 low_memory_kib(void) {
  bios(0x12);
  return bios_registers.eax & 0xffff;
}

// --- the way ---------------------------------------------------------------------------------------------
__attribute__((noreturn)) void enter_kernel(u32 entry, u32 information);
static wasm_rt_memory_t memory;
static Z_loader_instance_t loader;

wasm_rt_memory_t* Z_envZ_memory(struct Z_env_instance_t* env) {
  (void)env;
  return &memory;
}

u32 wasm_rt_register_func_type(u32 params, u32 results, ...) { return params + results; }

void wasm_rt_trap(wasm_rt_trap_t reason) {
  (void)reason;
  for (;;) __asm__ volatile("hlt");
}

static void wait_seconds(u32 seconds) {
  for (u32 until = timer.counts + seconds * 1193182; (s32)(timer.counts - until) < 0;) bios((u32)&wait_for_tick);
}

void loader_main(void) {
  u32 start_ticks = WORD(BOOT_INFO_AT + BOOT_AT_COUNTS);
  clock_advance(start_ticks); // the boot sector started the timer at 0
  serial_setup();
  disk_setup();
  u32 kib = memory_kib(), low_kib = low_memory_kib();
  memset((void*)BOOT_INFO_AT, 0, BOOT_INFO_BYTES);
  while (!open_a20()) {
    print("Cannot use memory above 1 MiB: the A20 gate stays closed\r\n");
    wait_seconds(10);
  }
  Z_loader_init_module();
  Z_loader_instantiate(&loader, 0, 0);
  s32 slot;
  while ((slot = (s32)Z_loaderZ_load(&loader, kib * 1024)) < 0) {
    print("Cannot boot Masqbox: no slot is good; trying again in 10 s\r\n");
    wait_seconds(10);
  }
  if (disk.drive < 0x80) Z_loaderZ_readSettings(&loader);
  WORD(BOOT_INFO_AT + BOOT_AT_MEMORY_KIB) = kib;
  WORD(BOOT_INFO_AT + BOOT_AT_LOW_MEMORY_KIB) = low_kib;
  WORD(BOOT_INFO_AT + BOOT_AT_DRIVE) = disk.drive;
  if (disk.drive < 0x80) outb(0x3f2, 0x0c); // the BIOS's ticks would have stopped the motor
  Z_machineZ_clockPoll(0);
  WORD(BOOT_INFO_AT + BOOT_AT_COUNTS) = timer.counts;
  enter_kernel(KERNEL_AT, BOOT_INFO_AT);
}
