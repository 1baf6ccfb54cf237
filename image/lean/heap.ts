// The engine's heap for functions.ts, JavaScript's body: for tests. AssemblyScript's body is heap.as.ts, where it is an import
// that board/i486/overlay.c and the build (modules.ts) define.

let behind: (at: number) => void = () => {};

/** Says who frees. */
export function attachHeap(release: (at: number) => void): void {
  behind = release;
}

/** Frees a block of malloc's. */
export function free(at: i32): void {
  behind(at);
}

/** Frees a value of the engine's, and the block that it begins. */
export function freeValue(at: i32): void {
  behind(at);
}
