// What the loader asks of the machine, AssemblyScript's body of machine.ts: imports that C defines.

export function attachMachine(_behind: i32): void {}
// @ts-ignore: decorator
@external("machine", "readSectors") export declare function readSectors(sector: i32, count: i32, p: i32): i32;
// @ts-ignore: decorator
@external("machine", "writeSector") export declare function writeSector(sector: i32, p: i32): i32;
// @ts-ignore: decorator
@external("machine", "report") export declare function report(event: i32, slot: i32, value: i32): void;
// @ts-ignore: decorator
@external("machine", "clockPoll") export declare function clockPoll(): void;
