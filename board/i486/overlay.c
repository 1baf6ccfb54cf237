/* Overlays: modules that are packed in the kernel as bytecode, read and evaluated when control first wants them. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h"
#include "overlays.h" /* overlays[]: packed, packed_bytes, bytes; line that imports it */

#define EVALUATE_MODULE 1u

static u32 text_length(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  return length;
}

/* Frees a value; answers 0 if it is an exception, which it frees too. */
static u32 finish(Z_engine_instance_t *engine, u32 value) {
  u32 exception = QTS_ResolveException(engine, ENGINE_CONTEXT, value);
  if (exception) QTS_FreeValuePointer(engine, ENGINE_CONTEXT, exception);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  return !exception;
}

/* Links and evaluates a module that has been read; answers 0 if it has not, or throws. */
static u32 evaluate(Z_engine_instance_t *engine, const char *line) {
  u32 bytes = text_length(line), at = malloc(engine, bytes + 1);
  if (!at) return 0;
  __builtin_memcpy((void *)(LINEAR_AT + at), line, bytes + 1);
  u32 done = finish(engine, QTS_Eval(engine, ENGINE_CONTEXT, at, bytes, at, 0, EVALUATE_MODULE));
  free(engine, at);
  return done;
}

/* Unpacks and reads a module; it stays in the engine's list, found by its name. */
static u32 read_module(Z_engine_instance_t *engine, const struct overlay *overlay) {
  u32 at = malloc(engine, overlay->bytes);
  if (!at) return 0;
  if (snapshot_unpack((u32)overlay->packed, overlay->packed_bytes, LINEAR_AT + at, overlay->bytes) !=
      (s32)overlay->bytes)
    panic("Bad overlay", (u32)overlay->line);
  u32 buffer = QTS_NewArrayBuffer(engine, ENGINE_CONTEXT, at, overlay->bytes);
  u32 module = QTS_bjson_decode(engine, ENGINE_CONTEXT, buffer);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, buffer); /* and with it what lies at `at` */
  return finish(engine, module);
}

/* Answers 0 when the heap has no room. What an attempt before that had read is evaluated first. */
u32 overlay_load(struct Z_engine_instance_t *engine, u32 number) {
  if (number >= sizeof overlays / sizeof *overlays || (!number && spare_taken)) return 0;
  const struct overlay *overlay = &overlays[number];
  return evaluate(engine, overlay->line) || (read_module(engine, overlay) && evaluate(engine, overlay->line));
}
