#pragma once
#include <libpq-fe.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/// Names the calling thread (at most 15 bytes are kept). `prctl` is variadic, which Swift does not import.
static inline void rastro_set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0UL, 0UL, 0UL); }

/// A non-blocking event counter that becomes readable once it was written to; -1 on failure.
static inline int rastro_event_counter(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
