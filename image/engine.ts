// What of the engine is called, by its own names. Not here: who makes it (embed.ts).

export type Raw = (...args: number[]) => number;

/** The engine's functions that are called from here, by the names of its C source; the wasm's are minified. */
export const CALLED = [
  'malloc',
  'free',
  'stackGetCurrent',
  'QTS_NewRuntime',
  'QTS_NewContext',
  'QTS_RuntimeSetMaxStackSize',
  'QTS_RuntimeSetMemoryLimit',
  'QTS_RuntimeEnableInterruptHandler',
  'QTS_GetUndefined',
  'QTS_GetGlobalObject',
  'QTS_NewString',
  'QTS_NewArrayBuffer',
  'QTS_GetArrayBuffer',
  'QTS_GetArrayBufferLength',
  'QTS_bjson_decode',
  'QTS_bjson_encode',
  'QTS_NewFunction',
  'QTS_GetProp',
  'QTS_SetProp',
  'QTS_Eval',
  'QTS_Call',
  'QTS_ResolveException',
  'QTS_Throw',
  'QTS_PromiseState',
  'QTS_PromiseResult',
  'QTS_Dump',
  'QTS_FreeValuePointer',
  'QTS_FreeCString',
] as const;
export type Engine = Record<(typeof CALLED)[number], Raw>;
