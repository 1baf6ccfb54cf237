/* Overlays: modules that are packed in the kernel as bytecode, read and evaluated when control wants them. What is left of
 * an overlay is what it has put into `__overlay`: when nobody holds that any more, the engine frees it. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h"
#include "overlays.h" /* overlay_codes; overlays[]: packed, packed_bytes, their sum; bytes; heap_bytes that it takes */

#define TAG_MODULE 0xfffffffdu
#define TAG_EXCEPTION 6u
#define PROMISE_REJECTED 2u
/* What the heap is asked for in one piece: what an overlay is made of is smaller, but its text. */
#define PIECE_BYTES 1024u

u32 overlay_yields;
static u32 room, room_bytes;

static const struct overlay *of_number(u32 number) { return &overlays[number < sizeof overlays / sizeof *overlays ? number : 0]; }

/* Hands on what was thrown, which is control's to catch. */
static void throw(Z_engine_instance_t *engine, u32 exception) {
  overlay_yields = QTS_Throw(engine, ENGINE_CONTEXT, exception);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, exception);
}

/* Frees a value; answers 0 if it is an exception. */
static u32 finish(Z_engine_instance_t *engine, u32 value) {
  u32 exception = QTS_ResolveException(engine, ENGINE_CONTEXT, value);
  if (exception) throw(engine, exception);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  return !exception;
}

/* Links and evaluates a module that has been read, in the place of whose value its promise is then; answers 0 if it throws. */
static u32 evaluate(Z_engine_instance_t *engine, u32 value) {
  u64 *promise = (u64 *)(LINEAR_AT + value);
  if (LINEAR_WORD(value + 4) != TAG_MODULE) return finish(engine, value);
  if ((s32)MODULE_RESOLVE(engine, ENGINE_CONTEXT, LINEAR_WORD(value)) < 0) LINEAR_WORD(value + 4) = TAG_EXCEPTION;
  else *promise = MODULE_EVALUATE(engine, ENGINE_CONTEXT, *promise);
  if (LINEAR_WORD(value + 4) == TAG_EXCEPTION ||
      QTS_PromiseState(engine, ENGINE_CONTEXT, value) != PROMISE_REJECTED)
    return finish(engine, value);
  throw(engine, QTS_PromiseResult(engine, ENGINE_CONTEXT, value));
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  return 0;
}

/* Unpacks and reads a module; answers its value, an exception if it cannot be read, or 0 without room. */
static u32 read_module(Z_engine_instance_t *engine, const struct overlay *overlay) {
  u32 at = malloc(engine, overlay->bytes);
  if (!at) return 0;
  if (!unpack((u32)overlay->packed, overlay->packed_bytes, LINEAR_AT + at, overlay->bytes, (u32)overlay_codes))
    panic("Bad overlay", (u32)overlay->packed);
  u32 buffer = QTS_NewArrayBuffer(engine, ENGINE_CONTEXT, at, overlay->bytes);
  u32 module = QTS_bjson_decode(engine, ENGINE_CONTEXT, buffer);
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, buffer); /* and with it what lies at `at` */
  return module;
}

/* Frees the modules behind the resident ones in the engine's list, evaluated or not: the list's own reference to each. */
static void free_modules(Z_engine_instance_t *engine) {
  u32 link;
  while ((link = LINEAR_WORD(ENGINE_MODULES)) != ENGINE_LAST_MODULE) {
    u32 value = malloc(engine, 8);
    if (!value) return;
    LINEAR_WORD(value) = link - MODULE_LINK;
    LINEAR_WORD(value + 4) = TAG_MODULE;
    QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  }
}

/* Whether the heap has so much, in pieces, which are given back. */
static u32 has_room(Z_engine_instance_t *engine, u32 bytes) {
  u32 last = 0, had = 0, at;
  for (; had < bytes && (at = malloc(engine, PIECE_BYTES)); had += PIECE_BYTES) {
    LINEAR_WORD(at) = last;
    last = at;
  }
  for (; last; last = at) {
    at = LINEAR_WORD(last);
    free(engine, last);
  }
  return had >= bytes;
}

/* Its bytecode is given back when it is read, before it is evaluated and takes half of its heap: that is less than both together. */
u32 overlay_run(Z_engine_instance_t *engine, u32 module) {
  u32 done = module && evaluate(engine, module);
  free_modules(engine);
  lean_evaluated(engine);
  return done;
}

/* Makes the room in which control reads an overlay from the disk, which the call yields; answers how much is read, and where. */
static u32 make_room(Z_engine_instance_t *engine, const struct overlay *overlay) {
  room_bytes = overlay->bytes + overlay->bytes / OVERLAY_MARGIN_PART + OVERLAY_MARGIN + 2 * SECTOR_BYTES;
  if (!(room = malloc(engine, room_bytes))) return 0;
  overlay_yields = QTS_NewArrayBuffer(engine, ENGINE_CONTEXT, room, room_bytes);
  return (u32)(image_end - overlay->packed) << 8 | (overlay->packed_bytes / SECTOR_BYTES + 2);
}

u32 overlay_load(Z_engine_instance_t *engine, u32 number, u32 spare) {
  const struct overlay *overlay = of_number(number);
  if (!has_room(engine, overlay->heap_bytes + spare)) return 0;
  free_modules(engine); /* what an attempt has left that had no room for more */
  if (overlays_given && overlay->packed >= overlays_at) return make_room(engine, overlay);
  lean_before();
  return overlay_run(engine, read_module(engine, overlay));
}

/* Unpacked in place: the packed bytes lie at the room's end, and are read before what they become reaches them. */
u32 overlay_read(Z_engine_instance_t *engine, u32 number, u32 at, u32 value) {
  const struct overlay *overlay = of_number(number);
  u32 packed = overlay->packed_bytes;
  if (QTS_GetArrayBufferLength(engine, ENGINE_CONTEXT, value) != room_bytes || at > room_bytes || room_bytes - at < packed ||
      plane_sum(room + at, packed) != overlay->sum ||
      !unpack(LINEAR_AT + room + at, packed, LINEAR_AT + room, overlay->bytes, (u32)overlay_codes))
    return 0;
  lean_before();
  return QTS_bjson_decode(engine, ENGINE_CONTEXT, value);
}
