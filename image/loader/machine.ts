// What the loader asks of the machine, JavaScript's body: for tests. AssemblyScript's body is machine.as.ts,
// where each function is an import that loader.c defines (and the kernel defines clockPoll for unpack()).

/** What stands behind the loader in a test. */
export interface Machine {
  readSectors(sector: number, count: number, p: number): number;
  writeSector(sector: number, p: number): number;
  report(event: number, slot: number, value: number): void;
  clockPoll(): void;
}

let machine: Machine = {
  readSectors: () => 0,
  writeSector: () => 0,
  report: () => {},
  clockPoll: () => {},
};

/** Says what stands behind. */
export function attachMachine(behind: Machine): void {
  machine = behind;
}

/** Reads sectors to memory at p, with retries. Answers 1, or 0 when the disk cannot be read. */
export function readSectors(sector: i32, count: i32, p: i32): i32 {
  return machine.readSectors(sector, count, p);
}

/** Writes the sector in memory at p, with retries. Answers 1, or 0 when the disk does not take it. */
export function writeSector(sector: i32, p: i32): i32 {
  return machine.writeSector(sector, p);
}

/** Says on screen and serial line what happened: EVENT_* of slots.ts. */
export function report(event: i32, slot: i32, value: i32): void {
  machine.report(event, slot, value);
}

/** Reads the timer, so that time goes on while interrupts are off: at least every 55 ms. */
export function clockPoll(): void {
  machine.clockPoll();
}
