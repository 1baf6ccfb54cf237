/* Overlays: modules that are packed in the kernel as bytecode, read and evaluated when control wants them. What is left of
 * an overlay is what it has put into `__overlay`: when nobody holds that any more, the engine frees it. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h"
#include "overlays.h" /* overlay_codes; overlays[]: packed, packed_bytes, their sum; bytes; heap_bytes that it takes */

#define TAG_MODULE 0xfffffffdu
#define TAG_EXCEPTION 6u
#define PROMISE_REJECTED 2u
#define ARRAY_BUFFER 19u
#define PIECE_BYTES 1024u /* what the heap is asked for: what an overlay is made of is smaller, but its text */

#define ROOM_END (PLANE_BASE + OVERLAY_ROOM_AT + OVERLAY_ROOM_BYTES) /* of what overlays are read in */

u32 overlay_throws, overlay_blocks;
static u32 room;

static const struct overlay *of_number(u32 number) { return &overlays[number < sizeof overlays / sizeof *overlays ? number : 0]; }

/* Hands on what was thrown, which is control's to catch. */
static void throw(Z_engine_instance_t *engine, u32 exception) {
  overlay_throws = QTS_Throw(engine, ENGINE_CONTEXT, exception);
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

/* Gives the room back. */
static void free_room(Z_engine_instance_t *engine) {
  for (u32 at; (at = overlay_blocks); free(engine, at)) overlay_blocks = LINEAR_WORD(at);
  pages_show(PLANE_BASE + OVERLAY_ROOM_AT, 0, OVERLAY_ROOM_BYTES);
}

/* Whether the heap has so much, in pieces, which are given back: what malloc says is free it may not give, at the heap's end above all. */
static u32 has_room(Z_engine_instance_t *engine, u32 bytes) {
  u32 had = 0;
  for (u32 at; had < bytes && (at = malloc(engine, PIECE_BYTES)); had += PIECE_BYTES) LINEAR_WORD(at) = overlay_blocks, overlay_blocks = at;
  free_room(engine);
  return had >= bytes;
}

/* Makes room for so many bytes, which ends at ROOM_END: whole pages of blocks, wherever the heap has some, side by side. Answers whether it is there. */
static u32 make_room(Z_engine_instance_t *engine, u32 bytes) {
  u32 piece = (bytes + PAGE - 1) & ~(PAGE - 1), at;
  for (u32 to = room = ROOM_END - piece; to < ROOM_END; to += piece) {
    if (piece > ROOM_END - to) piece = ROOM_END - to;
    for (; !(at = malloc(engine, piece + PAGE)); piece = (piece / 2 + PAGE - 1) & ~(PAGE - 1))
      if (piece == PAGE) return free_room(engine), 0;
    LINEAR_WORD(at) = overlay_blocks, overlay_blocks = at;
    pages_show(to, (at + PAGE) & ~(PAGE - 1), piece);
  }
  return 1;
}

/* Reads the module that has been unpacked to the room's begin, and gives the room back; answers its value, or an exception. */
static u32 read_module(Z_engine_instance_t *engine, const struct overlay *overlay) {
  u32 value = malloc(engine, 8), module = 0;
  lean_before();
  if (value) {
    *(u64 *)(LINEAR_AT + value) = NEW_BUFFER(engine, ENGINE_CONTEXT, (u64)3 << 32, overlay->bytes, 0, ARRAY_BUFFER, room, 0, 0); /* undefined, and nobody frees it */
    module = QTS_bjson_decode(engine, ENGINE_CONTEXT, value);
    QTS_FreeValuePointer(engine, ENGINE_CONTEXT, value);
  }
  free_room(engine);
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

/* Its bytecode is given back when it is read, before it is evaluated and takes half of its heap: that is less than both together. */
u32 overlay_run(Z_engine_instance_t *engine, u32 module) {
  u32 done = module && evaluate(engine, module);
  free_modules(engine);
  lean_evaluated(engine);
  return done;
}

u32 overlay_load(Z_engine_instance_t *engine, u32 number, u32 spare) {
  const struct overlay *overlay = of_number(number);
  u32 packed = overlay->packed_bytes, bytes = overlay->bytes;
  free_room(engine);
  if (!has_room(engine, overlay->heap_bytes + bytes + spare)) return 0; /* of small blocks the room is half */
  free_modules(engine); /* what an attempt has left that had no room for more */
  if (!make_room(engine, bytes + bytes / OVERLAY_MARGIN_PART + OVERLAY_MARGIN + 2 * SECTOR_BYTES)) return 0;
  if (overlays_given && overlay->packed >= overlays_at) return (u32)(image_end - overlay->packed) << 8 | (packed / SECTOR_BYTES + 2);
  if (!unpack((u32)overlay->packed, packed, LINEAR_AT + room, bytes, (u32)overlay_codes))
    panic("Bad overlay", (u32)overlay->packed);
  return overlay_run(engine, read_module(engine, overlay));
}

/* Unpacked in place: the packed bytes lie at the room's end, and are read before what they become reaches them. */
u32 overlay_read(Z_engine_instance_t *engine, u32 number, u32 at) {
  const struct overlay *overlay = of_number(number);
  u32 packed = overlay->packed_bytes;
  if (overlay_blocks && (at += PLANE_BASE) >= room && at < ROOM_END && ROOM_END - at >= packed && plane_sum(at, packed) == overlay->sum &&
      unpack(LINEAR_AT + at, packed, LINEAR_AT + room, overlay->bytes, (u32)overlay_codes))
    return read_module(engine, overlay);
  free_room(engine);
  return 0;
}
