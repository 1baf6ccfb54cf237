/* Loaded before user-mode-linux: its kernel 6.1 hands the floating-point state of a process back in a buffer of 2,696
 * bytes (PTRACE_SETREGSET, NT_X86_XSTATE). A processor with more state than that (AMX has 8 KB) makes the host refuse what
 * is shorter than the whole, and the guest dies at its first process. Here the rest is filled in, from what the process
 * has. On other hosts nothing is short, and nothing happens. */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { XSTATE = 0x202, HEADER = 512, AREA = 1 << 16 };

/* XSTATE_BV, bits 17 and 18: AMX's tiles and their configuration, which the guest does not know. */
static const unsigned long tiles = 3ul << 17;
static unsigned char state[AREA] __attribute__((aligned(64)));

/* The system call itself answers a PEEK by a pointer; glibc's function by its result. */
static long host(long request, long process, long address, long data) {
  long word = 0;
  const int peeks = request >= PTRACE_PEEKTEXT && request <= PTRACE_PEEKUSER;
  const long result = syscall(SYS_ptrace, request, process, address, peeks ? (long)&word : data);
  if (!peeks || result != 0) return result;
  errno = 0;
  return word;
}

long ptrace(enum __ptrace_request request, ...) {
  __builtin_va_list words;
  __builtin_va_start(words, request);
  const long process = __builtin_va_arg(words, long);
  const long address = __builtin_va_arg(words, long);
  const long data = __builtin_va_arg(words, long);
  __builtin_va_end(words);
  if (request != PTRACE_SETREGSET || address != XSTATE) return host(request, process, address, data);
  const struct iovec *given = (const struct iovec *)data;
  struct iovec whole = {state, sizeof state};
  if (host(PTRACE_GETREGSET, process, XSTATE, (long)&whole) != 0 || whole.iov_len <= given->iov_len)
    return host(request, process, address, data);
  memset(state + given->iov_len, 0, whole.iov_len - given->iov_len);
  memcpy(state, given->iov_base, given->iov_len);
  *(unsigned long *)(state + HEADER) &= ~tiles;
  return host(request, process, XSTATE, (long)&whole);
}
