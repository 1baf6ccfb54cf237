/* Overlays: scripts that are packed in the kernel and evaluated when control first wants them. An overlay is,
 * unpacked, one script behind the other: its name, a zero, its text, a zero. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h"
#include "overlays.h" /* overlays[]: packed, packed_bytes, bytes */

#define EVALUATE_MODULE 1u

/* One script of an overlay at a place of linear memory: evaluates it, answers 0 when that threw. */
static u32 evaluate(Z_engine_instance_t *engine, u32 name, u32 text, u32 bytes) {
  u32 value = QTS_Eval(engine, ENGINE_CONTEXT, text, bytes, name, 0, EVALUATE_MODULE);
  u32 exception = QTS_ResolveException(engine, ENGINE_CONTEXT, value);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  if (!exception) return 1;
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, exception);
  return 0;
}

static u32 text_length(u32 at) {
  u32 length = 0;
  while (*(const u8 *)(LINEAR_AT + at + length)) length++;
  return length;
}

/* Answers 0 when the heap has no room. */
u32 overlay_load(struct Z_engine_instance_t *engine, u32 number) {
  if (number >= sizeof overlays / sizeof *overlays) return 0;
  const struct overlay *overlay = &overlays[number];
  u32 start = malloc(engine, overlay->bytes);
  if (!start) return 0;
  if (snapshot_unpack((u32)overlay->packed, overlay->packed_bytes, LINEAR_AT + start, overlay->bytes) !=
      (s32)overlay->bytes)
    panic("Bad overlay", number);
  u32 done = 1;
  for (u32 at = start; done && at < start + overlay->bytes;) {
    u32 text = at + text_length(at) + 1;
    u32 bytes = text_length(text);
    done = evaluate(engine, at, text, bytes);
    at = text + bytes + 1;
  }
  free(engine, start);
  return done;
}
