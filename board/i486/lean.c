/* Overlays made as lean as what the build makes: image/lean/functions.ts over linear memory, with the engine's malloc. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h"
#include "lean.h"

static Z_lean_instance_t instance;
static Z_engine_instance_t *engine;

void Z_heapZ_free(struct Z_heap_instance_t *heap, u32 at) {
  (void)heap;
  free(engine, at);
}

void Z_heapZ_freeValue(struct Z_heap_instance_t *heap, u32 at) {
  (void)heap;
  QTS_FreeValuePointer(engine, ENGINE_CONTEXT, at);
}

#include "lean-module.c"

void lean_before(void) { Z_leanZ_leanBefore(&instance, ENGINE_RUNTIME); }

void lean_evaluated(struct Z_engine_instance_t *of) {
  engine = of;
  Z_leanZ_leanEvaluated(&instance, ENGINE_RUNTIME);
}
