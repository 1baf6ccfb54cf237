// The engine's heap for functions.ts, AssemblyScript's body of heap.ts: an import.

export function attachHeap(_release: i32): void {}
// @ts-ignore: decorator
@external("heap", "free") export declare function free(at: i32): void;
// @ts-ignore: decorator
@external("heap", "freeValue") export declare function freeValue(at: i32): void;
